"""Every picture says in words what it shows, for those who do not see it."""

from __future__ import annotations

import ast
from pathlib import Path

PAGES = Path(__file__).parents[3] / "pages"


def wordless(source: str) -> list[int]:
    """Lines in which a picture is shown without words of its own."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        node.lineno
        for node in calls
        if isinstance(node.func, ast.Attribute)
        and node.func.attr == "image"
        # A column or the page; a session's image is no call.
        and isinstance(node.func.value, ast.Name)
        and "alt" not in {word.arg for word in node.keywords}
    ]


def test_every_picture_has_words():
    assert wordless("st.image(x, width=3)") == [1]
    assert wordless("column.image(x, alt='A roof')") == []
    found = {
        f"{path.relative_to(PAGES)}:{line}"
        for path in PAGES.rglob("*.py")
        for line in wordless(path.read_text("utf-8"))
    }
    assert found == set()

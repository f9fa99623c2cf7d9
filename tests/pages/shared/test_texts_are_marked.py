"""Whatever pages show is marked for translation; read from their source, not from what they show.

Two rules find what is not: a text that is given to a widget, however short, and any text of two
words or more, wherever it stands.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGES = Path(__file__).resolve().parents[3] / "pages"
MARKS = {"_", "N_", "ngettext"}
WIDGETS = {
    "badge", "button", "caption", "checkbox", "color_picker", "data_editor", "dialog",
    "download_button", "error", "expander", "file_uploader", "form_submit_button", "header",
    "image", "info", "link_button", "markdown", "metric", "multiselect", "number_input", "offer",
    "page_link", "pills", "popover", "progress", "radio", "segmented_control", "select_slider",
    "selectbox", "slider", "spinner", "subheader", "success", "tabs", "text", "text_area",
    "text_input", "title", "toast", "toggle", "warning", "write", "CheckboxColumn", "ImageColumn",
    "NumberColumn", "ProgressColumn", "TextColumn",
}  # fmt: skip
"""What shows its first argument."""
SHOWN = {"alt", "body", "caption", "help", "label", "placeholder", "stop"}
"""Arguments that are shown."""
UNSEEN = {"default", "key", "icon", "type", "width", "show_spinner", "js", "css", "html"}
"""Arguments that no person reads, and one that is asked for before anybody has a language."""
SAME = {"Dice", "GeoJSON", "GeoPackage", "IoU", "RSAM tiny"}
"""The same in all languages."""
NOT_SHOWN = {
    # What the program knows something by.
    "open project", "open series", "Take away", "Pixel on the ground", "selected", "point", "box",
    # Faults of the program, a command, the end of a thread.
    "A picture given as bytes needs its size.", '"{}" -m pip install -r "{}"',
    "Stopped when its turn came.",
}  # fmt: skip
ENGLISH = {
    # Names of layers and files, parts of messages of the core, and facts in reports, which are in
    # English whoever makes them.
    "parts/apply/form.py": {"Slope from {}"},
    "parts/apply/sample.py": {"Invented suburb, 2019.tif", "Invented suburb, 2023.tif"},
    "parts/apply/sources.py": {
        "Found at {}", "Green at the {} date", "Objects of this image"
    },
    "parts/change/export.py": {
        "Changes at {}", "First date", "Second date", "the method’s own", "as it is",
        "Displacement corrected", "Displacement left", "up to ",
    },
    "parts/change/sample.py": {"Garden suburb, 2019.tif", "Garden suburb, 2023.tif"},
    "parts/change/truth.py": {"RSAM: joined to areas"},
    "parts/follow/export.py": {"Marked by hand"},
    "parts/shared/session_memory.py": {"this file"},
    "parts/shared/export_panel.py": {
        "simplified by {} {}", "along the pixels", "Model of the automatic mode",
        "Minimum quality", "Minimum size",
    },
}  # fmt: skip
BEFORE_ANY_PAGE = {"parts/shared/javascript.py", "parts/shared/serving.py"}
"""What they say nobody sees, or browsers that have no page yet."""


def words(text: str) -> str:
    """A text without what is no language: icons, addresses, tags, styles, placeholders."""
    return re.sub(
        r":material/[\w{}]+:|:[\w-]+\[|pages/[\w/]+\.py|https?:\S+|<[^>]*>?|\{[^}]*\}|&\w+;",
        " ",
        text,
    )


def is_prose(text: str) -> bool:
    return re.search(r"[A-Za-z]{2,}[,.:;)”]* +[(“*]*[A-Za-z]{2,}", words(text)) is not None


def is_word(text: str) -> bool:
    return re.search(r"[A-Za-z]{3,}", words(text)) is not None


def name_of(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id
    return function.attr if isinstance(function, ast.Attribute) else ""


def texts(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """All texts below a node that are not marked; formatted ones with "{}" for what varies."""
    if isinstance(node, ast.Call) and name_of(node) in MARKS:
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, node.value
        return
    if isinstance(node, ast.JoinedStr):
        yield (
            node,
            "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values),
        )
        for part in node.values:
            if not isinstance(part, ast.Constant):
                yield from texts(part.value)
        return
    if isinstance(node, (ast.Compare, ast.arg)) or _is_silent(node):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "slice", "format_spec"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from texts(child)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):
        return node.arg in UNSEEN
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        whose = node.func.value
        logs = isinstance(whose, ast.Name) and whose.id == "_LOG"
        return logs or (isinstance(whose, ast.Name) and whose.id == "re")
    return False


def unmarked(source: str) -> list[tuple[int, str]]:
    """Lines and texts that nobody can translate."""
    tree = ast.parse(source)
    found = {
        (node.lineno, text) for node, text in texts(tree)
        if is_prose(text) and not re.search(r"[{;]\s*[\w-]+\s*:|^datum\.", text)
    }  # fmt: skip
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or _is_silent(call):
            continue
        given = [one.value for one in call.keywords if one.arg in SHOWN]
        if name_of(call) in WIDGETS:
            given += call.args[:1]
        for value in given:
            found |= {(node.lineno, text) for node, text in texts(value) if is_word(text)}
    return sorted(found)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("st.button('Open')", "Open"),
        ("left.button(f'Open {name}')", "Open {}"),
        ("st.slider('x', help='How many')", "How many"),
        ("st.button('Open' if closed else _('Close'))", "Open"),
        ("st.caption(_('Seen ') + 'twice')", "twice"),
        ("HINT = 'Click the object'", "Click the object"),
        ("def show():\n    raise RsamError('It is gone.')", "It is gone."),
        ("st.tabs(['Table', _('Dates')])", "Table"),
        ("column(st.column_config.NumberColumn('Frame', width='small'))", "Frame"),
    ],
)
def test_what_is_not_marked_is_found(source: str, text: str) -> None:
    assert [said for _line, said in unmarked(source)] == [text]


@pytest.mark.parametrize(
    "source",
    [
        "st.button(_('Open'), key='open-again', icon=':material/folder:')",
        "HINT = N_('Click the object')",
        "st.caption(ngettext('{count} roof', '{count} roofs', 2).format(count=2))",
        "'''What this does.'''\n\n\ndef show():\n    '''Show all of it.'''",
        "_LOG.warning('could not be read')",
        "st.markdown(f'**{number(3)}** · {area} m²')",
        "st.html(f'<div style=\"color:red;margin:0 2px\">{text}</div>')",
        "if way == 'by hand':\n    pass",
        "known['what it was']",
    ],
)
def test_what_is_right_is_not_complained_about(source: str) -> None:
    assert unmarked(source) == []


def test_all_that_pages_show_is_marked() -> None:
    found = []
    for path in sorted(PAGES.rglob("*.py")):
        place = path.relative_to(PAGES).as_posix()
        if place in BEFORE_ANY_PAGE:
            continue
        known = NOT_SHOWN | SAME | ENGLISH.get(place, set())
        for line, text in unmarked(path.read_text(encoding="utf-8")):
            if text not in known:
                found.append(f"pages/{place}:{line}: {text}")
    assert found == [], "mark it by _, N_ or ngettext, or name it above if nobody sees it"

"""JavaScript of the components, joined to the one string that Streamlit takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pages.parts.shared.javascript import script


def write(folder: Path, **modules: str) -> Path:
    """Modules by name; the path of the first."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(modules))}.js"


def test_each_module_once_after_those_it_imports(tmp_path: Path):
    entry = write(
        tmp_path,
        page='import { a } from "./one.js";\nimport {\n  b,\n} from "./two.js";\n\n'
        "export default function () {}\n",
        one='import { b } from "./two.js";\nexport const a = b + 1; // export b\n',
        two="export const b = 1;\nexport class C {}\n",
    )
    assert script(entry) == (
        "const b = 1;\nclass C {}\n\nconst a = b + 1; // export b\n\n"
        "\nexport default function () {}\n"
    )


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        (
            {
                "page": 'import { a } from "./one.js";\nfunction b() {}\n',
                "one": "export const a = 1;\nlet b = 2;\n",
            },
            r"one\.js and page\.js both declare 'b'",
        ),
        (
            {
                "page": 'import { a } from "./one.js";\nexport const c = 1;\n',
                "one": 'import { c } from "./page.js";\nexport const a = c;\n',
            },
            "page.js → one.js → page.js: these import each other",
        ),
        ({"page": 'import x from "./one.js";\n'}, "cannot be joined"),
        ({"page": 'import "./one.js";\n'}, "cannot be joined"),
        ({"page": "const a = 1;\nexport { a };\n"}, "cannot be joined"),
        (
            {"page": 'import { a } from "./one.js";\n', "one": "export default 3;\n"},
            "one.js cannot be joined",
        ),
    ],
)
def test_what_joined_files_would_mean_otherwise_is_refused(tmp_path: Path, modules, words):
    with pytest.raises(ValueError, match=words):
        script(write(tmp_path, **modules))

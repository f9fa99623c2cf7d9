"""Names that want to be more than names, and what a page with them may hold."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

NAMES = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title><script>alert(1)</script>",
    "--><svg onload=alert(1)>",
    "]]><script>alert(1)</script>",
    "javascript:alert(1)",
    r"$\frac{a$ $$ \nothing$",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "w" * 5000,
    "photo\u202egpj.exe\u2066\u200f",
    "half\ud800a letter\x00\x1b",
)

HARMLESS = {
    "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "img", "div", "span",
    "i", "b", "table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "dl", "dt", "dd",
    "figure", "figcaption", "code",
}  # fmt: skip
_ATTRIBUTES = {
    ("html", "lang"), ("html", "class"), ("meta", "charset"), ("meta", "name"),
    ("meta", "content"), ("p", "class"), ("div", "class"), ("span", "class"), ("i", "style"),
    ("th", "scope"), ("th", "class"), ("td", "class"), ("tr", "class"), ("img", "alt"),
    ("img", "src"), ("img", "style"),
}  # fmt: skip


def shown(name: str) -> str:
    """The name as a page shows it: without marks of direction, controls and half letters."""
    kept = "".join(c for c in name if unicodedata.category(c) not in ("Cf", "Cc", "Cs"))
    return " ".join(kept.split())


def found_in(page: str) -> Tags:
    """Tags and text of a page; asserts that names brought neither tags nor attributes."""
    page.encode("utf-8")
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069\x00\x1b]", page)
    tags = Tags(page)
    assert not tags.open
    assert tags.tags <= HARMLESS
    assert {(tag, key) for tag, key, _ in tags.attributes} <= _ATTRIBUTES
    for tag, key, value in tags.attributes:
        if key == "src":
            assert re.fullmatch(r"data:image/(jpeg|png|svg\+xml);base64,[A-Za-z0-9+/=]+", value)
        if key == "style":
            wanted = {"i": "background:#[0-9A-F]{6}", "img": r"height:\d{1,3}mm"}
            assert re.fullmatch(wanted[tag], value)
    return tags


class Tags(HTMLParser):
    """All tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

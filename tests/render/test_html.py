"""Reports in HTML: whatever a name holds is text, and what is missing is said."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import ClassVar

import numpy as np
import pytest

from rsam_core.errors import ExportError, RsamError
from rsam_core.render import html, paper
from tests.helpers.hostile_names import NAMES, found_in, shown

PIXEL = html.photograph(np.zeros((4, 4, 3), np.uint8))

PARTS = {
    "text": lambda name: [html.Text(name, lead=name)],
    "note": lambda name: [html.Text(name, kind=name)],
    "plain": lambda name: [name],
    "items": lambda name: [html.Items([name, name])],
    "facts": lambda name: [html.Facts({name: name})],
    "numbers": lambda name: [html.KeyNumbers([(name, name)])],
    "legend": lambda name: [html.Legend([(name, "#ff0000")])],
    "table": lambda name: [html.Table([name], [[name]], name, kinds={0: name})],
    "thumbnails": lambda name: [html.Thumbnails([(name, PIXEL, PIXEL)])],
    "figure": lambda name: [html.Figure(PIXEL, name, name, legend=[(name, "#f00")])],
    "blanks": lambda name: [paper.Blanks([name, name])],
    "beside": lambda name: [paper.Beside(html.Figure(PIXEL, name, name, tallest=30), 2)],
    "sheet": lambda name: [
        paper.Together([html.Text(name, lead=name)]),
        paper.Lines(2),
        paper.PageBreak(),
        html.Figure(PIXEL, name, numbered=False, tallest=30),
    ],
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("part", PARTS)
def test_whatever_a_name_holds_it_is_text(part: str, name: str) -> None:
    page = html.page(name, [html.Section(name, PARTS[part](name))], subtitle=name, layout=name)
    tags = found_in(page)
    # Title, heading, line below it, section, and in the part itself.
    assert tags.text.count(shown(name)) >= 5


def test_every_part_is_among_those_tried() -> None:
    parts = {
        kind
        for kind in (*vars(html).values(), *vars(paper).values())
        if dataclasses.is_dataclass(kind) and hasattr(kind, "template")
    }
    tried = {type(part) for make in PARTS.values() for part in make("a")}
    assert parts == tried - {str}


class Texts(HTMLParser):
    """What stands between the tags, tag by tag."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []
        self.tag = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tag = tag

    def handle_endtag(self, tag):
        self.tag = ""

    def handle_data(self, data):
        if data.strip():
            self.seen.append((self.tag, data.strip()))


def test_tables_and_figures_with_a_caption_are_numbered_through_the_page() -> None:
    table, figure = html.Table(["a"], [["1"]], "of a."), html.Figure(PIXEL, "of b.")
    page = html.page(
        "T",
        [
            html.Section("One", [table, figure, html.Table(["a"], [["1"]])]),
            html.Section("Two", [figure, table, html.Figure(PIXEL, alt="c")], level=3),
        ],
    )
    numbers = [text for tag, text in Texts(page).seen if tag == "b"]
    assert numbers == ["Table 1.", "Figure 1.", "Figure 2.", "Table 2."]
    assert ("h2", "One") in Texts(page).seen
    assert ("h3", "Two") in Texts(page).seen


def test_rows_and_columns_have_their_classes() -> None:
    long = "x" * 21
    page = html.page("T", [html.Section("", [html.Table(
        ["Name", "n"], [["a", "1"], [long, "2"]], text_columns=[0], kinds={1: "best"},
    )])])  # fmt: skip
    assert '<th scope="col" class="text">Name</th><th scope="col">n</th>' in page
    assert '<tr><td class="text">a</td><td>1</td></tr>' in page
    assert f'<tr class="best"><td class="text long">{long}</td><td>2</td></tr>' in page


def test_a_missing_value_is_said_and_never_left_out() -> None:
    with pytest.raises(ExportError, match="'subtitle' is undefined"):
        html.render(
            "rsam_core.render/page.html", title="T", layout="sheet", language="en", sections=[]
        )

    @dataclass(frozen=True)
    class Half:
        template: ClassVar[str] = "rsam_core.render/text.html"
        text: str = "no lead, no kind"

    with pytest.raises(ExportError, match=r"no attribute 'kind'.*report this fault"):
        html.page("T", [html.Section("", [Half()])])


def test_a_template_that_is_not_there_is_said() -> None:
    with pytest.raises(ExportError, match=r"nothing\.html"):
        html.render("rsam_core.render/nothing.html")


def test_a_row_needs_a_cell_for_each_column() -> None:
    with pytest.raises(ExportError, match="1 cells for 2 columns"):
        html.Table(["a", "b"], [["1"]])


@pytest.mark.parametrize("colour", ["red;background:url(//a.b)", "javascript:", "", '"#ff0000'])
def test_a_colour_is_a_colour(colour: str) -> None:
    with pytest.raises(RsamError, match="not a colour"):
        html.page("T", [html.Section("", [html.Legend([("a", colour)])])])


def test_an_empty_list_says_so_and_an_empty_legend_is_nothing() -> None:
    page = html.page("T", [html.Section("", [html.Items([]), html.Legend([])])])
    assert "Nothing to report." in page
    assert 'class="legend"' not in page

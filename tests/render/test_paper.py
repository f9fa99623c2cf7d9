"""Printed sheets: pages end where they shall, lines are there to write on, letters come out."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import matplotlib
import numpy as np
import pypdfium2
import pytest
from fontTools.ttLib import TTFont

from rsam_core.render import html
from rsam_core.render.paper import Beside, Blanks, Lines, PageBreak, Together
from rsam_core.render.pdf import pdf

PICTURE = html.photograph(np.full((60, 120, 3), 128, np.uint8))
VIETNAMESE = "Hãy kẻ đường viền quanh mỗi ngôi nhà: bao nhiêu phần trăm là đúng? ĐƯỜNG ẰẨỬỸỴ"


def pages(content: bytes) -> list[str]:
    """The text of each page of a PDF."""
    return [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(content)]


def rules(content: bytes, page: int = 0) -> list[float]:
    """Distances between the horizontal rules of a page, in millimetres from the top one down."""
    shown = pypdfium2.PdfDocument(content)[page].render(scale=4, grayscale=True).to_numpy()
    dark = np.flatnonzero((shown.reshape(len(shown), -1) < 240).mean(axis=1) > 0.7)
    starts = dark[np.diff(dark, prepend=-9) > 1]
    return (np.diff(starts) / 4 / 72 * 25.4).tolist()


def test_what_follows_a_break_begins_on_the_next_page() -> None:
    parts = [html.Section("", ["question", PageBreak(), "solution"])]
    first, second = pages(pdf("T", parts))
    assert "question" in first
    assert "solution" not in first
    assert "solution" in second
    page = html.page("T", parts, layout="handout", language="vi")
    assert page.index("question") < page.index('<div class="page-break">') < page.index("solution")
    assert '<html lang="vi" class="handout">' in page
    assert ".page-break { break-after: page;" in page


def test_lines_are_as_many_as_asked_for_and_far_enough_apart() -> None:
    parts = [html.Section("", [Lines(4)])]
    assert rules(pdf("T", parts)) == pytest.approx([8.5] * 3, abs=0.2)
    lines = html.page("T", parts).split('<div class="lines"')[1]
    assert lines.count("<div></div>") == 4


def test_lines_that_do_not_fit_go_on_on_the_next_page() -> None:
    # From 29 mm, below the title, to 16 mm above the lower edge.
    content = pdf("T", [html.Section("", [Lines(40)])])
    assert [len(rules(content, page)) + 1 for page in (0, 1)] == [29, 11]


def test_blanks_stand_side_by_side() -> None:
    content = pdf("T", [html.Section("", [Blanks(["Name", "Date"])])])
    text = pypdfium2.PdfDocument(content)[0].get_textpage()
    heights = set()
    for word in ("Name", "Date"):
        found = text.search(word).get_next()
        heights.add(round(text.get_charbox(found[0])[1]))
    assert len(heights) == 1
    assert "<span>Name</span>\n<span>Date</span>" in html.page(
        "T", [html.Section("", [Blanks(["Name", "Date"])])]
    )


@pytest.mark.parametrize(("lines", "page"), [(1, 0), (3, 1)])
def test_what_belongs_together_goes_to_the_next_page_as_a_whole(lines: int, page: int) -> None:
    # 23 lines leave 51.5 mm; text, picture and one line take 41, with three lines 58.
    block = Together([html.Text("block"), html.Figure(PICTURE, tallest=20), Lines(lines)])
    texts = pages(pdf("T", [html.Section("", [Lines(23), block, "after"])]))
    assert [number for number, text in enumerate(texts) if "block" in text] == [page]
    assert [number for number, text in enumerate(texts) if "after" in text] == [page]


def test_a_measured_picture_has_its_height_on_paper() -> None:
    parts = [html.Section("", [html.Figure(PICTURE, "alone", tallest=30, numbered=False)])]
    content = pdf("T", parts)
    (picture,) = pypdfium2.PdfDocument(content)[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    left, bottom, right, top = picture.get_bounds()
    assert (top - bottom, right - left) == pytest.approx((30 * 72 / 25.4, 60 * 72 / 25.4), abs=0.5)
    page = html.page("T", parts)
    assert 'style="height:30mm"' in page
    for text in (page, *pages(content)):
        assert "alone" in text
        assert "Figure 1" not in text


def test_lines_stand_beside_a_picture() -> None:
    figure = html.Figure(PICTURE, "caption", tallest=30, numbered=False)
    parts = [html.Section("", [Beside(figure, 4), "after"])]
    content = pdf("T", parts)
    (picture,) = pypdfium2.PdfDocument(content)[0].get_objects([pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])
    _left, bottom, right, top = picture.get_bounds()
    text = pypdfium2.PdfDocument(content)[0].get_textpage()
    where = {
        word: text.get_charbox(text.search(word).get_next()[0]) for word in ("caption", "after")
    }
    # Below the picture its caption, and below both and the last line what follows.
    assert where["caption"][3] < bottom
    assert where["after"][3] < top - 4 * 8.5 * 72 / 25.4
    shown = pypdfium2.PdfDocument(content)[0].render(scale=4, grayscale=True).to_numpy()
    shown = shown.reshape(len(shown), -1)[:, round(right * 4) + 40 :]
    lines = np.flatnonzero((shown < 240).mean(axis=1) > 0.6)
    assert len(lines[np.diff(lines, prepend=-9) > 1]) == 4
    page = html.page("T", parts).split('<div class="beside">')[1]
    assert page.index("<img") < page.index('<div class="lines">')
    assert page.count("<div></div>") == 4


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_vietnamese_letters_come_out_in_the_pdf(form: str) -> None:
    text = unicodedata.normalize(form, VIETNAMESE)
    (page,) = pages(pdf(text, [html.Section("", [text])], footer=text))
    assert page.replace("\r\n", " ").count(VIETNAMESE) == 3


@pytest.mark.parametrize("face", ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"])
def test_the_font_has_each_letter_of_vietnamese(face: str) -> None:
    known = TTFont(Path(matplotlib.get_data_path()) / "fonts/ttf" / f"{face}.ttf").getBestCmap()
    vowels, tones = "aăâeêioôơuưyAĂÂEÊIOÔƠUƯY", ["", *"\u0300\u0301\u0303\u0309\u0323"]
    letters = {unicodedata.normalize("NFC", v + tone) for v in vowels for tone in tones} | {*"đĐ"}
    assert len(letters) == 146
    assert {ord(letter) for letter in letters} <= set(known)

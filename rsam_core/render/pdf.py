"""Reports as PDF: the sections that `rsam_core.render.html` puts into a page, set on A4."""

from __future__ import annotations

import base64
import io
import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsam_core.errors import ExportError
from rsam_core.objects.palette import to_rgb
from rsam_core.render import html, paper
from rsam_core.runtime.visible import visible

if TYPE_CHECKING:
    from fpdf import FPDF

_INK, _QUIET, _TEAL, _FILL, _LINE, _PENCIL = (
    (23, 50, 47), (91, 112, 108), (15, 118, 110), (238, 244, 242), (205, 216, 213), (140, 156, 152),
)  # fmt: skip
_MARGIN, _LEAD = 18.0, 5.0
"""Millimetres around the page, and from line to line."""
_TALLEST = 190.0
_BODY, _SMALL = 9.5, 8.5
"""Points of the text, and of what stands below pictures."""
_WRITING = 8.5
"""Millimetres from one empty line to the next, for a hand."""
_AFTER_LINES = 5.0


def pdf(
    title: str,
    sections: Sequence[html.Section],
    *,
    subtitle: str = "",
    footer: str = "",
    language: str = "en",
    enlarged: float = 1.0,
) -> bytes:
    """Return a report as PDF on A4.

    Parameters
    ----------
    title : str
    sections : sequence of Section
        As for `rsam_core.render.html.page`. Pictures that are no JPEG or PNG are left out.
    subtitle : str
        A line below the title, such as version and date.
    footer : str
        Stands at the foot of each page, beside its number.
    language : str
        Code of the language of its texts, for those who hear the page.
    enlarged : float
        How much larger its type is than that of reports.

    Returns
    -------
    bytes

    Raises
    ------
    ExportError
        It cannot be made.
    """
    # Signs that the font lacks are told on the log for each sign.
    logging.getLogger("fpdf").setLevel(logging.ERROR)
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    try:
        page = _page(footer, enlarged)
        page.set_title(_words(title))
        page.set_lang(language)
        _heading(page, title, 18, 2)
        if subtitle:
            _paragraph(page, subtitle, 9, _QUIET)
        counts = {"table": 0, "figure": 0}
        for section in sections:
            if section.title:
                page.ln(2)
                _heading(page, section.title, 13 if section.level <= 2 else 11, 1)
            for part in section.parts:
                _part(page, part, counts)
        return bytes(page.output())
    except (RuntimeError, ValueError, OSError) as error:
        raise ExportError(
            "The PDF could not be made. Take the report as HTML, and print that."
        ) from error


def _words(text: object) -> str:
    """A text as it is set: letters with their marks as one sign, which the font has."""
    return unicodedata.normalize("NFC", visible(text))


def _page(footer: str, enlarged: float) -> FPDF:
    import matplotlib
    from fpdf import FPDF

    class Sheet(FPDF):
        # What other type is measured by.
        enlarged = 1.0

        def footer(self) -> None:
            self.set_y(-12)
            self.set_font("DejaVu", size=7.5)
            self.set_text_color(*_QUIET)
            self.cell(self.epw - 20, 4, _words(footer)[:140])
            self.cell(20, 4, f"{self.page_no()} / {{nb}}", align="R")

    sheet = Sheet(format="A4", unit="mm")
    # A font that comes with matplotlib and knows Latin, Greek and Cyrillic letters, and units.
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for style, name in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold"), ("I", "DejaVuSans-Oblique")):
        sheet.add_font("DejaVu", style, fonts / f"{name}.ttf")
    sheet.enlarged = enlarged
    sheet.set_margins(_MARGIN, _MARGIN)
    sheet.set_auto_page_break(True, 16)
    sheet.add_page()
    return sheet


def _heading(page: FPDF, text: str, size: float, gap: float) -> None:
    if page.get_y() > page.h - 45:
        page.add_page()
    page.set_font("DejaVu", "B", size)
    page.set_text_color(*_INK)
    page.multi_cell(0, size * 0.5, _words(text), new_x="LMARGIN", new_y="NEXT", align="L")
    page.ln(gap)


def _paragraph(
    page: FPDF, text: str, size: float = _BODY, colour: Any = _INK, **options: Any
) -> None:
    size *= page.enlarged
    page.set_font("DejaVu", options.pop("style", ""), size)
    page.set_text_color(*colour)
    page.multi_cell(0, size * 0.5, _words(text), new_x="LMARGIN", new_y="NEXT", align="L",
                    **options)  # fmt: skip
    page.ln(1.2)


def _part(page: FPDF, part: Any, counts: dict[str, int]) -> None:
    if isinstance(part, str):
        part = html.Text(part)
    if isinstance(part, html.Text):
        text = f"{part.lead} {part.text}".strip()
        if part.kind == "abstract":
            page.set_fill_color(*_FILL)
            _paragraph(page, text, fill=True, padding=2)
        else:
            _paragraph(page, text, *((8, _QUIET) if part.kind == "note" else ()))
    elif isinstance(part, html.Items):
        for text in part.texts or ("None.",):
            _paragraph(page, f"• {text}", 9)
    elif isinstance(part, html.Facts):
        _table(page, ("", ""), [(str(k), str(v)) for k, v in part.values.items()], (0, 1), {})
    elif isinstance(part, html.KeyNumbers):
        _key_numbers(page, part)
    elif isinstance(part, html.Legend):
        _legend(page, part.entries)
    elif isinstance(part, html.Table):
        _captioned(page, part.caption, "table", counts)
        _table(page, part.header, part.rows, part.text_columns, part.kinds)
    elif isinstance(part, html.Figure):
        _figure(page, part, counts)
    elif isinstance(part, html.Thumbnails):
        _thumbnails(page, part)
    elif isinstance(part, paper.PageBreak):
        page.add_page()
    elif isinstance(part, paper.Lines):
        _lines(page, part.count)
    elif isinstance(part, paper.Blanks):
        _blanks(page, part.labels)
    elif isinstance(part, paper.Beside):
        _beside(page, part)
    elif isinstance(part, paper.Together):
        if page.get_y() + sum(_height(page, one) for one in part.parts) > page.page_break_trigger:
            page.add_page()
        for one in part.parts:
            _part(page, one, counts)


def _captioned(page: FPDF, text: str, what: str, counts: dict[str, int]) -> None:
    if text:
        counts[what] += 1
        _paragraph(page, f"{what.capitalize()} {counts[what]}. {text}", _SMALL, _QUIET)


def _table(
    page: FPDF, header: Sequence[str], rows: Sequence[Sequence[str]], text_columns: Any, kinds: Any
) -> None:
    from fpdf.enums import TableBordersLayout, TextEmphasis
    from fpdf.fonts import FontFace

    if not rows:
        return
    size = (8.0 if len(header) <= 6 else 6.5) * page.enlarged
    page.set_font("DejaVu", "", size)
    page.set_text_color(*_INK)
    page.set_draw_color(*_LINE)
    # Else rows keep the colour of the last box.
    page.set_fill_color(255, 255, 255)
    aligns = ["LEFT" if k in text_columns else "RIGHT" for k in range(len(header))]
    widths = [
        max(
            6.0,
            *(min(page.get_string_width(_words(row[k])), 60.0) for row in (header, *rows[:60])),
        )
        for k in range(len(header))
    ]
    head = any(header)
    style = FontFace(emphasis=TextEmphasis.B, fill_color=_FILL)
    with page.table(
        col_widths=tuple(widths), text_align=tuple(aligns), line_height=size * 0.52,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES, first_row_as_headings=head,
        headings_style=style, padding=0.8,
    ) as table:  # fmt: skip
        if head:
            table.row([_words(cell) for cell in header])
        for number, row in enumerate(rows):
            emphasis = FontFace(emphasis=TextEmphasis.B) if kinds.get(number) == "best" else None
            table.row([_words(cell) for cell in row], style=emphasis)
    page.ln(2)


def _key_numbers(page: FPDF, part: html.KeyNumbers) -> None:
    across = 3
    wide = page.epw / across
    values = list(part.values)
    for start in range(0, len(values), across):
        if page.get_y() > page.h - 35:
            page.add_page()
        top = page.get_y()
        for k, (text, value) in enumerate(values[start : start + across]):
            page.set_xy(page.l_margin + k * wide, top)
            page.set_font("DejaVu", "B", 12 if len(value) < 16 else 9)
            page.set_text_color(*_TEAL)
            page.cell(wide - 2, 6, _words(value))
            page.set_xy(page.l_margin + k * wide, top + 6)
            page.set_font("DejaVu", "", 7.5)
            page.set_text_color(*_QUIET)
            page.multi_cell(wide - 2, 3.6, _words(text), align="L")
        page.set_xy(page.l_margin, top + 15)


def _legend(page: FPDF, entries: Sequence[tuple[str, str]]) -> None:
    page.set_font("DejaVu", "", 8)
    page.set_text_color(*_INK)
    for text, colour in entries:
        wide = page.get_string_width(_words(text)) + 9
        if page.get_x() + wide > page.w - page.r_margin:
            page.ln(5)
        page.set_fill_color(*to_rgb(colour))
        page.rect(page.get_x(), page.get_y() + 0.8, 3, 3, style="F")
        page.set_x(page.get_x() + 4)
        page.cell(wide - 4, 4.6, _words(text))
    page.ln(7)


def _picture(source: Any) -> bytes | None:
    """The bytes of an embedded JPEG or PNG."""
    head, _, data = str(source).partition(",")
    if not head.startswith(("data:image/jpeg", "data:image/png")):
        return None
    return base64.b64decode(data)


def _size(page: FPDF, part: html.Figure, content: bytes) -> tuple[float, float]:
    """Width and height of a picture on paper, in millimetres."""
    from PIL import Image

    with Image.open(io.BytesIO(content)) as image:
        wide, high = image.size
    height = min(part.tallest or _TALLEST, _TALLEST, page.epw * high / wide)
    return height * wide / high, height


def _figure(page: FPDF, part: html.Figure, counts: dict[str, int]) -> None:
    content = _picture(part.source)
    if content is None:
        return
    width, height = _size(page, part, content)
    if page.get_y() + height > page.h - 18:
        page.add_page()
    # In line with the text; as wide as the page, it has no room for that.
    left = page.l_margin + (page.c_margin if width < page.epw else 0)
    page.image(
        io.BytesIO(content), x=left, w=width, h=height, alt_text=_words(part.alt) or None
    )  # fmt: skip
    page.ln(1.5)
    if part.legend:
        _legend(page, part.legend)
    if part.numbered:
        _captioned(page, part.caption, "figure", counts)
    elif part.caption:
        _paragraph(page, part.caption, _SMALL, _QUIET)


def _thumbnails(page: FPDF, part: html.Thumbnails) -> None:
    """Pairs of small pictures side by side, two a row."""
    wide, gap = (page.epw - 6) / 4, 2.0
    for start in range(0, len(part.pairs), 2):
        if page.get_y() + wide + 10 > page.h - 18:
            page.add_page()
        top = page.get_y()
        for k, (text, first, second) in enumerate(part.pairs[start : start + 2]):
            left = page.l_margin + k * (2 * wide + gap + 2)
            for n, source in enumerate((first, second)):
                content = _picture(source)
                if content is not None:
                    page.image(io.BytesIO(content), x=left + n * (wide + 1), y=top, w=wide, h=wide)
            page.set_xy(left, top + wide + 0.5)
            page.set_font("DejaVu", "", 7.5)
            page.set_text_color(*_INK)
            page.multi_cell(2 * wide, 3.6, _words(text), align="L", max_line_height=3.6)
        page.set_xy(page.l_margin, top + wide + 9)


def _lines(page: FPDF, count: int) -> None:
    page.set_draw_color(*_PENCIL)
    for _ in range(count):
        if page.get_y() + _WRITING > page.page_break_trigger:
            page.add_page()
        page.set_y(page.get_y() + _WRITING)
        left, right = page.l_margin + page.c_margin, page.w - page.r_margin - page.c_margin
        page.line(left, page.get_y(), right, page.get_y())
    page.ln(_AFTER_LINES)


def _beside(page: FPDF, part: paper.Beside) -> None:
    if page.get_y() + _height(page, part) > page.page_break_trigger:
        page.add_page()
    top, end = page.get_y(), page.get_y() + _height(page, part)
    content, left = _picture(part.figure.source), page.l_margin + page.c_margin
    if content is not None:
        width, height = _size(page, part.figure, content)
        words = _words(part.figure.alt) or None
        page.image(io.BytesIO(content), x=left, y=top, w=width, h=height, alt_text=words)
        page.set_xy(page.l_margin, top + height + 1)
        size = _SMALL * page.enlarged
        page.set_font("DejaVu", "", size)
        page.set_text_color(*_QUIET)
        wide = width + 2 * page.c_margin
        page.multi_cell(wide, size * 0.5, _words(part.figure.caption), align="L")
        left += width + 6
    page.set_draw_color(*_PENCIL)
    for number in range(1, part.lines + 1):
        y = top + number * _WRITING
        page.line(left, y, page.w - page.r_margin - page.c_margin, y)
    page.set_xy(page.l_margin, end)


def _blanks(page: FPDF, labels: Sequence[str]) -> None:
    """The first blank twice as wide as the others: names are longer than dates."""
    gap = 6.0
    each = (page.epw - gap * (len(labels) - 1)) / (len(labels) + 1)
    left, top = page.l_margin, page.get_y() + 3
    page.set_font("DejaVu", "", _BODY * page.enlarged)
    page.set_text_color(*_INK)
    page.set_draw_color(*_PENCIL)
    for number, label in enumerate(labels):
        wide = 2 * each if number == 0 else each
        page.set_xy(left, top)
        page.cell(wide, 6, _words(label))
        page.line(left + page.c_margin, top + 6.5, left + wide - page.c_margin, top + 6.5)
        left += wide + gap
    page.set_xy(page.l_margin, top + 10)


def _height(page: FPDF, part: Any) -> float:
    """Millimetres that a part takes on a page; 0 for what may be broken anywhere."""
    if isinstance(part, paper.Lines):
        return part.count * _WRITING + _AFTER_LINES
    if isinstance(part, html.Text):
        return _paragraph_height(page, f"{part.lead} {part.text}".strip(), _BODY)
    if isinstance(part, paper.Beside):
        content, figure = _picture(part.figure.source), part.figure
        written = part.lines * _WRITING
        if content is None:
            return written + _AFTER_LINES
        width, height = _size(page, figure, content)
        wide = width + 2 * page.c_margin
        return max(written, height + _paragraph_height(page, figure.caption, _SMALL, wide)) + (
            _AFTER_LINES
        )
    if isinstance(part, html.Figure):
        content = _picture(part.source)
        height = 1.5 + _size(page, part, content)[1] if content is not None else 0.0
        return height + (_paragraph_height(page, part.caption, _SMALL) if part.caption else 0.0)
    return 0.0


def _paragraph_height(page: FPDF, text: str, size: float, wide: float = 0) -> float:
    from fpdf.enums import MethodReturnValue

    size *= page.enlarged
    page.set_font("DejaVu", "", size)
    return 1.2 + page.multi_cell(
        wide, size * 0.5, _words(text), align="L", dry_run=True, output=MethodReturnValue.HEIGHT
    )

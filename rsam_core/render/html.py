"""Reports as one HTML file: what a report shows as small data classes, put into one template.

Every text is escaped, and loses signs that nobody sees, in this one place. A report needs no other
file and no internet: style and pictures are embedded, and it prints on A4.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from rsam_core.errors import ExportError
from rsam_core.objects.palette import to_hex, to_rgb
from rsam_core.render.figures import to_svg
from rsam_core.runtime.visible import visible

LegendEntry = tuple[str, str]
"""A text and its colour, as :func:`rsam_core.objects.palette.to_rgb` takes it."""

_MAX_WORD = 20
"""Letters of a word that a cell of a table does not break."""


@dataclass(frozen=True)
class Text:
    """A paragraph.

    Attributes
    ----------
    text : str
    lead : str
        Words in bold before it.
    kind : str
        ``"note"`` for small print, ``"abstract"`` for a tinted box.
    """

    template: ClassVar[str] = "rsam_core.render/text.html"

    text: str
    lead: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Items:
    """A list of plain texts; says so if there are none."""

    template: ClassVar[str] = "rsam_core.render/items.html"

    texts: Sequence[str]


@dataclass(frozen=True)
class Facts:
    """Names with their values, such as settings."""

    template: ClassVar[str] = "rsam_core.render/facts.html"

    values: Mapping[str, object]


@dataclass(frozen=True)
class KeyNumbers:
    """A few numbers set large, each a label and its value."""

    template: ClassVar[str] = "rsam_core.render/key_numbers.html"

    values: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Legend:
    """What colours mean."""

    template: ClassVar[str] = "rsam_core.render/legend.html"

    entries: Sequence[LegendEntry]


@dataclass(frozen=True)
class Table:
    """A table; one with a caption is numbered.

    Attributes
    ----------
    header : sequence of str
    rows : sequence of sequence of str
        Cells, as many as the header has.
    caption : str
    text_columns : collection of int
        Columns that hold text and are set to the left.
    kinds : mapping of int to str
        Rows to bring out: ``"best"`` or ``"bound"``.
    """

    template: ClassVar[str] = "rsam_core.render/table.html"

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""
    text_columns: Sequence[int] = (0,)
    kinds: Mapping[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ExportError(
                    f"A row of a table has {len(row)} cells for {len(self.header)} columns, so "
                    "that the report cannot be made. Please report this fault of RSAM."
                )


@dataclass(frozen=True)
class Figure:
    """A picture or a diagram; one with a caption is numbered.

    Attributes
    ----------
    source : Markup
        Made by :func:`drawing`, :func:`photograph` or :func:`embedded`.
    caption : str
    alt : str
        Says in words what a picture without a caption shows.
    legend : sequence of (str, str)
        Texts and their colours.
    numbered : bool
        Whether "Figure 1." stands before the caption.
    tallest : int
        Its height in millimetres on paper, less where the page is not wide enough for that; 0 for
        the width of the page.
    """

    template: ClassVar[str] = "rsam_core.render/figure.html"

    source: Markup
    caption: str = ""
    alt: str = ""
    legend: Sequence[LegendEntry] = ()
    numbered: bool = True
    tallest: int = 0


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures in pairs, such as one place at two dates.

    Attributes
    ----------
    pairs : sequence of (str, Markup, Markup)
        A text, and both pictures, made by :func:`photograph`.
    """

    template: ClassVar[str] = "rsam_core.render/thumbnails.html"

    pairs: Sequence[tuple[str, Markup, Markup]]


@dataclass(frozen=True)
class Section:
    """A heading, if it has a title, and what stands below it.

    Attributes
    ----------
    title : str
    parts : sequence
        Texts for paragraphs, and :class:`Text`, :class:`Items`, :class:`Facts`,
        :class:`KeyNumbers`, :class:`Legend`, :class:`Table`, :class:`Figure`,
        :class:`Thumbnails`, those of `rsam_core.render.paper`, or anything else that names its
        ``template``; the template finds it as ``part``.
    level : int
        Of the heading, 2 or 3.
    """

    title: str
    parts: Sequence[Any]
    level: int = 2


def page(
    title: str,
    sections: Sequence[Section],
    *,
    subtitle: str = "",
    layout: str = "article",
    language: str = "en",
) -> str:
    """Return a report as one HTML page.

    Parameters
    ----------
    title : str
    sections : sequence of Section
    subtitle : str
        A line below the title, such as version and date.
    layout : str
        ``"article"`` for text with tables, ``"sheet"`` for a picture with numbers on one page,
        ``"handout"`` for what is printed and written on.
    language : str
        Code of the language of its texts, for those who hear the page.

    Returns
    -------
    str
        HTML; encode it as UTF-8.

    Raises
    ------
    ExportError
        If a template asks for a value that is not there.
    RsamError
        If the colour of a legend is none.
    """
    chapters = [
        {
            "title": section.title,
            "level": section.level,
            "parts": [Text(part) if isinstance(part, str) else part for part in section.parts],
        }
        for section in sections
    ]
    return render(
        "rsam_core.render/page.html",
        title=title,
        subtitle=subtitle,
        sections=chapters,
        layout=layout,
        language=language,
    )


def render(template: str, **values: Any) -> str:
    """Fill in a template.

    Parameters
    ----------
    template : str
        Package and file, such as ``"rsam_core.render/page.html"``; the file lies in the
        package's folder ``templates``.
    **values
        What the template asks for.

    Raises
    ------
    ExportError
        If the template is not there or asks for a value that was not given.
    """
    try:
        return _ENVIRONMENT.get_template(template).render(values)
    except jinja2.TemplateError as error:
        raise ExportError(
            f"The report cannot be made: {error}. Please report this fault of RSAM; the other "
            "files can be saved meanwhile."
        ) from error


def drawing(figure: Any) -> Markup:
    """A figure of matplotlib as the source of an image, embedded as SVG."""
    return embedded(to_svg(figure).encode(), "image/svg+xml")


def photograph(picture: NDArray[np.uint8], longest: int | None = None) -> Markup:
    """A picture as the source of an image, embedded as JPEG.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
    longest : int, optional
        Pixels of the longer side; what is larger is reduced.

    Raises
    ------
    ExportError
        If it is no such picture.
    """
    import cv2

    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ExportError("The picture of a report must have three colours of 8 bits each.")
    scale = 1.0 if longest is None else min(1.0, longest / max(picture.shape[:2]))
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise ExportError("The picture of the report could not be written. Try again.")
    return embedded(data.tobytes(), "image/jpeg")


def embedded(content: bytes, mime: str) -> Markup:
    """The file of a picture as the source of an image.

    It is the only text that templates take unescaped: an image shows an SVG, but runs nothing
    in it, and Base64 holds no sign that ends an attribute.
    """
    return Markup(f"data:{mime};base64,{base64.b64encode(content).decode()}")


def _finalize(value: Any) -> Any:
    """Applied to everything that a template prints, before it is escaped."""
    return value if isinstance(value, Markup) else visible(value)


class _PackageFiles(jinja2.BaseLoader):
    """Templates by package and file, so that each package keeps its own."""

    def get_source(
        self, environment: jinja2.Environment, template: str
    ) -> tuple[str, str | None, Callable[[], bool] | None]:
        package, _, name = template.partition("/")
        return jinja2.PackageLoader(package).get_source(environment, name)


def _hex(colour: str) -> str:
    """A colour as such: whatever else a text holds would be taken for a style."""
    return to_hex(to_rgb(colour))


def _is_long(text: object) -> bool:
    return any(len(word) > _MAX_WORD for word in str(text).split())


_ENVIRONMENT = jinja2.Environment(
    loader=_PackageFiles(),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    finalize=_finalize,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.tests["long"] = _is_long
_ENVIRONMENT.filters["hex"] = _hex

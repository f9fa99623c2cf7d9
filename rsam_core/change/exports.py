"""Changes as files: outlines with a table, pictures to swipe or to blink, a report on one page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.areas import members_of, noun_of
from rsam_core.change.compared import Found
from rsam_core.change.findings import KINDS, Change
from rsam_core.change.pictures import COLOURS, drawn_pair
from rsam_core.change.summary import KindSummary, pixel_area, summarise
from rsam_core.errors import ExportError
from rsam_core.formats import to_csv, to_geojson, to_geopackage
from rsam_core.objects.instances import Instances
from rsam_core.render import html
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 25
_PICTURE, _MOVING = 1400, 900
"""Longest side of pictures, and of moving ones."""

_BLINK = 900
"""Milliseconds that each date is shown."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What is exported.

    Attributes
    ----------
    found : Found
    changes : tuple of Change
        Those that count, or the areas that they make; see `rsam_core.change.areas`.
    dates : tuple of str
        Names of the dates, such as "2016" and "2020".
    said : mapping of int to str
        What a person said of a change, by its number.
    years : float or None
        Between the dates.
    window : Window or None
        Part of the grid that pictures show; the whole by default.
    """

    found: Found
    changes: tuple[Change, ...]
    dates: tuple[str, str] = ("before", "after")
    said: Mapping[int, str] = field(default_factory=dict)
    years: float | None = None
    window: Window | None = None

    @property
    def noun(self) -> str:
        """ "changes", or "areas" where they are joined."""
        return noun_of(self.changes)

    @property
    def unit(self) -> str:
        """ "m²", or "px" where the size of a pixel is not known."""
        return "m²" if self.found.alignment.gsd else "px"


def table_of(shown: Shown) -> pd.DataFrame:
    """One row a change; see `Found.table`, and ``checked``, ``first_date``, ``second_date``.

    Of areas ``area`` and ``area_m2`` in place of those of both dates, ``changes`` (how many), and
    how many of each kind: ``new``, ``gone``, ``changed_inside``, ...
    """
    table = replace(shown.found, changes=shown.changes).table()
    table.insert(2, "checked", [shown.said.get(change.id, "") for change in shown.changes])
    if shown.noun == "areas":
        table = table.drop(columns=[n for n in table if n.startswith("area_before")])
        table = table.rename(columns={"area_after": "area", "area_after_m2": "area_m2"})
        inside = [members_of([area]) for area in shown.changes]
        table.insert(3, "changes", [len(some) for some in inside])
        present = {change.change for some in inside for change in some}
        for place, kind in enumerate((kind for kind in KINDS if kind in present), 4):
            counts = [sum(change.change == kind for change in some) for some in inside]
            table.insert(place, kind.replace(" ", "_"), counts)
    return table.assign(first_date=shown.dates[0], second_date=shown.dates[1])


def csv_of(shown: Shown) -> bytes:
    """The table as CSV."""
    return to_csv(table_of(shown))


def geojson_of(shown: Shown) -> bytes:
    """Outlines and table as GeoJSON; see `rsam_core.formats.to_geojson`."""
    return to_geojson(_outlines(shown), shown.found.scene, table=table_of(shown))


def geopackage_of(shown: Shown) -> bytes:
    """Outlines and table as GeoPackage; see `rsam_core.formats.to_geopackage`."""
    table = table_of(shown)
    return to_geopackage(_outlines(shown), shown.found.scene, table=table, layer=shown.noun)


def _outlines(shown: Shown) -> Instances:
    items = [replace(c.outline, id=c.id, label=c.change) for c in shown.changes]
    return Instances(items, shown.found.shape)


def split_picture(shown: Shown) -> bytes:
    """Both dates in one PNG, the first on the left of a line and the second on the right."""
    before, after = _pair(shown, _PICTURE)
    middle = before.shape[1] // 2
    picture = before.copy()
    picture[:, middle:] = after[:, middle:]
    picture[:, max(middle - 1, 0) : middle + 2] = 255
    for text, left in ((shown.dates[0], True), (shown.dates[1], False)):
        _label(picture, text, left)
    return _encoded(picture, ".png")


def swipe_page(shown: Shown, title: str) -> bytes:
    """Both dates with a handle between them, as an HTML page that needs no other file."""
    before, after = _pair(shown, _PICTURE)
    return html.render(
        "rsam_core.change/swipe.html",
        title=title,
        before=html.photograph(before),
        after=html.photograph(after),
        names=shown.dates,
        legend=_legend(shown),
        width=before.shape[1],
        height=before.shape[0],
    ).encode()


def blinking(shown: Shown) -> bytes:
    """Both dates in turn as an animated GIF."""
    from PIL import Image

    frames = []
    for picture, name in zip(_pair(shown, _MOVING), shown.dates):
        _label(picture, name, True)
        frames.append(Image.fromarray(picture).quantize(255, Image.Quantize.MEDIANCUT))
    stream = io.BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=_BLINK, loop=0)
    return stream.getvalue()


def report(shown: Shown, title: str, facts: Mapping[str, object]) -> bytes:
    """A report on one page: both dates, what changed, and the settings.

    Parameters
    ----------
    shown : Shown
    title : str
    facts : mapping of str to object
        Settings, alignment and whatever else is to be told.
    """
    before, after = _pair(shown, 700)
    rows = summarise(shown.found, members_of(shown.changes), shown.years)
    gap = np.full((before.shape[0], 10, 3), 255, np.uint8)
    pair = np.concatenate([before, gap, after], axis=1)
    alt = f"The place at {shown.dates[0]} on the left and at {shown.dates[1]} on the right"
    parts: list[Any] = [html.Figure(html.photograph(pair), alt=alt), html.Legend(_legend(shown))]
    parts.append(html.Text(f"Left: {shown.dates[0]}. Right: {shown.dates[1]}.", kind="note"))
    parts.append(html.KeyNumbers(_key_numbers(shown, rows)))
    sections = [html.Section("", parts)]
    if rows:
        sections.append(html.Section("By kind of change", [summary_table(rows, shown.unit)]))
    if shown.changes:
        sections.append(html.Section(shown.noun.capitalize(), _list(shown)))
    notes = [*shown.found.notes]
    if notes:
        sections.append(html.Section("What to know", [html.Items(notes)]))
    sections.append(html.Section("How it was found", [html.Facts(facts)]))
    when = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    subtitle = " · ".join([f"{shown.dates[0]} to {shown.dates[1]}", when])
    return html.page(title, sections, subtitle=subtitle, layout="sheet").encode()


def summary_table(rows: Sequence[KindSummary], unit: str) -> html.Table:
    """Counts and areas by kind, for a report."""
    header = ["Change", "Count", f"Before ({unit})", f"After ({unit})", f"Gain ({unit})"]
    dated = any(row.a_year is not None for row in rows)
    if dated:
        header.append(f"{unit} a year")
    cells = [
        [row.kind, f"{row.count:,}", f"{row.before:,.0f}", f"{row.after:,.0f}",
         f"{row.gain:+,.0f}", *([f"{row.a_year:+,.0f}"] if dated else [])]
        for row in rows
    ]  # fmt: skip
    return html.Table(header, cells)


def _key_numbers(shown: Shown, rows: Sequence[KindSummary]) -> list[tuple[str, str]]:
    numbers = [(shown.noun, f"{len(shown.changes):,}")]
    if shown.noun == "areas":
        ground = pixel_area(shown.found) * sum(change.outline.area for change in shown.changes)
        numbers.append(("ground", f"{ground:,.0f} {shown.unit}"))
        numbers.append(("changes in them", f"{len(members_of(shown.changes)):,}"))
    if len(shown.said):
        numbers.append(("checked by a person", f"{sum(map(bool, shown.said.values())):,}"))
    came = sum(max(row.gain, 0) for row in rows)
    went = sum(max(-row.gain, 0) for row in rows)
    numbers += [("came", f"{came:,.0f} {shown.unit}"), ("went", f"{went:,.0f} {shown.unit}")]
    if shown.years:
        numbers.append(("net a year", f"{(came - went) / shown.years:+,.0f} {shown.unit}"))
    return numbers


def _list(shown: Shown) -> list[Any]:
    each = pixel_area(shown.found)
    joined = shown.noun == "areas"
    rows = []
    for change in shown.changes[:MAX_ROWS]:
        ends = [
            None if item is None else item.area * each for item in (change.before, change.after)
        ]
        areas = ["–" if area is None else f"{area:,.0f}" for area in ends]
        sure = "" if np.isnan(change.probability) else f"{change.probability:.0%}"
        said = shown.said.get(change.id, "")
        if joined:
            rows.append([str(change.id), areas[1], sure, said, change.reason])
        else:
            kind = change.kind or ""
            rows.append([str(change.id), change.change, kind, sure, *areas, said, change.reason])
    header = ["No.", "Change", "Kind", "Sure", f"Before ({shown.unit})", f"After ({shown.unit})",
              "Checked", "Why"]  # fmt: skip
    texts: tuple[int, ...] = (1, 2, 6, 7)
    if joined:
        header, texts = ["No.", f"Ground ({shown.unit})", "Sure", "Checked", "What"], (3, 4)
    parts: list[Any] = [html.Table(header, rows, text_columns=texts)]
    if len(shown.changes) > MAX_ROWS:
        parts.append(
            html.Text(f"The first {MAX_ROWS} of {len(shown.changes):,}; the table (CSV) has all.",
                      kind="note")
        )  # fmt: skip
    return parts


def _legend(shown: Shown) -> list[tuple[str, str]]:
    present = {change.change for change in shown.changes}
    return [(kind, colour) for kind, colour in COLOURS.items() if kind in present]


def _pair(shown: Shown, longest: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return drawn_pair(shown.found.alignment, shown.changes, shown.window, longest)


def _label(picture: NDArray[np.uint8], text: str, left: bool) -> None:
    """Write the name of a date into a corner."""
    # The letters of OpenCV are ASCII only.
    plain = text.encode("ascii", "replace").decode()
    size = max(0.5, picture.shape[1] / 1400)
    (wide, high), _ = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    x = 8 if left else max(picture.shape[1] - wide - 12, 8)
    cv2.rectangle(picture, (x - 4, 4), (x + wide + 4, 14 + high), (20, 30, 28), -1)
    cv2.putText(picture, plain, (x, 9 + high), cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1,
                cv2.LINE_AA)  # fmt: skip


def _encoded(picture: NDArray[np.uint8], ending: str) -> bytes:
    done, data = cv2.imencode(ending, np.ascontiguousarray(picture[..., ::-1]))
    if not done:
        raise ExportError("The picture could not be written. Try again.")
    return data.tobytes()

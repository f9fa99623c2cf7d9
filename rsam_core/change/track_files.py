"""A followed object as files: table, outlines with dates, a moving picture, a report."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.dates import day_of
from rsam_core.change.following import Track
from rsam_core.errors import ExportError
from rsam_core.formats import to_csv, to_geojson, to_geopackage
from rsam_core.formats.polygons import credited
from rsam_core.render import html
from rsam_core.render.figures import COLOURS, label, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

OUTLINE, MARKED = (255, 40, 200), (255, 210, 0)
"""Colours of an outline: found by following, and marked by a person."""

_MOVING, _LONGEST, _STRIP = 480, 100, 8
"""Longest side of a moving picture, its frames at most, pictures of a report."""

_ROWS = 60


def csv_of(track: Track) -> bytes:
    """The table as CSV."""
    return to_csv(credited(track.table(), track.frames))


def geojson_of(track: Track) -> bytes:
    """All outlines with their dates as GeoJSON; see `rsam_core.formats.to_geojson`.

    Raises
    ------
    ExportError
        There is no outline.
    """
    return to_geojson(_found(track), track.frames, table=_rows(track))


def geopackage_of(track: Track) -> bytes:
    """All outlines with their dates as GeoPackage; see `rsam_core.formats.to_geopackage`.

    Raises
    ------
    ExportError
        There is no outline.
    """
    return to_geopackage(_found(track), track.frames, table=_rows(track), layer="followed")


def _found(track: Track) -> Any:
    found = track.instances()
    if not len(found):
        raise ExportError("There is no outline yet. Mark the object and follow it first.")
    return found


def _rows(track: Track) -> pd.DataFrame:
    """The table with one row an outline, in the order of `Track.instances`."""
    table = track.table()
    table = table[table["found"]].drop(columns=["found"])
    return table.rename(columns={"frame": "id"}).reset_index(drop=True)


def drawn(track: Track, frame: int, longest: int | None = None) -> NDArray[np.uint8]:
    """A frame with its outline, (h, w, 3) uint8, reduced to a longest side."""
    return drawn_frame(
        track.frames[frame], track.outlines[frame], longest, marked=frame in track.prompts
    )


def drawn_frame(
    picture: NDArray[np.uint8], item: Any, longest: int | None = None, *, marked: bool = False
) -> NDArray[np.uint8]:
    """A picture with an outline on it, if there is one, reduced to a longest side."""
    scale = min(1.0, (longest or max(picture.shape[:2])) / max(picture.shape[:2]))
    size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
    small = picture.copy()
    if scale < 1:
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    if item is not None:
        rings = cv2.findContours(item.mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[
            0
        ]
        places = [np.round((ring + (item.x, item.y) + 0.5) * scale - 0.5) for ring in rings]
        thick = 2 if max(size) > 240 else 1
        colour = MARKED if marked else OUTLINE
        cv2.polylines(small, [p.astype(np.int32) for p in places], True, colour, thick,
                      cv2.LINE_AA)  # fmt: skip
    return small


def moving_picture(track: Track, *, seconds: float = 0.25) -> bytes:
    """All frames with their outlines as an animated GIF; at most 100, evenly chosen.

    Parameters
    ----------
    track : Track
    seconds : float
        How long each is shown.
    """
    from PIL import Image

    chosen = np.unique(np.linspace(0, len(track.frames) - 1, _LONGEST).round().astype(int))
    pictures = []
    for k in chosen.tolist():
        picture = drawn(track, k, _MOVING)
        written(picture, track.frames.dates[k] or track.frames.names[k])
        pictures.append(Image.fromarray(picture).quantize(128, Image.Quantize.MEDIANCUT))
    stream = io.BytesIO()
    pictures[0].save(stream, "GIF", save_all=True, append_images=pictures[1:],
                     duration=max(20, round(1000 * seconds)), loop=0)  # fmt: skip
    return stream.getvalue()


def written(picture: NDArray[np.uint8], text: str) -> None:
    """Write a short text into the lower left corner."""
    plain = text.encode("ascii", "replace").decode()[-40:]
    place = 8, picture.shape[0] - 10
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, thick,
                    cv2.LINE_AA)  # fmt: skip


def chart(table: pd.DataFrame, name: str = "area") -> Figure:
    """A column of a track's table over time.

    Parameters
    ----------
    table : pandas.DataFrame
        From `Track.table`.
    name : str
        The column.
    """
    figure, axes = new_figure(6.4, 2.6)
    x, what = time_axis(table)
    column = "area_m2" if name == "area" and "area_m2" in table else name
    values = np.where(table["found"], table[column], np.nan)
    axes.plot(x, values, color=COLOURS[0], marker="o", markersize=3.5, linewidth=1.4)
    marked = table["marked"].to_numpy(bool)
    axes.plot(np.asarray(x)[marked], values[marked], linestyle="", marker="D",
              color=COLOURS[1], label="marked by hand")  # fmt: skip
    units = {"area": " (px)", "area_m2": " (m²)"}
    titles = {"area_m2": "area"}
    axes.set_ylabel(label(titles.get(column, column) + units.get(column, "")))
    axes.set_xlabel(what)
    if name == "area":
        axes.set_ylim(bottom=0)
    axes.legend(fontsize=8, frameon=False)
    return figure


def time_axis(table: pd.DataFrame) -> tuple[Sequence[Any], str]:
    """Where each frame lies in time, and what that is: dates, seconds, or numbers of frames."""
    days = [day_of(text) for text in table["date"]]
    if all(day is not None for day in days):
        return days, "date"
    if "seconds" in table:
        return table["seconds"].tolist(), "seconds"
    return table["frame"].tolist(), "frame"


def report(track: Track, title: str, facts: Mapping[str, object]) -> bytes:
    """A report on one page: pictures, chart and table.

    Parameters
    ----------
    track : Track
    title : str
    facts : mapping of str to object
        Model and whatever else is to be told.

    Raises
    ------
    ExportError
        There is no outline.
    """
    _found(track)
    table = track.table()
    chosen = np.unique(np.linspace(0, len(table) - 1, _STRIP).round().astype(int)).tolist()
    parts: list[Any] = [
        html.Figure(html.photograph(_strip(track, chosen)),
                    alt="Frames with the outline of the object"),
        html.Text(f"Frames {', '.join(str(k + 1) for k in chosen)}, row by row.", kind="note"),
        html.KeyNumbers(key_numbers(table)),
    ]  # fmt: skip
    shown = table.head(_ROWS)
    columns = [c for c in ("frame", "date", "seconds", "area_m2", "area", "change", "confidence")
               if c in shown and shown[c].notna().any()]  # fmt: skip
    rows = [[_cell(row[c], c) for c in columns] for _, row in shown.iterrows()]
    sections = [
        html.Section("", parts),
        html.Section("Area over time", [html.Figure(html.drawing(chart(table)),
                                                    alt="Area over time")]),
        html.Section("Table", [html.Table([_HEADS[c] for c in columns], rows, text_columns=(1,))]),
        html.Section("How it was made", [html.Facts(facts)]),
    ]  # fmt: skip
    if len(table) > _ROWS:
        more = f"The first {_ROWS} of {len(table):,} frames; the table (CSV) has all of them."
        sections[2] = html.Section("Table", [*sections[2].parts, html.Text(more, kind="note")])
    when = f"{datetime.now().astimezone():%d %B %Y}"
    told = track.frames.attribution
    subtitle = f"{when} · Images: {told}" if told else when
    return html.page(title, sections, subtitle=subtitle).encode()


_HEADS = {"frame": "Frame", "date": "Date", "seconds": "Seconds", "area_m2": "Area (m²)",
          "area": "Area (px)", "change": "Change", "confidence": "Sure"}  # fmt: skip


def key_numbers(table: pd.DataFrame) -> list[tuple[str, str]]:
    """First and last area, change, and how many frames show the object."""
    column, unit = ("area_m2", "m²") if "area_m2" in table else ("area", "px")
    found = table[table["found"]]
    numbers = [("frames with the object", f"{len(found):,} of {len(table):,}")]
    if len(found):
        first, last = float(found[column].iloc[0]), float(found[column].iloc[-1])
        numbers = [("first area", f"{first:,.0f} {unit}"), ("last area", f"{last:,.0f} {unit}"),
                   ("change", f"{last / first - 1:+.0%}"), *numbers]  # fmt: skip
    return numbers


def _cell(value: Any, column: str) -> str:
    if value is None or value != value:
        return "–"
    if column in ("change", "confidence"):
        return f"{value:+.0%}" if column == "change" else f"{value:.0%}"
    if column == "seconds":
        return f"{value:.2f}"
    return f"{value:,.0f}" if isinstance(value, (int, float, np.number)) else str(value)


def _strip(track: Track, chosen: Sequence[int]) -> NDArray[np.uint8]:
    """Frames side by side, four a row."""
    pictures = []
    for k in chosen:
        picture = drawn(track, k, 360)
        written(picture, track.frames.dates[k] or track.frames.names[k])
        pictures.append(cv2.copyMakeBorder(picture, 3, 3, 3, 3, cv2.BORDER_CONSTANT,
                                           value=(255, 255, 255)))  # fmt: skip
    while len(pictures) % 4 and len(pictures) > 4:
        pictures.append(np.full_like(pictures[0], 255))
    return np.vstack([np.hstack(pictures[k : k + 4]) for k in range(0, len(pictures), 4)])

"""A report on one page: picture, figures, table and settings in one HTML file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.measurements import summary
from rsam_core.render import html
from rsam_core.render.numbers import percent

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 40
_MAX_PICTURE = 1600


def html_report(
    picture: NDArray[np.uint8],
    table: pd.DataFrame,
    scene: Any,
    *,
    title: str | None = None,
    legend: Sequence[tuple[str, str]] = (),
    class_areas: pd.DataFrame | None = None,
    settings: Mapping[str, object] | None = None,
    columns: Sequence[str] | None = None,
    covered: tuple[int, float | None] | None = None,
    when: datetime | None = None,
) -> bytes:
    """Return a report that needs no other file and prints on A4.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        For example from :func:`rsam_core.render.overlays.overlay`; reduced to 1600 pixels.
    table : pandas.DataFrame
        One row an object; the first 40 are shown.
    scene : Scene
        Brings name, size, coordinate system and ground distance.
    title : str, optional
    legend : sequence of (str, str)
        Label and colour ``"#RRGGBB"``.
    class_areas : pandas.DataFrame, optional
        From :func:`rsam_core.objects.semantic.class_areas`.
    settings : mapping, optional
        What the result was made with: name and value.
    columns : sequence of str, optional
        Columns of the table to show; a readable choice if not given.
    covered : (int, float or None), optional
        From :func:`rsam_core.objects.measurements.covered_ground`, for objects that overlap.
    when : datetime, optional
        Of the report; now by default.

    Returns
    -------
    bytes
        HTML in UTF-8.
    """
    name = str(getattr(scene, "name", "image"))
    when = when or datetime.now().astimezone()
    shape = (scene.height, scene.width)
    numbers = _key_numbers(summary(table, shape, getattr(scene, "gsd", None), covered=covered))
    shown = html.Figure(html.photograph(picture, _MAX_PICTURE), alt="The image with its objects")
    sections = [html.Section("", [shown, html.Legend(legend), html.KeyNumbers(numbers)])]
    if class_areas is not None and len(class_areas) > 1:
        classes = class_areas.drop(columns=["color"], errors="ignore")
        classes = classes.assign(share=[percent(share, 1) for share in classes["share"]])
        sections.append(html.Section("Classes", [_table(classes)]))
    if len(table):
        parts: list[Any] = [_table(table[_columns(table, columns)].head(MAX_ROWS))]
        if len(table) > MAX_ROWS:
            more = (
                f"The first {MAX_ROWS} of {len(table):,} objects; the table (CSV) has all of them."
            )
            parts.append(html.Text(more, kind="note"))
        sections.append(html.Section("Objects", parts))
    if settings:
        sections.append(html.Section("Settings", [html.Facts(settings)]))
    facts = [name, f"{scene.width:,} × {scene.height:,} pixels", *_place(scene)]
    return html.page(
        title or f"Objects in {name}",
        sections,
        subtitle=" · ".join([*facts, f"{when:%Y-%m-%d %H:%M}"]),
        layout="sheet",
    ).encode()


def _place(scene: Any) -> list[str]:
    gsd, crs = getattr(scene, "gsd", None), getattr(scene, "crs", None)
    parts = [f"{gsd:.3g} m a pixel"] if gsd else []
    if crs:
        parts.append(crs if len(crs) < 40 else "own coordinate system")
    told = getattr(scene, "attribution", "")
    if told:
        parts.append(f"Image: {told}")
    return parts


def _key_numbers(values: Mapping[str, float]) -> list[tuple[str, str]]:
    figures = [("objects", f"{values['count']:,.0f}")]
    for key, label in (("total_area", "area in all"), ("mean_area", "mean area"),
                       ("median_area", "median area")):  # fmt: skip
        metres = values.get(f"{key}_m2")
        number = values[key] if metres is None else metres
        if math.isfinite(number):
            figures.append((label, f"{number:,.4g} {'px' if metres is None else 'm²'}"
                            if number < 1000 else
                            f"{number:,.0f} {'px' if metres is None else 'm²'}"))  # fmt: skip
    figures.append(("of the image covered", f"{100 * values['coverage']:.1f} %"))
    return figures


def _columns(table: pd.DataFrame, wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        metric = "area_m2" in table
        wanted = ["id", "label", "score"]
        wanted += ["area_m2", "perimeter_m"] if metric else ["area", "perimeter"]
        wanted += ["map_x", "map_y"] if "map_x" in table else ["centroid_x", "centroid_y"]
    return [name for name in wanted if name in table]


def _table(table: pd.DataFrame) -> html.Table:
    texts = [
        place
        for place, name in enumerate(table)
        if table[name].dtype.kind not in "fiub" and name != "share"
    ]
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False, name=None)]
    return html.Table([_head(name) for name in table], rows, text_columns=texts)


def _head(name: object) -> str:
    text = str(name).replace("_m2", " (m²)").replace("_", " ")
    return text[:-2] + " (m)" if text.endswith(" m") else text


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

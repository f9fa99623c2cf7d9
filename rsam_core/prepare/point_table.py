"""Points that a person is collecting, complete or not yet, and the picture that explains them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    import pandas as pd

PIXEL_COLUMNS = ("x", "y")
CONTROL_COLUMNS = ("x", "y", "map_x", "map_y")

_LABEL = (255, 255, 255, 255)
_SHADE = (20, 24, 30, 255)
_ARROW = (255, 59, 127, 255)
_SIDE = (255, 209, 102, 255)


def table_of(points: Sequence[Sequence[float]], columns: Sequence[str]) -> pd.DataFrame:
    """Rows of numbers as a table; what a point lacks is NaN."""
    import pandas as pd

    width = len(columns)
    rows = [[*point, *([math.nan] * width)][:width] for point in points]
    return pd.DataFrame(np.array(rows, float).reshape(-1, width), columns=list(columns))


def complete_rows(table: pd.DataFrame) -> tuple[tuple[float, ...], ...]:
    """The rows in which no number is missing, as the setting of a step."""
    values = table.to_numpy(float)
    return tuple(tuple(float(v) for v in row) for row in values[np.isfinite(values).all(axis=1)])


def with_edits(table: pd.DataFrame, edits: Mapping[str, Any] | None) -> pd.DataFrame:
    """Apply what a person changed in the table's editor.

    Parameters
    ----------
    table : DataFrame
    edits : mapping or None
        ``{"edited_rows": {row: {column: value}}, "added_rows": [{column: value}],
        "deleted_rows": [row]}``, as Streamlit keeps them. Unknown columns are left out.

    Returns
    -------
    DataFrame
        A new table.
    """
    columns = list(table.columns)
    rows = table.to_numpy(float).tolist()
    edits = edits or {}
    for row, changes in edits.get("edited_rows", {}).items():
        for column, value in changes.items():
            if column in columns and int(row) < len(rows):
                rows[int(row)][columns.index(column)] = _number(value)
    gone = {int(row) for row in edits.get("deleted_rows", [])}
    rows = [row for position, row in enumerate(rows) if position not in gone]
    rows += [[_number(added.get(c)) for c in columns] for added in edits.get("added_rows", [])]
    return table_of(rows, columns)


def with_click(table: pd.DataFrame, x: float, y: float) -> pd.DataFrame:
    """Add a clicked place: to the first row that lacks one, else as a new row."""
    rows = table.to_numpy(float)
    waiting = np.flatnonzero(~np.isfinite(rows[:, :2]).all(axis=1))
    if waiting.size:
        rows = rows.copy()
        rows[waiting[0], :2] = x, y
        return table_of(rows, table.columns)
    return table_of([*rows, (x, y)], table.columns)


def without_nearest(table: pd.DataFrame, x: float, y: float, reach: float) -> pd.DataFrame:
    """Remove the point nearest to a place, if one lies within a distance in pixels."""
    rows = table.to_numpy(float)
    distance = np.hypot(rows[:, 0] - x, rows[:, 1] - y)
    distance = np.where(np.isfinite(distance), distance, np.inf)
    if not distance.size or distance.min() > reach:
        return table
    return table_of(np.delete(rows, int(distance.argmin()), axis=0), table.columns)


def arrow_factor(residuals: ArrayLike, side: float) -> float:
    """A round factor that makes the longest residual about a tenth of a picture's side long."""
    longest = float(np.linalg.norm(np.asarray(residuals, float).reshape(-1, 2), axis=1).max())
    if not longest > 1e-9:
        return 0.0
    wanted = 0.1 * side / longest
    power = 10.0 ** math.floor(math.log10(wanted))
    return max(1.0, max(step * power for step in (1, 2, 5) if step * power <= wanted))


def point_layer(
    shape: tuple[int, int],
    places: ArrayLike,
    arrows: ArrayLike | None = None,
    *,
    closed: bool = False,
) -> NDArray[np.uint8]:
    """Draw numbers beside points, and arrows from them.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the layer.
    places : (N, 2) array-like
        Points in pixels of the layer; rows that are not finite are left out.
    arrows : (N, 2) array-like, optional
        What each arrow spans, in pixels of the layer.
    closed : bool
        Join the points to a polygon.

    Returns
    -------
    (H, W, 4) array of uint8
        Transparent elsewhere.
    """
    import cv2

    layer = np.zeros((*shape, 4), np.uint8)
    places = np.asarray(places, float).reshape(-1, 2)
    finite = np.isfinite(places).all(axis=1)
    size = max(shape) / 1000
    thick = max(1, round(2 * size))

    def whole(point: NDArray) -> tuple[int, int]:
        # Sixteenths of a pixel: cv2 draws with four fractional bits.
        x, y = np.clip(point, -1e6, 1e6)
        return round(16 * (x - 0.5)), round(16 * (y - 0.5))

    if closed and finite.sum() > 1:
        corners = np.array([whole(p) for p in places[finite]], np.int32)
        cv2.polylines(layer, [corners], finite.sum() > 2, _SIDE, thick, cv2.LINE_AA, 4)
    for number, (place, fine) in enumerate(zip(places, finite), start=1):
        if not fine:
            continue
        if arrows is not None:
            tip = np.asarray(arrows, float).reshape(-1, 2)[number - 1] + place
            for colour, width in ((_SHADE, thick + 2), (_ARROW, thick)):
                cv2.line(layer, whole(place), whole(tip), colour, width, cv2.LINE_AA, 4)
            cv2.circle(layer, whole(tip), round(16 * 3.5 * max(size, 0.5)), _ARROW, -1, 16, 4)
        _label(layer, str(number), place + np.array([9.0, -9.0]) * size, size)
    return layer


def _label(layer: NDArray[np.uint8], text: str, corner: NDArray, size: float) -> None:
    """Write a text on a dark plate whose lower left corner is given."""
    import cv2

    font, scale, thick = cv2.FONT_HERSHEY_SIMPLEX, max(0.4, 0.7 * size), max(1, round(1.6 * size))
    (width, height), below = cv2.getTextSize(text, font, scale, thick)
    pad = max(2, round(4 * size))
    x, y = round(corner[0]), round(corner[1])
    plate = (x, y - height - below - 2 * pad), (x + width + 2 * pad, y)
    cv2.rectangle(layer, *plate, (*_SHADE[:3], 190), -1)
    cv2.putText(
        layer, text, (x + pad, y - pad - below), font, scale, _LABEL, thick, cv2.LINE_AA
    )  # fmt: skip


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

"""A report on one page: picture, figures, table and settings in one HTML file."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ExportError
from rsam_core.objects.measurements import summary

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 40
_MAX_PICTURE = 1600

_STYLE = """
@page { size: A4; margin: 14mm; }
* { box-sizing: border-box; }
body { font: 14px/1.45 system-ui, "Segoe UI", Helvetica, Arial, sans-serif; color: #1c2430;
  max-width: 60rem; margin: 1.5rem auto; padding: 0 1rem; }
h1, h2, p, dt, .legend { overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1rem; margin: 1.3rem 0 .4rem; }
.sub { color: #5a6675; margin: 0 0 1rem; }
img { width: 100%; max-height: 34rem; object-fit: contain; background: #f1f3f6; }
.figures { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: .8rem 0 0; }
.figures b { display: block; font-size: 1.25rem; }
.figures span, .note { color: #5a6675; font-size: .85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .8rem; width: 100%; }
th, td { text-align: right; padding: .15rem .5rem; border-bottom: 1px solid #e1e5ea;
  white-space: nowrap; }
th { font-weight: 600; } td.text, th.text { text-align: left; }
td.text { white-space: normal; overflow-wrap: anywhere; min-width: 6rem; max-width: 22rem; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; margin: .5rem 0; font-size: .85rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px;
  margin-right: .35rem; vertical-align: -1px; print-color-adjust: exact;
  -webkit-print-color-adjust: exact; }
dl { display: grid; grid-template-columns: fit-content(18rem) minmax(0, 1fr);
  gap: .15rem 1rem; font-size: .85rem; margin: 0; }
dt { color: #5a6675; } dd { margin: 0; overflow-wrap: anywhere; }
"""


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
    covered: int | None = None,
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
    covered : int, optional
        Pixels that belong to any object, for objects that overlap.
    when : datetime, optional
        Of the report; now by default.

    Returns
    -------
    bytes
        HTML in UTF-8.
    """
    name = escape(str(getattr(scene, "name", "image")))
    heading = escape(title) if title else f"Objects in {name}"
    when = when or datetime.now().astimezone()
    shape = (scene.height, scene.width)
    figures = _figures(summary(table, shape, getattr(scene, "gsd", None), covered=covered))
    body = [
        f"<h1>{heading}</h1>",
        f'<p class="sub">{name} · {scene.width:,} × {scene.height:,} pixels'
        f"{_place(scene)} · {when:%Y-%m-%d %H:%M}</p>",
        f'<img alt="The image with its objects" src="{_picture(picture)}">',
        _legend(legend),
        '<div class="figures">'
        + "".join(f"<div><b>{value}</b><span>{label}</span></div>" for label, value in figures)
        + "</div>",
    ]
    if class_areas is not None and len(class_areas) > 1:
        shown = class_areas.drop(columns=["color"], errors="ignore")
        body += ["<h2>Classes</h2>", _table(shown.assign(share=_percent(shown["share"])))]
    if len(table):
        body += ["<h2>Objects</h2>", _table(table[_columns(table, columns)].head(MAX_ROWS))]
        if len(table) > MAX_ROWS:
            body.append(
                f'<p class="note">The first {MAX_ROWS} of {len(table):,} objects; the table (CSV) '
                "has all of them.</p>"
            )
    if settings:
        rows = (f"<dt>{escape(str(k))}</dt><dd>{escape(str(v))}</dd>" for k, v in settings.items())
        body += ["<h2>Settings</h2>", f"<dl>{''.join(rows)}</dl>"]
    content = "\n".join(part for part in body if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head>\n<body>\n{content}\n</body></html>"
    ).encode()


def _picture(picture: NDArray[np.uint8]) -> str:
    import cv2

    picture = np.asarray(picture)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8 or not picture.size:
        raise ExportError("The picture of a report must have three colours of 8 bits each.")
    scale = min(1.0, _MAX_PICTURE / max(picture.shape[:2]))
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    if not done:
        raise ExportError("The picture of the report could not be written. Try again.")
    return f"data:image/jpeg;base64,{base64.b64encode(data.tobytes()).decode()}"


def _place(scene: Any) -> str:
    gsd, crs = getattr(scene, "gsd", None), getattr(scene, "crs", None)
    parts = [f"{gsd:.3g} m a pixel"] if gsd else []
    if crs:
        parts.append(escape(crs if len(crs) < 40 else "own coordinate system"))
    return "".join(f" · {part}" for part in parts)


def _figures(values: Mapping[str, float]) -> list[tuple[str, str]]:
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


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    items = (
        f'<span><i style="background:{escape(color, quote=True)}"></i>{escape(label)}</span>'
        for label, color in entries
    )
    return f'<div class="legend">{"".join(items)}</div>' if entries else ""


def _columns(table: pd.DataFrame, wanted: Sequence[str] | None) -> list[str]:
    if wanted is None:
        metric = "area_m2" in table
        wanted = ["id", "label", "score"]
        wanted += ["area_m2", "perimeter_m"] if metric else ["area", "perimeter"]
        wanted += ["map_x", "map_y"] if "map_x" in table else ["centroid_x", "centroid_y"]
    return [name for name in wanted if name in table]


def _percent(shares: pd.Series) -> list[str]:
    return [f"{100 * share:.1f} %" for share in shares]


def _table(table: pd.DataFrame) -> str:
    texts = {name for name in table if table[name].dtype.kind not in "fiub" and name != "share"}

    def cell(name: str, value: Any) -> str:
        css = ' class="text"' if name in texts else ""
        return f"<td{css}>{escape(_cell(value))}</td>"

    heads = (
        f'<th class="text">{_head(name)}</th>' if name in texts else f"<th>{_head(name)}</th>"
        for name in table
    )
    rows = (
        "<tr>" + "".join(cell(name, value) for name, value in zip(table.columns, row)) + "</tr>"
        for row in table.itertuples(index=False, name=None)
    )
    return (
        f'<div class="scroll"><table><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _head(name: object) -> str:
    text = str(name).replace("_m2", " (m²)").replace("_", " ")
    return escape(text[:-2] + " (m)" if text.endswith(" m") else text)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)

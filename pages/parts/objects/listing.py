"""The list of objects beside the picture: what each looks like, and what is known of it."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from rsam_core.objects.certainty import ABOUT, certainties
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.coordinates import Frame
from rsam_core.session.session import Session

MOST = 100
"""Objects in the list; the table below the picture has all."""
_SIDE = 56
"""Pixels of a thumbnail's side."""
_ROW = 48


def listed(found: Instances, selected: frozenset[int]) -> Instances:
    """The objects to list: selected ones first, then the largest."""
    order = sorted(found, key=lambda item: (item.id not in selected, -item.area, item.id))
    return Instances(order[:MOST], found.shape)


def object_list(session: Session, found: Instances, table: pd.DataFrame) -> None:
    """A row an object: picture, number, kind, area, how sure.

    Parameters
    ----------
    session : Session
    found : Instances
    table : pandas.DataFrame
        Of these objects, in the same order.
    """
    view = session.image.overview
    chosen = session.marks.selected
    some = session.memo.remember("listed", (found, chosen), lambda: listed(found, chosen))
    pictures = session.memo.remember(
        "list-thumbnails", (some, session.image.scene),
        lambda: [thumbnail(session.image.picture(view), item, view) for item in some],
    )  # fmt: skip
    rows = table.set_index("id").loc[some.ids]
    area = "area_m2" if "area_m2" in rows else "area"
    key = f"object-list-{session.image.token}-{len(chosen)}"
    ids = some.ids.tolist()

    def select() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        session.marks.select(ids[row] for row in picked if row < len(ids))

    st.dataframe(
        pd.DataFrame(
            {
                "picture": pictures,
                "id": rows.index,
                "kind": _kinds(rows),
                "area": rows[area].to_numpy(),
                "sure": certainties(rows["score"]),
            }
        ),
        hide_index=True,
        row_height=_ROW,
        height=min(460, _ROW * (len(some) + 1)),
        key=key,
        on_select=select,
        selection_mode="multi-row",
        column_config={
            "picture": st.column_config.ImageColumn("", width=52),
            "id": st.column_config.NumberColumn("No.", width=44),
            "kind": st.column_config.TextColumn(
                "Kind", help="Its class, or what RSAM takes it for."
            ),
            "area": st.column_config.NumberColumn(
                "m²" if area == "area_m2" else "px", format="%,.0f", width=60
            ),
            "sure": st.column_config.TextColumn("Sure", help=ABOUT, width=62),
        },
    )
    if len(found) > len(some):
        st.caption(f"The {len(some)} largest of {len(found):,}; the table below has all.")


def _kinds(rows: pd.DataFrame) -> list[str]:
    """Class of each object, or its kind where it has none."""
    kinds = rows["kind"] if "kind" in rows else [None] * len(rows)
    return [str(label or kind or "") for label, kind in zip(rows["label"], kinds)]


def thumbnail(picture: NDArray[np.uint8], item: Instance, view: Frame) -> str:
    """A small square picture of an object with its outline, as a data address.

    Parameters
    ----------
    picture : ndarray of uint8, shape (H, W, 3)
        Of the view.
    item : Instance
        In scene pixels.
    view : Frame
    """
    scale = view.scale[0]
    x0, y0, x1, y1 = ((np.array(item.bbox) - [view.x, view.y] * 2) * scale).tolist()
    side = max(1.5 * max(x1 - x0, y1 - y0), 16)
    left, top = (x0 + x1 - side) / 2, (y0 + y1 - side) / 2
    factor = _SIDE / side
    move = np.array([[factor, 0, -left * factor], [0, factor, -top * factor]])
    size, smooth = (_SIDE, _SIDE), cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.warpAffine(
        np.ascontiguousarray(picture), move, size, flags=smooth, borderMode=cv2.BORDER_REPLICATE
    )
    # The mask goes the same way, from its own pixels.
    near = scale * factor
    shift = (np.array([item.x - view.x, item.y - view.y]) * scale - [left, top]) * factor
    mask = cv2.warpAffine(
        item.mask.astype(np.uint8) * 255,
        np.array([[near, 0, shift[0]], [0, near, shift[1]]]), size, flags=cv2.INTER_LINEAR,
    )  # fmt: skip
    lines, _ = cv2.findContours(
        (mask > 127).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    cv2.drawContours(small, lines, -1, (250, 204, 21), 2)
    content = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"

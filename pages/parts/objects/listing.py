"""The list of objects beside the picture: what each looks like, and what is known of it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.parts.shared.object_thumbnail import thumbnail
from rsam_core.objects.certainty import ABOUT, certainties
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, number
from rsam_core.session.session import Session

MOST = 100
"""Objects in the list; the table below the picture has all."""
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
                "sure": [_(word) for word in certainties(rows["score"])],
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
            "id": st.column_config.NumberColumn(_("No."), width=44),
            "kind": st.column_config.TextColumn(
                _("Kind"), help=_("Its class, or what RSAM takes it for.")
            ),
            "area": st.column_config.NumberColumn(
                "m²" if area == "area_m2" else "px", format="%,.0f", width=60
            ),
            "sure": st.column_config.TextColumn(_("Sure"), help=_(ABOUT), width=62),
        },
    )
    if len(found) > len(some):
        st.caption(
            _("The {count} largest of {whole}; the table below has all.").format(
                count=len(some), whole=number(len(found))
            )
        )


def _kinds(rows: pd.DataFrame) -> list[str]:
    """Class of each object, or its kind where it has none."""
    kinds = rows["kind"] if "kind" in rows else [None] * len(rows)
    return [str(label or (kind and _(kind)) or "") for label, kind in zip(rows["label"], kinds)]

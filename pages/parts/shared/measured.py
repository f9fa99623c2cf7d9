"""The table of all objects of a session, with the columns that are wanted; measured once."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from rsam_core.objects.band_statistics import band_table
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import covered_ground, measure, summary
from rsam_core.objects.neighbours import neighbour_table
from rsam_core.runtime.language import _
from rsam_core.session.kinds import kind_columns, naming
from rsam_core.session.session import Session

_AT_ONCE = 3000
"""Objects up to which everything is measured without being asked."""
_VALUES_AT_ONCE = 30_000_000
"""Values of the scene up to which its bands are read without being asked."""


def wanted(session: Session, found: Instances, name: str) -> bool:
    """Whether a group of columns ("neighbours" or "bands") is wanted."""
    scene = session.image.scene
    small = len(found) <= _AT_ONCE
    if name == "bands":
        small &= scene.width * scene.height * scene.count <= _VALUES_AT_ONCE
    return st.session_state.get(f"measure-{name}-{session.image.token}", small)


def figures(session: Session, found: Instances, table: pd.DataFrame) -> dict[str, float]:
    """How many objects and how much ground, as every page says it; see `summary`.

    Parameters
    ----------
    session : Session
    found : Instances
    table : pandas.DataFrame
        Of these objects.
    """
    scene = session.image.scene
    covered = session.memo.remember("covered", (found, scene), lambda: covered_ground(found, scene))
    return summary(table, session.image.shape, scene.gsd, covered=covered)


def measured(session: Session, found: Instances) -> pd.DataFrame:
    """The table of all objects with the wanted columns; only what changed is measured again."""
    scene = session.image.scene
    neighbours, bands = wanted(session, found, "neighbours"), wanted(session, found, "bands")

    kinds = naming(session).of(found)

    def make() -> pd.DataFrame:
        parts = [measure(found, scene, shape=True)]
        if kinds is not None:
            parts.append(kind_columns(found, naming(session)))
        if neighbours:
            parts.append(_neighbours(session, found))
        if bands:
            parts.append(_colours_of(session, found))
        return pd.concat(parts, axis=1)

    return session.memo.remember("measured", (found, scene, neighbours, bands, kinds), make)


def _neighbours(session: Session, found: Instances) -> pd.DataFrame:
    # The masks are kept with the table: as long as they live, no other has their address.
    masks = [item.mask for item in found]
    key = (
        tuple(id(mask) for mask in masks),
        tuple(found.bboxes.ravel()),
        session.image.scene.gsd,
        session.image.scene.crs,
        session.image.scene.transform,
    )
    make = partial(neighbour_table, found, session.image.scene)
    return session.memo.remember("neighbours", key, lambda: (make(), masks))[0]


def _colours_of(session: Session, found: Instances) -> pd.DataFrame:
    """The colours of all objects; the scene is read for new masks only."""
    known = session.memo.remember("colours", (session.image.scene.content_hash,), dict)
    missing = [item.id for item in found if (id(item.mask), item.x, item.y) not in known]
    if missing or not known:
        with st.spinner(_("Measuring the colours…")):
            some = found.select(missing)
            rows = band_table(some, session.image.scene)
        known["columns"] = list(rows)
        for item, row in zip(some, rows.to_numpy()):
            known[id(item.mask), item.x, item.y] = (item.mask, row)
    rows = [known[id(item.mask), item.x, item.y][1] for item in found]
    return pd.DataFrame(rows, columns=known["columns"])

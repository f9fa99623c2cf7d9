"""The truth that a sample brings along: exact of invented towns, drawn by hand of a real place."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts.shared import resources
from rsam_core.formats.truth import Truth, read_truth, truth_from_labels
from rsam_core.samples import GALLERY, truth_mask
from rsam_core.samples.places import PLACES
from rsam_core.session.session import Session


def kinds(session: Session) -> list[str]:
    """Kinds of true objects that the sample knows; none if it is no sample or claims no truth."""
    key = session.image.sample
    if key in {entry.key for entry in GALLERY}:
        return sorted(set(resources.sample(key).classes.values()))
    return [entry.truth_title for entry in PLACES if entry.key == key and entry.truth is not None]


def choose(session: Session, label: str, key: str) -> None:
    """A selection of the kinds."""
    found = kinds(session)
    first = found.index("roof") if "roof" in found else 0
    st.selectbox(label, found, index=first, key=key)


def truth(session: Session, kind: str, name: str | None = None) -> Truth:
    """The sample's truth of a kind.

    Parameters
    ----------
    session : Session
    kind : str
    name : str, optional
        Of an invented town's truth; the kind by default.

    Raises
    ------
    RsamError
        If it cannot be read.
    """
    for entry in PLACES:
        if entry.key == session.image.sample:
            return read_truth(entry.truth_content, session.image.scene, name=f"{kind}.png")
    town = resources.sample(session.image.sample)
    labels = np.where(truth_mask(town, kind), town.labels, 0).astype(np.int32)
    return truth_from_labels(labels, name or kind)

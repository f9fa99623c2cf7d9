"""What a sentence's roads, water and fields are, where no object outlines them."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared.names import plain
from rsam_core.objects.instances import Instances
from rsam_core.segment.words.ground import ground_asked
from rsam_core.segment.words.ground_picture import ground_picture, ground_shares
from rsam_core.session.kinds import naming
from rsam_core.session.session import Session
from rsam_core.session.words import WordsState


def show(session: Session, known: WordsState, found: Instances) -> None:
    """Where the sentence speaks of ground: what was taken for it, or why it was not looked at."""
    conditions = known.query.conditions if known.query is not None else None
    asked = ground_asked(conditions)
    if not asked:
        return
    told = naming(session)
    ground = told.ground_of(found)
    if ground is None:
        if told.ground_problem is not None:
            st.info(plain(str(told.ground_problem)), icon=":material/landscape:")
        else:
            st.caption("Only what is outlined itself counts as " + " or ".join(sorted(asked)) + ".")
        return
    shares = ground_shares(ground, found)
    text = ", ".join(f"{name} {shares[name]:.0%}" for name in sorted(asked))
    with st.expander(f"Ground between the objects: {text}", icon=":material/landscape:"):
        with banner.guard("ground"):
            st.image(ground_picture(ground, found, session.image.scene, asked), width="stretch")
        st.caption(
            "What is tinted counts as " + " or ".join(sorted(asked)) + ", beside the objects that "
            "are. The model may be wrong: draw an outline and give it a class where it matters."
        )

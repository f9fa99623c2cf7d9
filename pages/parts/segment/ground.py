"""What a sentence's roads, water and fields are, where no object outlines them."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared.names import plain
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _
from rsam_core.segment.words.ground import ground_asked
from rsam_core.segment.words.ground_picture import ground_picture
from rsam_core.session.kinds import naming
from rsam_core.session.session import Session
from rsam_core.session.words import WordsState


def show(session: Session, known: WordsState, found: Instances) -> None:
    """Where the sentence speaks of ground: what was taken for it, or why it was not looked at."""
    conditions = known.query.conditions if known.query is not None else None
    asked = ground_asked(conditions)
    if not asked:
        return
    names = _(" or ").join(sorted(asked))
    told = naming(session)
    ground = told.ground_of(found)
    if ground is None:
        if told.ground_problem is not None:
            st.info(plain(str(told.ground_problem)), icon=":material/landscape:")
        else:
            st.caption(_("Only what is outlined itself counts as {names}.").format(names=names))
        return
    with st.expander(_("What counts as {names}").format(names=names), icon=":material/landscape:"):
        with banner.guard("ground"):
            scene = session.image.scene
            picture = ground_picture(ground, known.describe(found, scene), scene, asked)
            st.image(
                picture,
                width="stretch",
                alt=_("The picture with {names} tinted").format(names=names),
            )
        st.caption(
            _(
                "Outlined or not. The model may be wrong: where it matters, draw an outline and "
                "give it a class."
            )
        )

"""Plain words about zero-shot, one-shot, features and metric learning, for a class."""

from __future__ import annotations

import streamlit as st

from rsam_core.runtime.language import N_, _

_TEXTS = (
    (
        N_("Zero-shot"),
        N_(
            "The model has never been told what you are looking for. It knows what *an object* "
            "is, so it outlines everything: roofs, cars, trees, shadows. What is a building "
            "among them, you have to sort out yourself."
        ),
    ),
    (
        N_("One-shot"),
        N_(
            "You show **one** example. The model is not trained anew, it only compares: what "
            "looks like the example stays, the rest goes. Each one you accept or refuse is a "
            "further example."
        ),
    ),
    (
        N_("Features"),
        N_(
            "The model turns each small patch of the image into a list of numbers, its "
            "*features*. Patches that look alike to the model get similar numbers. The heat map "
            "shows how similar each place is to your example: yellow is most alike."
        ),
    ),
    (
        N_("Metric learning"),
        N_(
            "Similar numbers do not always mean *the same kind of thing*. A small network has "
            "been shown many pairs, some of the same kind and some not, and has learned to "
            "measure the distance so that things of one kind come close together. It was never "
            "told what a building is, only whether two objects are alike."
        ),
    ),
    (
        "PerSAM",
        N_(
            "The published way to segment by one example (Zhang et al., 2024): it points at the "
            "place most like the example and lets the example guide the outline, one object at a "
            "time. RSAM guides its outlines in the same way, but compares many candidates at "
            "once, because a town has two hundred roofs."
        ),
    ),
)


def words_tab() -> None:
    """A short lesson."""
    columns = st.columns(3, gap="medium")
    for place, (title, text) in enumerate(_TEXTS):
        with columns[place % 3]:
            st.markdown(f"**{_(title)}**  \n{_(text)}")
    st.markdown(
        _(
            "**Try it:** open a sample, choose one roof, find the others, and look at *Zero-shot "
            "and one-shot* with the sample's exact truth. Then refuse one that is wrong, and "
            "watch what goes with it."
        )
    )

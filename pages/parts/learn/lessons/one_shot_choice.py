"""Which object is the example, chosen on any picture of the lesson on zero-shot and one-shot."""

from __future__ import annotations

import streamlit as st

from pages.parts.learn.stage import Stage
from rsam_core.evaluate.learn.lessons.one_shot_objects import Objects, first_example


def example_of(stage: Stage, objects: Objects) -> int:
    """Position of the example."""
    kept = st.session_state.setdefault(
        stage.name("example"), objects.instances[first_example(objects)].id
    )
    found = objects.position(kept)
    return first_example(objects) if found is None else found


def take(stage: Stage, objects: Objects, position: int | None) -> None:
    """Make the object at a position the example; nothing changes where there is none."""
    if position is not None:
        st.session_state[stage.name("example")] = objects.instances[position].id

"""The Evaluate page's memory of this visit, the models at hand, and the bar of running work."""

from __future__ import annotations

import streamlit as st

import rsam_core as rsam
from pages.parts.shared import banner, current_session, resources
from rsam_core.evaluate import Evaluation
from rsam_core.evaluate.datasets import Dataset
from rsam_core.evaluate.methods.prompted import build_methods
from rsam_core.evaluate.report.worst_objects import worst_objects
from rsam_core.models import CATALOG, weights
from rsam_core.session.evaluation import Evaluations, evaluations

POLL_SECONDS = 0.7


def state() -> Evaluations:
    """What was evaluated on this visit."""
    return evaluations(current_session.visit())


def models() -> list[str]:
    """Names of the models that can be used now."""
    return [info.name for info in CATALOG if weights.state(info) == "ready"]


def loaded(names: tuple[str, ...] | list[str]) -> dict[str, rsam.Segmenter]:
    """Models by name, loaded once for all sessions."""
    return {name: resources.segmenter(name) for name in names}


def draw_worst(evaluation: Evaluation, dataset: Dataset) -> None:
    """Ask the best method for its worst objects once more, and keep their pictures."""
    with banner.guard():
        settings = evaluation.settings
        segmenters = loaded(settings.models) if settings.prompts else {}
        methods = build_methods(segmenters, settings.prompts, settings.methods)
        state().pictures[evaluation] = worst_objects(evaluation, dataset, methods)


def progress(kind: str, doing: str) -> bool:
    """Show running work with a button that stops it; take over its result when it ends.

    Parameters
    ----------
    kind : str
        What the work is for.
    doing : str
        What goes on, for the bar.

    Returns
    -------
    bool
        Whether it is still running.
    """
    memory = state()
    if not memory.running(kind):
        if kind in memory.outcomes:
            banner.show(memory.outcomes[kind])
        return False
    _watch(kind, doing)
    return True


@st.fragment(run_every=POLL_SECONDS)
def _watch(kind: str, doing: str) -> None:
    memory = state()
    job = memory.job(kind)
    if job is None or memory.collect(kind):
        st.rerun()
    bar, button = st.columns([5, 1], vertical_alignment="center")
    bar.progress(job.fraction, text=f"{doing} {job.text}")
    button.button(
        "Stopping…" if job.cancelling else "Stop",
        icon=":material/stop:",
        key=f"stop-{kind}",
        disabled=job.cancelling,
        width="stretch",
        on_click=job.cancel,
    )

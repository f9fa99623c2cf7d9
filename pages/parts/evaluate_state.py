"""What the Evaluate page remembers: running work, its results, the open data sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

import rsam_core as rsam
from rsam_core.datasets import Dataset
from rsam_core.evaluate import Evaluation
from rsam_core.evaluate.pictures import worst_objects
from rsam_core.jobs import Job
from rsam_core.methods import build_methods
from rsam_core.models import CATALOG, weights
from rsam_core.studies import StudyResult

from . import banner, resources, workspace

POLL_SECONDS = 0.7
_KEY = "evaluate"


@dataclass
class State:
    """The Evaluate page's memory; it outlives a change of page.

    Attributes
    ----------
    jobs : dict of str to Job
        Running work, by what it is for.
    outcomes : dict of str to BaseException
        Why the latest work of a kind failed.
    image : Evaluation or None
        Methods compared on the open image.
    image_key : tuple
        Image and truth that it is for.
    studies : dict of str to StudyResult
    studies_key : tuple
        As `image_key`.
    runs : list of Evaluation
        Evaluations of data sets, the latest last.
    dataset : Dataset or None
        The open data set.
    dataset_file : str
        Number of the uploaded file it came from.
    pictures : dict
        Pictures of the worst objects of an evaluation.
    """

    jobs: dict[str, Job] = field(default_factory=dict)
    outcomes: dict[str, BaseException] = field(default_factory=dict)
    image: Evaluation | None = None
    image_key: tuple = ()
    studies: dict[str, StudyResult] = field(default_factory=dict)
    studies_key: tuple = ()
    runs: list[Evaluation] = field(default_factory=list)
    dataset: Dataset | None = None
    dataset_file: str = ""
    pictures: dict[Evaluation, list[tuple[str, bytes]]] = field(default_factory=dict)

    def start(self, kind: str, work: Callable[..., Any]) -> None:
        """Start work in the background unless some of this kind is running."""
        job = self.jobs.get(kind)
        if job is None or job.finished:
            self.outcomes.pop(kind, None)
            self.jobs[kind] = Job.start(work)

    def running(self, kind: str) -> bool:
        """Whether work of a kind has been started and not been collected."""
        return kind in self.jobs


def state() -> State:
    """The session's memory."""
    return st.session_state.setdefault(_KEY, State())


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


def image_key(work: workspace.Workspace) -> tuple:
    """What the results for an image belong to: the scene, and the truth at that time."""
    return (work.token, id(work.scene), id(work.truth))


def progress(kind: str, take: Callable[[Any], None], doing: str) -> bool:
    """Show running work with a button that stops it; take over its result when it ends.

    Parameters
    ----------
    kind : str
        What the work is for.
    take : callable
        Given the result.
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
    _watch(kind, take, doing)
    return True


@st.fragment(run_every=POLL_SECONDS)
def _watch(kind: str, take: Callable[[Any], None], doing: str) -> None:
    memory = state()
    job = memory.jobs.get(kind)
    if job is None:
        return
    if job.finished:
        memory.jobs.pop(kind, None)
        if job.state == "done":
            take(job.result)
        elif job.state == "failed":
            memory.outcomes[kind] = job.error
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

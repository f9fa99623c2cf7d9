"""The Evaluate page's memory of this visit, the models at hand, and the bar of running work."""

from __future__ import annotations

import rsam_core as rsam
from pages.parts.shared import banner, current_session, resources
from pages.parts.shared.progress import shown
from rsam_core.evaluate import Evaluation
from rsam_core.evaluate.datasets import Dataset
from rsam_core.evaluate.methods.prompted import build_methods
from rsam_core.evaluate.report.worst_objects import worst_objects
from rsam_core.models.installed import ready_models
from rsam_core.session.evaluation import Evaluations, evaluations


def state() -> Evaluations:
    """What was evaluated on this visit."""
    return evaluations(current_session.visit())


def models() -> list[str]:
    """Names of the models that can be used now."""
    return [info.name for info in ready_models()]


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
    if shown(
        memory.jobs(kind),
        kind,
        doing,
        key=f"stop-{kind}",
        take_over=lambda: memory.collect(kind),
        wide=True,
    ):
        return True
    if kind in memory.outcomes:
        banner.show(memory.outcomes[kind])
    return False

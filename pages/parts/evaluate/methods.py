"""Compare methods: prompts, models and classical methods on the true objects of this image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.parts.evaluate import (
    form as evaluate_form,
)
from pages.parts.evaluate import (
    results as evaluate_results,
)
from pages.parts.evaluate import (
    truth as evaluate_truth,
)
from pages.parts.evaluate.state import draw_worst, loaded, progress, state
from rsam_core.evaluate import Evaluation, EvaluationSettings, evaluate_dataset, pieces
from rsam_core.evaluate.datasets import Dataset, Sample
from rsam_core.evaluate.methods.prompted import build_methods
from rsam_core.runtime.language import _, number
from rsam_core.session.evaluation import image_key
from rsam_core.session.session import Session

KIND = "image"


def sample_of(session: Session) -> Sample | None:
    """The open image with its truth, for the core; None without truth."""
    truth = session.truth.value
    if truth is None:
        return None

    def read() -> Sample:
        return Sample(session.image.scene.name, session.image.scene.read_rgb(), truth.objects)

    return session.memo.remember("evaluate-sample", (session.image.scene, truth), read)


def ask_for_truth(session: Session) -> None:
    """What stands on a tab that needs truth while there is none."""
    evaluate_truth.choose(session, evaluate_truth.present(session))


def tab(session: Session) -> None:
    """Choose, run, look."""
    sample = sample_of(session)
    if sample is None:
        ask_for_truth(session)
        return
    evaluate_truth.summary(session, session.truth.value)
    memory, key = state(), image_key(session)

    if not progress(KIND, _("Comparing…")):
        evaluate_form.form(KIND, lambda settings: _start(sample, settings, key), images=None)
    if memory.image is not None and memory.image_key == key:
        st.divider()
        shown = list(memory.studies.values()) if memory.studies_key == key else []
        evaluate_results.show(
            memory.image,
            KIND,
            studies=shown,
            worst=memory.pictures.get(memory.image, ()),
            draw_worst=lambda: draw_worst(
                memory.image, Dataset.from_samples(sample.name, [sample])
            ),
        )
    elif not memory.running(KIND):
        st.caption(
            _(
                "Every method is asked for every true object, and its answer is compared with the "
                "truth: clicks or boxes, which model, which method is best on your image, and how "
                "long each takes."
            )
        )


def _start(sample: Sample, settings: EvaluationSettings, key: tuple) -> None:
    models = loaded(settings.models) if settings.prompts else {}

    def compare(
        progress: Callable[[float, str], None], cancelled: Callable[[], bool]
    ) -> Evaluation:
        return evaluate_dataset(
            sample,
            settings,
            models=models,
            progress=None,
            cancelled=_counted(sample, settings, models, progress, cancelled),
        )

    state().start(KIND, compare, key)


def _counted(
    sample: Sample,
    settings: EvaluationSettings,
    models: dict[str, Any],
    progress: Callable[[float, str], None],
    cancelled: Callable[[], bool],
) -> Callable[[], bool]:
    """Report progress by object: within one image the core asks before each whether to stop."""
    methods = len(build_methods(models, settings.prompts, settings.methods))
    count = len(pieces(sample.truth, settings.min_area))
    total = max(methods * count, 1)
    done = 0

    def ask() -> bool:
        nonlocal done
        done += 1
        at = min(done, total)
        progress(
            at / total,
            _("{count} of {whole} outlines").format(count=number(at), whole=number(total)),
        )
        return cancelled()

    return ask

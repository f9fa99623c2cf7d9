"""Data sets: many images with truth as a batch, compared with earlier runs."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from pages.parts.evaluate import form as evaluate_form
from pages.parts.evaluate import results as evaluate_results
from pages.parts.evaluate.state import draw_worst, loaded, progress, state
from pages.parts.shared import banner, folder
from pages.parts.shared.names import MAX_LENGTH, full, plain, visible
from rsam_core.errors import RsamError
from rsam_core.evaluate import (
    MEASURES,
    Evaluation,
    EvaluationSettings,
    compare_methods,
    evaluate_dataset,
)
from rsam_core.evaluate.datasets import Dataset, open_dataset
from rsam_core.runtime.language import _, number

KIND = "dataset"


def tab() -> None:
    """Open a data set, run it, look, compare."""
    memory = state()
    _open()
    if memory.dataset is None:
        st.caption(
            _(
                "A data set is a folder `images` beside a folder `masks` or `instances` with "
                "files of the same names, or images with masks called NAME_mask.png, or images "
                "with a COCO file. Upload it as one ZIP archive."
            )
        )
        if memory.runs:
            _runs()
        return
    dataset = memory.dataset
    st.markdown(
        _(":material/folder_open: **{name}** · {count} images with truth").format(
            name=plain(dataset.name, MAX_LENGTH), count=number(len(dataset))
        ),
        help=full(dataset.name),
    )
    for note in dataset.notes:
        st.caption(f":material/info: {plain(note)}")

    if not progress(KIND, _("Evaluating…")):
        evaluate_form.form(KIND, lambda settings: _start(dataset, settings), images=len(dataset))
        st.caption(
            _(
                "If you stop it, or close the browser, the next run with the same settings goes "
                "on where it stopped."
            )
        )
    if memory.runs:
        st.divider()
        _runs()


def _open() -> None:
    memory = state()
    left, right = st.columns([5, 5], gap="medium")
    with left:
        file = st.file_uploader(_("A data set as ZIP archive"), type=["zip"], key="dataset-file")
    path = ""
    if folder.root() is not None:
        with right:
            path = st.text_input(
                _("Or a folder in the image folder of this computer"),
                key="dataset-path",
                placeholder=_("tiles/north"),
            ).strip()
    if file is not None and memory.dataset_file != file.file_id:
        with banner.guard("open-data-set"):
            memory.dataset_file = file.file_id
            memory.dataset = None
            memory.dataset = open_dataset(file.getvalue(), name=Path(file.name).stem)
    elif file is None and path and memory.dataset_file != path:
        # Read again at every run until it is right, so said again, too.
        with banner.guard():
            memory.dataset = None
            memory.dataset = open_dataset(folder.inside(path))
            memory.dataset_file = path


def results_file(dataset: Dataset, settings: EvaluationSettings) -> Path:
    """Where the results of a data set are kept, so that a stopped run can go on."""
    chosen = dataset.limited(settings.limit, settings.seed)
    name = f"{settings.fingerprint(chosen.fingerprint)}.jsonl"
    return Path(tempfile.gettempdir()) / "rsam-evaluations" / name


def _start(dataset: Dataset, settings: EvaluationSettings) -> None:
    models = loaded(settings.models) if settings.prompts else {}

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> Evaluation:
        return evaluate_dataset(
            dataset,
            settings,
            models=models,
            results_file=results_file(dataset, settings),
            progress=progress,
            cancelled=cancelled,
        )

    state().start(KIND, run)


def _title(index: int) -> str:
    run = state().runs[index]
    date = run.environment.get("date", "")
    name = visible(run.name, MAX_LENGTH)
    return _("{index}. {name}: {images} images, {methods} methods, {date}").format(
        index=index + 1, name=name, images=run.images_done, methods=len(run.methods), date=date
    )


def _runs() -> None:
    memory = state()
    count = len(memory.runs)
    index = count - 1
    if count > 1:
        index = st.selectbox(
            _("Run"), range(count), index=count - 1, format_func=_title, key="dataset-run"
        )
    evaluation = memory.runs[index]
    same = memory.dataset is not None and memory.dataset.name == evaluation.name

    evaluate_results.show(
        evaluation,
        f"run-{index}",
        worst=memory.pictures.get(evaluation, ()),
        draw_worst=(lambda: draw_worst(evaluation, memory.dataset)) if same else None,
    )
    if count > 1:
        _between(index)


def _between(index: int) -> None:
    """Two runs: other data, or another model."""
    memory = state()
    others = [i for i in range(len(memory.runs)) if i != index]
    st.markdown(_("**Compare with another run** (other data, other model):"))
    row = st.columns([3, 4, 3, 3], vertical_alignment="bottom")
    other = row[0].selectbox(_("Run"), others, format_func=_title, key="other-run")
    here = {info.key: info.title for info in memory.runs[index].methods}
    there = {info.key: info.title for info in memory.runs[other].methods}
    first = row[1].selectbox(_("Here"), list(here), format_func=here.get, key="method-here")
    same = list(there).index(first) if first in there else 0
    second = row[2].selectbox(
        _("There"), list(there), index=same, format_func=there.get, key="method-there"
    )
    measure = row[3].selectbox(
        _("in"),
        memory.runs[index].measures,
        format_func=lambda m: _(MEASURES[m]),
        key="measure-between",
    )
    try:
        found = compare_methods(
            memory.runs[other], second, first, measure, other=memory.runs[index]
        )
    except RsamError as error:
        banner.show(error)
        return
    st.info(plain(found.text), icon=":material/balance:")

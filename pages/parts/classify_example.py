"""Classes by example: label a few objects, the rest is learned from them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from rsam_core.classes import ClassList
from rsam_core.classify import (
    METHODS,
    Prediction,
    Trained,
    apply,
    check_examples,
    most_uncertain,
    train,
)
from rsam_core.errors import RsamError
from rsam_core.features import EmbeddedView, Features, embedded_tiles, extract
from rsam_core.instances import Instances
from rsam_core.jobs import Job

from . import banner, resources, workspace
from .names import paragraphs, plain
from .workspace import Workspace

POLL_SECONDS = 0.5
_SUGGESTIONS = 5


@dataclass
class Learning:
    """What one opened scene has learned.

    Attributes
    ----------
    predicted : dict of int to str
        Labels that the classifier gave, by object number: these are no examples.
    key, features
        The objects that were described last, and how.
    job : Job or None
        Learning at the moment.
    error : BaseException or None
        Why the last one failed.
    examples : dict of int to str
        What was learned from.
    trained, prediction
        Its result.
    """

    predicted: dict[int, str] = field(default_factory=dict)
    key: tuple = ()
    features: Features | None = None
    job: Job | None = None
    error: BaseException | None = None
    examples: dict[int, str] = field(default_factory=dict)
    trained: Trained | None = None
    prediction: Prediction | None = None


def learning(work: Workspace) -> Learning:
    """What this session has learned about the open scene."""
    kept = st.session_state.get("learning")
    if kept is None or kept[0] != work.token:
        kept = st.session_state["learning"] = (work.token, Learning())
    return kept[1]


def confirm(work: Workspace, ids: list[int]) -> None:
    """Take the labels of these objects as the user's own from now on."""
    known = learning(work)
    known.predicted = {id: label for id, label in known.predicted.items() if id not in set(ids)}


def examples_of(work: Workspace, found: Instances) -> dict[int, str]:
    """Labels that the user gave, by object number."""
    predicted = learning(work).predicted
    return {i.id: i.label for i in found if i.label and predicted.get(i.id) != i.label}


def example_form(work: Workspace, found: Instances, classes: ClassList) -> None:
    """Draw the examples, the button to learn, and what was learned."""
    known = learning(work)
    if known.job is not None:
        _progress(work)
        return
    given = examples_of(work, found)
    counts = Counter(given.values())
    if counts:
        listed = ", ".join(f"{plain(name)} {count:,}" for name, count in counts.most_common())
        st.markdown(f"**Your examples:** {listed}")
    try:
        check_examples(counts)
        enough = True
    except RsamError as error:
        enough = False
        st.info(paragraphs(error), icon=":material/school:")

    def start() -> None:
        objects, _ = workspace.objects(work)
        known.error = None
        known.job = Job.start(_learner(work, objects, examples_of(work, objects), known))

    fresh = known.trained is None or known.examples != given
    st.button(
        "Learn from the examples" if known.trained is None else "Learn again",
        key="learn", icon=":material/model_training:", on_click=start, disabled=not enough,
        type="primary" if fresh else "secondary",
    )  # fmt: skip
    if known.error is not None:
        banner.show(known.error)
    if known.trained is None or known.prediction is None:
        return
    if known.examples != given:
        st.caption(":material/info: The examples have changed since. Learn again to use them.")
    _quality(known.trained)
    _suggestions(work, found, known, given)
    _application(work, found, known, given)


def _learner(work: Workspace, objects: Instances, given: dict[int, str], known: Learning):
    """A function for a job: describe the objects, learn, and classify."""
    scene, name = work.scene, workspace.model_name()
    whole = work.view == work.overview
    segmenter = resources.segmenter(name)
    key = (scene, name, objects.ids.tobytes(), objects.bboxes.tobytes(), objects.areas.tobytes())

    def run(progress, cancelled) -> tuple:
        features = known.features if known.key == key else None
        if features is None:
            progress(0.0, "looking at the image")
            if whole:
                image, view = work.picture(work.overview), work.overview
                embedding = resources.embed(image, resources.embedding_key(image, name))
                views = iter([EmbeddedView(embedding, view.x, view.y, view.scale[0])])
            else:
                views = embedded_tiles(
                    objects, scene, segmenter, progress=lambda f, t: progress(0.5 + 0.4 * f, t)
                )
            features = extract(
                objects, scene, views, cancelled=cancelled,
                progress=lambda f, t: progress(0.5 * f, t),
            )  # fmt: skip
        progress(0.92, "learning")
        labels = [given.get(item.id) for item in objects]
        trained = train(features, labels)
        return key, features, given, trained, trained.predict(features)

    return run


@st.fragment(run_every=POLL_SECONDS)
def _progress(work: Workspace) -> None:
    known = learning(work)
    job = known.job
    if job is None:
        return
    if job.finished:
        known.job = None
        if job.state == "done":
            known.key, known.features, known.examples, known.trained, known.prediction = job.result
        elif job.state == "failed":
            known.error = job.error
        st.rerun()
    st.progress(job.fraction, text=f"Learning… {job.text}")
    st.button(
        "Stopping…" if job.cancelling else "Stop", key="stop-learning", on_click=job.cancel,
        disabled=job.cancelling, icon=":material/stop:",
    )  # fmt: skip


def _quality(trained: Trained) -> None:
    """How well it does on examples that were held back."""
    validation = trained.validation
    right = int(validation.confusion.trace())
    total = int(validation.confusion.sum())
    st.markdown(
        f"**{right:,} of {total:,} examples** told right when held back "
        f"({100 * validation.accuracy:.0f} %)"
    )
    if total < 20:
        st.caption("With so few examples this is a rough estimate.")
    with st.expander("Which classes are confused"):
        table = pd.DataFrame(
            validation.confusion, index=pd.Index(validation.classes, name="is … / told as"),
            columns=validation.classes,
        )  # fmt: skip
        st.dataframe(table, key="confusion-classes", height="content")
        tried = ", ".join(
            f"{METHODS[name]} {100 * score:.0f} %" for name, score in validation.scores.items()
        )
        st.caption(
            f"Rows are the true classes. Cross-validation in {validation.folds} parts; mean of "
            f"the classes: {tried}. Used: {METHODS[validation.method]}."
        )


def _suggestions(work: Workspace, found: Instances, known: Learning, given: dict[int, str]) -> None:
    """The objects whose label would teach most."""
    prediction = known.prediction
    present = set(found.ids.tolist())
    gone = set(prediction.ids.tolist()) - present
    ids = most_uncertain(prediction, _SUGGESTIONS, exclude=gone | set(given))
    if not ids:
        return
    place = {int(id): row for row, id in enumerate(prediction.ids)}

    def show(id: int) -> None:
        work.selected = frozenset({id})
        objects, _ = workspace.objects(work)
        x0, y0, x1, y1 = objects.get(id).bbox
        margin = max(x1 - x0, y1 - y0, 40)
        work.show(x0 - margin, y0 - margin, x1 + margin, y1 + margin)

    st.caption("Least certain: label these to learn most. Press one to select and see it.")
    with st.container(horizontal=True, gap="small"):
        for id in ids:
            row = prediction.probabilities[place[id]]
            best = row.argsort()[::-1][:2]
            words = " or ".join(prediction.classes[k] for k in best)
            st.button(f"{id}: {words}?", key=f"uncertain-{id}", on_click=show, args=(id,))


def _application(work: Workspace, found: Instances, known: Learning, given: dict[int, str]) -> None:
    """Take over the classes that were learned."""
    prediction = known.prediction
    least = st.slider(
        "Least probability", 0.0, 1.0, 0.0, 0.05, key="least-probability",
        help="Objects of which the classifier is less sure get no class. With few examples the "
        "probabilities are rough.",
    )  # fmt: skip
    present = set(found.ids.tolist())
    told = [
        (int(id), label)
        for id, label, sure in zip(prediction.ids, prediction.labels, prediction.confidence)
        if int(id) in present and int(id) not in given and sure >= least
    ]
    counts = Counter(label for _, label in told)
    if counts:
        st.markdown(" · ".join(f"{plain(n)} **{count:,}**" for n, count in counts.most_common()))

    def take() -> None:
        objects, _ = workspace.objects(work)
        kept = examples_of(work, objects)
        wanted = apply(objects, prediction, min_probability=least, keep=kept)
        known.predicted = {i.id: i.label for i in wanted if i.label and i.id not in kept}
        some = f"{len(told):,} object{'s' if len(told) != 1 else ''}"
        workspace.commit(work, wanted, f"Classify {some} by example")

    st.button(
        f"Classify {len(told):,} objects", key="classify-apply", icon=":material/category:",
        type="primary" if known.examples == given else "secondary", disabled=not told,
        on_click=take,
    )  # fmt: skip

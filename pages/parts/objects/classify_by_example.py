"""Classes by example: label a few objects, the rest is learned from them."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import streamlit as st

from pages.parts.shared import banner, progress, resources
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import paragraphs, plain
from rsam_core.errors import RsamError
from rsam_core.objects.classify.by_example import (
    METHODS,
    Trained,
    apply,
    check_examples,
    most_uncertain,
)
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.session.learning import JOB, Learning, learning, start
from rsam_core.session.session import Session

_SUGGESTIONS = 5


def example_form(session: Session, found: Instances, classes: ClassList) -> None:
    """Draw the examples, the button to learn, and what was learned."""
    known = learning(session)
    if progress.shown(
        session.jobs, JOB, _("Learning…"), key="stop-learning", take_over=known.collect
    ):
        return
    given = known.examples_of(found)
    counts = Counter(given.values())
    if counts:
        listed = ", ".join(f"{plain(name)} {number(count)}" for name, count in counts.most_common())
        st.markdown(_("**Your examples:** {listed}").format(listed=listed))
    try:
        check_examples(counts)
        enough = True
    except RsamError as error:
        enough = False
        st.info(paragraphs(error), icon=":material/school:")

    def begin() -> None:
        start(session, known, model_name(), resources)

    fresh = known.trained is None or known.examples != given
    st.button(
        _("Learn from the examples") if known.trained is None else _("Learn again"),
        key="learn", icon=":material/model_training:", on_click=begin, disabled=not enough,
        type="primary" if fresh else "secondary",
    )  # fmt: skip
    if known.error is not None:
        banner.show(known.error)
    if known.trained is None or known.prediction is None:
        return
    if known.examples != given:
        st.caption(_(":material/info: The examples have changed since. Learn again to use them."))
    _quality(known.trained)
    _suggestions(session, found, known, given)
    _application(session, found, known, given)


def _quality(trained: Trained) -> None:
    """How well it does on examples that were held back."""
    validation = trained.validation
    right = int(validation.confusion.trace())
    total = int(validation.confusion.sum())
    st.markdown(
        _("**{right} of {total} examples** told right when held back ({share} %)").format(
            right=number(right), total=number(total), share=f"{100 * validation.accuracy:.0f}"
        )
    )
    if total < 20:
        st.caption(_("With so few examples this is a rough estimate."))
    with st.expander(_("Which classes are confused")):
        table = pd.DataFrame(
            validation.confusion, index=pd.Index(validation.classes, name=_("is … / told as")),
            columns=validation.classes,
        )  # fmt: skip
        st.dataframe(table, key="confusion-classes", height="content")
        tried = ", ".join(
            f"{METHODS[name]} {100 * score:.0f} %" for name, score in validation.scores.items()
        )
        st.caption(
            _(
                "Rows are the true classes. Cross-validation in {folds} parts; mean of the "
                "classes: {tried}. Used: {method}."
            ).format(folds=validation.folds, tried=tried, method=_(METHODS[validation.method]))
        )


def _suggestions(
    session: Session, found: Instances, known: Learning, given: dict[int, str]
) -> None:
    """The objects whose label would teach most."""
    prediction = known.prediction
    present = set(found.ids.tolist())
    gone = set(prediction.ids.tolist()) - present
    ids = most_uncertain(prediction, _SUGGESTIONS, exclude=gone | set(given))
    if not ids:
        return
    place = {int(id): row for row, id in enumerate(prediction.ids)}

    def show(id: int) -> None:
        session.marks.select({id})
        x0, y0, x1, y1 = session.objects.get(id).bbox
        margin = max(x1 - x0, y1 - y0, 40)
        session.canvas.look(x0 - margin, y0 - margin, x1 + margin, y1 + margin)

    st.caption(_("Least certain: label these to learn most. Press one to select and see it."))
    with st.container(horizontal=True, gap="small"):
        for id in ids:
            row = prediction.probabilities[place[id]]
            best = row.argsort()[::-1][:2]
            words = _(" or ").join(prediction.classes[k] for k in best)
            st.button(f"{id}: {words}?", key=f"uncertain-{id}", on_click=show, args=(id,))


def _application(
    session: Session, found: Instances, known: Learning, given: dict[int, str]
) -> None:
    """Take over the classes that were learned."""
    prediction = known.prediction
    least = st.slider(
        _("Least probability"), 0.0, 1.0, 0.0, 0.05, key="least-probability",
        help=_("Objects of which the classifier is less sure get no class. With few examples "
               "the probabilities are rough."),
    )  # fmt: skip
    present = set(found.ids.tolist())
    told = [
        (int(id), label)
        for id, label, sure in zip(prediction.ids, prediction.labels, prediction.confidence)
        if int(id) in present and int(id) not in given and sure >= least
    ]
    counts = Counter(label for _id, label in told)
    if counts:
        st.markdown(
            " · ".join(f"{plain(n)} **{number(count)}**" for n, count in counts.most_common())
        )

    def take() -> None:
        shown = session.shown()
        objects = shown.objects
        kept = known.examples_of(objects)
        wanted = apply(objects, prediction, min_probability=least, keep=kept)
        known.predicted = {i.id: i.label for i in wanted if i.label and i.id not in kept}
        what = ngettext(
            "Classify {count} object by example", "Classify {count} objects by example", len(told)
        ).format(count=number(len(told)))
        session.commit(shown, wanted, what)

    st.button(
        _("Classify {count} objects").format(count=number(len(told))),
        key="classify-apply",
        icon=":material/category:",
        type="primary" if known.examples == given else "secondary",
        disabled=not told,
        on_click=take,
    )

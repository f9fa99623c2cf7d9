"""Kinds: what the model takes the objects for, and its suggestions as classes."""

from __future__ import annotations

from collections import Counter

import streamlit as st

from pages.parts.shared import banner, progress, resources
from pages.parts.shared.names import plain, so_many_objects
from rsam_core.models.installed import ready_models
from rsam_core.objects.classify.classes import ClassList, set_labels
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, number
from rsam_core.segment.kinds import NOT_SURE
from rsam_core.session.kinds import JOB, MODEL, Naming, naming, suggested
from rsam_core.session.kinds_job import can_name, start
from rsam_core.session.learning import learning
from rsam_core.session.session import Session


def kinds_form(session: Session, found: Instances, classes: ClassList) -> None:
    """Ask the model what the objects are; give its suggestions to those without a class."""
    known = naming(session)
    if progress.shown(
        session.jobs, JOB, _("Looking at what the objects are…"), key="stop-kinds",
        take_over=known.collect,
    ):  # fmt: skip
        return
    if known.error is not None:
        banner.show(known.error)
    kinds = known.of(found)
    given = suggested(found, known, classes)
    able = can_name(resources)
    model = _model()

    def begin() -> None:
        with banner.guard("kinds"):
            start(session, known, session.shown().objects, resources, model)

    with st.container(horizontal=True, gap="small"):
        st.button(
            _("Name kinds") if kinds is None else _("Name kinds again"),
            key="name-kinds", icon=":material/label:", on_click=begin, disabled=not able,
            help=_("The model says what each object is: building, road, car, tree, grass or "
                   "field, bare ground, water, pool, boat or other. The table and the files get "
                   "a column for it."),
        )  # fmt: skip
        st.button(
            _("Use as classes ({count})").format(count=number(len(given)))
            if given
            else _("Use as classes"),
            key="use-kinds",
            icon=":material/category:",
            disabled=not given,
            on_click=_use,
            args=(session, known),
            help=_(
                "Objects without a class get the kind as their class. Classes that are there "
                "stay as they are; “not sure” gives none. Can be undone."
            ),
        )
    if not able:
        st.caption(_(":material/info: The installed weights cannot say what objects are."))
    if kinds is not None:
        counts = Counter(kinds.names)
        unsure = counts.pop(NOT_SURE, 0)
        words = [f"{plain(_(name))} **{number(count)}**" for name, count in counts.most_common()]
        words += [f"{_(NOT_SURE)} {number(unsure)}"] if unsure else []
        st.markdown(" · ".join(words))


def _model() -> str:
    """The model that names: the embedded one, unless another is installed and chosen."""
    others = {info.name: info.title for info in ready_models("names")}
    if not others:
        return MODEL
    titles = {MODEL: "RSAM tiny", **others}
    return st.selectbox(
        _("Named by"), list(titles), key="kinds-model", persist_state="session",
        format_func=lambda name: plain(titles.get(name, name)),
        help=_("CLIP was taught on everyday photographs with captions; RSAM tiny on images from "
               "above."),
    )  # fmt: skip


def _use(session: Session, known: Naming) -> None:
    """Give the suggested classes, as one step."""
    with banner.guard("kinds"):
        shown = session.shown()
        classes = (session.marks.classes or ClassList()).including(i.label for i in shown.objects)
        given = suggested(shown.objects, known, classes)
        if not given:
            return
        session.marks.change_classes(lambda now: now.including(given.values()))
        # Nobody has looked at each: by example, nothing is learned from them.
        learned = learning(session)
        learned.predicted = {**learned.predicted, **given}
        what = _("Classify {objects} by kind").format(objects=so_many_objects(len(given)))
        session.commit(shown, set_labels(shown.objects, given), what)

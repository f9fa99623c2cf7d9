"""Where the truth of the open image comes from: a file, the sample, the objects, or a drawing."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.evaluate import draw_truth as evaluate_draw
from pages.parts.evaluate import readings as evaluate_readings
from pages.parts.shared import banner, sample_truth
from pages.parts.shared import prompter as prompters
from pages.parts.shared.names import MAX_LENGTH, full, plain, so_many_objects
from pages.parts.shared.truth_choice import lost_truth
from rsam_core.errors import RsamError, TruthChoice
from rsam_core.formats.truth import (
    TRUTH_TYPES,
    Truth,
    read_truth,
    truth_from_objects,
)
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import _, number, percent
from rsam_core.session.session import Session


def present(session: Session) -> Instances:
    """The objects of the session; prompts of a project that was just opened are answered first."""
    session.search.collect(session.marks)
    if session.marks.book.entries:
        with banner.guard(), st.spinner(_("Looking at the image (once)…")):
            prompters.ready(session)
    return session.objects


def give(session: Session, truth: Truth | None) -> None:
    """Make a truth that of the image; None takes it away."""
    session.truth.give(truth)


def choose(session: Session, found: Instances) -> None:
    """All ways to say what is true."""
    if session.truth.value is None:
        st.markdown(
            _(
                "**What is true?** Give the true outlines, drawn by hand or surveyed, and RSAM "
                "counts what was found, missed and drawn too large or too small."
            )
        )
    sample = bool(sample_truth.kinds(session))
    columns = st.columns([5, 4, 4] if sample else [5, 5], gap="medium")
    with columns[0]:
        _upload(session)
        lost_truth(session)
    if sample:
        with columns[1]:
            _of_sample(session)
    with columns[-1]:
        _of_session(session, found)
    evaluate_draw.expander(session, give)


def summary(session: Session, truth: Truth) -> None:
    """One line on the truth in force, and what is to be known about it."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    told = [so_many_objects(truth.count)]
    if truth.valid is not None:
        told.append(_("covers {share} of the image").format(share=percent(truth.coverage)))
    with row:
        st.markdown(
            f":material/image: {plain(session.image.scene.name, MAX_LENGTH)}",
            help=full(session.image.scene.name),
        )
        st.markdown(
            _(":material/verified: **Truth:** {name} · {facts}").format(
                name=plain(truth.name, MAX_LENGTH), facts=" · ".join(told)
            ),
            help=full(truth.name),
        )
        st.button(
            _("Change or remove"),
            icon=":material/close:",
            type="tertiary",
            key="remove-truth",
            on_click=lambda: give(session, None),
        )
        evaluate_readings.offer(
            session.image.token,
            truth,
            lambda source, option, value: _read(
                session, source.content, source.name, **{**source.options, option: value}
            ),
        )
    for note in truth.notes:
        st.caption(f":material/info: {plain(note)}")
    for warning in truth.warnings:
        st.warning(plain(warning), icon=":material/warning:")


def _upload(session: Session) -> None:
    file = st.file_uploader(
        _("Upload a file"),
        type=list(TRUTH_TYPES),
        key=f"evaluate-truth-{session.image.token}",
        help=_(
            "A mask or label image (PNG, TIFF), a GeoTIFF (laid onto the image by its "
            "place), outlines (GeoJSON, GeoPackage, KML, Shapefile in a ZIP archive) or COCO "
            "JSON. In a mask every object is not black; in a label image every object has a "
            "number of its own."
        ),
    )
    if file is None:
        return
    if session.truth.file != file.file_id:
        session.truth.file = file.file_id
        _read(session, file.getvalue(), file.name)
        if session.truth.error is None:
            st.rerun()
    if session.truth.error is not None:
        banner.show(session.truth.error)
        if isinstance(session.truth.error, TruthChoice):
            evaluate_readings.ask(
                session.truth.error,
                lambda option, value: _read(
                    session,
                    file.getvalue(),
                    file.name,
                    **{**evaluate_readings.options(session.image.token, file.name), option: value},
                ),
            )
        if "same size" in str(session.truth.error) and file.name.lower().endswith(
            ("png", "tif", "tiff")
        ):
            st.button(
                _("Stretch it to the image"),
                icon=":material/fit_screen:",
                key="fit-truth",
                help=_(
                    "Only if it shows the same area: each pixel of the image takes the "
                    "nearest one of the mask."
                ),
                on_click=lambda: _read(session, file.getvalue(), file.name, fit=True),
            )


def _read(session: Session, content: bytes, name: str, **options: Any) -> None:
    """Read a file as truth, with the options of `read_truth`."""
    source = evaluate_readings.Source(session.image.token, content, name, options)
    try:
        truth = read_truth(content, session.image.scene, name=name, **options)
        give(session, truth)
        # A file that can be read in one way only need not be kept.
        evaluate_readings.keep(source if truth.others else None)
    except TruthChoice as error:
        session.truth.refuse(error)
        evaluate_readings.keep(source)
    except RsamError as error:
        session.truth.refuse(error)


def _of_sample(session: Session) -> None:
    def use() -> None:
        with banner.guard():
            kind = st.session_state["evaluate-class"]
            name = _("exact truth of the sample ({kind})").format(kind=kind)
            give(session, sample_truth.truth(session, kind, name))

    sample_truth.choose(session, _("Or take this sample's own truth"), "evaluate-class")
    st.button(
        _("Use it"),
        icon=":material/check:",
        type="primary",
        key="use-sample-truth",
        on_click=use,
        width="stretch",
    )


def _of_session(session: Session, found: Instances) -> None:
    st.markdown(_("Or take the present objects for truth"))
    count = len(found)
    st.button(
        _("Use these {count} objects").format(count=number(count))
        if count != 1
        else _("Use this object"),
        icon=":material/verified:",
        key="use-objects",
        disabled=not count,
        width="stretch",
        on_click=lambda: give(session, truth_from_objects(found)),
        help=_(
            "If you have corrected the outlines by hand: they become the truth against which "
            "other clicks, boxes, models and methods are compared."
        )
        if count
        else _("There are none yet: outline some on the Segment page."),
    )

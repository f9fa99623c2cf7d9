"""Recipes to keep, and the work at full resolution that makes the prepared image the session's."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.parts.shared import banner, downloads, progress
from pages.parts.shared.names import MAX_LENGTH, full, plain
from rsam_core.formats.names import safe_name
from rsam_core.prepare import Pipeline, Step, geotiff
from rsam_core.runtime.language import _
from rsam_core.session.preparation import JOB, PreparationState, start
from rsam_core.session.preparation import collect as take_over
from rsam_core.session.session import Session


def files(bench: PreparationState, session: Session) -> None:
    """Save the list of steps as a file, or take it from one; save the prepared image."""
    stem = safe_name(Path(bench.base.name).stem)
    downloads.offer(
        _("Save recipe"),
        bench.pipeline.to_json(),
        f"{stem}.recipe.json",
        "application/json",
        key="save-recipe",
        disabled=not len(bench.pipeline),
        width="stretch",
    )
    key = "load-recipe"

    def load() -> None:
        file = st.session_state[key]
        if file is None or file.file_id == bench.recipe:
            return
        bench.recipe = file.file_id
        try:
            bench.take(Pipeline.from_json(file.getvalue()))
        except Exception as error:
            bench.fail(error)

    st.file_uploader(
        _("Load a recipe"), ["json"], key=key, on_change=load, max_upload_size=50,
        help=_("The steps of another image, saved as a recipe. They replace the list."),
    )  # fmt: skip
    if session.image.original is not None:
        downloads.offer(
            _("Save prepared image"),
            lambda: geotiff(session.image.scene),
            f"{stem}.prepared.tif",
            "image/tiff",
            icon=":material/image:",
            key="save-prepared",
            width="stretch",
            help=_("The image in use as a GeoTIFF, for other programs."),
        )


def collect(bench: PreparationState, session: Session) -> bool:
    """Take over what a finished job made; whether there was something."""
    with banner.guard("use-prepared"):
        return take_over(session, bench)
    return True


def actions(bench: PreparationState, session: Session) -> None:
    """The primary button, progress, and the way back."""
    if progress.shown(
        session.jobs, JOB, _("Preparing at full resolution…"), key="stop-preparing",
        help=_("The image in use stays as it is."),
    ):  # fmt: skip
        return
    steps = bench.pipeline.steps
    in_use = session.image.pipeline.steps if session.image.pipeline is not None else ()
    done = bool(steps) and steps == in_use

    def begin() -> None:
        start(session, bench)

    state = _("as it was opened")
    if done:
        state = _("prepared with these steps")
    elif session.image.original is not None:
        state = _("an earlier version of its preparation")
    icon = "check_circle" if done else "image"
    st.caption(
        f":material/{icon}: "
        + _("In use: **{name}**, {state}").format(
            name=plain(bench.base.name, MAX_LENGTH), state=state
        ),
        help=full(bench.base.name),
    )
    if bench.told:
        st.info(bench.told, icon=":material/info:")
    elif (
        not done
        and (session.marks.book.entries or session.marks.automatic)
        and any(map(_moves, steps))
    ):
        st.warning(
            _(
                "These steps change the size or place of the picture: the objects outlined so far "
                "will be removed."
            ),
            icon=":material/warning:",
        )
    with st.container(horizontal=True, gap="small", key="prepare-actions"):
        if not done:
            st.button(
                _("Use the prepared image"),
                type="primary",
                icon=":material/check:",
                key="use-prepared",
                on_click=begin,
                disabled=not steps,
                width="stretch",
                help=_(
                    "Applies the steps at full resolution. All pages then work on the "
                    "result; the file itself is not changed."
                ),
            )
        elif st.button(
            _("Go on to Segment"), type="primary", icon=":material/ads_click:", key="to-segment",
            width="stretch",
        ):  # fmt: skip
            st.switch_page("pages/screens/segment.py")
        if session.image.original is not None:
            st.button(
                _("Back to the original"),
                icon=":material/undo:",
                key="use-original",
                on_click=_back,
                args=(session,),
                help=_(
                    "All pages work on the image as it was opened. The list of steps stays here."
                ),
            )


def _moves(step: Step) -> bool:
    """Whether a step changes the size or the place of the picture."""
    return step.group == "Geometric" or (step.group == "Resolution" and step.halo is None)


def _back(session: Session) -> None:
    with banner.guard("use-original"):
        session.use_original()

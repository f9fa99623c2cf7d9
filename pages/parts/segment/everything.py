"""Everything mode: settings, expected time, progress, cancel, thresholds that act at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from pages.parts.shared import banner, progress, resources
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.runtime.durations import waiting_time
from rsam_core.runtime.language import N_, _, number
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything import (
    EverythingSettings,
    EverythingState,
    estimate_seconds,
    grid_points,
    initialize,
)
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.proposals import estimate_by_proposals, initialize_by_proposals
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import estimate_tiled, initialize_tiled
from rsam_core.session.search import JOB, thresholds, with_thresholds
from rsam_core.session.session import Session

DENSITIES = {N_("Coarse"): 48.0, N_("Medium"): 32.0, N_("Fine"): 22.0, N_("Very fine"): 14.0}
SLIDERS = ("quality", "stable", "overlap", "min-size", "max-share")
WHERE = (N_("This view"), N_("Whole image"))
PROPOSER = DEFAULT_MODEL

Progress = Callable[[float, str], None]
Cancelled = Callable[[], bool]


def _choose_thresholds(session: Session) -> None:
    """Sliders for the thresholds; what is in force is their default, so they stay as they were."""
    automatic = session.marks.automatic
    now = automatic.settings
    mark = f"{session.image.token}-{automatic.model}"

    def apply() -> None:
        # Before the page is drawn, because the picture stands above the sliders.
        value = st.session_state
        if any(f"{name}-{mark}" not in value for name in SLIDERS):
            return
        settings = replace(
            now,
            min_quality=value[f"quality-{mark}"],
            min_stability=value[f"stable-{mark}"],
            max_overlap=value[f"overlap-{mark}"],
            min_area=value[f"min-size-{mark}"],
            max_share=value[f"max-share-{mark}"] / 100,
        )
        # No step of its own: a slider is undone by the slider.
        if session.marks.automatic is not None:
            session.update(lambda book: with_thresholds(book, settings))

    st.slider(
        _("Minimum quality"),
        max(0.3, now.keep_quality),
        1.0,
        now.min_quality,
        0.01,
        key=f"quality-{mark}",
        on_change=apply,
        help=_("Drops outlines that the model itself thinks poor. Acts at once."),
    )
    st.number_input(
        _("Minimum size (pixels)"),
        0,
        1_000_000,
        round(now.min_area),
        10,
        key=f"min-size-{mark}",
        on_change=apply,
        help=_("Drops specks. Acts at once."),
    )
    with st.expander(_("More")):
        st.slider(
            _("Minimum firmness"),
            now.keep_stability,
            1.0,
            now.min_stability,
            0.01,
            key=f"stable-{mark}",
            on_change=apply,
            help=_(
                "Drops outlines that move much when RSAM is a little more or less strict "
                "(their stability)."
            ),
        )
        st.slider(
            _("Maximum size (% of the image)"),
            1,
            100,
            round(now.max_share * 100),
            key=f"max-share-{mark}",
            on_change=apply,
            help=_("Larger ones are background rather than objects."),
        )
        st.slider(
            _("Overlap allowed between two objects"),
            0.1,
            1.0,
            now.max_overlap,
            0.05,
            key=f"overlap-{mark}",
            on_change=apply,
            help=_("Two outlines that share more than this count as the same object."),
        )


def _search(prompter: Prompter, spacing: float | None) -> EverythingSettings:
    """What the present model is asked for: a large one draws only masks that sliders can want.

    Without a spacing it looks where it proposes objects, and nowhere else.
    """
    return _spaced(thresholds(prompter.segmenter.model.name), spacing)


def _proposing(spacing: float | None) -> EverythingSettings:
    """What the embedded model is asked for when a large one outlines what it finds."""
    return _spaced(thresholds(PROPOSER), spacing)


def _spaced(settings: EverythingSettings, spacing: float | None) -> EverythingSettings:
    if spacing is None:
        return settings
    return replace(settings, spacing=spacing, look_between=True)


def _proposer(session: Session) -> Callable[[], tuple[Segmenter, Embedding]]:
    """What gives the embedded model, and what it makes of the present view, in any thread."""
    # Read here: pictures of the session belong to its own thread.
    image, small = session.image.picture(session.image.view), resources.segmenter(PROPOSER)
    return lambda: (small, resources.embed(image, resources.embedding_key(image, PROPOSER)))


def _expected_time(
    session: Session, prompter: Prompter, spacing: float | None, tiled: bool, proposed: bool
) -> None:
    view, settings = session.image.view, _search(prompter, spacing)
    key = (session.answers.key, None if tiled else view, spacing, proposed)
    if session.search.estimate is None or session.search.estimate[0] != key:
        large = prompter.segmenter
        with st.spinner(_("Estimating the time…")):
            if tiled:
                seconds = estimate_tiled(large, session.image.scene, None, settings)
            elif proposed:
                small = _proposer(session)()
                seconds = estimate_by_proposals(
                    large, prompter.embed(view), *small, _proposing(spacing)
                )
            else:
                seconds = estimate_seconds(large, prompter.embed(view), settings)
        session.search.estimate = (key, seconds)
    told, count = waiting_time(session.search.estimate[1]), 0
    if spacing is not None:
        shape = session.image.shape if tiled else (view.rows, view.columns)
        count = len(grid_points(shape, spacing))
        text = (
            _("{count} points, at most **{time}** on this computer") if proposed
            else _("{count} points, about **{time}** on this computer")
        )  # fmt: skip
    else:
        text = (
            _("At most **{time}** on this computer") if proposed
            else _("About **{time}** on this computer")
        )  # fmt: skip
    st.caption(text.format(count=number(count), time=told))


def _where(session: Session) -> bool:
    """Whether to look through the whole of a large scene, tile by tile, at full resolution."""
    if session.image.overview.scale == (1.0, 1.0):
        return False
    choice = st.segmented_control(
        _("Where to look"),
        WHERE,
        default=WHERE[0],
        format_func=_,
        key="everything-where",
        required=True,
        persist_state="session",
        help=_(
            "The view is what the model sees now; its size is said in the picture. The whole "
            "image is searched at full resolution, piece by piece."
        ),
    )
    return choice == WHERE[1]


def _quick(prompter: Prompter, tiled: bool) -> bool:
    """Whether a large model outlines only what the embedded one finds."""
    if tiled or prompter.segmenter.model.name == PROPOSER:
        return False
    return st.toggle(
        _("Quick: only what RSAM tiny finds"),
        key="everything-quick",
        persist_state="session",
        help=_(
            "Usually this model is asked at each point of a grid, which takes long. Quick "
            "lets the small embedded model look first, and this one outline the objects "
            "found, each in its box: what the small model overlooks is missing then."
        ),
    )


def _spacing(by_itself: bool) -> float | None:
    """Distance of the grid points to prompt; None where the model's own proposals suffice."""
    if by_itself and not st.toggle(
        _("Look also between"),
        key="everything-between",
        persist_state="session",
        help=_(
            "RSAM tiny says by itself where objects are. This also tries a grid of points on "
            "all ground that no found object covers: slower, and a little more is found."
        ),
    ):
        return None
    density = st.select_slider(
        _("How densely to look"),
        list(DENSITIES),
        "Medium",
        format_func=_,
        key="density",
        help=_("A finer grid finds smaller objects and takes longer."),
        persist_state="session",
    )
    return DENSITIES[density]


def panel(session: Session, prompter: Prompter) -> None:
    """The right-hand column in everything mode."""
    if progress.shown(
        session.jobs,
        JOB,
        _("Looking…"),
        key="stop-everything",
        stop=_("Stop and keep what is found"),
        take_over=lambda: session.search.collect(session.marks),
    ):
        return
    tiled = _where(session)
    proposed = _quick(prompter, tiled)
    asked = resources.segmenter(PROPOSER) if proposed else prompter.segmenter
    spacing = _spacing(by_itself=asked.model.proposes)
    _expected_time(session, prompter, spacing, tiled, proposed)

    def start() -> None:
        settings, view, scene = _search(prompter, spacing), session.image.view, session.image.scene
        segmenter = prompter.segmenter
        small = _proposer(session) if proposed else None

        def search(**control: Progress | Cancelled) -> EverythingState:
            if tiled:
                return initialize_tiled(segmenter, scene, None, settings, **control)
            embedding = prompter.embed(view)
            if small is None:
                return initialize(segmenter, embedding, settings, **control)
            return initialize_by_proposals(
                segmenter, embedding, *small(), settings, proposing=_proposing(spacing), **control
            )

        session.search.start(search, segmenter.model.name, None if tiled else view)

    again = session.marks.automatic is not None
    st.button(
        _("Find everything again") if again else _("Find everything"),
        type="secondary" if again else "primary",
        icon=":material/auto_awesome:",
        width="stretch",
        key="find-everything",
        on_click=start,
    )
    if session.search.error is not None:
        banner.show(session.search.error)
    if session.marks.automatic is None:
        return
    if not session.marks.automatic.state.complete:
        points = session.marks.automatic.state.points
        st.caption(
            _(":material/info: Stopped after {points} places. What was found is kept.").format(
                points=number(points)
            )
        )
    shown = session.shown()
    now = shown.objects
    if not any(item.source == "everything" for item in now):
        st.info(
            _(
                "No outline passes the thresholds below. Lower the minimum quality, or look more "
                "densely."
            ),
            icon=":material/search_off:",
        )
    _choose_thresholds(session)
    _removal(session)


def _removal(session: Session) -> None:
    def drop() -> None:
        session.update(lambda book: book.step(_("Remove the automatic objects"), extra=None))

    st.button(
        _("Remove these objects"),
        icon=":material/delete:",
        key="drop-everything",
        on_click=drop,
        width="stretch",
        help=_(
            "Removes all objects that were found automatically; those you outlined stay. Can "
            "be undone."
        ),
    )

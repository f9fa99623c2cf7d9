"""Everything mode: settings, expected time, progress, cancel, thresholds that act at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from pages.parts.shared import banner, progress, resources
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.runtime.durations import waiting_time
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

DENSITIES = {"Coarse": 48.0, "Medium": 32.0, "Fine": 22.0, "Very fine": 14.0}
SLIDERS = ("quality", "stable", "overlap", "min-size", "max-share")
WHERE = ("This view", "Whole image")
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
        "Minimum quality",
        max(0.3, now.keep_quality),
        1.0,
        now.min_quality,
        0.01,
        key=f"quality-{mark}",
        on_change=apply,
        help="Drops outlines that the model itself thinks poor. Acts at once.",
    )
    st.number_input(
        "Minimum size (pixels)",
        0,
        1_000_000,
        round(now.min_area),
        10,
        key=f"min-size-{mark}",
        on_change=apply,
        help="Drops specks. Acts at once.",
    )
    with st.expander("More"):
        st.slider(
            "Minimum firmness",
            now.keep_stability,
            1.0,
            now.min_stability,
            0.01,
            key=f"stable-{mark}",
            on_change=apply,
            help="Drops outlines that move much when RSAM is a little more or less strict (their "
            "stability).",
        )
        st.slider(
            "Maximum size (% of the image)",
            1,
            100,
            round(now.max_share * 100),
            key=f"max-share-{mark}",
            on_change=apply,
            help="Larger ones are background rather than objects.",
        )
        st.slider(
            "Overlap allowed between two objects",
            0.1,
            1.0,
            now.max_overlap,
            0.05,
            key=f"overlap-{mark}",
            on_change=apply,
            help="Two outlines that share more than this count as the same object.",
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
        with st.spinner("Estimating the time…"):
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
    text = "At most" if proposed else "About"
    if spacing is not None:
        shape = session.image.shape if tiled else (view.rows, view.columns)
        text = f"{len(grid_points(shape, spacing)):,} points, {text.lower()}"
    st.caption(f"{text} **{waiting_time(session.search.estimate[1])}** on this computer")


def _where(session: Session) -> bool:
    """Whether to look through the whole of a large scene, tile by tile, at full resolution."""
    if session.image.overview.scale == (1.0, 1.0):
        return False
    choice = st.segmented_control(
        "Where to look",
        WHERE,
        default=WHERE[0],
        key="everything-where",
        required=True,
        persist_state="session",
        help="The view is what the model sees now; its size is said in the picture. The whole "
        "image is searched at full resolution, piece by piece.",
    )
    return choice == WHERE[1]


def _quick(prompter: Prompter, tiled: bool) -> bool:
    """Whether a large model outlines only what the embedded one finds."""
    if tiled or prompter.segmenter.model.name == PROPOSER:
        return False
    return st.toggle(
        "Quick: only what RSAM tiny finds",
        key="everything-quick",
        persist_state="session",
        help="Usually this model is asked at each point of a grid, which takes long. Quick lets "
        "the small embedded model look first, and this one outline the objects found, each in its "
        "box: what the small model overlooks is missing then.",
    )


def _spacing(by_itself: bool) -> float | None:
    """Distance of the grid points to prompt; None where the model's own proposals suffice."""
    if by_itself and not st.toggle(
        "Look also between",
        key="everything-between",
        persist_state="session",
        help="RSAM tiny says by itself where objects are. This also tries a grid of points on all "
        "ground that no found object covers: slower, and a little more is found.",
    ):
        return None
    density = st.select_slider(
        "How densely to look",
        list(DENSITIES),
        "Medium",
        key="density",
        help="A finer grid finds smaller objects and takes longer.",
        persist_state="session",
    )
    return DENSITIES[density]


def panel(session: Session, prompter: Prompter) -> None:
    """The right-hand column in everything mode."""
    if progress.shown(
        session.jobs,
        JOB,
        "Looking…",
        key="stop-everything",
        stop="Stop and keep what is found",
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
        "Find everything again" if again else "Find everything",
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
        st.caption(f":material/info: Stopped after {points:,} places. What was found is kept.")
    shown = session.shown()
    now = shown.objects
    if not any(item.source == "everything" for item in now):
        st.info(
            "No outline passes the thresholds below. Lower the minimum quality, or look more "
            "densely.",
            icon=":material/search_off:",
        )
    _choose_thresholds(session)
    _removal(session)


def _removal(session: Session) -> None:
    def drop() -> None:
        session.update(lambda book: book.step("Remove the automatic objects", extra=None))

    st.button(
        "Remove these objects",
        icon=":material/delete:",
        key="drop-everything",
        on_click=drop,
        width="stretch",
        help="Removes all objects that were found automatically; those you outlined stay. Can be "
        "undone.",
    )

"""What stands beside the picture: what to do next, how far it is, and what came out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.parts.follow.chart import chart
from pages.parts.shared import banner, progress, resources
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import markup, plain
from rsam_core.change.following import Track
from rsam_core.change.track_files import key_numbers
from rsam_core.runtime.language import _
from rsam_core.session.following import FOLLOW, FollowState
from rsam_core.session.session import Session

_MAX_RANGES = 4


def follow(state: FollowState) -> None:
    """Begin to follow in the background."""
    name = model_name()
    with banner.guard("follow"):
        state.start(lambda: resources.segmenter(name))


def panel(session: Session, state: FollowState, table) -> None:
    """The column beside the picture."""
    frames, step = state.frames, state.now
    for note in frames.notes:
        st.caption(f":material/info: {plain(note)}")
    if frames.unordered:
        st.warning(
            _("The dates do not rise from frame to frame. Correct them in the table below."),
            icon=":material/event_busy:",
        )
    if step.track is not None and step.pending and state.error is None and _idle(session):
        # A correction is followed from its frame by itself.
        follow(state)
    if progress.shown(
        session.jobs, FOLLOW, _("Following:"), key="stop-following",
        help=_("What was followed before stays."),
    ):  # fmt: skip
        if step.track is None:
            return
    elif state.error is not None:
        banner.show(state.error)
    if step.track is None:
        _begin(state, len(frames))
        return
    _numbers(table)
    _lost(state, step.track)
    chart(session, state, table)
    _made(state, step.track)


def _idle(session: Session) -> bool:
    return session.jobs.get(FOLLOW) is None


def _begin(state: FollowState, count: int) -> None:
    marks = state.now.marks
    if not marks:
        st.info(
            _(
                "**Start here:** click the object in the picture, or draw a box around it, in "
                "whichever frame shows it best. RSAM then finds it in all the others."
            ),
            icon=":material/ads_click:",
        )
        return
    where = ", ".join(str(k + 1) for k in sorted(marks))
    if state.ready:
        st.markdown(_("Outlined in frame {where}. Does the outline fit? Then:").format(where=where))
    else:
        st.warning(
            _("Nothing was found there. Click the middle of the object, or draw a box around it."),
            icon=":material/search_off:",
        )
    _another(state)
    st.button(
        _("Follow through {count} frames").format(count=count),
        type="primary",
        icon=":material/conversion_path:",
        key="follow-start",
        width="stretch",
        disabled=not state.ready,
        on_click=follow,
        args=(state,),
        help=_("Forwards and backwards from each frame that is marked."),
    )


def _another(state: FollowState) -> None:
    """A lone click may mean more than one thing."""
    marked = state.now.marks.get(state.frame)
    if marked is None or marked.choices < 2 or len(marked.points) != 1 or marked.box is not None:
        return
    st.button(
        _("Another outline ({choice} of {choices})").format(
            choice=marked.choice % marked.choices + 1, choices=marked.choices
        ),
        icon=":material/layers:",
        key="follow-another",
        width="stretch",
        on_click=state.other_outline,
        help=_("A click may mean the whole or a part, such as a roof or its ridge."),
    )


def _numbers(table) -> None:
    facts = key_numbers(table)
    cells = "".join(
        f'<div><div class="follow-value">{value}</div>'
        f'<div class="follow-name">{markup(_(name))}</div></div>'
        for name, value in facts
    )
    st.html(
        "<style>.follow-facts{display:grid;grid-template-columns:repeat(2,1fr);gap:.35rem .8rem}"
        ".follow-value{font-size:1.15rem;font-weight:600;white-space:nowrap}"
        ".follow-name{font-size:.75rem;opacity:.7}</style>"
        f'<div class="follow-facts">{cells}</div>'
    )


def ranges(numbers: Sequence[int]) -> list[str]:
    """Numbers in a row as "3" or "3 to 7"."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return [
        str(low) if low == high else _("{low} to {high}").format(low=low, high=high)
        for low, high in found
    ]


def _lost(state: FollowState, track: Track) -> None:
    """Frames without the object, and a way to the first of them."""
    lost = [k for k, item in enumerate(track.outlines) if item is None]
    if not lost:
        return
    some = ranges([k + 1 for k in lost])
    text = ", ".join(some[:_MAX_RANGES])
    if len(some) > _MAX_RANGES:
        text = _("{numbers} and more").format(numbers=text)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            _(":material/search_off: Not found in frame {numbers}.").format(numbers=text),
            width="stretch",
        )
        ahead = next((k for k in lost if k > state.frame), lost[0])
        st.button(_("Show"), key="follow-lost", type="tertiary", on_click=state.look, args=(ahead,))


def _made(state: FollowState, track: Track) -> None:
    speed = track.frames_per_second
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(
            _("{followed} frames followed at **{speed:.1f} frames a second**.").format(
                followed=track.followed, speed=speed
            ),
            width="stretch",
        )
        st.button(
            _("Follow anew"), key="follow-anew", type="tertiary", on_click=_anew, args=(state,),
            help=_("From all marked frames, each as far as half the way to the next."),
        )  # fmt: skip


def _anew(state: FollowState) -> None:
    state.follow_anew()
    follow(state)

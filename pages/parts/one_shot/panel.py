"""Beside the picture: examples, the search, the threshold, accepting and rejecting."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.one_shot.pictures import FOUND, thumbnail
from pages.parts.shared import banner, progress, resources
from pages.parts.shared.current_session import model_name
from pages.parts.shared.mask_editor import open_editor
from pages.parts.shared.names import markup, plain
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import covered_ground
from rsam_core.runtime.durations import waiting_time
from rsam_core.runtime.language import N_, _, ngettext, number, percent
from rsam_core.segment.one_shot import OneShotResult
from rsam_core.session.one_shot import (
    HERE,
    OneShotState,
    accept,
    expected_seconds,
    name_example,
    search_key,
    start,
)
from rsam_core.session.session import Session

_THUMBNAIL = 84
_WHERE = [N_("This view"), N_("Whole image")]
_BINS = 25
_BAR_HEIGHT = 44


def panel(session: Session, known: OneShotState, mode: str) -> None:
    """The right-hand column."""
    if progress.shown(
        session.jobs, HERE, _("Looking…"), key="stop-alike", stop=_("Stop and keep what is found"),
        take_over=known.collect,
    ):  # fmt: skip
        return
    _examples(session, known, mode)
    if known.error is not None:
        banner.show(known.error)
    ranked = known.result()
    if ranked is not None:
        _results(session, known, ranked)


def _examples(session: Session, known: OneShotState, mode: str) -> None:
    candidate = chosen_object(session)
    wanted = [g for g in known.given if g.positive]
    if not wanted and candidate is None:
        st.info(
            _(
                "**Start here:** outline one example of what you are looking for, such as a roof; "
                "one is enough (hence one-shot). Draw a box around it, click it, or choose an "
                "object that was found before."
            ),
            icon=":material/ads_click:",
        )
    if candidate is not None and not _is_given(known, candidate):
        st.button(
            _("Use object {id} as example").format(id=candidate.id),
            type="primary" if not wanted else "secondary",
            icon=":material/star:",
            key="use-example",
            width="stretch",
            on_click=_name,
            args=(session, known, candidate),
        )
    for given in known.given:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            picture = thumbnail(session, given.instance, f"given-{given.number}")
            st.image(picture, width=48, alt=_("Example {number}").format(number=given.number))
            st.markdown("**" + _("Example") + "**" if given.positive else _("Not this one"))
            st.space("stretch")
            st.button(
                "", icon=":material/close:", key=f"forget-{given.number}", type="tertiary",
                help=_("Take this example back."), on_click=known.forget, args=(given,),
            )  # fmt: skip
    if not wanted:
        st.button(
            _("Draw one with the brush"), icon=":material/brush:", key="brush-example",
            on_click=open_editor, args=(session, None), width="stretch",
        )  # fmt: skip
        return
    whole = _where(session)
    fresh = known.state is None or known.key != search_key(session, model_name(), whole)
    if not fresh and known.searched == known.looked_for:
        return
    if fresh:
        title = _("Find others like it") if len(wanted) == 1 else _("Find others like these")
    else:
        title = _("Look closer with all examples")
    st.button(
        title,
        type="primary" if fresh else "secondary",
        icon=":material/travel_explore:",
        key="find-alike",
        width="stretch",
        on_click=_begin,
        args=(session, known, whole),
    )
    if fresh:
        with st.spinner(_("Estimating the time…")):
            seconds = expected_seconds(session, known, model_name(), whole)
        st.caption(
            _(
                "Takes about **{time}** on this computer; then thresholds and further examples "
                "act at once."
            ).format(time=waiting_time(seconds))
        )


def _name(
    session: Session, known: OneShotState, instance: Instance, *, positive: bool = True
) -> None:
    name_example(session, known, model_name(), resources, instance, positive=positive)


def _begin(session: Session, known: OneShotState, whole: bool) -> None:
    # What is found can be accepted or refused by a click.
    st.session_state["one-shot-mode"] = "Choose"
    start(session, known, model_name(), resources, whole)


def _where(session: Session) -> bool:
    """Whether to look through the whole of a large scene, tile by tile."""
    if session.image.overview.scale == (1.0, 1.0):
        return False
    choice = st.segmented_control(
        _("Where to look"), _WHERE, default=_WHERE[0], key="one-shot-where", required=True,
        format_func=_,
        help=_("The view is what the model sees now. The whole image is searched at full "
               "resolution, piece by piece, which takes longer."),
    )  # fmt: skip
    return choice == _WHERE[1]


def chosen_object(session: Session) -> Instance | None:
    """The one object that is selected, or the one that was drawn last on this page."""
    now = session.objects
    present = set(now.ids.tolist())
    if len(session.marks.selected & present) == 1:
        return now.get(next(iter(session.marks.selected & present)))
    if session.marks.book.current in present:
        return now.get(session.marks.book.current)
    return None


def _is_given(known: OneShotState, item: Instance) -> bool:
    return any(
        g.instance.bbox == item.bbox and np.array_equal(g.instance.mask, item.mask)
        for g in known.given
    )


def limit(known: OneShotState, ranked: OneShotResult) -> float:
    """The threshold in force."""
    return ranked.threshold if known.threshold is None else known.threshold


def _results(session: Session, known: OneShotState, ranked: OneShotResult) -> None:
    for note in ranked.notes:
        st.caption(f":material/info: {plain(note)}")
    if not known.state.complete:
        st.caption(_(":material/info: Stopped early. What was found until then is shown."))
    if not len(ranked.objects):
        st.warning(
            _(
                "Nothing like the example was found here. Choose a clearer example, or look at "
                "another part of the image."
            ),
            icon=":material/search_off:",
        )
        return
    kept = ranked.choose(limit(known, ranked))
    _headline(session, kept)
    _threshold(known, ranked)
    _selected(session, known, ranked)
    _accept_all(session, known, kept)
    _strip(session, known, ranked)


def _headline(session: Session, kept: Instances) -> None:
    text = _("**{count} more found**").format(count=number(len(kept)))
    pixels, area = covered_ground(kept, session.image.scene)
    text += f" · {number(pixels)} px" if area is None else f" · {number(area)} m²"
    st.markdown(text)


def _threshold(known: OneShotState, ranked: OneShotResult) -> None:
    def moved() -> None:
        known.threshold = st.session_state["alike"] / 100

    now = round(100 * limit(known, ranked))
    if st.session_state.get("alike") != now and known.threshold is None:
        st.session_state["alike"] = now
    st.slider(
        _("How alike (%)"),
        0,
        100,
        now if "alike" not in st.session_state else None,
        1,
        key="alike",
        on_change=moved,
        help=_(
            "How sure RSAM must be that an object is like the example and well outlined. The "
            "suggested value balances what is missed against what is wrong. Acts at once."
        ),
    )
    st.html(_bars(ranked.scores, limit(known, ranked)))
    if known.threshold is not None:
        st.button(
            _("Back to the suggested {value} %").format(value=round(100 * ranked.threshold)),
            key="suggested",
            type="tertiary",
            icon=":material/restart_alt:",
            on_click=_suggest,
            args=(known, ranked),
        )


def _bars(scores: NDArray[np.float32], share: float) -> str:
    """How many objects are how alike, as wide as the slider above."""
    counts, edges = np.histogram(scores, _BINS, (0, 1))
    bars = []
    for count, low, high in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        color = FOUND if (low + high) / 2 >= share else "#9CA3AF"
        # The root lets a few objects be seen beside hundreds.
        height = 0 if not count else max(2.0, _BAR_HEIGHT * (count / counts.max()) ** 0.5)
        told = ngettext(
            "{count} object, {low} to {high} alike", "{count} objects, {low} to {high} alike", count
        ).format(count=count, low=percent(low), high=percent(high))
        bars.append(
            f'<div title="{markup(told)}" style="flex:1;height:{height:.0f}px;background:{color};'
            'border-radius:2px 2px 0 0"></div>'
        )
    told = markup(_("Number of objects by how alike they are"))
    return (
        f'<div role="img" aria-label="{told}" '
        f'style="display:flex;align-items:flex-end;gap:1px;height:{_BAR_HEIGHT}px;'
        f'margin:0 .4rem">{"".join(bars)}</div>'
    )


def _suggest(known: OneShotState, ranked: OneShotResult) -> None:
    known.threshold = None
    st.session_state["alike"] = round(100 * ranked.threshold)


def _selected(session: Session, known: OneShotState, ranked: OneShotResult) -> None:
    if known.selected is None or known.selected not in ranked.objects.ids:
        st.caption(_("Click an outline in the picture to accept it, or to say “not this one”."))
        return
    item = ranked.objects.get(known.selected)
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.image(thumbnail(session, item, "selected"), width=56, alt=_("The chosen outline"))
            st.markdown(_("**{score} alike**").format(score=percent(item.score)))
        with st.container(horizontal=True):
            st.button(
                _("Accept this one"),
                key="accept-one",
                icon=":material/check:",
                on_click=_accept_one,
                args=(session, known, item),
                help=_("It becomes an object of this image, and a further example."),
            )
            st.button(
                _("Not this one"), key="reject-one", icon=":material/close:", on_click=_name,
                args=(session, known, item), kwargs={"positive": False},
                help=_("What looks like it is left out, too."),
            )  # fmt: skip


def _accept_one(session: Session, known: OneShotState, item: Instance) -> None:
    accept(session, [item])
    _name(session, known, item)


def _accept_all(session: Session, known: OneShotState, kept: Instances) -> None:
    def take() -> None:
        # The examples belong to what was looked for, so they come along.
        items = [*kept, *(g.instance for g in known.given if g.positive)]
        count = accept(session, items)
        st.toast(
            _("{count} objects added. They are on the Objects page now.").format(
                count=number(count)
            )
        )

    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Accept all {count} found").format(count=number(len(kept))),
            key="accept-all",
            type="primary",
            icon=":material/done_all:",
            disabled=not len(kept),
            on_click=take,
            help=_("They become objects of this image, to be refined, measured and exported."),
        )
        st.page_link(
            "pages/screens/objects.py", label=_("Go to Objects"), icon=":material/arrow_forward:"
        )


def _strip(session: Session, known: OneShotState, ranked: OneShotResult) -> None:
    """The proposals around the threshold: those that are worth a look."""
    scores = ranked.scores
    near = np.argsort(np.abs(scores - limit(known, ranked)), kind="stable")[:6]
    st.caption(_("Least certain; look at these first."))

    def show(id: int) -> None:
        known.selected = id
        x0, y0, x1, y1 = ranked.objects.get(id).bbox
        margin = max(x1 - x0, y1 - y0, 60)
        session.canvas.look(x0 - margin, y0 - margin, x1 + margin, y1 + margin)

    columns = st.columns(3, gap="small")
    for place, index in enumerate(sorted(near, key=lambda i: -scores[i])):
        item = ranked.objects[int(index)]
        with columns[place % 3]:
            picture = thumbnail(session, item, f"near-{place}")
            st.image(
                picture,
                width=_THUMBNAIL,
                alt=_("Found, {score} alike").format(score=percent(item.score)),
            )
            st.button(
                percent(item.score), key=f"near-{place}", on_click=show, args=(item.id,),
                width="stretch",
            )  # fmt: skip

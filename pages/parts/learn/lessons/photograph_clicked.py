"""The rows of lesson 4 that clicks operate: kinds of objects, and one against all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import streamlit as st

from pages.parts.learn.kept import kept
from pages.parts.learn.lessons import four_kinds_clicks as clicks
from pages.parts.learn.lessons.photograph_facts import facts, sides
from pages.parts.learn.lessons.photograph_looks import small_model
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from rsam_core.evaluate.learn.kind_names import ONE
from rsam_core.evaluate.learn.lessons import four_kinds_found as found
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.lessons import photograph_ask as ask
from rsam_core.evaluate.learn.lessons import photograph_pair as pair
from rsam_core.evaluate.learn.lessons.four_kinds import best_match
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _, number, percent

_QUALITY = 0.55
_PAUSE = 60.0
"""Whoever waits longer than so many seconds between two clicks was not clicking."""
_IN_PHOTO = {"cup": N_("cup"), "saucer": N_("saucer"), "spoon": N_("spoon")}


def objects(stage: Stage) -> Mapping[str, Any]:
    """What is in each picture, and what the model takes it for."""
    st.markdown(
        _("Click something in each picture. RSAM's model learned from above: what does it call it?")
    )
    left, right = sides()
    said = {}
    for column, subject in ((left, pair.photo()), (right, pair.above())):
        with column:
            said[subject.key] = _named(stage, subject)
            held = pair.tally(subject)
            facts([
                (_("objects · kinds"), f"{number(held.objects)} · {number(held.kinds)}"),
                (_("share of the largest object"), percent(held.largest, 1)),
            ])  # fmt: skip
    return {"said": said}


def _named(stage: Stage, subject: Subject) -> str:
    """The picture; what the model calls the object in hand."""
    outlined = clicks.outlines(stage, subject)
    last = Instances(list(outlined)[-1:], subject.shape)
    _clickable(stage, subject, last, "kind", lambda event: clicks.take(stage, subject, event))
    if not len(last):
        facts([(_("the model says"), _("click something")), (_("in truth"), "")])
        return ""
    kind, sure = ask.guess(*small_model(subject.image), last[0])
    match, _iou = best_match(last.union_mask(), subject)
    true = subject.kinds.get(match, "")
    names = {**ONE, **_IN_PHOTO}
    facts([
        (_("the model says"), _("{kind}, {sure} sure").format(
            kind=_(pieces.KIND_NAMES[kind]), sure=percent(sure))),
        (_("in truth"), _(names[true]) if true in names else _("something else")),
    ])  # fmt: skip
    return kind


def mode(stage: Stage) -> Mapping[str, Any]:
    """One object by a click, or all at once."""
    st.markdown(
        _("Outline objects by clicking, on both sides. Then let RSAM find all of them from above.")
    )
    left, right = sides()
    photo, above = pair.photo(), pair.above()
    with left:
        outlined = clicks.outlines(stage, photo)
        _clickable(stage, photo, outlined, "one", lambda e: clicks.take(stage, photo, e))
        facts([
            (_("outlined by you"), _share(len(outlined), pair.tally(photo).objects)),
            (_("what is wanted"), _("mostly one thing: a click is enough")),
        ])  # fmt: skip
    with right:
        return _all_or_one(stage, above)


def _all_or_one(stage: Stage, above: Subject) -> Mapping[str, Any]:
    place = st.container()
    every = st.toggle(_("Find all at once"), persist_state="session", key=stage.name("every"))
    by_hand = clicks.outlines(stage, above)
    shown, style, seconds = by_hand, OverlayStyle(), 0.0
    if every:
        model, embedding = small_model(above.image)
        everything = kept(
            stage, "all", above, lambda: found.find_all(model, embedding),
            _("Looking for every object…"),
        )  # fmt: skip
        seconds = everything.seconds
        shown = everything.choose(_QUALITY)
        style = OverlayStyle(opacity=0.5, contour_width=2)
    with place:
        _clickable(stage, above, shown, "many", lambda e: _timed(stage, above, e), style)
    total = len(pieces.targets(above))
    apart = len(pieces.told_apart_by(shown, above))
    pace = _pace(st.session_state.get(stage.name("times"), ()))
    if every:
        work = _("{seconds} seconds").format(seconds=number(seconds, 1))
    elif pace is None:
        work = _("click a few, then you will see")
    else:
        work = _("{minutes} minutes at your pace").format(minutes=number(pace * total / 60, 1))
    facts([
        (_("houses, trees, cars and pools found"), _share(apart, total)),
        (_("time for all of them"), work),
    ])  # fmt: skip
    return {"every": every, "found": apart, "by_hand": len(by_hand)}


def _timed(stage: Stage, subject: Subject, event: Touch) -> None:
    """A click, whose time is noted."""
    clicks.take(stage, subject, event)
    if event.kind == "click":
        key = stage.name("times")
        st.session_state[key] = (*st.session_state.get(key, ()), time.monotonic())[-clicks.MOST :]


def _pace(times: tuple[float, ...]) -> float | None:
    """Seconds from click to click, without pauses; None as long as nobody can tell."""
    steps = [b - a for a, b in pairwise(times) if b - a < _PAUSE]
    return sum(steps) / len(steps) if steps else None


def _share(part: int, whole: int) -> str:
    return _("{part} of {whole}").format(part=number(part), whole=number(whole))


def _clickable(
    stage: Stage, subject: Subject, objects: Instances, name: str, on_touch: Any,
    style: OverlayStyle | None = None,
) -> None:  # fmt: skip
    marks = clicks.marks(stage, subject)
    stage.picture(
        f"{name}-{subject.key}", overlay(subject.image, objects, style),
        label=(
            _("A photograph of a cup of coffee. Click an object to outline it.")
            if subject.key == "coffee"
            else _("A suburb from above. Click an object to outline it.")
        ),
        marks=tuple(Mark(x, y, "include" if w else "exclude") for x, y, w in marks.points),
        on_touch=on_touch,
    )  # fmt: skip

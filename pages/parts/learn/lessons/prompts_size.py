"""The third experiment of lesson 3: a point against a box, on small and on large objects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import streamlit as st

from pages.parts.learn.lessons.marking import marked, marks_of, mask_of, put
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from rsam_core.evaluate.learn.asking import Marks, corners, jaccard
from rsam_core.evaluate.learn.lessons import prompts as lesson
from rsam_core.evaluate.learn.lessons import prompts_counts as counting
from rsam_core.evaluate.learn.lessons import prompts_objects as objects
from rsam_core.evaluate.learn.lessons.prompts_counts import Tally
from rsam_core.evaluate.learn.lessons.prompts_objects import Target
from rsam_core.runtime.language import _, number, percent

_SIZES = ("small", "large")
_MOST = 999


def show(stage: Stage) -> Mapping[str, Any]:
    """Show the object that is next and the counts, and report them."""
    left, right = st.columns(2, gap="small")
    at = st.session_state.setdefault(stage.name("trial"), 0) % len(objects.TRIALS)
    one = objects.TRIALS[at]
    with left:
        now = _trial(stage, one, at)
    results: dict[str, tuple[float, float]] = st.session_state.setdefault(stage.name("results"), {})
    if len(now) == 2:
        results[one.key] = (now["point"], now["box"])
    stage.embedding(one.subject.image)
    with right:
        st.markdown(
            _("The study that RSAM grew from says: **small objects are best marked by a point, "
              "large ones by a box.** Try it: **click** the object, then **drag** a box around it.")
        )  # fmt: skip
        above = st.container(gap="small")
        own, others = counting.tallied(results), _others(stage)
        tallies = {size: own[size] + others[size] for size in _SIZES}
        with above:
            _counts(tallies)
            said = _opinion(stage, len(results))
    return {"tallies": tallies, "trials": len(results), "said": said, "now": now, "key": one.key}


def _trial(stage: Stage, one: Target, at: int) -> dict[str, float]:
    """The object to mark; the IoU of each way in which it is marked already."""
    view, truth = one.view, one.truth
    place = {way: f"trial-{one.key}-{way}" for way in ("point", "box")}
    marks = {way: marks_of(stage, key) for way, key in place.items()}
    masks = {way: mask_of(stage, one, mark) for way, mark in marks.items() if mark.names_something}
    last = st.session_state.get(stage.name("last"), "point")
    both = Marks(marks["point"].points, marks["box"].box)
    stage.picture(
        "trial-picture", objects.shown(one, masks.get(last)), drag="box",
        marks=marked(both, view.scale, view.x, view.y),
        on_touch=partial(_touched, stage, one, place),
        label=_("{name} from above with its true outline in white. Click on it, and drag a box "
                "around it.").format(name=_(one.name)),
    )  # fmt: skip
    values = {way: jaccard(truth, mask) for way, mask in masks.items()}
    size = _("large") if one.large else _("small")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            _("{name}, {size}: point **{point}**, box **{box}**").format(
                name=_(one.name), size=size, point=_said(values.get("point")),
                box=_said(values.get("box"))),
            width="stretch",
        )  # fmt: skip
        st.button(
            _("Next object"), key=stage.name("next"), icon=":material/arrow_forward:",
            icon_position="right", on_click=_next, args=(stage, at),
            type="primary" if len(values) == 2 else "secondary",
        )  # fmt: skip
    return values


def _next(stage: Stage, at: int) -> None:
    st.session_state[stage.name("trial")] = (at + 1) % len(objects.TRIALS)
    st.session_state[stage.name("last")] = "point"


def _touched(stage: Stage, one: Target, place: dict[str, str], event: Touch) -> None:
    x, y = one.view.from_shown(event.x, event.y)
    if event.kind == "click":
        put(stage, place["point"], Marks(((x, y, 1),)))
        st.session_state[stage.name("last")] = "point"
    elif event.kind == "drag":
        box = corners(x, y, *one.view.from_shown(event.x2, event.y2))
        if box is not None:
            put(stage, place["box"], Marks((), box))
            st.session_state[stage.name("last")] = "box"


def _said(value: float | None) -> str:
    return "–" if value is None else percent(value)


def _others(stage: Stage) -> dict[str, Tally]:
    """What others of the class counted, typed in."""
    names = {
        ("small", "point"): _("Small: point"), ("small", "box"): _("Small: box"),
        ("large", "point"): _("Large: point"), ("large", "box"): _("Large: box"),
    }  # fmt: skip
    values = {}
    with st.expander(_("Add the counts of others in the class")):
        columns = st.columns(2)
        for i, (key, name) in enumerate(names.items()):
            values[key] = columns[i % 2].number_input(
                name, 0, _MOST, 0, key=stage.name("others-" + "-".join(key)),
                persist_state="session",
            )  # fmt: skip
    return {
        size: Tally(int(values[size, "point"]), int(values[size, "box"])) for size in _SIZES
    }  # fmt: skip


def _counts(tallies: Mapping[str, Tally]) -> None:
    names = {"small": _("small objects"), "large": _("large objects")}
    head = ["", _("point"), _("box"), _("equal"), _("the study")]
    rows = [
        [
            names[size], number(tally.point), number(tally.box), number(tally.equal),
            lesson.verdict(size, tally) if tally.total else "–",
        ]
        for size, tally in tallies.items()
    ]  # fmt: skip
    lines = ["| " + " | ".join(row) + " |" for row in [head, *rows]]
    with st.container(key="learn-counts"):
        st.markdown("\n".join([lines[0], "|---|--:|--:|--:|---|", *lines[1:]]))
    both = Tally() + tallies["small"] + tallies["large"]
    if both.point + both.box:
        st.caption(
            _("Small means under {limit} pixels. Tossing a coin would be as one-sided in {small} "
              "(small) and {large} (large) of all cases.").format(
                limit=number(objects.LIMIT), small=percent(tallies["small"].chance),
                large=percent(tallies["large"].chance))
        )  # fmt: skip


def _opinion(stage: Stage, trials: int) -> dict[str, str | None]:
    """What somebody says that the counts show; only after enough objects."""
    if trials < lesson.MIN_TRIALS:
        st.caption(
            _("{done} of {least} objects marked both ways").format(
                done=number(trials), least=number(lesson.MIN_TRIALS))
        )  # fmt: skip
        return dict.fromkeys(_SIZES)
    names = {"point": _("point"), "box": _("box"), "neither": _("neither")}
    labels = {
        "small": _("Better on small objects:"), "large": _("Better on large objects:"),
    }  # fmt: skip
    return {
        size: column.segmented_control(
            labels[size], list(names), format_func=names.__getitem__,
            key=stage.name(f"said-{size}"), persist_state="session",
        )
        for size, column in zip(_SIZES, st.columns(2, gap="small"))
    }  # fmt: skip

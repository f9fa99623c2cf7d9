"""Lesson 3 on the page: four ways to say what is meant, and a map of all clicks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.lessons import prompts_size as by_size
from pages.parts.learn.lessons.marking import marked, marks_of, mask_of, put, start_again
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import current_session, resources
from pages.parts.shared.names import plain
from rsam_core.errors import WordsError
from rsam_core.evaluate.learn.asking import Marks, corners, jaccard, with_point
from rsam_core.evaluate.learn.lessons import prompts as lesson
from rsam_core.evaluate.learn.lessons import prompts_map as mapping
from rsam_core.evaluate.learn.lessons import prompts_objects as objects
from rsam_core.evaluate.learn.lessons import prompts_words as by_word
from rsam_core.evaluate.learn.lessons.prompts_objects import Target, target
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.runtime.language import N_, _, ngettext, number, percent
from rsam_core.segment.words.description import Description

_HINTS = {
    "point": N_("**Click** on it once; another click moves the point."),
    "points": N_("**Click** several times; **Shift + click**: not this."),
    "box": N_("**Drag** a box around it."),
    "words": N_(
        "Type what it is or how it looks, such as “cars”, “white objects” or “large buildings”."
    ),
}


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of the three experiments, and report what was done in it."""
    names = {
        "ways": _("Four ways"), "where": _("Where to click"), "size": _("Small and large"),
    }  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        part = stage.choice("part", _("Experiment"), names)
        st.space("stretch")
        one = None if part == "size" else _target(stage)
    if stage.own is not None:
        st.caption(_("This lesson needs to know the true outlines, so it stays with its samples."))
    if one is None:
        return {"part": part, **by_size.show(stage)}
    return {"part": part, "target": one.key, **{"ways": _ways, "where": _where}[part](stage, one)}


def _target(stage: Stage) -> Target:
    with st.container(width=230):
        key = st.selectbox(
            _("Object"), [one.key for one in objects.TARGETS], key=stage.name("target"),
            format_func=lambda key: _(target(key).name), label_visibility="collapsed",
            persist_state="session",
        )  # fmt: skip
    return target(key)


def _ways(stage: Stage, one: Target) -> Mapping[str, Any]:
    names = {key: _(name) for key, name in lesson.WAYS.items()}
    left, right = st.columns(2, gap="small")
    with right:
        st.markdown(_("Which way gets nearest to the white outline?"))
        way = stage.choice("way", _("Way"), names)
    found, fits = _by_words(stage, one, right, way == "words")
    results: dict[str, float] = {} if found is None else {"words": fits}
    given = {key: marks_of(stage, f"{one.key}-{key}") for key in ("point", "points", "box")}
    masks = {
        key: mask_of(stage, one, marks) for key, marks in given.items() if marks.names_something
    }
    results |= {key: jaccard(one.truth, mask) for key, mask in masks.items()}
    marks = given.get(way, Marks())
    with left:
        picture = found if way == "words" else objects.shown(one, masks.get(way))
        view = one.view
        stage.picture(
            "object", objects.shown(one) if picture is None else picture,
            marks=marked(marks, view.scale, view.x, view.y),
            on_touch=None if way == "words" else partial(_touched, stage, one),
            drag="box" if way == "box" else "",
            label=_("{name} from above with its true outline in white, and the model's mask in "
                    "blue.").format(name=_(one.name)),
        )  # fmt: skip
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(_(_HINTS[way]), width="stretch")
            if way != "words":
                st.button(
                    _("Start again"), key=stage.name("again"), icon=":material/restart_alt:",
                    type="tertiary", on_click=start_again, args=(stage, f"{one.key}-{way}"),
                )  # fmt: skip
    with right:
        bars(
            [(name, results.get(key, 0.0), "") for key, name in names.items()],
            [percent(results[key], 1) if key in results else "–" for key in names],
        )
        st.caption(_("IoU: what mask and truth share, as a part of what either covers."))
    # While somebody looks at the picture the model looks at it, too: the first click is quick.
    stage.embedding(one.subject.image)
    return {"iou": results, "points": len(given["points"].points)}


def _touched(stage: Stage, one: Target, event: Touch) -> None:
    # Not the way that was shown when the picture was drawn: it may have been chosen since.
    way = st.session_state[stage.name("way")]
    place = f"{one.key}-{way}"
    x, y = one.view.from_shown(event.x, event.y)
    before = marks_of(stage, place)
    if way == "box":
        box = corners(x, y, *one.view.from_shown(event.x2, event.y2))
        if event.kind == "drag" and box is not None:
            put(stage, place, Marks((), box))
    elif way == "point":
        put(stage, place, Marks(((x, y, 1),)))
    elif before.names_something or not event.other:
        put(stage, place, with_point(before, x, y, 0 if event.other else 1))


@st.cache_resource(max_entries=len(objects.TARGETS), show_spinner=False)
def _described(key: str) -> Description:
    one = target(key)
    part = np.ascontiguousarray(by_word.around(one).cut(one.subject.image))
    embedding = resources.embed(part, resources.embedding_key(part, DEFAULT_MODEL))
    return by_word.described(
        resources.segmenter(DEFAULT_MODEL), embedding, part, one.subject.gsd or 1.0
    )


def _by_words(
    stage: Stage, one: Target, column: Any, asked: bool
) -> tuple[np.ndarray | None, float]:
    """A picture of what the typed words find, and the IoU of what fits best of it."""
    key = stage.name("sentence")
    if asked:
        with column:
            st.text_input(
                _("What do you mean?"), key=key, placeholder=_("white objects"), max_chars=200,
                persist_state="session",
            )  # fmt: skip
    sentence = st.session_state.get(key)
    if not sentence:
        return None, 0.0
    with column:
        try:
            with st.spinner(_("Looking at everything around it…")):
                masks, best = by_word.by_words(_described(one.key), one, sentence)
        except WordsError as error:
            if asked:
                st.info(plain(str(error)), icon=":material/help:")
            return None, 0.0
        if asked:
            st.caption(
                ngettext(
                    "The words mean {count} object around here.",
                    "The words mean {count} objects around here.", len(masks),
                ).format(count=number(len(masks)))
            )  # fmt: skip
    picture = _all_of(one, masks)
    return picture, 0.0 if best is None else jaccard(one.truth, masks[best])


def _all_of(one: Target, masks: list[np.ndarray]) -> np.ndarray:
    """The object's part with all that words mean."""
    union = np.logical_or.reduce(masks) if masks else None
    return objects.shown(one, union)


@st.cache_resource(max_entries=2 * len(objects.TARGETS), show_spinner=False)
def _kept_maps() -> dict[tuple[str, str], mapping.ClickMap]:
    """Maps of clicks, made once for all who take the lesson, by object and model."""
    return {}


def _click_map(stage: Stage, one: Target) -> mapping.ClickMap:
    kept = _kept_maps()
    key = one.key, current_session.model_name()
    if key not in kept:
        bar = st.progress(0.0, _("Clicking all over it…"))
        kept[key] = mapping.click_map(
            stage.segmenter(), stage.embedding(one.subject.image), one.truth, bar.progress
        )
        bar.empty()
    return kept[key]


def _where(stage: Stage, one: Target) -> Mapping[str, Any]:
    at = stage.name(f"place-{one.key}")
    view = one.view
    clicks = _click_map(stage, one)
    left, right = st.columns(2, gap="small")
    with left:
        place: tuple[int, int] | None = st.session_state.get(at)
        row, column = place or np.unravel_index(int(clicks.iou.argmax()), clicks.iou.shape)
        here = float(clicks.iou[row, column])

        def touched(event: Touch) -> None:
            st.session_state[at] = clicks.nearest(*view.from_shown(event.x, event.y))

        spot = Mark(
            (clicks.x[column] - view.x) * view.scale, (clicks.y[row] - view.y) * view.scale, "spot"
        )
        stage.picture(
            "map", mapping.heat(one, clicks), marks=(spot,), on_touch=touched,
            label=_("{name} in grey. Squares are bright where a click gives a good mask, dark "
                    "where it does not. Click on a square to see its mask.").format(
                name=_(one.name)),
        )  # fmt: skip
        st.caption(_("**Click a square**: bright squares give good masks, dark ones bad masks."))
    with right:
        stage.picture(
            "mask", objects.shown(one, clicks.mask(row, column)),
            label=_("The mask of that click in blue, the true outline in white."),
        )  # fmt: skip
        st.caption(
            _("IoU **{here}** from here. Best: {best}. From the middle: {centre}.").format(
                here=percent(here), best=percent(float(clicks.iou.max())),
                centre=percent(clicks.centre))
        )  # fmt: skip
    names = {
        "deep": _("deep inside"), "rim": _("near its rim"), "outside": _("beside it"),
    }  # fmt: skip
    known = [(key, value) for key, value in clicks.means.items() if np.isfinite(value)]
    with left:
        bars([(names[key], value, "") for key, value in known])
    with right:
        st.markdown(
            _("The model was asked **{count} times**, each time with one click. Left: the mean IoU "
              "of the clicks.").format(count=number(clicks.iou.size + 1))
        )  # fmt: skip
    return {
        "here": here if place is not None else None, "best": float(clicks.iou.max()),
        "on_object": bool(clicks.inside[row, column]), "centre": clicks.centre,
        "means": dict(known),
    }  # fmt: skip

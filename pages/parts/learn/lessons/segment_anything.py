"""Lesson 2 on the page: looking once, pointing, answering, learning."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.bars import bars
from pages.parts.learn.lessons import segment_anything_learn as learning
from pages.parts.learn.lessons.marking import marked, marks_of, start_again, take
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark
from pages.parts.shared import current_session, model_queue, resources
from rsam_core.errors import ModelError
from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import segment_anything as lesson
from rsam_core.evaluate.learn.lessons import segment_anything_inside as inside
from rsam_core.models.catalog import DEFAULT_MODEL, get_model_info, traits_of
from rsam_core.runtime.language import _, number, percent
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter

_LEVELS = tuple(n / 20 for n in range(10, 20))
_ALIKE = 0.8


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of the four steps, and report what was done in it."""
    names = {
        "look": _("1 Look once"), "point": _("2 Point"), "answer": _("3 Answer"),
        "learn": _("4 Learn"),
    }  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        part = stage.choice("part", _("Step"), names)
        st.space("stretch")
        place, image = _picture(stage)
    steps = {"look": _look, "point": _point, "answer": _answer, "learn": learning.show}
    return {"part": part, "place": place, **steps[part](stage, place, image)}


def _picture(stage: Stage) -> tuple[str, NDArray[np.uint8]]:
    """The picture that the lesson is on, and its key."""
    if stage.own is not None:
        return stage.own.key, lesson.middle(stage.own.image)
    with st.container(width=230):
        place = st.selectbox(
            _("Picture"), list(lesson.PLACES), key=stage.name("place"),
            format_func=lambda key: _(lesson.PLACES[key]), label_visibility="collapsed",
            persist_state="session",
        )  # fmt: skip
    return place, lesson.subject(place).image


def _tiny(image: NDArray[np.uint8]) -> tuple[Segmenter, Embedding]:
    """The embedded model, whatever model is in use, and the picture encoded by it."""
    key = resources.embedding_key(image, DEFAULT_MODEL)
    return resources.segmenter(DEFAULT_MODEL), resources.embed(image, key)


def _look(stage: Stage, place: str, image: NDArray[np.uint8]) -> Mapping[str, Any]:
    name, embedding = current_session.model_name(), stage.embedding(image)
    try:
        cells = inside.features(stage.segmenter(), embedding)
    except ModelError:
        # Not all models show theirs.
        cells, name = inside.features(*_tiny(image)), DEFAULT_MODEL
    shape, (channels, rows, columns) = image.shape[:2], cells.shape
    at = stage.name(f"cell-{place}")
    x, y = st.session_state.get(at, (0.62 * shape[1], 0.86 * shape[0]))
    row, column = inside.cell_at(x, y, shape, (rows, columns))
    similar = inside.alike(cells, row, column)

    left, right = (column.container(gap="xsmall") for column in st.columns(2, gap="small"))
    with left:
        stage.picture(
            "see", image, marks=(Mark(x, y, "spot"),),
            label=_("A picture from above. Click on it to see what else is alike to the model."),
            on_touch=lambda event: st.session_state.update({at: (event.x, event.y)}),
        )  # fmt: skip
        st.caption(_("**Click anywhere.** What does the model find alike?"))
    with right:
        level = st.session_state.get(stage.name("from"), _ALIKE)
        chosen = similar >= level
        stage.picture(
            "alike", inside.lit(image, chosen),
            label=_("The same picture: what is alike to the clicked place is lit, the rest dark."),
        )  # fmt: skip
        st.caption(
            _("{share} of the picture is at least {level} alike.").format(
                share=percent(float(chosen.mean()), 1), level=percent(level)
            )
        )
    with left:
        stage.picture(
            "colours", inside.png(inside.as_colours(cells)), size=(columns, rows), pixelated=True,
            label=_("The feature map: squares whose colours are alike where features are."),
        )  # fmt: skip
        st.caption(_("The same features as colours: alike colours, alike features."))
    with right:
        st.select_slider(
            _("Alike from"), _LEVELS, _ALIKE, key=stage.name("from"), format_func=percent,
            persist_state="session",
        )  # fmt: skip
        st.markdown(
            _("The **image encoder** of {model} looks at the picture **once**. For each cell of "
              "{size} × {size} pixels it writes down {channels} numbers, the **features**: what is "
              "here, and what is around it.").format(
                model=get_model_info(name).title, size=number(shape[1] / columns),
                channels=number(channels)),
        )  # fmt: skip
        st.caption(
            _("{before} numbers in the picture, {after} in the feature map").format(
                before=number(image.size), after=number(cells.size)
            )
        )
    return {"from": level, "alike": float(chosen.mean()), "cell": (row, column), "model": name}


def _point(stage: Stage, place: str, image: NDArray[np.uint8]) -> Mapping[str, Any]:
    marks = marks_of(stage, place, lesson.START)
    left, right = st.columns(2, gap="small")
    with left:
        _pointing(stage, place, image, marks)
    maps = inside.prompt_maps(_tiny(image)[1], marks)
    entries = [
        ("near", _("here, narrowly")),
        ("far", _("here, widely")),
        ("alike", _("looks like it")),
        ("not", _("not this")) if marks.excludes else ("box", _("in the box")),
    ]
    with right:
        st.markdown(
            _("The **prompt** enters the decoder as maps. rsam-tiny draws them: bright means 1, "
              "dark means 0.")
        )  # fmt: skip
        for pair in (entries[:2], entries[2:]):
            for column, (name, said) in zip(st.columns(2, gap="small"), pair):
                with column:
                    stage.picture(
                        f"map-{name}", inside.png(inside.shaded(maps[name])),
                        size=maps[name].shape[::-1], pixelated=True,
                        label=_("Map of the prompt: {name}").format(name=said),
                    )  # fmt: skip
                    st.caption(said)
    with left:
        _token(stage, image, marks)
    return {"includes": marks.includes, "excludes": marks.excludes, "box": marks.box is not None}


def _pointing(stage: Stage, place: str, image: NDArray[np.uint8], marks: Marks) -> None:
    stage.picture(
        "point", image, marks=marked(marks), drag="box", on_touch=partial(take, stage, place),
        label=_("A picture from above. Click to point, Shift and click for not this, drag a box."),
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            _("**Click** a thing · **Shift + click**: not this · **drag** a box"), width="stretch"
        )
        st.button(
            _("Start again"), key=stage.name("again"), icon=":material/restart_alt:",
            type="tertiary", on_click=start_again, args=(stage, place),
        )  # fmt: skip


def _token(stage: Stage, image: NDArray[np.uint8], marks: Marks) -> None:
    """How the first SAM tells its decoder the same."""
    x, y = marks.points[-1][:2] if marks.points else marks.box[:2]
    values = inside.token(x, y, image.shape[:2])
    stage.picture(
        "token", inside.bar_code(values), pixelated=True,
        label=_("A bar code of {count} stripes, one for each number.").format(
            count=number(len(values))),
    )  # fmt: skip
    st.caption(
        _("SAM itself turns a point into a list of {count} numbers, here as a bar code. Click "
          "elsewhere: it changes.").format(count=number(len(values)))
    )  # fmt: skip


def _answer(stage: Stage, place: str, image: NDArray[np.uint8]) -> Mapping[str, Any]:
    marks = marks_of(stage, place, lesson.START)
    model, embedding = stage.segmenter(), stage.embedding(image)
    found = asking.answer(model, embedding, marks)
    left, right = st.columns(2, gap="small")
    with left:
        _pointing(stage, place, image, marks)
    count = len(found)
    with right:
        st.markdown(
            _("One click may mean a small thing or the larger one around it. So the **mask "
              "decoder** gives up to three masks, and says how sure it is of each.")
            if count > 1 else
            _("Several marks, or a box, say clearly what is meant. The **mask decoder** gives one "
              "mask.")
        )  # fmt: skip
        times = _times(stage, image)
    window = inside.around(found)
    for k, column in zip(range(count), st.columns(3, gap="small")):
        with column:
            stage.picture(
                f"mask-{k}", inside.masked(image, found, k)[window],
                label=_("Mask {k} of {count}, coloured over its part of the picture.").format(
                    k=number(k + 1), count=number(count)),
            )  # fmt: skip
            said = _("{share} sure · {area} pixels").format(
                share=percent(float(found.scores[k])), area=number(int(found.areas[k]))
            )
            st.caption(_("**Chosen:** {said}").format(said=said) if k == 0 and count > 1 else said)
    return {
        "clicked": marks != lesson.START,
        "points": len(marks.points), "box": marks.box is not None,
        "areas": [int(area) for area in found.areas],
        "scores": [float(score) for score in found.scores],
        "look_s": times and times.look, "answer_s": times and times.answer,
    }  # fmt: skip


def _times(stage: Stage, image: NDArray[np.uint8]) -> inside.Times | None:
    """Bars of how long both parts take here; a quick model is measured without being asked."""
    name = current_session.model_name()
    at = stage.name(f"times-{name}-{image.shape}")
    times: inside.Times | None = st.session_state.get(at)
    title = get_model_info(name).title
    spot = st.container(gap="xsmall")
    again = st.button(
        _("Measure again") if times or traits_of(name).light else _("Measure"),
        key=stage.name("measure"), icon=":material/timer:", type="tertiary",
    )  # fmt: skip
    if again or (times is None and traits_of(name).light):
        with model_queue.hold_slot():
            # The first run of a quick model takes several times as long as the others.
            repeats = 3 if traits_of(name).light else 1
            times = inside.measured(stage.segmenter(), image, lesson.START, repeats=repeats)
        st.session_state[at] = times
    with spot:
        _show_times(times, title)
    return times


def _show_times(times: inside.Times | None, title: str) -> None:
    if times is None:
        st.caption(_("{model} may need a minute to look once.").format(model=title))
        return
    parts = [
        (_("Look once"), times.look), (_("Draw the prompt"), times.prompt),
        (_("One answer"), times.answer),
    ]  # fmt: skip
    known = [(name, seconds) for name, seconds in parts if seconds is not None]
    longest = max(seconds for _name, seconds in known)
    bars(
        [(name, seconds / longest, "") for name, seconds in known],
        [_milliseconds(seconds) for _name, seconds in known],
    )
    st.caption(
        _("{model} on this computer: ten clicks take {once} ms. Looking again for each, they would "
          "take {each} ms.").format(
            model=title, once=number(1000 * times.asked(10)),
            each=number(1000 * times.asked(10, looks=10)))
    )  # fmt: skip


def _milliseconds(seconds: float) -> str:
    milliseconds = 1000 * seconds
    return _("{count} ms").format(count=number(milliseconds, 1 if milliseconds < 10 else 0))

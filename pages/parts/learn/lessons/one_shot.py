"""Lesson 6 on the page: seen classes, descriptions, one example among dots, and PerSAM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.lessons import one_shot_persam
from pages.parts.learn.lessons.one_shot_choice import example_of, take
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.kind_names import MANY, ONE
from rsam_core.evaluate.learn.lessons import one_shot_classes as classes
from rsam_core.evaluate.learn.lessons import one_shot_objects as objects_
from rsam_core.evaluate.learn.lessons import one_shot_pictures as pictures
from rsam_core.evaluate.learn.lessons.one_shot import EXPERIMENTS, FIRST_SEEN, mean_best_f1
from rsam_core.evaluate.learn.lessons.one_shot_objects import Found, Objects
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.base import PromptableModel
from rsam_core.objects import palette
from rsam_core.runtime.language import _, number, percent
from rsam_core.segment.embedding import Embedding

_SPLIT = (60, 40)
_SPLIT_WORDS = (54, 46)
"""Five colours stand in one row, in French too."""
_ANY = "any"


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of the four experiments, and report its choices and numbers."""
    if stage.own is not None:
        st.caption(_("This lesson needs objects whose kinds are known, so it stays with its own "
                     "picture."))  # fmt: skip
    names = {key: _(name) for key, name in EXPERIMENTS.items()}
    part = stage.choice("experiment", _("Experiment"), names)
    subject = objects_.subject()
    embedding, model = stage.embedding(subject.image), stage.segmenter().model
    objects = _described(subject.key, model.name, subject, embedding, model)
    parts: dict[str, Callable[[Stage, Objects], dict[str, Any]]] = {
        "seen": _seen, "words": _words, "example": _example, "persam": one_shot_persam.show
    }  # fmt: skip
    return {"experiment": part, **parts[part](stage, objects)}


@st.cache_resource(max_entries=4, show_spinner=False)
def _described(
    key: str, name: str, _subject: Subject, _embedding: Embedding, _model: PromptableModel
) -> Objects:
    return objects_.objects_of(_subject, _embedding, _model)


@st.cache_resource(max_entries=32, show_spinner=False)
def _best(key: str, model: str, kind: str, _objects: Objects) -> dict[str, float]:
    return mean_best_f1(_objects, kind)


def _seen(stage: Stage, objects: Objects) -> dict[str, Any]:
    left, right = st.columns(_SPLIT, gap="medium")
    with right:
        names = [kind for kind in MANY if np.any(objects.kinds == kind)]
        learned = st.pills(
            _("Classes that the classifier has learned"), names, selection_mode="multi",
            default=list(FIRST_SEEN), format_func=lambda kind: _(MANY[kind]),
            key=stage.name("learned"), persist_state="session",
        )  # fmt: skip
        if not learned:
            st.info(_("It has learned nothing yet. Choose at least one class."))
    called = np.full(len(objects), "", dtype=objects.kinds.dtype)
    report: dict[str, Any] = {"learned": tuple(learned)}
    if learned:
        result = classes.sort_by_kinds(objects, learned)
        called = result.called
        seen = np.isin(objects.kinds, learned)
        with right:
            rates = {
                "seen": _rate(called, objects.kinds, seen & result.judged),
                "unseen": _rate(called, objects.kinds, ~seen),
            }
            bars(
                [
                    (_("Seen"), rates["seen"], _("right in the right half of the picture")),
                    (_("Unseen"), rates["unseen"], _("right among classes never seen")),
                ]
            )
            _what_it_calls(objects.kinds, called, learned)
        report |= rates
    with left:
        st.markdown(_("It learned from the left half of the picture. What does it call a class "
                      "that it never saw?"))  # fmt: skip
        half = objects.subject.shape[1] / 2
        stage.picture(
            "seen",
            pictures.halved(pictures.on_ground(objects, called, pictures.KIND_COLOURS)),
            marks=(
                Mark(10, 20, "label", text=_("learned from here")),
                Mark(half + 10, 20, "label", text=_("judged here")),
            ),
            label=_("Houses, trees, cars and pools from above, each in the colour of what the "
                    "classifier calls it."),
        )  # fmt: skip
        _kind_chips(sorted(learned))
    return report


def _rate(called: np.ndarray, kinds: np.ndarray, where: np.ndarray) -> float:
    return float(np.mean(called[where] == kinds[where])) if where.any() else 0.0


def _what_it_calls(kinds: np.ndarray, called: np.ndarray, learned: list[str]) -> None:
    rows = {
        _(MANY[kind]): {
            _(MANY[name]): number(int(np.count_nonzero((kinds == kind) & (called == name))))
            for name in learned
        }
        for kind in MANY
        if kind not in learned and np.any(kinds == kind)
    }
    if rows:
        st.caption(_("Objects of unseen classes, and what they are called:"))
        st.table(pd.DataFrame.from_dict(rows, orient="index"))


def _words(stage: Stage, objects: Objects) -> dict[str, Any]:
    left, right = st.columns(_SPLIT_WORDS, gap="medium")
    with right:
        kinds = [kind for kind in MANY if np.any(objects.kinds == kind)]
        target = st.selectbox(
            _("To be found"), kinds, kinds.index("pool"), format_func=lambda kind: _(MANY[kind]),
            key=stage.name("target"), persist_state="session",
        )  # fmt: skip
        wanted: dict[str, str | None] = {}
        for name, (title, words) in classes.ATTRIBUTES.items():
            offered = {_ANY: _("any")} | {key: _(word) for key, word in words.items()}
            answer = stage.choice(f"word-{name}", _(title), offered, label_shown=True)
            wanted[name] = None if answer == _ANY else answer
    chosen = classes.described(_attributes(objects.subject.key, objects), wanted)
    result = classes.judged(objects.kinds, chosen, target)
    with left:
        st.markdown(_("Describe a class of which the computer has no example: zero-shot, by "
                      "attributes."))  # fmt: skip
        verdicts = pictures.verdicts(chosen, objects.kinds == target)
        stage.picture(
            "words", pictures.on_ground(objects, verdicts, pictures.VERDICTS),
            label=_("Houses, trees, cars and pools from above; what fits the description is green "
                    "where it is right and orange where it is wrong."),
        )  # fmt: skip
        _verdict_chips()
    with right:
        _precision_and_recall(result)
    return {
        "target": target, "words": wanted, "precision": result.precision, "recall": result.recall,
        "tp": result.tp, "fp": result.fp, "fn": result.fn,
    }  # fmt: skip


@st.cache_resource(max_entries=4, show_spinner=False)
def _attributes(key: str, _objects: Objects) -> dict[str, np.ndarray]:
    return classes.attributes(_objects)


def _example(stage: Stage, objects: Objects) -> dict[str, Any]:
    example = example_of(stage, objects)
    st.markdown(_("Click an object or a dot: it is the example. Which others are near it?"))
    above = st.columns(2, gap="medium", vertical_alignment="bottom")
    with above[0]:
        ways = {key: _(objects_.WAYS[key]) for key in objects.ways}
        way = stage.choice("way", _("Compare by"), ways, label_shown=True)
    with above[1]:
        threshold = st.slider(
            _("How near is near enough? (threshold)"), 0.0, 1.0, 0.5, 0.01,
            key=stage.name("threshold"), persist_state="session",
        )  # fmt: skip
    near = objects.near(example, way)
    plane = objects_.plane(objects.vectors(way))
    result = objects_.found(objects.kinds, example, near, threshold)
    kind = str(objects.kinds[example])
    inside = near >= threshold
    left, right = st.columns(2, gap="medium")
    with left.container(gap="xsmall"):
        verdicts = pictures.verdicts(inside, objects.kinds == kind).astype(object)
        verdicts[example] = "example"
        colours = {**pictures.VERDICTS, "example": palette.HIGHLIGHT}
        x, y = classes.centres(objects)[example]
        stage.picture(
            "ground", pictures.on_ground(objects, verdicts, colours),
            marks=(Mark(x, y, "spot", text=_("example")),),
            label=_("The place from above; the example is yellow, what is near it is green where "
                    "it is of the same kind and orange where it is not. Click another object to "
                    "make it the example."),
            on_touch=lambda event: take(stage, objects, objects.at(event.x, event.y)),
        )  # fmt: skip
        _verdict_chips()
        _precision_and_recall(result)
    with right.container(gap="xsmall"):
        x, y = pictures.screen_places(plane.places)[example]
        stage.picture(
            "dots", pictures.as_dots(plane.places, objects.kinds, inside),
            marks=(Mark(x, y, "spot"),),
            label=_("The objects as dots in the colours of their kinds; those near the example are "
                    "strong, the others pale. Click a dot to make it the example."),
            on_touch=lambda event: _take_dot(stage, objects, plane, event),
        )  # fmt: skip
        _kind_chips([name for name in MANY if np.any(objects.kinds == name)])
        best = _best(objects.subject.key, objects.model, kind, objects)
        st.markdown(_best_in_words(best))
        st.caption(_about(way, plane))
        if "metric" not in objects.ways:
            st.caption(
                _("The learned metric belongs to the model rsam-tiny. Choose that model to see it.")
            )
    return {
        "kind": kind, "example": objects.instances[example].id, "way": way, "best": best,
        "threshold": threshold, "precision": result.precision, "recall": result.recall,
    }  # fmt: skip


def _best_in_words(best: Mapping[str, float]) -> str:
    entries = [
        _("{way} **{share}**").format(way=_(objects_.WAYS[key]), share=percent(value))
        for key, value in best.items()
    ]
    return _(
        "Best F1 (precision and recall in one number), on average over this kind: {entries}"
    ).format(entries=" · ".join(entries))


def _about(way: str, plane: objects_.Plane) -> str:
    shown = _("The plane shows {share} of the spread of {numbers} numbers.").format(
        share=percent(plane.share), numbers=number(plane.numbers)
    )
    texts = {
        "features": _("Features are numbers by which the image encoder describes what it sees. "
                      "Objects are near if their numbers point the same way. {shown}"),
        "metric": _("Metric learning: both objects of a pair pass through the same small network "
                    "(a Siamese network). From many pairs it learned to bring those of one kind "
                    "together. {shown}"),
        "comparison": _("RSAM's comparison weighs that nearness, the features and the shape, and "
                        "answers with a probability. {shown}"),
    }  # fmt: skip
    return texts[way].format(shown=shown)


def _take_dot(stage: Stage, objects: Objects, plane: objects_.Plane, event: Touch) -> None:
    take(stage, objects, pictures.dot_at(plane.places, event.x, event.y))


def _precision_and_recall(result: Found) -> None:
    chosen, there = result.tp + result.fp, result.tp + result.fn
    bars(
        [
            (
                _("Precision"), result.precision or 0.0,
                _("{right} right of {chosen} found").format(
                    right=number(result.tp), chosen=number(chosen)),
            ),
            (
                _("Recall"), result.recall,
                _("{right} found of {there} there are").format(
                    right=number(result.tp), there=number(there)),
            ),
        ]
    )  # fmt: skip


def _verdict_chips() -> None:
    names = {"right": _("right"), "wrong": _("wrong"), "missed": _("missed")}
    chips([(names[key], colour) for key, colour in pictures.VERDICTS.items()])


def _kind_chips(kinds: list[str]) -> None:
    chips([(_(ONE[kind]), pictures.KIND_COLOURS[kind]) for kind in kinds])

"""PerSAM and PerSAM-F side by side, one object a pass."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.parts.learn.lessons.one_shot_choice import example_of, take
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import one_shot_classes as classes
from rsam_core.evaluate.learn.lessons import one_shot_persam as persam
from rsam_core.evaluate.learn.lessons import one_shot_pictures as pictures
from rsam_core.evaluate.learn.lessons.one_shot_objects import Objects
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.objects import palette
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter


@st.cache_resource(max_entries=64, show_spinner=False)
def _run(
    key: str, model: str, example: int, method: persam.Method, _segmenter: Segmenter,
    _embedding: Embedding, _subject: Subject,
) -> persam.Run:  # fmt: skip
    return persam.run(_segmenter, _embedding, _subject, example, method)


def show(stage: Stage, objects: Objects) -> dict[str, Any]:
    """Show what both methods find with the example, and report how many are right."""
    example = example_of(stage, objects)
    subject, segmenter = objects.subject, stage.segmenter()
    of = objects.instances[example].id
    above = st.columns(2, gap="medium", vertical_alignment="center")
    with above[0]:
        st.markdown(
            _("PerSAM points at the place most like the example and outlines what is there: one "
              "object a pass. Click an object to make it the example.")
        )  # fmt: skip
    with above[1]:
        count = st.slider(
            _("Passes"), 1, persam.PASSES, persam.PASSES, key=stage.name("passes"),
            persist_state="session",
        )  # fmt: skip
    report: dict[str, Any] = {"kind": str(objects.kinds[example]), "example": of, "passes": count}
    titles = {"persam": _("PerSAM"), "persam-f": _("PerSAM-F")}
    x, y = classes.centres(objects)[example]
    for column, method in zip(st.columns(2, gap="medium"), persam.METHODS):
        with column, st.spinner(_("Looking for more like it…")):
            result = _run(
                subject.key, objects.model, of, method, segmenter,
                stage.embedding(subject.image), subject,
            )  # fmt: skip
        finds = result.finds[:count]
        right = sum(find.right and not find.example for find in finds)
        with column:
            stage.picture(
                method, pictures.passes(subject.image, result, count),
                marks=(
                    Mark(x, y, "spot", text=_("example")),
                    *(
                        Mark(*_middle(find), "label", text=number(place))
                        for place, find in enumerate(finds, 1)
                    ),
                ),
                label=_("What {method} found, numbered in order: green where it is right, orange "
                        "where it is wrong. Click another object to make it the example.").format(
                    method=titles[method]),
                on_touch=lambda event: take(stage, objects, objects.at(event.x, event.y)),
            )  # fmt: skip
            others = sum(not find.example for find in finds)
            st.markdown(
                ngettext("**{method}**: {right} of {count} further object right",
                         "**{method}**: {right} of {count} further objects right", others)
                .format(method=titles[method], right=number(right), count=number(others))
            )  # fmt: skip
            st.caption(_about_method(result))
        report[method] = right
    chips(
        [
            (_("the example"), palette.HIGHLIGHT),
            (_("right: the same kind, IoU 50 % or more"), pictures.VERDICTS["right"]),
            (_("wrong"), pictures.VERDICTS["wrong"]),
        ]
    )  # fmt: skip
    return report


def _about_method(result: persam.Run) -> str:
    if result.weights is None:
        return _("No training at all: the example's features guide where the decoder looks.")
    small, middle, large = (number(float(weight), 2) for weight in result.weights)
    return _(
        "Two numbers are tuned on the example, and the third follows: how much the small, middle "
        "and large of the three masks count. Here {small}, {middle} and {large}, together 1."
    ).format(small=small, middle=middle, large=large)


def _middle(find: persam.Find) -> tuple[float, float]:
    x0, y0, x1, y1 = find.instance.bbox
    return (x0 + x1) / 2 - 4, (y0 + y1) / 2

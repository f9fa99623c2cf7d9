"""Lesson 5 on the page: one picture and four ways to cut it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.parts.learn.lessons import four_kinds_ways as ways
from pages.parts.learn.lessons.four_kinds_table import note, table
from pages.parts.learn.stage import Stage
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.runtime.language import _

_SPLIT = (54, 46)
_SHOW: Mapping[str, Callable[[Stage, Subject, Any, Any], ways.Result]] = {
    "interactive": ways.interactive,
    "superpixels": ways.superpixels,
    "semantic": ways.semantic,
    "instances": ways.instances,
}


def names() -> dict[str, str]:
    """What the four kinds are called."""
    return {
        "interactive": _("Interactive"),
        "superpixels": _("Superpixels"),
        "semantic": _("Semantic"),
        "instances": _("Instances"),
    }


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one kind at a time and the table of all, and report what it gives."""
    subject = pieces.sample() if stage.own is None else pieces.middle_of(stage.own)
    called = names()
    way = stage.choice("way", _("Kind of segmentation"), called)
    left, right = st.columns(_SPLIT, gap="medium")
    result = _SHOW[way](stage, subject, left, right)
    note(stage, subject, way, result)
    table(stage, subject, called)
    return {"way": way, **result.report}

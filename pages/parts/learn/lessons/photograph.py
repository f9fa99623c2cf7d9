"""Lesson 4 on the page: six rows, each a pair of pictures that one operates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.parts.learn.lessons import photograph_clicked, photograph_looks
from pages.parts.learn.stage import Stage
from rsam_core.runtime.language import _

_SHOW: Mapping[str, Callable[[Stage], Mapping[str, Any]]] = {
    "scope": photograph_looks.scope,
    "perspective": photograph_looks.perspective,
    "objects": photograph_clicked.objects,
    "preparation": photograph_looks.preparation,
    "mode": photograph_clicked.mode,
    "after": photograph_looks.after,
}


def names() -> dict[str, str]:
    """What the six rows are called."""
    return {
        "scope": _("Scope"),
        "perspective": _("Perspective"),
        "objects": _("Objects"),
        "preparation": _("Preparation"),
        "mode": _("Mode"),
        "after": _("After-treatment"),
    }


def differences() -> dict[str, str]:
    """What each row says."""
    return {
        "scope": _("A photograph gives many pixels to a few things; an image from above gives few "
                   "pixels to hundreds of things."),
        "perspective": _("In a photograph what is near is large. From above, a metre is as long "
                         "everywhere, and areas can be measured."),
        "objects": _("A photograph shows a few different things; from above the same kinds return "
                     "again and again."),
        "preparation": _("A camera finishes its pictures. What a satellite stores is stretched, "
                         "freed of haze and cut into pieces first."),
        "mode": _("In a photograph one thing is wanted, and a click finds it. From above it is all "
                  "things of a kind."),
        "after": _("A cut-out is finished. An outline from above becomes part of a map: few "
                   "corners, right angles, square metres."),
    }  # fmt: skip


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one row at a time, and report what its control gives."""
    called = names()
    row = stage.choice("row", _("Row of the comparison"), called)
    if stage.own is not None:
        st.caption(_("This lesson keeps to its two pictures, because their truth is known."))
    report = _SHOW[row](stage)
    st.markdown(differences()[row])
    return {"row": row, **report}

"""What to compare: prompts, models and classical methods, as a form."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.evaluate.state import models
from pages.parts.shared.names import plain
from rsam_core.evaluate import EvaluationSettings
from rsam_core.evaluate.methods.prompted import BASELINES, PROMPTS
from rsam_core.models import CATALOG
from rsam_core.models.hub.catalog import HUB
from rsam_core.runtime.language import N_, _

QUICK = ("grabcut", "otsu", "watershed")
TITLES = {info.name: info.title for info in (*CATALOG, *HUB)}


def form(key: str, start: Callable[[EvaluationSettings], None], *, images: int | None) -> None:
    """Ask what to compare.

    Parameters
    ----------
    key : str
        Unique on the page.
    start : callable
        Given the settings when the button is pressed.
    images : int or None
        Number of images of a data set, to choose how many; None for a single image.
    """
    offered = [*PROMPTS, "one-shot"]
    left, right = st.columns(2, gap="medium")
    with left:
        prompts = st.pills(
            _("What the model is shown"),
            offered,
            selection_mode="multi",
            default=["box", "1", "3"],
            format_func=lambda name: _(PROMPTS.get(name, N_("One-shot"))),
            key=f"{key}-prompts",
            persist_state="session",
            wrap=True,
            help=_(
                "They are made from the true objects as a careful person would: the tight "
                "box, a click at the centre, further clicks where the outline is wrong."
            ),
        )
    with right:
        methods = st.multiselect(
            _("Classical methods"),
            list(BASELINES),
            default=list(QUICK),
            format_func=lambda name: f"{_(BASELINES[name].title)} ({_(BASELINES[name].prompt)})",
            key=f"{key}-methods",
            persist_state="session",
            help=_(
                "What one would use without such a model. Superpixels and the random walker "
                "take seconds an image."
            ),
        )
        usable = models()
        chosen = usable[:1]
        if len(usable) > 1:
            chosen = st.multiselect(
                _("Models"),
                usable,
                default=usable[:1],
                format_func=lambda name: plain(TITLES.get(name, name)),
                key=f"{key}-models",
                persist_state="session",
                help=_("Others are installed on the Models page."),
            )
    with st.expander(_("More settings")):
        row = st.columns(4)
        min_area = row[0].number_input(
            _("Smallest object (pixels)"),
            1,
            100_000,
            100,
            key=f"{key}-min-area",
            persist_state="session",
        )
        tolerance = row[1].number_input(
            _("Tolerance of outlines (pixels)"),
            0.5,
            50.0,
            2.0,
            0.5,
            key=f"{key}-tolerance",
            persist_state="session",
        )
        seed = row[2].number_input(
            _("Seed"), 0, 1_000_000, 0, key=f"{key}-seed", persist_state="session"
        )
        limit = None
        if images is not None and images > 1:
            limit = row[3].number_input(
                _("Most images"),
                1,
                images,
                min(images, 50),
                key=f"{key}-limit",
                help=_("Drawn at random by the seed."),
            )
    nothing = not methods and not (prompts and chosen)
    if st.button(
        _("Compare") if images is None else _("Run"),
        icon=":material/play_arrow:",
        type="primary",
        key=f"{key}-start",
        disabled=nothing,
        help=_("Choose at least one of them, or a method.") if nothing else None,
    ):
        start(
            EvaluationSettings(
                models=tuple(chosen),
                prompts=tuple(prompts),
                methods=tuple(methods),
                min_area=int(min_area),
                tolerance=float(tolerance),
                limit=None if limit is None else int(limit),
                seed=int(seed),
            )
        )
        st.rerun()

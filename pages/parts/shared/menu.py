"""All screens, and the menu that tells the order of the work."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from rsam_core.runtime.language import N_, _

SCREENS = {
    "home": (N_("Open"), "home"),
    "prepare": (N_("Prepare"), "tune"),
    "segment": (N_("Segment"), "ads_click"),
    "one_shot": (N_("One-shot"), "star"),
    "objects": (N_("Objects"), "category"),
    "change": (N_("Change"), "difference"),
    "follow": (N_("Follow"), "conversion_path"),
    "apply": (N_("Apply"), "help"),
    "evaluate": (N_("Evaluate"), "rule"),
    "learn": (N_("Learn"), "school"),
    "models": (N_("Models"), "model_training"),
}
"""Title and icon by the name of the screen's file; `_` says it in the language in use."""
MENU = {
    "": ("home", "prepare"),
    N_("Find"): ("segment", "one_shot"),
    N_("Refine"): ("objects",),
    N_("Compare"): ("change", "follow", "apply"),
    N_("More"): ("evaluate", "learn", "models"),
}
"""Screens by the headings of the menu; those without a heading come first, in the bar itself."""

# One level below `pages/`, whose own files Streamlit would list by itself.
_FOLDER = Path(__file__).resolve().parents[2] / "screens"


def address(screen: str) -> str:
    """Of a screen, as the browser shows it."""
    return screen.replace("_", "-")


def screen_title(url_path: str) -> str:
    """Title of the screen at an address, in English; Home has the empty one."""
    return SCREENS[url_path.replace("-", "_") or "home"][0]


def menu() -> dict[str, list[st.Page]]:
    """All pages by heading, for Streamlit's navigation."""
    return {_(heading): [_page(name) for name in names] for heading, names in MENU.items()}


def _page(screen: str) -> st.Page:
    title, icon = SCREENS[screen]
    return st.Page(
        _FOLDER / f"{screen}.py",
        title=_(title),
        icon=f":material/{icon}:",
        url_path=address(screen),
        default=screen == "home",
    )

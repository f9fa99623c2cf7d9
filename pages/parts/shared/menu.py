"""All screens, and the menu that tells the order of the work."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

SCREENS = {
    "home": ("Open", "home"),
    "prepare": ("Prepare", "tune"),
    "segment": ("Segment", "ads_click"),
    "one_shot": ("One-shot", "star"),
    "objects": ("Objects", "category"),
    "change": ("Change", "difference"),
    "follow": ("Follow", "conversion_path"),
    "apply": ("Apply", "help"),
    "evaluate": ("Evaluate", "rule"),
    "learn": ("Learn", "school"),
    "models": ("Models", "model_training"),
}
"""Title and icon by the name of the screen's file."""
MENU = {
    "": ("home", "prepare"),
    "Find": ("segment", "one_shot"),
    "Refine": ("objects",),
    "Compare": ("change", "follow", "apply"),
    "More": ("evaluate", "learn", "models"),
}
"""Screens by the headings of the menu; those without a heading come first, in the bar itself."""

# One level below `pages/`, whose own files Streamlit would list by itself.
_FOLDER = Path(__file__).resolve().parents[2] / "screens"


def address(screen: str) -> str:
    """Of a screen, as the browser shows it."""
    return screen.replace("_", "-")


def menu() -> dict[str, list[st.Page]]:
    """All pages by heading, for Streamlit's navigation."""
    return {heading: [_page(name) for name in names] for heading, names in MENU.items()}


def _page(screen: str) -> st.Page:
    title, icon = SCREENS[screen]
    return st.Page(
        _FOLDER / f"{screen}.py",
        title=title,
        icon=f":material/{icon}:",
        url_path=address(screen),
        default=screen == "home",
    )

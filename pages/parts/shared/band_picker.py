"""The band picker: which bands the picture shows, their contrast and gamma."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

import rsam_core as rsam
from rsam_core.runtime.language import N_, _
from rsam_core.scene.bands import ViewSettings, band_titles, presets
from rsam_core.scene.indices import INDICES

CUSTOM = N_("Custom")
_USUAL = (2.0, 98.0)
_STEP = 0.5
_LEGENDS = {
    "ndvi": N_("Green: plants. Pale: neither. Brown: bare ground, roofs or water."),
    "ndwi": N_("Blue: open water. Pale: neither. Brown: land and plants."),
}


def band_picker(scene: rsam.Scene, key: str) -> ViewSettings:
    """Widgets that say how the bands of a scene become its picture.

    Parameters
    ----------
    scene : Scene
        Its present view is what the widgets show at first.
    key : str
        Start of the widgets' keys; another one for each opening of a file.

    Returns
    -------
    ViewSettings
        For ``scene.with_view``. As long as nobody touched a widget, the view settings that the
        scene had when the picker was first drawn.
    """
    # Widgets must start alike at every run, whatever view the scene has by now.
    first: ViewSettings = st.session_state.setdefault(f"{key}-first", scene.view_settings)
    offered = presets(scene)
    titles = list(offered)
    if len(scene.data_bands) > 1 and not scene.has_palette:
        titles.append(CUSTOM)
    known = [title for title, it in offered.items() if _same_bands(it, first)]
    title = titles[0]
    if len(titles) > 1:
        title = st.selectbox(
            _("Show"),
            titles,
            format_func=_,
            index=titles.index(known[0] if known else CUSTOM),
            key=f"{key}-preset",
            persist_state="session",
            help=_("Which bands of the image are drawn. What you see is what the model sees."),
        )
    base = ViewSettings(_custom_bands(scene, first, key)) if title == CUSTOM else offered[title]
    if base.index is not None:
        st.caption(_index_legend(scene, base))
    percentiles = None if scene.has_palette else _percentiles(scene, base, first, key)
    gamma = st.slider(
        _("Gamma"),
        0.3,
        3.0,
        min(max(first.gamma, 0.3), 3.0),
        0.1,
        format="%.1f",
        key=f"{key}-gamma",
        persist_state="session",
        help=_(
            "Above 1 brightens the middle tones, for example to see into shadows; below 1 "
            "darkens them."
        ),
    )
    found = ViewSettings(base.bands, base.index, percentiles, gamma=round(gamma, 2))
    # What no widget shows (limits, values between two steps) stays until its widget is touched.
    start: ViewSettings = st.session_state.setdefault(f"{key}-start", found)
    if found == start:
        return first
    if _same_bands(found, start) and found.percentiles == start.percentiles:
        return replace(found, percentiles=first.percentiles, limits=first.limits)
    return found


def _same_bands(one: ViewSettings, other: ViewSettings) -> bool:
    return (one.bands, one.index) == (other.bands, other.index)


def _custom_bands(scene: rsam.Scene, first: ViewSettings, key: str) -> tuple[int, ...]:
    """One selection each for red, green and blue."""
    names = band_titles(scene)
    bands = list(names)
    start = (
        first.bands if len(first.bands) == 3 else [bands[min(i, len(bands) - 1)] for i in range(3)]
    )
    return tuple(
        st.selectbox(
            _(colour),
            bands,
            index=bands.index(band),
            format_func=lambda band: names[band],
            key=f"{key}-{colour.lower()}",
            persist_state="session",
        )
        for colour, band in zip((N_("Red"), N_("Green"), N_("Blue")), start)
    )


def _index_legend(scene: rsam.Scene, settings: ViewSettings) -> str:
    names = band_titles(scene)
    near = _("near infrared")
    used = _(" and ").join(
        f"{near if role == 'nir' else _(role)} ({names[band]})"
        for role, band in zip(INDICES[settings.index].roles, settings.bands)
    )
    told = _("Computed from {bands}.").format(bands=used)
    return f"{_(_LEGENDS[settings.index])} {told}"


def _percentiles(
    scene: rsam.Scene, base: ViewSettings, first: ViewSettings, key: str
) -> tuple[float, float] | None:
    """The contrast stretch; None for the scene's own choice."""
    keep = {"persist_state": "session"}
    eight_bit = scene.dtype == "uint8" and len(base.bands) == 3 and base.index is None
    if eight_bit and not st.toggle(
        _("Stretch contrast"),
        first.percentiles is not None,
        key=f"{key}-stretch",
        help=_("Good pictures of 8 bits are shown as they are. Switch on for hazy or dark ones."),
        **keep,
    ):
        return None
    low, high = st.slider(
        _("Darkest and brightest (percentiles)")
        if base.index is None
        else _("Colours (percentiles)"),
        0.0,
        100.0,
        first.percentiles or _USUAL,
        _STEP,
        format="%.1f",
        key=f"{key}-percentiles{'-index' if base.index else ''}",
        help=_(
            "In each band this share of the pixels becomes black, and everything above the "
            "second one white. Pixels without data do not count. 2 to 98 suits most images."
        ),
        **keep,
    )
    if high - low < _STEP:
        low = min(low, 100.0 - _STEP)
        high = low + _STEP
    # Of what is stretched anyway the usual range is the scene's own choice.
    return None if (low, high) == _USUAL and not eight_bit else (low, high)

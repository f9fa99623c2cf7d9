"""Lesson 1 on the page: size of pixels, near infrared, sun and slant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import remote_sensing_bands as bands
from rsam_core.evaluate.learn.lessons import remote_sensing_scale as scale
from rsam_core.evaluate.learn.lessons import remote_sensing_view as view
from rsam_core.runtime.language import _, number, percent

_START = 96.0, 46.0
"""Where the close-up lies at first, metres."""


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of three experiments, and report what was marked, clicked and tilted."""
    parts = {
        "scale": (_("Size of a pixel"), _scale),
        "bands": (_("More than eyes see"), _bands),
        "view": (_("Sun and slant"), _view),
    }
    names = {key: name for key, (name, _show) in parts.items()}
    return parts[stage.choice("part", _("Experiment"), names)][1](stage)


# -- the size of a pixel ------------------------------------------------------------------------
def _scale(stage: Stage) -> Mapping[str, Any]:
    left, right = st.columns(2, gap="medium")
    controls, shares = st.columns(2, gap="medium")
    with controls:
        gsd = st.select_slider(
            _("Metres of ground on one pixel"), scale.STEPS, scale.STEPS[0],
            persist_state="session", key=stage.name("gsd"), format_func=_metres,
        )  # fmt: skip
    corner = st.session_state.get(stage.name("corner")) or scale.corner_around(*_START)
    # Drawn beforehand, so that the slider's last move is as quick as the others.
    scale.closeup(corner, scale.STEPS[-1])
    with left:
        _whole(stage, gsd, corner)
    with right:
        stage.picture("closeup", scale.closeup(corner, gsd), pixelated=True,
                      label=_("The part in the yellow box, enlarged."))  # fmt: skip
        st.caption(_("The yellow box, enlarged"))
    with controls:
        marks = _marks(stage, gsd)
    with shares:
        _shares(gsd)
    return {
        "gsd": gsd, "marks": marks, "shares": scale.own_pixels(gsd),
        "off": {kind: scale.steps_between(at, scale.coarsest(kind)) for kind, at in marks.items()},
    }  # fmt: skip


def _whole(stage: Stage, gsd: float, corner: tuple[float, float]) -> None:
    metres = scale.EXTENT[0] / scale.place().shape[1]
    x, y = (at / metres for at in corner)
    part = Mark(x, y, "box", x + scale.PART[0] / metres, y + scale.PART[1] / metres)
    stage.picture(
        "whole", scale.whole(gsd), marks=(part,), pixelated=True,
        label=_("A town from above, {width} m wide. Click where you want to look closer.").format(
            width=number(scale.EXTENT[0])),
        on_touch=lambda event: _look_at(stage, event, metres),
    )  # fmt: skip
    width, height = scale.size_at(gsd)
    st.caption(
        _("{ground} m wide: {width} × {height} pixels. Click to look closer.").format(
            ground=number(scale.EXTENT[0]), width=number(width), height=number(height)
        )
    )


def _look_at(stage: Stage, event: Touch, metres: float) -> None:
    st.session_state[stage.name("corner")] = scale.corner_around(event.x * metres, event.y * metres)


def _metres(gsd: float) -> str:
    return _("{gsd} m").format(gsd=number(gsd, 0 if gsd >= 1 else 1))


def _kinds() -> dict[str, str]:
    return {"road": _("Streets"), "roof": _("Houses"), "car": _("Cars")}


def _marks(stage: Stage, gsd: float) -> dict[str, float]:
    """Buttons that note when something is first seen, and what was noted."""
    marks: dict[str, float] = st.session_state.setdefault(stage.name("marks"), {})
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("Now I see:"), width="content")
        for kind, name in _kinds().items():
            st.button(name, key=stage.name(f"see-{kind}"), on_click=marks.__setitem__,
                      args=(kind, gsd))  # fmt: skip
    said = [
        _("{kind}: you at {yours}, pixels at {theirs}").format(
            kind=name, yours=_metres(marks[kind]), theirs=_metres(scale.coarsest(kind))
        )
        for kind, name in _kinds().items()
        if kind in marks
    ]
    if said:
        st.caption(" · ".join(said))
    return dict(marks)


def _shares(gsd: float) -> None:
    found = scale.own_pixels(gsd)
    st.markdown(_("Has a pixel of its own, with nothing else mixed in:"))
    explained = {
        "road": _("of the area of all streets"),
        "roof": _("of {count} houses, about {wide} m wide").format(**_sizes("roof")),
        "car": _("of {count} cars, about {wide} m wide").format(**_sizes("car")),
    }
    bars([(name, found[kind], explained[kind]) for kind, name in _kinds().items()])


def _sizes(kind: str) -> dict[str, str]:
    return {"count": number(scale.counted(kind)), "wide": number(scale.breadth(kind), 1)}


# -- near infrared ------------------------------------------------------------------------------
def _bands(stage: Stage) -> Mapping[str, Any]:
    subject = bands.subject_for(stage.own)
    if stage.own is not None and subject is not stage.own:
        st.caption(_("Your image has no near infrared, so here is a campus that has it."))
    names = {
        "true": _("As the eye sees"),
        "infrared": _("Colour infrared"),
        "ndvi": _("Plants (NDVI)"),
    }
    left, right = st.columns([62, 38], gap="medium")
    with left:
        chosen = stage.choice("picture", _("Picture"), names)
    with right:
        least = st.slider(
            _("Show only NDVI from"),
            -1.0,
            0.6,
            -1.0,
            0.05,
            persist_state="session",
            key=stage.name("least"),
        )
    mask = bands.planted(subject, least)
    shown = bands.picture(subject, chosen)
    if least > -1:
        shown = bands.marked(shown, mask)
    height, width = subject.shape
    start = 0.24 * width, 0.23 * height, False
    x, y, clicked = st.session_state.get(stage.name(f"spot-{subject.key}")) or start
    found = bands.spectrum(subject, x, y)
    with left:
        stage.picture(
            "bands", shown, marks=(Mark(x, y, "spot"),), rest=True,
            label=_("A place from above. Rest on it or click to measure the light."),
            on_touch=lambda event: _measured(stage, subject.key, event),
        )  # fmt: skip
        st.caption(_band_words(chosen))
        if subject.credit:
            st.caption(subject.credit)
    with right:
        _spectrum(found)
        if least > -1:
            st.caption(_planted_words(float(mask.mean()), mask.sum(), subject.gsd))
    return {
        "ndvi": found.ndvi, "only_paint": clicked and found.only_paint,
        "planted": float(mask.mean()),
    }  # fmt: skip


def _measured(stage: Stage, subject: str, event: Touch) -> None:
    st.session_state[stage.name(f"spot-{subject}")] = event.x, event.y, event.kind != "rest"


def _band_words(chosen: str) -> str:
    return {
        "true": _("Red, green and blue light, as the eye mixes them."),
        "infrared": _("Shown as red: near infrared, light that no eye sees. Leaves throw it back."),
        "ndvi": _("Green where near infrared is stronger than red: living plants. Brown where it "
                  "is weaker: water, roofs, streets."),
    }[chosen]  # fmt: skip


def _spectrum(found: bands.Spectrum) -> None:
    st.markdown(_("**Light at the yellow ring**, as a share of the brightest in the image:"))
    names = {
        "blue": _("Blue"),
        "green": _("Green"),
        "red": _("Red"),
        "nir": _("Near infrared"),
    }
    bars([(names[key], found.shares[key], "") for key in bands.BANDS])
    st.markdown(
        _("NDVI = (NIR − red) / (NIR + red) = **{value}**").format(value=number(found.ndvi, 2))
    )
    if found.only_paint:
        st.caption(_("Green to the eye, but no living plant."))


def _planted_words(share: float, pixels: int, gsd: float | None) -> str:
    if gsd is None:
        return _("{share} of the picture.").format(share=percent(share, 1))
    return _("{share} of the picture, {area} m².").format(
        share=percent(share, 1), area=number(pixels * gsd**2)
    )


# -- sun and slant ------------------------------------------------------------------------------
def _view(stage: Stage) -> Mapping[str, Any]:
    left, right = st.columns([62, 38], gap="medium")
    with right:
        sun = st.slider(_("Sun above the horizon (degrees)"), *view.SUN, 50,
                        persist_state="session", key=stage.name("sun"))  # fmt: skip
        lean = st.slider(
            _("Tilt of the camera (degrees)"), -view.LEAN, view.LEAN, 0,
            persist_state="session", key=stage.name("lean"),
            help=_("At 0 it looks straight down, above 0 from the right."),
        )  # fmt: skip
    kinds = {"photo": _("Photo"), "ortho": _("Orthophoto")}
    with left:
        kind = stage.choice("kind", _("Picture"), kinds)
        photo = kind == "photo"
        image = view.photo(sun, -lean).image if photo else view.orthophoto(sun, -lean)
        stage.picture(
            "view", view.outlined(image, -lean, photo, 2),
            label=_("A tower, houses, trees and a street from above; the tower's footprint is "
                    "outlined in yellow, its roof in blue."),
        )  # fmt: skip
        entries = [(_("footprint"), _colour(view.FOOTPRINT))]
        if photo:
            entries.append((_("roof, as it is shown"), _colour(view.ROOF)))
        else:
            entries.append((_("hidden from the camera (striped)"), "#5f5f5f"))
        chips(entries)
    overlap = view.roof_iou(-lean, orthophoto=not photo)
    with right:
        _view_numbers(sun, lean, overlap, photo)
    return {"sun": sun, "lean": lean, "roof_iou": overlap, "photo": photo}


def _colour(rgb: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _view_numbers(sun: float, lean: float, overlap: float, photo: bool) -> None:
    height = view.TOWER_HEIGHT
    st.markdown(
        _("Shadow: {height} m / tan({sun}°) = **{length}\u00a0m**").format(
            height=number(height),
            sun=number(sun),
            length=number(view.shadow_length(height, sun), 1),
        )
    )
    st.markdown(
        _("Roof shown beside its foot by {height} m · tan({lean}°) = **{moved}\u00a0m**").format(
            height=number(height), lean=number(abs(lean)),
            moved=number(view.displacement(height, abs(lean)), 1),
        )
    )  # fmt: skip
    st.markdown(
        _("Ground that the camera does not see: **{area}\u00a0m²**").format(
            area=number(view.hidden_ground(-lean))
        )
    )
    bars([(_("IoU"), overlap, _("of roof and footprint"))])
    if not photo:
        st.caption(
            _("An orthophoto is computed: each pixel is put back to its place by the heights. What "
              "was hidden has to come from another photo.")
        )  # fmt: skip

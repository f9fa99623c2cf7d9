"""The rows of lesson 4 that a slider operates: scope, perspective, preparation, after-treatment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.kept import kept
from pages.parts.learn.lessons.photograph_facts import facts, sides
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark
from pages.parts.shared import resources
from rsam_core.evaluate.learn.lessons import photograph_ask as ask
from rsam_core.evaluate.learn.lessons import photograph_pair as pair
from rsam_core.evaluate.learn.lessons import photograph_view as view
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.runtime.language import _, number, percent
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter

_TOLERANCES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
_LINE = (255, 230, 0)
_ENLARGED = 5
_AROUND = (96, 64)
"""Width and height of what is shown around the house, in pixels."""


def scope(stage: Stage) -> Mapping[str, Any]:
    """Both pictures coarser and coarser."""
    factor = st.select_slider(
        _("Pixels that become one, across"), pair.COARSER, 1,
        persist_state="session", key=stage.name("factor"),
        help=_("Each pixel then shows the mean of a square of former ones."),
    )  # fmt: skip
    photo, above = pair.photo(), pair.above()
    cup = pair.typical_pixels(photo, "cup", factor)
    house, car = (pair.typical_pixels(above, kind, factor) for kind in ("roof", "car"))
    left, right = sides()
    with left:
        stage.picture(
            "photo", pair.coarse(photo.image, factor), pixelated=True,
            label=_("A photograph of a cup of coffee with saucer and spoon."),
        )  # fmt: skip
        held = pair.tally(photo)
        facts([
            (_("pixels of the cup"), number(cup)),
            (_("objects in the picture"), number(held.objects)),
            (_("one pixel shows"), _("more of what is far away")),
        ])  # fmt: skip
    with right:
        stage.picture(
            "above", pair.coarse(above.image, factor), pixelated=True,
            label=_("A suburb from above, with houses, trees and cars."),
        )  # fmt: skip
        facts([
            (_("pixels of a house · of a car"), f"{number(house)} · {number(car, 1)}"),
            (_("objects in the picture"), number(pair.tally(above).objects)),
            (_("one pixel shows"), _("{side} m everywhere").format(
                side=number(above.gsd * factor, 1))),
        ])  # fmt: skip
    return {"factor": factor, "cup": cup, "house": house, "car": car}


def perspective(stage: Stage) -> Mapping[str, Any]:
    """The same ground from a tilted camera and from straight above."""
    tilt = st.slider(
        _("Tilt of the camera, from straight down (degrees)"), 0, view.STEEPEST, 0, 5,
        persist_state="session", key=stage.name("tilt"),
    )  # fmt: skip
    with st.spinner(_("Building the suburb…")):
        shot, times = view.shot(tilt), view.ratio(tilt)
    houses = view.houses()
    left, right = sides(_("Photograph from a tilted camera"), _("Image from straight above"))
    with left:
        stage.picture(
            "tilted", shot.image, marks=_rings(view.spots(tilt)),
            label=_("The suburb from a camera tilted by {tilt} degrees.").format(
                tilt=number(tilt)),
        )  # fmt: skip
        seen = [number(view.pixels(tilt, houses[name])) for name in ("near", "far")]
        facts([
            (_("pixels of the near house · of the far one"), " · ".join(seen)),
            (_("the near one looks"), _times(times)),
            (_("ground hidden behind something"), percent(shot.hidden)),
        ])  # fmt: skip
    with right:
        image, spots, gsd = view.from_above()
        stage.picture(
            "straight", image, marks=_rings(spots), label=_("The same suburb from straight above.")
        )
        areas = [houses[name].area for name in ("near", "far")]
        facts([
            (_("pixels of the near house · of the far one"),
             " · ".join(number(area / gsd**2) for area in areas)),
            (_("the near one is"), _times(areas[0] / areas[1])),
            (_("one pixel shows"), _("{side} m everywhere").format(side=number(gsd, 2))),
        ])  # fmt: skip
    return {"tilt": tilt, "ratio": times, "hidden": shot.hidden}


def _times(value: float) -> str:
    if not np.isfinite(value):
        return _("larger: the far one is hidden")
    return _("{times} times as large").format(times=number(value, 1))


def _rings(spots: Mapping[str, tuple[float, float]]) -> tuple[Mark, ...]:
    words = {"near": _("near"), "far": _("far")}
    return tuple(Mark(x, y, "spot", text=words[name]) for name, (x, y) in spots.items())


def preparation(stage: Stage) -> Mapping[str, Any]:
    """Both pictures as they are stored, and stretched."""
    cut = st.select_slider(
        _("Stretch: how many of the darkest and of the brightest pixels to give up"), pair.CUTS,
        -1.0, persist_state="session", key=stage.name("cut"),
        format_func=lambda value: (
            _("as stored") if value < 0 else percent(value / 100, 1 if value % 1 else 0)
        ),
    )  # fmt: skip
    photo, above = pair.photo(), pair.above()
    finished = pair.finished(photo.image.astype(np.float32), 255, cut)
    raw = pair.finished(pair.stored(above.image), 2**pair.BITS - 1, cut)
    model, embedding = small_model(raw)
    agreement = kept(
        stage, f"clicked-{cut}", above, lambda: ask.click_houses(model, embedding, above),
        _("Clicking houses…"),
    )  # fmt: skip
    left, right = sides(_("Photograph, finished by the camera"), _("What a satellite stores"))
    for column, name, image, label in (
        (left, "photo", finished, _("The cup of coffee.")),
        (
            right,
            "stored",
            raw,
            _("The suburb from above, dark until it is stretched."),
        ),
    ):
        with column:
            stage.picture(name, image, label=label)
            measured = pair.tones(image)
            entries = [
                (_("range of brightness in use"), percent(measured.used)),
                (_("pixels that are lost in black or white"), percent(measured.lost)),
            ]
            if name == "stored":
                entries.append((
                    _("agreement of {count} houses, clicked once each").format(
                        count=number(ask.ASKED)),
                    percent(agreement),
                ))  # fmt: skip
            facts(entries)
    return {"cut": cut, "agreement": agreement}


def after(stage: Stage) -> Mapping[str, Any]:
    """The cup and a house, their outlines simplified alike."""
    slide, switch = st.columns((70, 30), vertical_alignment="bottom")
    with slide:
        tolerance = st.select_slider(
            _("Simplify: how far the outline may move (pixels)"), _TOLERANCES, 0.0,
            persist_state="session", key=stage.name("tolerance"),
            format_func=lambda value: number(value, 1),
        )  # fmt: skip
    with switch:
        square = st.toggle(_("Right angles"), persist_state="session", key=stage.name("square"))
    photo, above = pair.photo(), pair.above()
    model, embedding = small_model(above.image)
    mask = kept(stage, "house", above, lambda: ask.outline_house(model, embedding), _("Outlining…"))
    cup = pair.treated(photo.mask(pair.CUP), photo.mask(pair.CUP), tolerance, square)
    truth = ask.treated_house()
    house = pair.treated(mask, truth, tolerance, square)
    left, right = sides()
    with left:
        stage.picture(
            "cut-out", _cut_out(photo.image, cup), label=_("The cup, cut out of the photograph.")
        )
        facts([
            (_("corners"), number(cup.corners)),
            (_("agreement with the truth"), percent(cup.agreement, 1)),
            (_("area"), _("unknown: nothing says how large a pixel is")),
        ])  # fmt: skip
    with right:
        stage.picture(
            "house", _closer(above.image, truth, house),
            label=_("A house from above with the outline that RSAM found, in yellow."),
        )  # fmt: skip
        facts([
            (_("corners"), number(house.corners)),
            (_("agreement with the truth"), percent(house.agreement, 1)),
            (_("area (in truth)"), _("{area} m² ({truth} m²)").format(
                area=number(house.area * above.gsd**2, 1),
                truth=number(truth.sum() * above.gsd**2, 1))),
        ])  # fmt: skip
    return {"tolerance": tolerance, "corners": house.corners, "agreement": house.agreement}


def _cut_out(image: NDArray[np.uint8], outline: pair.Outline) -> NDArray[np.uint8]:
    """What lies within an outline, on white."""
    rings = [np.rint(ring).astype(np.int32) for ring in outline.rings]
    inside = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(inside, rings, 1)
    shown = np.where(inside[..., None] > 0, image, np.uint8(255))
    return cv2.polylines(shown, rings, True, (15, 118, 110), 2, cv2.LINE_AA)


def _closer(
    image: NDArray[np.uint8], truth: NDArray[np.bool_], outline: pair.Outline
) -> NDArray[np.uint8]:
    """The surroundings of a house, enlarged, with an outline."""
    rows, columns = np.nonzero(truth)
    (wide, high), (height, width) = _AROUND, truth.shape
    left = min(max(round((columns.min() + columns.max() - wide) / 2), 0), width - wide)
    top = min(max(round((rows.min() + rows.max() - high) / 2), 0), height - high)
    part = image[top : top + high, left : left + wide]
    shown = cv2.resize(part, None, fx=_ENLARGED, fy=_ENLARGED, interpolation=cv2.INTER_CUBIC)
    rings = [np.rint((ring - (left, top)) * _ENLARGED).astype(np.int32) for ring in outline.rings]
    cv2.polylines(shown, rings, True, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.polylines(shown, rings, True, _LINE, 2, cv2.LINE_AA)
    for ring in rings:
        for x, y in ring if outline.corners <= 40 else ():
            cv2.circle(shown, (int(x), int(y)), 4, _LINE, -1, cv2.LINE_AA)
    return shown


def small_model(image: NDArray[np.uint8]) -> tuple[Segmenter, Embedding]:
    """The small model that comes with RSAM, and a picture as it sees it."""
    key = resources.embedding_key(image, DEFAULT_MODEL)
    return resources.segmenter(DEFAULT_MODEL), resources.embed(image, key)

"""A worksheet on the image that is open: its scale, what fits into a pixel, what can be seen."""

from __future__ import annotations

import numpy as np

from rsam_core.evaluate.learn.lesson import Task
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.runtime.language import _, number, percent

CAR = 4.5, 1.8
"""Length and width of a usual car in metres."""
GREEN = 0.3
"""NDVI above which something counts as plants in leaf."""


def tasks_on(subject: Subject) -> tuple[Task, ...]:
    """Questions on a picture, with answers computed from it."""
    height, width = subject.shape
    shown = _("{name}, {width} × {height} pixels").format(
        name=subject.name, width=number(width), height=number(height)
    )
    scale = _with_scale(subject, shown) if subject.gsd else _without_scale(subject, shown)
    return (*scale, *_plants(subject), _outlines())


def _with_scale(subject: Subject, shown: str) -> tuple[Task, ...]:
    height, width = subject.shape
    gsd = subject.gsd
    wide, high = width * gsd, height * gsd
    across, along = CAR[0] / gsd, CAR[1] / gsd
    size = number(gsd, _places(gsd))
    return (
        Task(
            _("A pixel of this picture is {gsd} m wide on the ground, and the picture has {width} "
              "× {height} pixels. How large is the piece of land, in metres and in hectares?")
            .format(gsd=size, width=number(width), height=number(height)),
            _("{width} × {gsd} m = {wide} m and {height} × {gsd} m = {high} m; together "
              "{hectares} hectares.").format(
                width=number(width), height=number(height), gsd=size, wide=number(wide, 1),
                high=number(high, 1), hectares=number(wide * high / 1e4, 2)),
            subject.image, shown, lines=2,
        ),
        Task(
            _("A car is {length} m long and {width} m wide. How many pixels does it cover in this "
              "picture? Can one see that it is a car?").format(
                length=number(CAR[0], 1), width=number(CAR[1], 1)),
            _("{long} × {wide} pixels, {area} in all. With fewer than about ten pixels along it "
              "looks like any small spot.").format(
                long=number(across, 1), wide=number(along, 1), area=number(across * along, 1)),
            lines=2,
        ),
    )  # fmt: skip


def _without_scale(subject: Subject, shown: str) -> tuple[Task, ...]:
    return (
        Task(
            _("The file does not say how large a pixel is on the ground. What in the picture could "
              "tell, and how would you compute it?"),
            _("Something of known size: its length in metres divided by its length in pixels. A "
              "car is about {length} m long, a football pitch about 105 m.").format(
                length=number(CAR[0], 1)),
            subject.image, shown,
        ),
    )  # fmt: skip


def _plants(subject: Subject) -> tuple[Task, ...]:
    if subject.bands is None or subject.nir is None or subject.red is None:
        return ()
    near, red = subject.bands[..., subject.nir], subject.bands[..., subject.red]
    total = near + red
    # Where both are dark there is nothing to divide by, and nothing grows.
    ndvi = np.divide(near - red, total, out=np.zeros_like(total), where=total > 0)
    return (
        Task(
            _("Which share of the picture is covered by plants? Estimate first."),
            _("{share}, counting pixels whose index NDVI, computed from near infrared and red, is "
              "over {least}.").format(
                share=percent(float(np.mean(ndvi > GREEN))), least=number(GREEN, 1)),
            lines=2,
        ),
    )  # fmt: skip


def _outlines() -> Task:
    return Task(
        _("Draw an outline around three objects with a pencil. Where are you not sure where the "
          "object ends, and why?"),
        _("Open. Reasons: shadows, trees over roofs, walls seen from the side, pixels that hold "
          "two things, too little contrast."),
        lines=3,
    )  # fmt: skip


def _places(gsd: float) -> int:
    """Decimal places that say a length to half a percent."""
    return next((n for n in range(5) if abs(round(gsd, n) - gsd) < 0.005 * gsd), 5)

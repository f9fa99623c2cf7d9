"""Colours and building habits of different parts of the world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from rsam_core.samples.world import Colour

T = TypeVar("T")

# (covering, mean colour, weight)
RoofChoice = tuple[str, Colour, float]


@dataclass(frozen=True)
class Region:
    """Palette of a region: roofs, ground, leaves, paint of the cars is the same everywhere."""

    name: str
    roofs: tuple[RoofChoice, ...]
    grass: Colour
    wild: Colour
    soil: Colour
    asphalt: Colour
    leaves: tuple[Colour, ...]
    trees: tuple[tuple[str, float], ...]
    pools: float
    hip: float
    flat: float
    dirt_streets: float


_TEMPERATE_LEAVES = ((78, 96, 56), (66, 88, 54), (86, 100, 62), (58, 78, 50), (94, 102, 66))
_DRY_LEAVES = ((86, 94, 62), (98, 100, 68), (74, 86, 58), (102, 102, 76))
_TROPIC_LEAVES = ((72, 98, 50), (88, 112, 54), (60, 86, 46), (94, 110, 62))

REGIONS: dict[str, Region] = {
    r.name: r
    for r in (
        Region(
            "temperate",
            (
                ("tile", (150, 98, 82), 5),
                ("tile", (136, 88, 74), 3),
                ("tile", (122, 100, 86), 3),
                ("slate", (104, 106, 112), 3),
                ("slate", (84, 84, 90), 2),
                ("metal", (176, 178, 178), 0.5),
            ),
            (112, 120, 82),
            (118, 122, 84),
            (146, 124, 98),
            (124, 124, 124),
            _TEMPERATE_LEAVES,
            (("broadleaf", 8), ("conifer", 2)),
            0.06,
            0.25,
            0.06,
            0.0,
        ),
        Region(
            "mediterranean",
            (
                ("tile", (174, 126, 102), 6),
                ("tile", (160, 112, 90), 4),
                ("tile", (186, 146, 118), 2),
                ("flat", (198, 188, 172), 2),
            ),
            (130, 128, 94),
            (150, 140, 104),
            (176, 150, 118),
            (134, 132, 128),
            _DRY_LEAVES,
            (("broadleaf", 7), ("conifer", 2), ("palm", 0.5)),
            0.22,
            0.45,
            0.15,
            0.0,
        ),
        Region(
            "suburbia",
            (
                ("shingle", (134, 126, 118), 4),
                ("shingle", (116, 104, 94), 4),
                ("shingle", (98, 98, 102), 3),
                ("shingle", (152, 138, 122), 2),
                ("tile", (170, 120, 94), 1),
            ),
            (116, 124, 84),
            (132, 130, 92),
            (158, 138, 112),
            (138, 136, 132),
            _TEMPERATE_LEAVES,
            (("broadleaf", 8), ("conifer", 1.5)),
            0.16,
            0.60,
            0.0,
            0.0,
        ),
        Region(
            "savanna",
            (
                ("metal", (154, 90, 78), 4),
                ("metal", (204, 206, 204), 4),
                ("tin", (176, 178, 176), 3),
                ("metal", (134, 152, 132), 2),
                ("metal", (104, 122, 144), 1.5),
                ("tile", (156, 102, 84), 2),
                ("tin", (160, 132, 112), 1.5),
            ),
            (126, 128, 88),
            (144, 136, 96),
            (172, 136, 102),
            (136, 132, 126),
            _TROPIC_LEAVES + _DRY_LEAVES,
            (("broadleaf", 8), ("palm", 1.2)),
            0.02,
            0.55,
            0.08,
            0.45,
        ),
        Region(
            "monsoon",
            (
                ("flat", (168, 162, 154), 5),
                ("flat", (188, 182, 172), 3),
                ("flat", (150, 134, 122), 2),
                ("tin", (184, 188, 190), 2),
                ("metal", (110, 130, 152), 1.5),
                ("tin", (158, 126, 108), 1),
            ),
            (116, 122, 82),
            (130, 128, 88),
            (166, 142, 114),
            (128, 126, 122),
            _TROPIC_LEAVES,
            (("broadleaf", 8), ("palm", 1.5)),
            0.0,
            0.3,
            0.6,
            0.35,
        ),
        Region(
            "nordic",
            (
                ("tile", (116, 66, 58), 3),
                ("metal", (86, 88, 92), 3),
                ("slate", (92, 92, 96), 3),
                ("metal", (124, 76, 68), 1.5),
                ("shingle", (106, 108, 106), 2),
            ),
            (108, 118, 82),
            (114, 118, 84),
            (138, 122, 102),
            (122, 122, 124),
            ((70, 90, 56), (56, 76, 50), (86, 100, 60)),
            (("broadleaf", 5), ("conifer", 5)),
            0.01,
            0.15,
            0.05,
            0.0,
        ),
        Region(
            "thatchland",
            (
                ("thatch", (146, 128, 98), 5),
                ("thatch", (128, 114, 92), 3),
                ("tin", (186, 188, 186), 3),
                ("tin", (164, 130, 108), 2),
            ),
            (126, 130, 86),
            (140, 134, 92),
            (174, 142, 106),
            (150, 138, 118),
            _TROPIC_LEAVES,
            (("broadleaf", 6), ("palm", 3)),
            0.0,
            0.7,
            0.0,
            1.0,
        ),
    )
}

CAR_COLOURS: tuple[tuple[Colour, float], ...] = (
    ((232, 232, 230), 28),
    ((176, 178, 180), 17),
    ((120, 122, 126), 14),
    ((60, 62, 66), 18),
    ((70, 86, 116), 8),
    ((138, 56, 52), 7),
    ((168, 158, 138), 4),
    ((72, 94, 80), 2),
    ((190, 168, 84), 1.5),
    ((96, 74, 60), 2),
)


def vary(rng: np.random.Generator, colour: Colour, spread: float = 0.06) -> Colour:
    """A colour near the given one: brightness by `spread`, hue by a third of it."""
    level = 1 + spread * rng.standard_normal()
    tint = 1 + spread / 6 * rng.standard_normal(3)
    return tuple(float(np.clip(c * level * t, 8, 245)) for c, t in zip(colour, tint))


def pick(rng: np.random.Generator, options: Sequence[T], weights: Sequence[float]) -> T:
    """One of the options by weight."""
    share = np.asarray(weights, float)
    return options[int(rng.choice(len(options), p=share / share.sum()))]


def pick_roof(rng: np.random.Generator, region: Region) -> tuple[str, Colour]:
    """Covering and colour of one roof."""
    choice = pick(rng, region.roofs, [r[2] for r in region.roofs])
    return choice[0], vary(rng, choice[1], 0.06)


def pick_car(rng: np.random.Generator) -> Colour:
    return vary(rng, pick(rng, [c for c, _ in CAR_COLOURS], [w for _, w in CAR_COLOURS]), 0.05)

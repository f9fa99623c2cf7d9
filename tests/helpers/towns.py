"""Rendered towns, each drawn once however many tests look at it."""

from __future__ import annotations

from functools import cache

from rsam_core.samples import TownSample, render_town


@cache
def rendered(
    width: int,
    height: int,
    *,
    gsd: float = 0.3,
    seed: int = 0,
    style: str = "suburb",
    date: int = 0,
) -> TownSample:
    """`render_town`, with arrays that nobody can change, since others look at them, too."""
    town = render_town(width, height, gsd=gsd, seed=seed, style=style, date=date)
    town.image.setflags(write=False)
    town.labels.setflags(write=False)
    return town

"""Samples of more than one date: pairs to compare, series to follow an object through."""

from __future__ import annotations

from functools import partial

from pages.parts.shared import destination
from pages.parts.shared.gallery import Card
from rsam_core.samples.series_gallery import pair_picture, series_entry, series_picture

_CHANGE, _FOLLOW = "pages/screens/change.py", "pages/screens/follow.py"


def cards() -> list[Card]:
    """Two pairs and two series, invented and real; each opens the page it is for."""
    estate, lake = series_entry("estate"), series_entry("lake")
    credit = f"  \nImages: {estate.credit}"
    return [
        _card("pair-estate", "New houses, then and now", f"2016 and 2020.{credit}",
              partial(series_picture, "estate"), _CHANGE, "estate"),
        _card("pair-suburb", "Garden suburb, twice", "Invented, with exact truth.",
              pair_picture, _CHANGE, "pair"),
        _card("series-estate", "Houses through years", f"Three dates.{credit}",
              partial(series_picture, "estate"), _FOLLOW, "estate"),
        _card("series-lake", lake.title, "20 summers, invented.",
              partial(series_picture, "lake"), _FOLLOW, "lake"),
        _card("series-car", "Drone over a car", "A flight, invented.",
              partial(series_picture, "car"), _FOLLOW, "car"),
        _card("series-quarry", "A growing quarry", "20 dates, invented.",
              partial(series_picture, "quarry"), _FOLLOW, "quarry"),
    ]  # fmt: skip


def _card(key, title, caption, picture, page, sample) -> Card:
    return Card(key, title, caption, picture,
                lambda _: destination.go_with_sample(page, sample))  # fmt: skip

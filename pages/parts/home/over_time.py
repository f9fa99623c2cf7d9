"""Samples of more than one date: pairs to compare, series to follow an object through."""

from __future__ import annotations

from functools import partial

from pages.parts.shared import destination
from pages.parts.shared.gallery import Card
from rsam_core.runtime.language import _
from rsam_core.samples.series_gallery import pair_picture, series_entry, series_picture

_CHANGE, _FOLLOW = "pages/screens/change.py", "pages/screens/follow.py"


def cards() -> list[Card]:
    """Two pairs and two series, invented and real; each opens the page it is for."""
    estate, lake = series_entry("estate"), series_entry("lake")
    credit = "  \n" + _("Images: {credit}").format(credit=estate.credit)
    return [
        _card(
            "pair-estate",
            _("New houses, then and now"),
            _("2016 and 2020.") + credit,
            partial(series_picture, "estate"),
            _CHANGE,
            "estate",
        ),
        _card(
            "pair-suburb",
            _("Garden suburb, twice"),
            _("Invented, with exact truth."),
            pair_picture,
            _CHANGE,
            "pair",
        ),
        _card(
            "series-estate",
            _("Houses through years"),
            _("Three dates.") + credit,
            partial(series_picture, "estate"),
            _FOLLOW,
            "estate",
        ),
        _card(
            "series-lake",
            _(lake.title),
            _("20 summers, invented."),
            partial(series_picture, "lake"),
            _FOLLOW,
            "lake",
        ),
        _card(
            "series-car",
            _("Drone over a car"),
            _("A flight, invented."),
            partial(series_picture, "car"),
            _FOLLOW,
            "car",
        ),
        _card(
            "series-quarry",
            _("A growing quarry"),
            _("20 dates, invented."),
            partial(series_picture, "quarry"),
            _FOLLOW,
            "quarry",
        ),
    ]


def _card(key, title, caption, picture, page, sample) -> Card:
    return Card(key, title, caption, picture,
                lambda _session: destination.go_with_sample(page, sample))  # fmt: skip

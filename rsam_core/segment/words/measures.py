"""Numbers with units, and what is compared with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rsam_core.objects.classify.rules import Condition
from rsam_core.segment.words.reading import Word

_AREAS = {"m2": 1.0, "ha": 1e4, "km2": 1e6, "acre": 4046.8564224, "sqft": 0.09290304}
_LENGTHS = {"m": 1.0, "km": 1e3, "cm": 0.01, "ft": 0.3048, "yd": 0.9144, "mi": 1609.344}

ABOUT = 0.2
"""A number without a comparison means itself, give or take this share."""


@dataclass(frozen=True)
class Measure:
    """A number with what it measures.

    Attributes
    ----------
    value : float
        Metres, square metres or pixels.
    end : int
        Place of the first word after it.
    area : bool
        Whether it is an area for sure.
    pixels : bool
    unit : bool
        Whether a unit was said.
    column : str
        "area", "length" or "width"; "" if it is not said.
    sign : str
        ">", ">=", "<", "<=", "=" or "between".
    high : float or None
    """

    value: float
    end: int
    area: bool = False
    pixels: bool = False
    unit: bool = False
    column: str = ""
    sign: str = "="
    high: float | None = None

    def condition(self) -> Condition:
        """The condition that it puts on an object."""
        column = self.column or ("area" if self.area or self.pixels or not self.unit else "length")
        column += "" if self.pixels else "_m2" if column == "area" else "_m"
        if self.sign == "between":
            return Condition(column, "between", self.value, self.high)
        if self.sign == "=":
            return Condition(column, "between", (1 - ABOUT) * self.value, (1 + ABOUT) * self.value)
        return Condition(column, self.sign, self.value)  # type: ignore[arg-type]


def number(words: Sequence[Word], at: int) -> tuple[float, int] | None:
    """A number in digits or words, and the place after it: "two hundred", "half an"."""
    value, place = None, at
    while place < len(words) and words[place].value is not None:
        part = words[place].value
        assert part is not None
        digits = words[place].text[0].isdigit()
        if value is None:
            value = part
        elif digits:
            break
        elif part in (100.0, 1000.0) or part == 0.5:
            value *= part
        elif value >= 20:
            value += part
        else:
            break
        place += 1
        # "half an acre": the article belongs to it.
        if value == 0.5 and place < len(words) and words[place].has("stop"):
            place += 1
    return None if value is None else (value, place)


def amount(words: Sequence[Word], at: int) -> Measure | None:
    """A number with a unit; None if there is none here."""
    at = _after_fillers(words, at)
    found = number(words, at)
    if found is None:
        return None
    value, place = found
    place = _after_fillers(words, place)
    unit = words[place].of("unit") if place < len(words) else None
    if unit is None:
        return None
    if unit == "px":
        return Measure(value, place + 1, pixels=True, unit=True)
    if unit in _AREAS:
        return Measure(value * _AREAS[unit], place + 1, area=True, unit=True)
    return Measure(value * _LENGTHS[unit], place + 1, unit=True)


def comparison(words: Sequence[Word], at: int) -> Measure | None:
    """A measure that an object is compared with; None if there is none here.

    "over 200 m²", "longer than 30 m", "at least 30 m long", "between 100 and 200 m²",
    "200 m² or more", "two hundred square metres".
    """
    if at >= len(words):
        return None
    place, column, sign = at, "", "="
    word = words[at]
    pair = _range(words, at)
    if pair is not None:
        return pair
    told = word.of("compare")
    if told is not None:
        place += 1
        for name, meant in (("size", ""), ("length", "length"), ("width", "width")):
            if told.startswith(name):
                column, told = meant, told[len(name) :]
        sign = told
    elif word.of("dimension") and at + 1 < len(words) and words[at + 1].has("compare"):
        column, sign, place = str(word.of("dimension")), str(words[at + 1].of("compare")), at + 2
        sign = sign[-2:] if sign[-2:] in (">=", "<=") else sign[-1:]
    found = amount(words, place)
    if found is None:
        if told is None:
            return None
        bare = number(words, _after_fillers(words, place))
        # A size compared without a number is a size: "larger".
        if bare is None:
            return None
        found = Measure(bare[0], bare[1], area=not column)
    end = found.end
    if end < len(words) and words[end].has("after"):
        sign, end = str(words[end].of("after")), end + 1
    if end < len(words) and not found.area:
        dimension = words[end].of("dimension")
        if dimension is None and words[end].of("shape") == "long":
            dimension = "length"
        if dimension:
            column, end = dimension, end + 1
    elif end < len(words) and words[end].has("dimension"):
        end += 1
    if found.area:
        column = "area"
    return Measure(found.value, end, found.area, found.pixels, found.unit, column, sign)


def _range(words: Sequence[Word], at: int) -> Measure | None:
    """ "Between 100 and 200 m²", "from 100 to 200 m²"."""
    word = words[at]
    if not (word.of("relation") == "between" or word.has("compare", "origin")):
        return None
    low = number(words, _after_fillers(words, at + 1))
    if low is None:
        return None
    value, place = low
    factor_of = amount(words, _after_fillers(words, at + 1))
    if factor_of is not None:
        value, place = factor_of.value, factor_of.end
    if place >= len(words) or not words[place].has("to"):
        return None
    high = amount(words, place + 1)
    if high is None:
        return None
    if factor_of is None and number(words, _after_fillers(words, place + 1)) is not None:
        raw = number(words, _after_fillers(words, place + 1))
        assert raw is not None
        value *= high.value / raw[0] if raw[0] else 1.0
    end, column = high.end, ""
    if end < len(words) and words[end].has("dimension"):
        column, end = str(words[end].of("dimension")), end + 1
    low_, high_ = sorted((value, high.value))
    return Measure(low_, end, high.area, high.pixels, True, column, "between", high_)


def _after_fillers(words: Sequence[Word], at: int) -> int:
    """The place after words such as "a" and "the"."""
    while at < len(words) and words[at].has("stop") and words[at].value is None:
        if words[at].has("compare", "relation", "unit"):
            break
        at += 1
    return at

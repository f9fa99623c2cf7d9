"""What may be given to a question: layers, numbers, words and choices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rsam_core.errors import ApplyError


@dataclass(frozen=True)
class Need:
    """A layer that a question takes.

    Attributes
    ----------
    key, title : str
    text : str
        What it is for, and how to get it.
    dimensions : tuple of int
        2 for areas, 1 for lines, 0 for points.
    optional : bool
    date : int or None
        0 and 1: objects of the earlier and the later date are meant.
    kinds : tuple of str
        Classes of objects that are meant.
    beside : str
        Key of another need: only asked for once that one is given.
    """

    key: str
    title: str
    text: str
    dimensions: tuple[int, ...] = (2,)
    optional: bool = False
    date: int | None = None
    kinds: tuple[str, ...] = ("building",)
    beside: str = ""


@dataclass(frozen=True)
class Setting:
    """A number, a word or a choice that a person types.

    Attributes
    ----------
    key, title : str
    default : float, str or None
        None for a number that has to be typed, or may be left empty.
    unit, help : str
    low, high, step : float
        Of a number.
    choices : tuple of str
        If there are any, one of them is chosen.
    optional : bool
        Whether a number may be left empty.
    beside : str
        Key of a need: only asked for once that one is given.
    """

    key: str
    title: str
    default: float | str | None
    unit: str = ""
    help: str = ""
    low: float = 0.0
    high: float = 1e12
    step: float = 1.0
    choices: tuple[str, ...] = ()
    optional: bool = False
    beside: str = ""

    def checked(self, value: Any) -> Any:
        """A value that was typed.

        Raises
        ------
        ApplyError
            It makes no sense.
        """
        if self.choices:
            if value not in self.choices:
                raise ApplyError(f"“{self.title}” is one of: {', '.join(self.choices)}.")
            return value
        if isinstance(self.default, str):
            return str(value if value is not None else self.default)[:200]
        if value is None:
            if self.optional:
                return None
            raise ApplyError(f"Type a number for “{self.title}”.")
        try:
            number = float(value)
        except (TypeError, ValueError) as error:
            raise ApplyError(f"“{self.title}” has to be a number.") from error
        if not self.low <= number <= self.high:
            raise ApplyError(
                f"“{self.title}” lies from {self.low:g} to {self.high:g} {self.unit}".strip() + "."
            )
        return number

    def words(self, value: Any) -> str:
        """The value with its unit."""
        if value is None:
            return "not given"
        return f"{value:,g} {self.unit}".strip() if isinstance(value, float) else str(value)

"""What changes come to: how many, how much ground, and how much a year."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rsam_core.change.compared import Found
from rsam_core.change.findings import KINDS, Change
from rsam_core.errors import ChangeError

_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


@dataclass(frozen=True)
class KindSummary:
    """The changes of one kind.

    Attributes
    ----------
    kind : str
    count : int
    before, after : float
        Area in square metres, or in pixels where their size is not known.
    a_year : float or None
        What came (or went, below 0) a year; None without dates.
    """

    kind: str
    count: int
    before: float
    after: float
    a_year: float | None

    @property
    def gain(self) -> float:
        """What came, or went (below 0)."""
        return self.after - self.before


def summarise(
    found: Found, changes: Sequence[Change], years: float | None = None
) -> list[KindSummary]:
    """One row a kind of change that occurs, in the order of :data:`KINDS`.

    Parameters
    ----------
    found : Found
        Brings the size of a pixel.
    changes : sequence of Change
        Those that count.
    years : float, optional
        Between the dates.
    """
    each = pixel_area(found)
    rows = []
    for kind in KINDS[:-1]:
        some = [change for change in changes if change.change == kind]
        if not some:
            continue
        before = each * sum(c.before.area for c in some if c.before is not None)
        after = each * sum(c.after.area for c in some if c.after is not None)
        rate = (after - before) / years if years else None
        rows.append(KindSummary(kind, len(some), before, after, rate))
    return rows


def pixel_area(found: Found) -> float:
    """Square metres of a pixel of the common grid, or 1 where that is not known."""
    gsd = found.alignment.gsd
    known = getattr(found.scene, "pixel_area_m2", None)
    return float(known or (gsd**2 if gsd else 1.0))


def years_between(first: str, second: str) -> float | None:
    """Years between two dates such as "2016", "2016-05" or "2016-05-31"; None where one is empty.

    A year without a month counts as its middle, a month without a day likewise.

    Raises
    ------
    ChangeError
        One is no date, or the first is not before the second.
    """
    if not first.strip() or not second.strip():
        return None
    years = [_decimal(text) for text in (first, second)]
    if years[1] <= years[0]:
        raise ChangeError(
            f"The first date ({first}) is not before the second ({second}). Correct them, or swap "
            "the pictures."
        )
    return years[1] - years[0]


def _decimal(text: str) -> float:
    import calendar
    import datetime

    found = _DATE.fullmatch(text.strip())
    if found is None:
        raise ChangeError(f"“{text}” is no date. Write 2016, 2016-05 or 2016-05-31.")
    year, month, day = (None if part is None else int(part) for part in found.groups())
    length = 366 if calendar.isleap(year) else 365
    if month is None:
        return year + 0.5
    try:
        first = datetime.date(year, month, day or 1)
    except ValueError as error:
        raise ChangeError(f"There is no day “{text}”. Write 2016-05-31, for example.") from error
    passed = (first - datetime.date(year, 1, 1)).days
    if day is None:
        passed += calendar.monthrange(year, month)[1] / 2
    return year + passed / length

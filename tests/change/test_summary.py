"""Counts, areas and years, by hand."""

from __future__ import annotations

import pytest

from rsam_core.change import ArrayPicture
from rsam_core.change.summary import summarise, years_between
from rsam_core.errors import ChangeError
from tests.helpers.dates import compared, pictures


def test_areas_by_kind_and_a_year():
    first, second = pictures()
    found = compared(ArrayPicture(first, gsd=0.5), ArrayPicture(second, gsd=0.5))
    rows = {row.kind: row for row in summarise(found, found.changes, 4.0)}
    assert list(rows) == ["new", "gone", "enlarged"]
    assert (rows["new"].count, rows["new"].gain) == (1, 24 * 24 / 4)
    assert rows["gone"].a_year == pytest.approx(-600 / 4 / 4)
    assert (rows["enlarged"].before, rows["enlarged"].after) == (400 / 4, 720 / 4)
    plain = summarise(compared(*pictures_without_scale()), found.changes)
    assert (plain[0].gain, plain[0].a_year) == (576, None)


def pictures_without_scale():
    return tuple(ArrayPicture(p) for p in pictures())


@pytest.mark.parametrize(
    ("first", "second", "years"),
    [
        ("2016", "2020", 4.0),
        ("2016-07-01", "2017-07-01", 1.0),
        ("2019-01-01", "2019-07-02", 182 / 365),
        ("2016", "", None),
        ("  ", "2020", None),
    ],
)
def test_years_between_dates(first, second, years):
    expected = years if years is None else pytest.approx(years, abs=0.01)
    assert years_between(first, second) == expected


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("2020", "2016", "not before"),
        ("2016", "2016", "not before"),
        ("16", "2020", "no date"),
        ("2016-02-30", "2020", "no day"),
    ],
)
def test_dates_that_make_no_sense(first, second, words):
    with pytest.raises(ChangeError, match=words):
        years_between(first, second)

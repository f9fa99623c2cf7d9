"""Deterioration over a series: what rises steadily is told from what is odd at one date."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from rsam_core.change.apply import Features, Inputs, Site
from rsam_core.change.apply.answer import VERDICT
from rsam_core.change.apply.deterioration import MUCH
from rsam_core.change.apply.question import Dated
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.trend import rise, since, times
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import ApplyError, Cancelled

DATES = ("2014", "2016", "2018", "2020")
ROOFS = [(20 + 50 * (k % 4), 20 + 50 * (k // 4)) for k in range(12)]
STEADY, ODD, LATE = 5, 7, 10
SIDE = 24


def rendered(side: int = 1) -> list[ArrayPicture]:
    """One roof darkens from date to date, one lies in shadow at the second, one breaks late."""
    rng = np.random.default_rng(4)
    ground = rng.integers(90, 130, (170, 220, 1)) + np.zeros(3, int)
    for x, y in ROOFS:
        ground[y : y + SIDE, x : x + SIDE] = (180, 150, 140)
    pictures = []
    for number, date in enumerate(DATES):
        image = ground.copy()
        for roof, darker in ((STEADY, 25 * number), (ODD, 75 if number == 1 else 0),
                             (LATE, 75 if number == 3 else 0)):  # fmt: skip
            x, y = ROOFS[roof]
            image[y : y + SIDE, x : x + SIDE] -= darker
        image = np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)
        image = image.repeat(side, 0).repeat(side, 1)
        pictures.append(ArrayPicture(image, f"{date}.tif", None, None, 0.5 / side))
    return pictures


def ask(pictures: list[ArrayPicture], dates: tuple[str, ...] = DATES, **more: object):
    site = Site.of(rendered()[0])
    shapes = site.plane([shapely.box(x, y, x + SIDE, y + SIDE) for x, y in ROOFS])
    rows = [{"roof": k} for k in range(len(ROOFS))]
    layers = {"buildings": Features.of_shapes("roofs", shapes, rows)}
    values = {"brightness": 4.0}
    given = Inputs(site, layers, values, series=Dated(pictures, dates), **more)
    return QUESTIONS["deterioration"].answer(given)


def roof_of(answer, row: int) -> int:
    middle = answer.site.pixels(answer.findings.shapes[[row]])[0].centroid
    return min(range(12), key=lambda k: abs(ROOFS[k][0] + 12 - middle.x)
               + abs(ROOFS[k][1] + 12 - middle.y))  # fmt: skip


@pytest.mark.parametrize("side", [1, 2])
def test_what_rises_comes_first_and_what_is_odd_once_does_not(side: int):
    answer = ask(rendered(side))
    table = answer.findings.table
    roofs = [roof_of(answer, row) for row in range(12)]
    assert roofs[0] == STEADY
    assert table["since"][0] in ("2016", "2018")
    assert table[VERDICT][0] == MUCH
    odd, late = roofs.index(ODD), roofs.index(LATE)
    # In shadow at one date, long ago: it differs most then, and is no finding.
    assert table["score_2"][odd] == table["score_2"].max()
    assert table[VERDICT][odd] != MUCH
    assert table["since"][odd] == ""
    assert late == 1
    assert table["since"][late] == "2020"
    assert answer.dates == DATES
    assert answer.series
    chart = answer.summary().charts[0]
    assert chart.when == (0, 2, 4, 6)
    assert chart.lines[MUCH][0] == 0
    first = table[table[VERDICT] == MUCH]
    assert chart.lines[MUCH][3] == pytest.approx(first["score_4"].mean())
    # The score is that of the line through all dates.
    by_hand = 6 * sum(t * table[f"score_{k}"] for t, k in ((2, 2), (4, 3), (6, 4))) / 56
    np.testing.assert_allclose(table["score"], by_hand, rtol=1e-6)


def test_rise_and_since_by_hand():
    when = np.array([1.0, 2.0, 4.0])
    values = np.array(
        [[1.0, 0.0, 8.0, np.nan], [2.0, 0.0, np.nan, np.nan], [4.0, 4.0, 0.0, np.nan]]
    )
    expected = [4.0, 4 * 16 / 21, 4 * 8 / 17, np.nan]
    np.testing.assert_allclose(rise(values, when), expected)
    np.testing.assert_allclose(rise(values[:1], np.ones(1)), values[0])
    assert since(values, 1.0).tolist() == [0, 2, -1, -1]
    assert since(np.array([[0.0], [np.nan], [2.0]]), 1.0).tolist() == [2]


def test_dates_and_pictures_that_do_not_fit():
    np.testing.assert_allclose(times(("2014", "2016", "2020")), [2, 6])
    assert times(("2014", "", "2020")) is None
    with pytest.raises(ApplyError, match="not before"):
        times(("2014", "2020", "2016"))
    answer = ask(rendered()[:3], ("2014", "", "2018"))
    assert any("equally far apart" in note for note in answer.notes)
    assert answer.dates == ("2014", "date 2", "2018")
    with pytest.raises(ApplyError, match="does not have the pixels"):
        ask([rendered()[0], rendered(2)[1]], ("2014", "2016"))
    with pytest.raises(Cancelled):
        ask(rendered(), cancelled=lambda: True)
    shares: list[float] = []
    ask(rendered()[:3], DATES[:3], progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)

"""Urban growth over more than two dates, against figures by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from rsam_core.change.apply import Answer, Check, Features, Inputs, Site
from rsam_core.change.apply.answer import VERDICT
from rsam_core.change.apply.charts import chart_of
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import ApplyError

SITE = Site.of(ArrayPicture(np.zeros((400, 500, 3), np.uint8), "plan", None, None, 1.0))
A, B, C, D = ((x, y, x + 20, y + 20) for x, y in ((40, 40), (80, 40), (300, 300), (65, 60)))
"""Corners in pixels of a metre; D lies beside A and B, C far from all."""
PEOPLE = {"population1": 100.0, "people_1": 110.0, "population2": 150.0}


def layer(*places: tuple[float, float, float, float]) -> Features:
    return Features.of_shapes("buildings", SITE.plane([shapely.box(*place) for place in places]))


def ask(
    between: Features,
    date: str = "2018",
    dates: tuple[str, ...] = ("2015", "2020"),
    **more: Features,
) -> Answer:
    given = {"before": layer(A), "between_1": between, "after": layer(A, B, C, D), **more}
    values = {**PEOPLE, "date_1": date, "gap": 5.0}
    return QUESTIONS["growth"].answer(Inputs(SITE, given, values, dates))


def test_every_period_has_its_rates():
    summary = ask(layer(A, B)).summary()
    periods = summary.tables["By period"]
    assert periods[["From", "To"]].to_numpy().tolist() == [["2015", "2018"], ["2018", "2020"]]
    assert periods["Gained (m²)"].tolist() == pytest.approx([400, 800])
    land = [(800 - 400) / 400 / 3, (1600 - 800) / 800 / 2]
    people = [math.log(110 / 100) / 3, math.log(150 / 110) / 2]
    assert periods["LCR a year (%)"].tolist() == pytest.approx([100 * rate for rate in land])
    assert periods["PGR a year (%)"].tolist() == pytest.approx([100 * rate for rate in people])
    assert periods["LCR / PGR"].tolist() == pytest.approx(np.divide(land, people))
    # B lies 20 m from A, beyond the ring of 10 m; D lies within the rings of both.
    assert periods["Outlying"].tolist() == [1, 1]
    assert periods["Edge growth"].tolist() == [0, 1]
    dates = summary.tables["By date"]
    assert dates["Buildings"].tolist() == [1, 2, 4]
    assert dates["Built-up (m²)"].tolist() == pytest.approx([400, 800, 1600])
    assert dates["Built-up a person (m²)"].tolist() == pytest.approx([4, 800 / 110, 1600 / 150])
    found = {figure.label: figure.value for figure in summary.figures}
    # From the first date to the last one.
    assert found["LCR / PGR (SDG 11.3.1)"] == pytest.approx((1200 / 400) / math.log(1.5))
    assert [chart.title for chart in summary.charts] == ["Built-up area", "Population"]
    assert summary.charts[0].when == (0.0, 3.0, 5.0)
    axes = chart_of(summary.charts[0]).axes[0]
    np.testing.assert_allclose(axes.lines[0].get_xydata(), [(0, 400), (3, 800), (5, 1600)])


def test_dates_are_brought_in_order_and_named():
    answer = ask(layer(A, B), between_2=layer(A, B, C))
    answer_of = QUESTIONS["growth"].answer
    given = {"before": layer(A), "between_1": layer(A, B, C), "between_2": layer(A, B),
             "after": layer(A, B, C, D)}  # fmt: skip
    values = {**PEOPLE, "date_1": "2018", "date_2": "2016-06", "gap": 5.0}
    sorted_answer = answer_of(Inputs(SITE, given, values, ("2015", "2020")))
    assert sorted_answer.dates == ("2015", "2016-06", "2018", "2020")
    assert sorted_answer.findings.column("period") == [
        "2015 to 2016-06", "2016-06 to 2018", "2018 to 2020"
    ]  # fmt: skip
    # One has no date: no rates of the periods beside it, and a note.
    periods = answer.summary().tables["By period"]
    assert periods["LCR a year (%)"].notna().tolist() == [True, False, False]
    assert any("date between (2)" in note for note in answer.notes)
    with pytest.raises(ApplyError, match="not before"):
        ask(layer(A, B), "2014")
    with pytest.raises(ApplyError, match="2018-13"):
        ask(layer(A, B), "2018-13")


def test_what_is_refused_goes_from_later_dates_too():
    answer = ask(layer(A, B))
    first = answer.findings.column("period").index("2015 to 2018")
    checks = {answer.keys()[first]: Check("refused")}
    dates = answer.summary(checks).tables["By date"]
    assert dates["Buildings"].tolist() == [1, 1, 3]
    assert dates["Built-up (m²)"].tolist() == pytest.approx([400, 400, 1200])


def test_what_did_not_go_stays_until_another_stands_there():
    answer = ask(layer(C))
    verdicts = answer.findings.column(VERDICT)
    gone = verdicts.index("no longer there")
    dates = answer.summary().tables["By date"]
    assert dates["Buildings"].tolist() == [1, 1, 4]
    checks = {answer.keys()[gone]: Check("refused")}
    dates = answer.summary(checks).tables["By date"]
    # A stood at the second date as well, and is not counted twice at the third.
    assert dates["Buildings"].tolist() == [1, 2, 4]


def test_a_third_date_is_only_asked_for_once_it_is_wanted():
    question = QUESTIONS["growth"]
    needs, settings = question.asked({"before", "after"})
    assert [need.key for need in needs] == ["before", "after", "between_1", "zones"]
    assert "date_1" not in [setting.key for setting in settings]
    needs, settings = question.asked({"before", "after", "between_1"})
    assert "between_2" in [need.key for need in needs]
    assert {"date_1", "people_1"} <= {setting.key for setting in settings}
    two = QUESTIONS["growth"].answer(Inputs(SITE, {"before": layer(A), "after": layer(A, B)}))
    assert not any("between" in title for title in (*two.settings, *two.inputs)
                   if title != "Buildings at a date between (1)")  # fmt: skip
    assert not two.summary().charts

"""Apply: the series that is open on the Follow page is what deterioration looks at."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from pages.parts.apply import sources
from pages.parts.apply.dates_there import pair, series_frames, two_dates
from rsam_core.change.apply import Features, Site
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.scene.window import Window
from rsam_core.session.apply import KeptLayer, apply_state
from rsam_core.session.following import follow_state
from rsam_core.session.series_source import series_of_files
from rsam_core.session.session import Session
from tests.helpers.rasters import tiff

LEVELS = (70, 60, 50)
"""Brightness of one roof at each date; the ground keeps its own."""


@pytest.fixture
def session() -> Session:
    noise = np.random.default_rng(2).integers(90, 130, (3, 120, 160))
    files = []
    for year, level in zip((2016, 2018, 2020), LEVELS):
        picture = noise.astype(np.uint8)
        picture[:, 40:70, 50:90] = level
        files.append((f"place {year}.tif", tiff(picture)))
    series = series_of_files(files)
    made = Session(series.first.with_gsd(0.5))
    follow_state(made).open(series)
    return made


def test_all_dates_of_an_open_series_are_looked_at(session: Session):
    state, question = apply_state(session), QUESTIONS["deterioration"]
    site = Site.of(session.image.scene)
    boxes = [shapely.box(50, 40, 90, 70), shapely.box(5, 5, 30, 30), shapely.box(99, 80, 129, 110)]
    layer = KeptLayer.of(Features.of_shapes("roofs", site.plane(boxes)), site)
    state.give(layer, "deterioration/buildings")
    taken = {"buildings": "layer:roofs"}
    given = sources.inputs(session, state, question, taken, {sources.SERIES: True}, ())
    answer = question.answer(given)
    assert answer.dates == ("2016", "2018", "2020")
    assert sorted(answer.findings.areas) == pytest.approx([25 * 25 / 4, 900 / 4, 1200 / 4])
    assert np.isfinite(answer.findings.table[["score_2", "score_3"]].to_numpy(float)).all()
    # The first and the last date are shown beside each other, on the window that is asked for.
    assert two_dates(session, answer)
    first, last = pair(session, answer, Window(60, 45, 10, 8))
    assert first.shape == (8, 10, 3)
    assert (first.mean(), last.mean()) == (LEVELS[0], LEVELS[2])
    # Who does not want the series is asked for a second picture.
    bare = sources.inputs(session, state, question, taken, {sources.SERIES: False}, ())
    assert [one.key for one in question.missing(bare)] == ["second date"]


def test_two_dates_or_a_wrong_order_are_no_series(session: Session):
    state = follow_state(session)
    assert len(series_frames(session)) == 3
    state.type_dates(("2020", "2018", "2016"))
    assert series_frames(session) is None
    state.type_dates(("", "", ""))
    assert series_frames(session) is not None

"""Projects whose newer parts were altered (dates, series, questions, undo steps): refused."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest
import shapely

from rsam_core.errors import LearnError, ProjectError
from rsam_core.evaluate.learn.exercise import Exercise
from rsam_core.evaluate.learn.result import read_result
from rsam_core.runtime.archive import open_files
from tests.hostile import classroom, seeds, uploads
from tests.hostile import project_parts as parts
from tests.hostile.layers import nested_binary

ENDLESS = {"infinite": math.inf, "400 digits": 10**400}


@pytest.mark.parametrize("number", ENDLESS.values(), ids=ENDLESS)
def test_numbers_without_end_are_refused_in_every_part(number: float):
    series, change, undo = parts._series_facts(), parts._change_facts(), parts._undo_facts()
    altered = [
        parts.series(series | {"frame": number}),
        parts.series(series | {"track": series["track"] | {"seconds": number}}),
        parts.series(series | {"source": series["source"] | {"sizes": [number, 1]}}),
        parts.change(change | {"checks": [["new", number, 2, 3, 4, 5, True]]}),
        parts.change(change | {"wishes": change["wishes"] | {"smallest": number}}),
        parts.change(change | {"thresholds": {"rsam": number}}),
        parts.undo(undo | {"now": undo["now"] | {"next_id": number}}),
        parts.undo(undo | {"ids": [1, number]}),
    ]
    for content in altered:
        with pytest.raises(ProjectError, match="damaged"):
            uploads.project(content, "work.rsam.zip")


def test_a_place_of_numbers_without_end_is_left_out():
    for place in ([10**400] * 6, [0] * 6, [1e300, 0, 0, 0, 1e300, 0]):
        from tests.hostile.projects import project

        told = uploads.project(
            project({"settings": {"transform": place}}, image=seeds.picture("PNG")), "w.rsam.zip"
        )
        assert "1 objects" in told


def test_shapes_of_questions_are_sound():
    with pytest.raises(ProjectError, match="questions"):
        uploads.project(parts.questions(blob=nested_binary(100_000)), "w.rsam.zip")
    tie = shapely.to_wkb(shapely.Polygon([(0, 0), (40, 40), (40, 0), (0, 40)]))
    # Both triangles of half a metre a pixel.
    assert "200 m²" in uploads.project(parts.questions(blob=tie), "w.rsam.zip")


def test_a_series_of_another_size_is_told():
    facts = parts._series_facts() | {"shape": [32, 48]}
    with pytest.raises((ProjectError, uploads.RsamError), match=r"damaged|another size"):
        uploads.project(parts.series(facts), "w.rsam.zip")


@pytest.mark.parametrize("number", ENDLESS.values(), ids=ENDLESS)
def test_exercises_and_results_hold_no_numbers_without_end(number: float):
    plain = Exercise("town:a", ((1.0, 2.0),), (50,)).plain()
    with pytest.raises(LearnError, match="cannot be read"):
        Exercise.from_plain(plain | {"spots": [[number, 1]]})
    for row in ([number, 3, 1.0], [0.5, 3, number]):
        with pytest.raises(LearnError, match="not a result"):
            read_result(classroom._result(scores=[row]))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no pipes in folders")
def test_pipes_in_a_folder_are_left_alone(tmp_path: Path):
    (tmp_path / "a.png").write_bytes(seeds.picture("PNG"))
    os.mkfifo(tmp_path / "b.png")
    assert open_files(tmp_path).names == ("a.png",)

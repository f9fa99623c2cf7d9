"""The series offered first: drawn as their pictures show, or real and named."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rsam_core.errors import SceneError
from rsam_core.samples.series import SERIES
from rsam_core.samples.series_gallery import (
    FOLDER,
    SERIES_GALLERY,
    drawn_series,
    series_entry,
    series_picture,
)
from rsam_core.scene.scene import open_scene

REAL = [entry for entry in SERIES_GALLERY if entry.files]


def test_invented_ones_are_kinds_that_can_be_drawn():
    invented = [entry.key for entry in SERIES_GALLERY if not entry.files]
    assert set(invented) == set(SERIES)
    with pytest.raises(SceneError, match="lake, quarry"):
        series_entry("sea")


@pytest.mark.parametrize("entry", SERIES_GALLERY, ids=lambda entry: entry.key)
def test_each_has_a_small_picture(entry):
    picture = cv2.imdecode(np.frombuffer(series_picture(entry.key), np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape[1] == 480
    assert len(series_picture(entry.key)) < 60_000


def test_the_real_one_shows_one_place_at_three_dates_and_names_its_source():
    (entry,) = REAL
    scenes = [open_scene(content, name=name) for name, content in entry.contents]
    assert len({(s.crs, s.transform, s.shape) for s in scenes}) == 1
    assert len({s.content_hash for s in scenes}) == 3
    assert all(s.attribution.startswith("USDA NAIP") for s in scenes)
    sources = FOLDER.with_name("SOURCES.md").read_text(encoding="utf-8")
    assert all(f"`{path.name}`" in sources for path in entry.files)
    assert {path.name for path in FOLDER.iterdir()} <= {path.name for path in entry.files}
    kept = cv2.imdecode(np.frombuffer(series_picture(entry.key), np.uint8), cv2.IMREAD_COLOR)
    assert np.abs(drawn_series(entry)[..., ::-1].astype(int) - kept).mean() < 4

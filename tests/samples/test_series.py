"""Rendered series: the truth must be what the frames show."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import shapely

from rsam_core.change.picture import date_in_name
from rsam_core.errors import Cancelled, SceneError
from rsam_core.samples import SERIES, SeriesSample, render_series


@cache
def series(kind: str, seed: int = 1, **options) -> SeriesSample:
    return render_series(kind, seed, 5, width=224, height=192, **options)


def inside(outline, shape: tuple[int, int]) -> np.ndarray:
    """Pixels whose middle lies in an outline."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    return shapely.contains_xy(outline, x, y)


@pytest.mark.parametrize("kind", SERIES)
def test_masks_are_what_of_the_outline_is_to_be_seen(kind):
    sample = series(kind)
    assert sample.images.shape == (5, 192, 224, 3)
    assert sample.masks.shape == (5, 192, 224)
    for mask, outline in zip(sample.masks, sample.outlines):
        assert mask.any()
        assert not (mask & ~inside(outline.buffer(1.0), mask.shape)).any()
        core = inside(outline.buffer(-2.5), mask.shape)
        # Crowns may hide a part, cars have round corners.
        assert (mask & core).sum() > 0.9 * core.sum()
    x, y = sample.point
    assert sample.masks[0][int(y), int(x)]
    x0, y0, x1, y1 = sample.box
    outside = sample.masks[0].copy()
    outside[y0:y1, x0:x1] = False
    assert not outside.any()


def test_same_seed_gives_the_same_series():
    first, second = (render_series("lake", 4, 2, width=128, height=128) for _ in range(2))
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.masks, second.masks)
    other = render_series("lake", 5, 2, width=128, height=128)
    assert not np.array_equal(first.images, other.images)


def test_the_lake_shrinks_and_the_quarry_grows():
    lake = [outline.area for outline in series("lake").outlines]
    assert lake == sorted(lake, reverse=True)
    assert 0.2 < lake[-1] / lake[0] < 0.55
    pit = [outline.area for outline in series("quarry").outlines]
    assert pit == sorted(pit)
    assert pit[-1] > 3 * pit[0]


def test_the_field_stays_and_its_look_does_not():
    sample = series("field")
    assert len({outline.wkb for outline in sample.outlines}) == 1
    looks = np.array([image[mask].mean(0) for image, mask in zip(sample.images, sample.masks)])
    greener = looks[:, 1] - looks[:, 0]
    assert greener.max() - greener.min() > 15


def test_the_car_keeps_its_size_while_the_picture_moves():
    sample = series("car")
    areas = [outline.area for outline in sample.outlines]
    assert areas == pytest.approx([areas[0]] * 5)
    # A car of 4.1 to 4.8 by 1.7 to 1.9 metres, 0.1 m a pixel.
    assert 697 <= areas[0] <= 912
    places = np.array([outline.centroid.coords[0] for outline in sample.outlines])
    assert np.hypot(*(places[-1] - places[0])) > 60


def test_a_camera_that_looks_away_comes_back():
    sample = render_series("car", 1, 15, width=160, height=160, leaves=True)
    seen = sample.masks.any((1, 2))
    assert seen[0]
    assert seen[-1]
    assert not seen.all()


def test_names_tell_dates_and_places():
    lake = series("lake")
    assert [date_in_name(name) for name in lake.names] == sorted(map(date_in_name, lake.names))
    assert date_in_name(lake.names[0]) == "1995-07-05"
    assert lake.crs is not None
    assert lake.transform.a == lake.gsd
    flight = series("car")
    assert flight.names[1] == "0.2 s"
    assert flight.crs is None


def test_what_makes_no_sense_and_stopping():
    with pytest.raises(SceneError, match="lake, quarry"):
        render_series("sea", 1)
    with pytest.raises(SceneError, match="2 to 400 frames"):
        render_series("lake", 1, 1)
    with pytest.raises(Cancelled):
        render_series("lake", 1, 2, width=128, height=128, cancelled=lambda: True)

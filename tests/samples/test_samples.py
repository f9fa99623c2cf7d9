from __future__ import annotations

import numpy as np
import pytest
import rasterio
from rasterio.io import MemoryFile

from rsam_core.errors import SceneError
from rsam_core.samples import (
    GALLERY,
    STYLES,
    TownSample,
    gallery_sample,
    render_relief,
    render_town,
    truth_mask,
    write_geotiff,
)
from rsam_core.samples.light import Sun, cast_shadow
from rsam_core.samples.raster import coverage
from tests.helpers.towns import rendered


@pytest.fixture(scope="module")
def suburb() -> TownSample:
    return rendered(400, 320, gsd=0.3, seed=11, style="suburb")


@pytest.fixture(scope="module")
def later() -> TownSample:
    return rendered(400, 320, gsd=0.3, seed=11, style="suburb", date=1)


def areas(sample: TownSample, cls: str) -> np.ndarray:
    """Pixels of every instance of a class."""
    counts = np.bincount(sample.labels.ravel())
    return np.array([counts[label] for label, name in sample.classes.items() if name == cls])


def test_same_seed_gives_the_same_picture(suburb):
    again = render_town(400, 320, gsd=0.3, seed=11, style="suburb")
    other = render_town(400, 320, gsd=0.3, seed=12, style="suburb")
    assert np.array_equal(again.image, suburb.image)
    assert np.array_equal(again.labels, suburb.labels)
    assert again.classes == suburb.classes
    assert (other.labels != suburb.labels).mean() > 0.2


def test_image_and_labels_have_the_asked_size_and_type(suburb):
    assert suburb.image.shape == (320, 400, 3)
    assert suburb.image.dtype == np.uint8
    assert suburb.labels.shape == (320, 400)
    assert suburb.labels.dtype == np.int32
    assert suburb.image.std() > 20
    assert 80 < suburb.image.mean() < 170


@pytest.mark.parametrize("style", STYLES)
def test_every_style_renders_with_consistent_labels(style):
    sample = render_town(240, 180, gsd=0.6, seed=4, style=style)
    present = set(np.unique(sample.labels).tolist()) - {0}
    assert present == set(sample.classes) == set(range(1, len(present) + 1))
    assert {"road", "tree"} <= set(sample.classes.values())
    assert sample.image.std() > 12
    union = np.zeros(sample.labels.shape, bool)
    for cls in set(sample.classes.values()):
        mask = truth_mask(sample, cls)
        assert not (mask & union).any()
        union |= mask
    assert np.array_equal(union, sample.labels > 0)


def test_truth_of_an_unknown_class_is_empty(suburb):
    assert not truth_mask(suburb, "volcano").any()


@pytest.mark.parametrize("compress", ["lzw", "jpeg"])
def test_geotiff_round_trip(suburb, compress, tmp_path):
    path = tmp_path / "town.tif"
    data = write_geotiff(suburb, path, compress=compress)
    assert path.read_bytes() == data
    with MemoryFile(data) as memory, memory.open() as source:
        assert source.crs == rasterio.CRS.from_string(suburb.crs)
        assert source.crs.is_projected
        assert source.transform == suburb.transform
        assert source.res == pytest.approx((0.3, 0.3))
        pixels = np.moveaxis(source.read(), 0, 2)
    difference = np.abs(pixels.astype(int) - suburb.image)
    assert difference.max() == 0 if compress == "lzw" else difference.mean() < 6


def test_two_dates_share_most_roofs_and_differ_in_some(suburb, later):
    assert suburb.transform == later.transform
    assert suburb.crs == later.crs
    before = rendered(300, 225, gsd=0.8, seed=11)
    after = rendered(300, 225, gsd=0.8, seed=11, date=1)
    first, second = truth_mask(before, "roof"), truth_mask(after, "roof")
    size = np.bincount(before.labels.ravel())
    shared = np.bincount(before.labels.ravel(), second.ravel()) / np.maximum(size, 1)
    houses = [i for i, c in before.classes.items() if c == "roof" and size[i] > 60]
    stay, gone = np.mean(shared[houses] > 0.6), np.mean(shared[houses] < 0.1)
    assert stay > 0.8
    assert 0 < gone < 0.2
    assert (second & ~first).sum() > 100
    assert not np.array_equal(truth_mask(before, "car"), truth_mask(after, "car"))


def test_cars_have_plausible_sizes(suburb):
    square_metres = areas(suburb, "car") * suburb.gsd**2
    assert len(square_metres) > 5
    assert np.mean((square_metres > 4) & (square_metres < 14)) > 0.8
    assert 6 < np.median(square_metres) < 9.5


def test_roofs_and_crowns_stand_above_streets(suburb):
    town, high = render_relief(400, 320, gsd=0.3, seed=11, style="suburb")
    assert np.array_equal(town.image, suburb.image)
    assert np.array_equal(town.labels, suburb.labels)
    assert high.shape == (320, 400)
    assert np.all(high[truth_mask(suburb, "road")] == 0)
    roofs, cars = high[truth_mask(suburb, "roof")], high[truth_mask(suburb, "car")]
    assert 2 < np.percentile(roofs, 5) < np.median(roofs) < 12
    assert 0.5 < np.median(cars) < 2.5
    assert np.median(high[truth_mask(suburb, "tree")]) > 2


def test_areas_scale_with_the_square_of_the_ground_distance(suburb):
    coarse = rendered(200, 160, gsd=0.6, seed=11, style="suburb")
    fine_area = truth_mask(suburb, "roof").sum() * 0.3**2
    coarse_area = truth_mask(coarse, "roof").sum() * 0.6**2
    assert fine_area > 500
    assert coarse_area == pytest.approx(fine_area, rel=0.03)
    assert suburb.transform.a == 0.3
    assert coarse.transform.a == 0.6


def test_coverage_of_shapes_worked_by_hand():
    square = np.array([[1.25, 1.0], [3.5, 1.0], [3.5, 2.5], [1.25, 2.5]])
    alpha = coverage([square], (4, 5))
    expected = np.zeros((4, 5))
    expected[1, 1:4] = 0.75, 1.0, 0.5
    expected[2, 1:4] = 0.375, 0.5, 0.25
    assert alpha == pytest.approx(expected, abs=1e-6)
    ring = [square, np.array([[2.0, 1.0], [2.0, 2.0], [3.0, 2.0], [3.0, 1.0]])]
    assert coverage(ring, (4, 5)).sum() == pytest.approx(2.25 * 1.5 - 1.0)
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    disc = np.stack([20.3 + 9 * np.cos(turn), 19.6 + 9 * np.sin(turn)], axis=1)
    assert coverage([disc], (40, 40)).sum() == pytest.approx(np.pi * 81, rel=0.002)


def test_shadow_is_as_long_as_the_sun_is_low():
    height = np.zeros((9, 60), np.float32)
    height[:, 10:14] = 5.0
    sun = Sun(azimuth=np.pi, elevation=np.deg2rad(45.0))  # from the left: shadow to the right
    depth = cast_shadow(height, sun, gsd=0.5)
    shaded = np.flatnonzero(depth[4] > 0.05)
    assert shaded.min() == 14
    # 5 m at 45 degrees is 5 m of shadow, 10 pixels of half a metre.
    assert len(shaded) == pytest.approx(10, abs=1)
    assert not (depth[4, :14] > 0.05).any()


def test_roof_faces_differ_in_light():
    sun = Sun(azimuth=0.0, elevation=np.deg2rad(40.0))
    towards, away = sun.on_plane(-0.5, 0.0), sun.on_plane(0.5, 0.0)
    assert sun.on_plane(0.0, 0.0) == pytest.approx(1.0)
    assert towards > 1.2 > 0.8 > away


def test_bad_requests_say_what_to_do():
    with pytest.raises(SceneError, match="Choose one of"):
        render_town(64, 64, style="moon base")
    with pytest.raises(SceneError, match="ground sample distance"):
        render_town(64, 64, gsd=50)
    with pytest.raises(SceneError, match="seed"):
        render_town(64, 64, seed=-1)
    with pytest.raises(SceneError, match="size"):
        render_town(4, 4)


def test_gallery_offers_two_dates_and_several_scales(monkeypatch):
    assert 4 <= len(GALLERY) <= 6
    keys = [entry.key for entry in GALLERY]
    assert len(set(keys)) == len(keys)
    assert {entry.kwargs.get("date", 0) for entry in GALLERY} == {0, 1}
    assert len({entry.kwargs["gsd"] for entry in GALLERY}) >= 3
    seen = {}
    monkeypatch.setattr("rsam_core.samples.gallery.render_town", lambda **k: seen.update(k))
    gallery_sample(GALLERY[0].key)
    assert seen["title"] == GALLERY[0].title
    assert seen["style"] == GALLERY[0].kwargs["style"]
    with pytest.raises(SceneError, match="harbour"):
        gallery_sample("atlantis")

"""Numbers that describe objects, against shapes and colours that are known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rsam_core.errors import Cancelled, ClassifyError
from rsam_core.objects.instances import Instance, Instances
from rsam_core.scene.window import Window
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.features.extraction import (
    SHAPE,
    EmbeddedView,
    FeatureSettings,
    extract,
    shape_features,
)


class Flat:
    """A scene that is an array."""

    def __init__(self, bands: np.ndarray) -> None:
        self.bands, (self.height, self.width, self.count) = bands, bands.shape
        self.view_bands = (1, 2, 3)
        self.band_names = ("red", "green", "blue", "nir")[: self.count]

    def read_rgb(self, window: Window | None = None, max_size: int | None = None) -> np.ndarray:
        return self.read_bands(window)[..., :3]

    def read_bands(self, window: Window | None = None) -> np.ndarray:
        w = window or Window(0, 0, self.width, self.height)
        return self.bands[w.y : w.y + w.height, w.x : w.x + w.width]


def disc(radius: int) -> np.ndarray:
    y, x = np.indices((2 * radius + 1, 2 * radius + 1)) - radius
    return x**2 + y**2 <= radius**2


def shape(mask: np.ndarray) -> dict[str, float]:
    values = shape_features(Instances([Instance(mask)], (200, 200)))[0]
    return dict(zip(SHAPE, values.tolist()))


def test_shape_of_a_rectangle_a_disc_and_a_frame():
    bar = shape(np.ones((20, 60), bool))
    assert np.exp(bar["log_area"]) == pytest.approx(1200)
    assert np.exp(bar["log_perimeter"]) == pytest.approx(160)
    assert bar["solidity"] == pytest.approx(1, abs=1e-3)
    assert bar["rectangularity"] == pytest.approx(1, abs=1e-3)
    assert bar["elongation"] == pytest.approx(1 - 20 / 60, abs=0.01)
    assert np.exp(bar["log_short_side"]) == pytest.approx(20, abs=0.1)
    assert np.exp(bar["log_long_side"]) == pytest.approx(60, abs=0.1)
    round_ = shape(disc(30))
    assert round_["compactness"] > 0.85 > bar["compactness"]
    assert round_["extent"] == pytest.approx(np.pi / 4, abs=0.03)
    assert round_["elongation"] == pytest.approx(0, abs=0.02)
    frame = np.ones((20, 20), bool)
    frame[5:9, 5:9] = frame[12:15, 12:15] = False
    assert np.expm1(shape(frame)["holes"]) == pytest.approx(2)
    assert shape(np.ones((1, 1), bool))["log_area"] == 0


def test_colour_and_contrast_belong_to_the_object_alone():
    image = np.full((60, 80, 4), 40, np.uint8)
    image[..., 3] = 100
    image[20:40, 20:50] = (200, 30, 30, 250)
    objects = Instances([Instance(np.ones((20, 30), bool), 20, 20),
                         Instance(np.ones((10, 10), bool), 0, 0)], (60, 80))  # fmt: skip
    found = extract(objects, Flat(image), settings=FeatureSettings(shape=False))
    red, grey = (dict(zip(found.names, row.tolist())) for row in found.values)
    assert red["red_mean"] == pytest.approx(200 / 260, abs=1e-3)
    assert red["lightness_spread"] == pytest.approx(0, abs=1e-3)
    assert red["green_red_contrast"] > 40
    assert grey["green_red_contrast"] == pytest.approx(0, abs=1e-3)
    assert grey["saturation"] == pytest.approx(0)
    assert (red["band_4_mean"], grey["band_4_mean"]) == (250, 100)
    assert sum(red[f"pattern_{i}"] for i in range(10)) == pytest.approx(1)


def test_texture_tells_rough_from_smooth():
    image = np.full((40, 80, 3), 120, np.uint8)
    image[:, 40:] = np.random.default_rng(0).integers(60, 180, (40, 40, 1))
    mask = np.ones((30, 30), bool)
    objects = Instances([Instance(mask, 2, 5), Instance(mask, 45, 5)], (40, 80))
    found = extract(objects, Flat(image))
    smooth, rough = (dict(zip(found.names, row.tolist())) for row in found.values)
    for name in ("edge_mean", "fine_texture", "coarse_texture", "lightness_spread"):
        assert smooth[name] == pytest.approx(0, abs=1e-3)
        assert rough[name] > 1


def view_of(maps: np.ndarray, height: int, width: int, **place: float) -> EmbeddedView:
    """A view whose feature map is known."""
    features = SimpleNamespace(maps=SimpleNamespace(features=torch.tensor(maps)[None]))
    return EmbeddedView(Embedding(features, (height, width), ("x", "fake")), **place)


def pooled(objects: Instances, *views: EmbeddedView) -> np.ndarray:
    flat = Flat(np.zeros((*objects.shape, 3), np.uint8))
    return extract(objects, flat, views, FeatureSettings(False, False)).values


def test_model_features_are_weighed_by_the_share_of_each_cell():
    maps = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    half = Instance(np.ones((8, 8), bool), 4, 0)
    quarter = Instance(np.ones((4, 12), bool), 16, 12)
    objects = Instances([half, quarter], (24, 32))
    # The first covers cells 0 and 1 alike; the second 32 pixels of cell 6 and 16 of cell 7.
    expected = [[0.5], [(32 * 6 + 16 * 7) / 48]]
    assert pooled(objects, view_of(maps, 24, 32)) == pytest.approx(np.array(expected))


def test_model_features_of_a_shifted_and_reduced_view():
    maps = np.arange(12, dtype=np.float32).reshape(1, 3, 4)
    one = Instances([Instance(np.ones((16, 16), bool), 48, 36)], (100, 100))
    # At half size a cell spans 16 scene pixels; the view begins at (32, 20).
    assert pooled(one, view_of(maps, 24, 32, x=32, y=20, scale=0.5)).tolist() == [[5.0]]


def test_two_views_share_an_object_by_what_they_see_of_it():
    low, high = np.zeros((1, 2, 2), np.float32), np.ones((1, 2, 2), np.float32)
    one = Instances([Instance(np.ones((8, 12), bool), 8, 0)], (16, 32))
    views = view_of(low, 16, 16), view_of(high, 16, 16, x=16)
    assert pooled(one, *views)[0, 0] == pytest.approx(1 / 3)


def test_without_a_view_of_every_object_the_model_is_left_out():
    maps = np.ones((4, 2, 2), np.float32)
    objects = Instances([Instance(np.ones((4, 4), bool), x, 0) for x in (0, 24)], (16, 32))
    flat = Flat(np.zeros((16, 32, 3), np.uint8))
    found = extract(objects, flat, [view_of(maps, 16, 16)])
    assert not [name for name in found.names if name.startswith("model_")]
    with pytest.raises(ClassifyError, match="has not seen all objects"):
        extract(objects, flat, [view_of(maps, 16, 16)], FeatureSettings(False, False))
    assert len(extract(objects[:1], flat, [view_of(maps, 16, 16)]).names) == len(found.names) + 4


def test_rows_follow_the_objects_and_are_finite(town, town_embedding):
    from rsam_core.samples import write_geotiff
    from rsam_core.scene.scene import open_scene

    objects = Instances.from_label_map(town.labels)
    scene = open_scene(write_geotiff(town), name="town.tif")
    found = extract(objects, scene, [EmbeddedView(town_embedding)])
    assert found.values.shape == (len(objects), len(found.names))
    assert np.isfinite(found.values).all()
    assert (found.ids == objects.ids).all()
    assert np.exp(found.values[:, 0]) == pytest.approx(objects.areas, rel=1e-5)
    again = extract(objects[3:5], scene, [EmbeddedView(town_embedding)])
    assert again.values == pytest.approx(found.values[3:5], abs=1e-5)


def test_wrong_size_stop_and_no_features():
    flat = Flat(np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(ClassifyError, match="another size"):
        extract(Instances.empty((5, 5)), flat)
    with pytest.raises(ClassifyError, match="at least one kind"):
        FeatureSettings(False, False, False)
    one = Instances([Instance(np.ones((2, 2), bool))], (10, 10))
    with pytest.raises(Cancelled):
        extract(one, flat, cancelled=lambda: True)
    assert extract(Instances.empty((10, 10)), flat).values.shape[0] == 0

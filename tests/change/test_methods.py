"""Figures by hand, and methods on pictures whose change is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, jaccard_score

from rsam_core.change.anychange import AnyChangeSettings, anychange, anychange_settings
from rsam_core.change.methods import change_vectors, image_difference, ndvi_difference
from rsam_core.change.metrics import (
    ChangeCounts,
    TrueChange,
    alarms_per_km2,
    bootstrap,
    object_counts,
    pixel_counts,
)
from rsam_core.errors import ChangeError, MetricError
from rsam_core.models.tiny.model import load_tiny
from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.segment.segmenter import Segmenter

SHAPE = (96, 128)


def block(x: int, y: int, side: int = 10) -> Crop:
    return Crop(np.ones((side, side), bool), x, y)


def dates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise around mid-grey; a bright block at the second date."""
    rng = np.random.default_rng(1)
    before = rng.normal(110, 4, (*SHAPE, 3)).clip(0, 255)
    after = before + rng.normal(0, 3, before.shape)
    after[30:60, 40:80] += 90
    truth = np.zeros(SHAPE, bool)
    truth[30:60, 40:80] = True
    return before.astype(np.uint8), after.clip(0, 255).astype(np.uint8), truth


def test_pixel_figures_agree_with_sklearn():
    rng = np.random.default_rng(0)
    truth, found = rng.random(SHAPE) < 0.3, rng.random(SHAPE) < 0.4
    counts = pixel_counts(truth, found)
    assert counts.kappa == pytest.approx(cohen_kappa_score(truth.ravel(), found.ravel()))
    assert counts.iou == pytest.approx(jaccard_score(truth.ravel(), found.ravel()))
    assert counts.tp + counts.fp + counts.fn + counts.tn == truth.size
    half = np.zeros(SHAPE, bool)
    half[:, :64] = True
    assert pixel_counts(truth, found, half).tp == (truth & found)[:, :64].sum()
    assert math.isnan(ChangeCounts(0, 0, 0, 9).f1)
    with pytest.raises(MetricError, match="one grid"):
        pixel_counts(truth, found[:5])


def test_objects_are_matched_once_and_by_kind():
    truth = [TrueChange("new", (block(0, 0),)), TrueChange("gone", (block(50, 50),))]
    found = [
        ("new", block(1, 0)),
        ("new", block(0, 1)),  # the same house again
        ("new", block(50, 50)),  # the right place, the wrong kind
        ("gone", block(90, 10)),
    ]
    assert object_counts(truth, found) == ChangeCounts(2, 2, 0)
    assert object_counts(truth, found, "new") == ChangeCounts(1, 2, 0)
    assert object_counts(truth, found, "gone") == ChangeCounts(0, 1, 1)
    cars = [block(88, 8, 14)]
    assert object_counts(truth, found, "gone", ignored=cars) == ChangeCounts(0, 0, 1)
    # IoU of two squares of side 10 that are 4 apart: 60 / 140.
    assert object_counts(truth[:1], [("new", block(4, 0))]).tp == 0
    assert object_counts(truth[:1], [("new", block(4, 0))], threshold=0.42).tp == 1


def test_alarms_and_intervals():
    # 500 × 400 pixels of 0.5 m are 0.05 km².
    assert alarms_per_km2(3, 500 * 400, 0.5) == pytest.approx(60)
    pairs = [ChangeCounts(8, 2, 1), ChangeCounts(5, 5, 5), ChangeCounts(9, 0, 1)]
    value, low, high = bootstrap(pairs, lambda c: c.f1)
    assert value == pytest.approx(2 * 22 / (2 * 22 + 7 + 7))
    assert 0.5 <= low < value < high <= 2 * 9 / 19 + 1e-9
    assert bootstrap(pairs, lambda c: c.f1) == (value, low, high)
    assert math.isnan(bootstrap(pairs[:1], lambda c: c.f1)[1])
    assert all(math.isnan(v) for v in bootstrap([], lambda c: c.f1))


@pytest.mark.parametrize("method", [image_difference, change_vectors])
def test_differencing_finds_a_bright_block(method):
    before, after, truth = dates()
    found = method(before, after, np.ones(SHAPE, bool))
    assert pixel_counts(truth, found).f1 > 0.97
    hidden = np.ones(SHAPE, bool)
    hidden[30:45] = False
    assert not method(before, after, hidden)[30:45].any()
    same = np.full((*SHAPE, 3), 7, np.uint8)
    assert not method(same, same, np.ones(SHAPE, bool)).any()


def test_vegetation_that_went():
    before = np.zeros((*SHAPE, 4), np.uint8)
    before[..., 0], before[..., 3] = 50, 150  # index 0.5
    after = before.copy()
    after[:20, :, 3] = 75  # 0.2
    after[20:40, :, 3] = 120  # 0.41: less than the step
    found = ndvi_difference(before, after, np.ones(SHAPE, bool))
    assert found[:20].all()
    assert not found[20:].any()
    with pytest.raises(ChangeError, match="near infrared"):
        ndvi_difference(before[..., :3], after, np.ones(SHAPE, bool))


def test_anychange_keeps_masks_whose_features_turned():
    before, after, truth = dates()
    segmenter = Segmenter(load_tiny())
    changed = Instance(truth)
    still = Instance(np.ones((24, 30), bool), 90, 66)
    masks = ([still], [changed])
    valid = np.ones(SHAPE, bool)
    found = anychange(segmenter, before, after, valid, objects=masks)
    strict = anychange(
        segmenter, before, after, valid, AnyChangeSettings(angle=10.0), objects=masks
    )
    loose = anychange(
        segmenter, before, after, valid, AnyChangeSettings(angle=179.99), objects=masks
    )
    assert found[45, 60]
    assert not found[70:].any()
    assert not strict.any()
    assert loose[80, 100]


def test_published_settings_belong_to_official_sam():
    published = anychange_settings("sam-vit-b")
    assert (published.angle, published.quality, published.stability) == (155.0, 0.5, 0.95)
    assert anychange_settings("rsam-tiny").stability is None

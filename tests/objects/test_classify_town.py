"""Labels by example on a rendered town with five classes."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rsam_core.objects.classify.by_example import train
from rsam_core.objects.instances import Instances
from rsam_core.samples import write_geotiff
from rsam_core.scene.scene import open_scene
from rsam_core.segment.features.extraction import EmbeddedView, extract
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.towns import rendered

KINDS = {
    "roof": "building",
    "road": "road",
    "paved": "road",
    "tree": "vegetation",
    "bush": "vegetation",
    "hedge": "vegetation",
    "car": "vehicle",
    "truck": "vehicle",
    "field": "field",
}


@pytest.fixture(scope="module")
def village(tiny):
    town = rendered(900, 768, seed=42, style="village")
    objects = Instances.from_label_map(town.labels).filter_area(min=30)
    scene = open_scene(write_geotiff(town), name="village.tif")
    view = EmbeddedView(Segmenter(tiny).embed(town.image))
    labels = np.array([KINDS.get(town.classes[int(id)], "") for id in objects.ids])
    return objects, scene, view, labels


@pytest.mark.parametrize("with_model", [True, False])
def test_five_examples_of_five_classes_tell_the_rest(village, with_model):
    objects, scene, view, truth = village
    counts = Counter(truth[truth != ""])
    assert len(counts) == 5
    assert min(counts.values()) >= 10
    features = extract(objects, scene, [view] if with_model else ())
    shares = []
    for draw in range(2):
        rng = np.random.default_rng(draw)
        chosen = np.concatenate(
            [rng.choice(np.flatnonzero(truth == name), 5, False) for name in counts]
        )
        given = [str(truth[i]) if i in chosen else None for i in range(len(truth))]
        told = np.array(train(features, given).predict(features).labels)
        rest = (truth != "") & ~np.isin(np.arange(len(truth)), chosen)
        shares.append(np.mean(told[rest] == truth[rest]))
    assert np.mean(shares) > 0.9

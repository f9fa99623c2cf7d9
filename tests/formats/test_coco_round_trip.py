"""What is written as COCO is read as the same objects."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.formats.coco import CocoFile, to_coco
from rsam_core.formats.coco.run_lengths import decode, encode
from rsam_core.formats.placement import Place
from rsam_core.objects.instances import Instance, Instances

SHAPE = (40, 60)


def _objects() -> Instances:
    ring = np.ones((9, 11), bool)
    ring[3:6, 4:8] = False
    stairs = np.tril(np.ones((12, 12), bool))
    return Instances(
        [
            Instance(ring, 0, 0, label="yard"),
            Instance(stairs, 48, 28, label="<roof>"),
            Instance(np.ones((40, 1), bool), 30, 0),
        ],
        SHAPE,
    )


@pytest.mark.parametrize("masks", ["polygon", "rle"])
def test_objects_come_back_with_their_masks_and_classes(masks: str) -> None:
    objects = _objects()
    file = CocoFile.open(to_coco(objects, masks=masks, file_name="a/town.png"), "town.json")
    outlines = file.outlines(file.find("town.png"), Place(SHAPE))
    found = [mask.mask for mask in outlines.masks]
    assert [(mask.shape, mask.sum()) for mask in found] == [
        (item.mask.shape, item.mask.sum()) for item in objects
    ]
    for mask, item in zip(outlines.masks, objects):
        assert (mask.x, mask.y) == (item.x, item.y)
        assert (mask.mask == item.mask).all()
    assert outlines.labels == ("yard", "<roof>", "object")
    assert not outlines.notes


def test_random_masks_come_back_from_their_run_lengths() -> None:
    rng = np.random.default_rng(4)
    for _ in range(50):
        height, width = rng.integers(1, 9, 2)
        crop = rng.random((height, width)) < rng.random()
        crop[0, 0] = True
        x, y = rng.integers(0, 4, 2)
        shape = (int(y + height + rng.integers(0, 3)), int(x + width + rng.integers(0, 3)))
        whole = np.zeros(shape, bool)
        whole[y : y + height, x : x + width] = crop
        counts = encode(Instance(crop, int(x), int(y)), shape)
        assert (decode({"size": list(shape), "counts": counts}) == whole).all()

"""Roofs that are copied between crops, and regions of scenes that nobody labelled."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rsam_core.models.tiny.kinds import KINDS
from tests.helpers.models import disc, rectangle
from training.data import Crop, Mixture, Picture
from training.sources import SOME, mixture
from training.superpixels import read_unlabelled, regions
from training.transplant import MOST, transplant

BUILDING, TREE = KINDS.index("building"), KINDS.index("tree")
GROUND, ROOF, MEADOW = (120, 90, 60), (200, 40, 40), (60, 120, 60)


def crop(colour, *objects, kinds=()) -> Crop:
    """A crop of one colour with objects (mask, colour) labelled 1, 2, ..."""
    image = np.full((128, 128, 3), colour, np.uint8)
    labels = np.zeros((128, 128), np.int32)
    for label, (mask, paint) in enumerate(objects, 1):
        image[mask], labels[mask] = paint, label
    return Crop(image, labels, np.array([-1, *kinds], np.int8), "buildings")


def donor() -> Crop:
    return crop(
        GROUND,
        (rectangle((128, 128), 40, 30, 70, 54), ROOF),
        (disc((128, 128), 100, 100, 12), MEADOW),
        (rectangle((128, 128), 0, 90, 20, 120), ROOF),
        kinds=(BUILDING, TREE, BUILDING),
    )


def test_whole_roofs_are_copied_with_their_shape_their_colour_and_a_label():
    target = crop(MEADOW, (disc((128, 128), 20, 20, 10), GROUND), kinds=(TREE,))
    before = target.labels.copy()
    for seed in range(20):
        result = transplant(target, donor(), np.random.default_rng(seed))
        new = result.labels == 2
        # Of three objects one is a tree and one is cut by the border: the third comes, once.
        assert set(np.unique(result.labels)) == {0, 1, 2}
        assert new.sum() == 30 * 24
        rows, columns = np.flatnonzero(new.any(1)), np.flatnonzero(new.any(0))
        assert (len(rows), len(columns)) == (24, 30), "not the shape that was copied"
        assert result.kinds.tolist() == [-1, TREE, BUILDING]
        # The light of the two places differs, so colours may move, by as much in the whole roof.
        inner = result.image[cv2.erode(new.astype(np.uint8), np.ones((5, 5))) > 0].astype(int)
        moved = inner - ROOF
        assert (np.ptp(moved, axis=0) <= 2).all()
        light = np.subtract(target.image.mean((0, 1)), donor().image.mean((0, 1)))
        assert (np.abs(moved[0]) <= np.abs(light) + 2).all()
    assert (target.labels == before).all(), "the crop itself was changed"


def test_a_copied_roof_stands_on_free_ground_and_far_pixels_stay():
    target = crop(
        MEADOW, (rectangle((128, 128), 0, 0, 128, 60), GROUND), kinds=(BUILDING,)
    )  # fmt: skip
    placed = 0
    for seed in range(30):
        result = transplant(target, donor(), np.random.default_rng(seed))
        if result is target:
            continue
        placed += 1
        new = result.labels > 1
        assert (result.labels[:60] == 1).all(), "a roof hides what stood there"
        near = cv2.dilate(new.astype(np.uint8), np.ones((21, 21))) > 0
        assert (result.image[~near] == target.image[~near]).all()
        # Its own ground comes along: the pasted edge is not the roof's edge.
        ring = (cv2.dilate(new.astype(np.uint8), np.ones((3, 3))) > 0) & ~new
        assert np.abs(result.image[ring].astype(int) - MEADOW).sum(1).min() > 25
    assert placed > 10


def test_nothing_is_copied_without_a_roof_or_without_room():
    empty, rng = crop(GROUND), np.random.default_rng(0)
    assert transplant(crop(MEADOW), empty, rng).labels.max() == 0
    full = crop(MEADOW, (np.ones((128, 128), bool), GROUND), kinds=(BUILDING,))
    result = transplant(full, donor(), rng)
    assert (result.labels == 1).all()
    assert (result.image == full.image).all()
    unknown = donor()
    unknown.kinds = None
    assert transplant(crop(MEADOW), unknown, rng).labels.max() == 0


def test_many_roofs_keep_apart():
    many = crop(
        GROUND,
        *(
            (rectangle((128, 128), x, y, x + 14, y + 12), ROOF)
            for x in (20, 50, 80)
            for y in (20, 60)
        ),
        kinds=[BUILDING] * 6,
    )
    counts = set()
    for seed in range(20):
        result = transplant(crop(MEADOW), many, np.random.default_rng(seed))
        labels = np.unique(result.labels)[1:]
        counts.add(len(labels))
        assert [int((result.labels == i).sum()) for i in labels] == [14 * 12] * len(labels)
        pieces, _ = cv2.connectedComponents((result.labels > 0).astype(np.uint8))
        assert pieces - 1 == len(labels), "two roofs touch"
    assert counts <= set(range(MOST + 1))
    assert max(counts) == MOST


@pytest.mark.parametrize(("lent", "expected"), [(0.0, 0), (1.0, 40)])
def test_a_mixture_lends_to_as_many_crops_as_it_is_told(lent, expected):
    asked = []

    def lend(one: Crop, other: Crop, rng: np.random.Generator) -> Crop:
        asked.append((one, other))
        return one

    picture = Picture(donor().image, [donor().labels])
    source = Mixture([(1, [picture])], lend, lent)
    for seed in range(40):
        source.draw_crop(np.random.default_rng(seed))
    assert len(asked) == expected
    assert all(one is not other for one, other in asked)


# ------------------------------------------------------------------ regions of unlabelled scenes


def scene(noise: float = 4.0) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A meadow with a pond and a house, and what is uneven but no thing."""
    rng = np.random.default_rng(3)
    shape = (240, 320)
    things = {"pond": disc(shape, 90, 120, 40), "house": rectangle(shape, 200, 60, 260, 100)}
    image = np.full((*shape, 3), (90, 140, 70), np.float32)
    image[things["pond"]] = (40, 70, 130)
    image[things["house"]] = (180, 90, 80)
    # A slow change of light has no border.
    image += np.linspace(-12, 12, 320)[None, :, None]
    image += rng.normal(0, noise, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), things


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / (a | b).sum()


def test_drawn_things_are_regions():
    image, things = scene()
    levels = regions(image)
    assert levels
    for name, thing in things.items():
        best = max(iou(labels == i, thing) for labels in levels for i in np.unique(labels)[1:])
        assert best > 0.85, name


def test_ground_without_borders_is_no_region():
    rng = np.random.default_rng(1)
    image = np.full((200, 200, 3), (110, 110, 90), np.float32)
    image += np.linspace(-40, 40, 200)[:, None, None] + rng.normal(0, 6, image.shape)
    assert regions(np.clip(image, 0, 255).astype(np.uint8)) == []


def test_scenes_of_a_folder_become_pictures_of_some_objects(tmp_path):
    image, _ = scene()
    cv2.imwrite(str(tmp_path / "a.png"), image[..., ::-1])
    (tmp_path / "notes.txt").write_text("no picture")
    small = read_unlabelled(tmp_path, longest=160)
    assert [p.image.shape for p in small] == [(120, 160, 3)]
    source = mixture(tmp_path / "none", None, unlabelled=tmp_path)
    assert len(source.sources) == 1
    crop = source.draw_crop(np.random.default_rng(0), 128)
    assert crop.labelled == SOME
    assert crop.labels.any()
    # What the regions are is not known.
    assert (crop.kinds == -1).all()
    with pytest.raises(ValueError, match="no training pictures"):
        mixture(tmp_path / "none", None, held_out=True, unlabelled=tmp_path)

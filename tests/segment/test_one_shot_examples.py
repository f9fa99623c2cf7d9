"""Describing objects, and which examples suit which image."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

import rsam_core as rsam
from rsam_core.errors import Cancelled, OneShotError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.features.extraction import SHAPE as NUMBERS
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot import in_view, make_example
from rsam_core.segment.one_shot.descriptors import ArrayScene, describe, ring
from rsam_core.segment.one_shot.examples import check_examples
from tests.helpers.shots import REDS, SHAPE, embedding, item_at, lawn, scene, segmenter, shown


def test_the_ring_is_what_lies_within_twelve_pixels():
    item = item_at((60, 70))
    around = ring(item, SHAPE)
    found = np.zeros(SHAPE, bool)
    x0, y0, x1, y1 = around.bbox
    found[y0:y1, x0:x1] = around.mask
    inside = np.zeros(SHAPE, bool)
    inside[70:98, 60:88] = True
    distance = distance_transform_edt(~inside)
    assert not (found & inside).any()
    assert found[(distance > 0) & (distance <= 11)].all()
    assert not found[distance > 13].any()


def test_the_ring_ends_at_the_image_and_a_full_image_has_none():
    around = ring(Instance(np.ones((10, 10), bool), 0, 182), SHAPE)
    x0, y0, x1, y1 = around.bbox
    assert (x0, y0, x1, y1) == (0, 170, 22, 192)
    everything = Instance(np.ones(SHAPE, bool))
    assert ring(everything, SHAPE) is everything


def test_features_inside_and_around_are_means_of_the_model_s_maps():
    item = Instance(np.ones((32, 40), bool), 48, 64)
    found = describe(Instances([item], SHAPE), scene(), [shown()], "rsam-tiny")
    maps = embedding().features.maps.features[0].double().numpy()
    wanted = maps[:, 8:12, 6:11].mean((1, 2))
    np.testing.assert_allclose(found.inside[0], wanted, rtol=1e-3, atol=1e-4)
    all_cells = maps[:, :24, :32].reshape(len(maps), -1)
    np.testing.assert_allclose(found.centre, all_cells.mean(1), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.spread, all_cells.std(1), rtol=1e-2, atol=1e-4)
    assert found.shape.shape == (1, len(NUMBERS))
    area = found.shape[0, NUMBERS.index("log_area")]
    assert area == pytest.approx(np.log(32 * 40), abs=0.02)


def test_sizes_are_carried_to_another_ground_distance():
    item = Instances([item_at((60, 70))], SHAPE)
    fine = describe(item, scene(0.3), [shown()], "rsam-tiny")
    coarse = fine.at(0.6)
    assert coarse.gsd == 0.6
    change = dict(zip(NUMBERS, coarse.shape[0] - fine.shape[0], strict=True))
    # Pixels twice as long: a quarter of them fit in.
    assert change["log_area"] == pytest.approx(-2 * np.log(2))
    for name, value in change.items():
        if name.startswith("log_") and name != "log_area":
            assert value == pytest.approx(-np.log(2)), name
        elif name != "log_area":
            assert value == 0, name
    np.testing.assert_array_equal(fine.at(None).shape, fine.shape)
    assert fine.at(None).gsd == 0.3


def test_descriptions_can_be_joined_and_taken_apart():
    items = Instances([item_at(corner) for corner in REDS[:3]], SHAPE)
    all_three = describe(items, scene(), [shown()], "rsam-tiny")
    assert len(all_three) == 3
    joined = all_three[0].joined(all_three[[False, True, True]])
    np.testing.assert_array_equal(joined.inside, all_three.inside)
    np.testing.assert_array_equal(joined.shape, all_three.shape)
    nothing = describe(Instances.empty(SHAPE), scene(), [shown()], "rsam-tiny")
    assert len(nothing) == 0
    assert nothing.joined(all_three) is all_three
    assert all_three.joined(nothing) is all_three


class ByPlace:
    """A model that says of each object how large it is and where it lies in the view."""

    names = True

    def name_objects(self, features, objects):
        rows = np.zeros((len(objects), 10), np.float32)
        for row, one in zip(rows, objects, strict=True):
            row[:4] = one.x, one.y, one.mask.shape[1], one.mask.shape[0]
        return rows


def test_a_model_that_names_says_what_described_objects_are():
    items = Instances([item_at(corner) for corner in REDS[:3]], SHAPE)
    known = describe(items, scene(), [shown()], "rsam-tiny", namer=segmenter().model)
    np.testing.assert_array_equal(
        known.kinds, rsam.guess_kinds(items, scene(), segmenter(), views=[shown()]).probabilities
    )
    # As the objects lie in a view at half the size.
    half = EmbeddedView(segmenter().embed(lawn()[::2, ::2]), scale=0.5)
    reduced = describe(items, scene(), [half], "rsam-tiny", namer=ByPlace())
    corners = np.array(REDS[:3]) / 2
    np.testing.assert_array_equal(reduced.kinds[:, :2], corners)
    np.testing.assert_array_equal(reduced.kinds[:, 2:4], 14)
    assert reduced.kinds[0].tolist() == reduced[0].kinds[0].tolist()
    joined = reduced[0].joined(reduced[[False, True, True]])
    np.testing.assert_array_equal(joined.kinds, reduced.kinds)


def test_kinds_that_are_not_known_of_all_are_known_of_none():
    items = Instances([item_at(corner) for corner in REDS[:2]], SHAPE)
    unnamed = describe(items, scene(), [shown()], "rsam-tiny")
    assert unnamed.kinds is None
    named = describe(items, scene(), [shown()], "rsam-tiny", namer=segmenter().model)
    assert named.joined(unnamed).kinds is None
    assert unnamed.joined(named).kinds is None
    assert unnamed[0].kinds is None


def test_an_object_outside_all_views_is_told():
    part = EmbeddedView(segmenter().embed(lawn()[:64, :64]))
    with pytest.raises(OneShotError, match="outside"):
        describe(Instances([item_at(REDS[5])], SHAPE), scene(), [part], "rsam-tiny")
    with pytest.raises(OneShotError, match="outside"):
        make_example(segmenter(), scene(), part, item_at(REDS[5]))
    with pytest.raises(Cancelled):
        describe(
            Instances([item_at(REDS[5])], SHAPE), scene(), [shown()], "rsam-tiny",
            cancelled=lambda: True,
        )  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_an_object_is_shown_where_the_view_has_it(scale):
    small = segmenter().embed(np.zeros((96, 96, 3), np.uint8))
    view = EmbeddedView(small, 40, 60, scale)
    found = in_view(item_at((60, 70)), view)
    rows, columns = np.nonzero(found)
    box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert box == tuple(np.array([20, 10, 48, 38]) * scale)
    assert found.sum() == (28 * scale) ** 2
    cut = in_view(item_at((30, 50)), view)
    assert cut.sum() == 18 * 18 * scale**2
    assert not in_view(item_at((200, 10)), view).any()


def test_an_object_too_small_for_a_reduced_view_is_told():
    small = EmbeddedView(segmenter().embed(lawn()[::8, ::8].copy()), 0, 0, 0.125)
    speck = Instance(np.ones((8, 8), bool), 104, 40)
    with pytest.raises(OneShotError, match="only 1 pixel"):
        make_example(segmenter(), scene(), small, speck)


def test_an_example_that_covers_the_image_is_refused():
    with pytest.raises(OneShotError, match="whole image"):
        make_example(segmenter(), scene(), shown(), Instance(np.ones(SHAPE, bool)))


@pytest.fixture(scope="module")
def example():
    return make_example(segmenter(), scene(0.3), shown(), item_at(REDS[0]))


def test_an_example_of_the_same_resolution_needs_no_word(example):
    suited, notes = check_examples([example], "rsam-tiny", 0.3)
    assert notes == []
    assert suited[0].description.gsd == 0.3


@pytest.mark.parametrize("gsd", [0.5, 0.18, 1.19])
def test_another_resolution_is_carried_over_with_a_note(example, gsd):
    suited, notes = check_examples([example, example], "rsam-tiny", gsd)
    assert suited[0].description.gsd == gsd
    assert len(notes) == 1
    assert "0.3 m" in notes[0]


@pytest.mark.parametrize("gsd", [1.21, 0.07, 10])
def test_a_very_different_resolution_is_refused(example, gsd):
    with pytest.raises(OneShotError, match="Choose an example in this image"):
        check_examples([example], "rsam-tiny", gsd)


def test_an_unknown_resolution_is_told(example):
    assert "pixels" in check_examples([example], "rsam-tiny", None)[1][0]
    bare = replace(example, description=replace(example.description, gsd=None))
    assert "pixels" in check_examples([bare], "rsam-tiny", 0.5)[1][0]
    assert check_examples([bare], "rsam-tiny", None)[1] == []


def test_examples_of_another_model_or_only_refused_ones_are_told(example):
    with pytest.raises(OneShotError, match="learned by rsam-tiny but the model is now sam-vit-b"):
        check_examples([example], "sam-vit-b", 0.3)
    for wrong in ([], [replace(example, positive=False)]):
        with pytest.raises(OneShotError, match="at least one example"):
            check_examples(wrong, "rsam-tiny", 0.3)


def test_an_array_is_scene_enough():
    one = ArrayScene(lawn(), 0.5)
    assert (one.height, one.width, one.gsd) == (*SHAPE, 0.5)

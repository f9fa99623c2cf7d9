"""Kinds of objects: of one view, tile by tile, and where a model cannot say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import rsam_core as rsam
from rsam_core.errors import Cancelled, ModelError, RsamError
from rsam_core.models.load import load_model
from rsam_core.models.queued import QueuedModel
from rsam_core.models.tiny.kind_head import KindHead
from rsam_core.models.tiny.kinds import KINDS, OF_RENDERED
from rsam_core.models.tiny.model import TinyModel
from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.kinds import NOT_SURE, Kinds
from rsam_core.segment.one_shot.descriptors import ArrayScene
from tests.helpers.models import FakeModel, disc
from tests.helpers.towns import rendered


class ByBrightness(FakeModel):
    """Knows a kind by the grey value under the mask: `10 k` is kind k, with probability 0.8."""

    names, sure = True, 0.6

    def __init__(self) -> None:
        super().__init__(lambda prompt, multimask: ([np.ones((1, 1), bool)], [1.0]))
        self.asked: list[int] = []

    def encode(self, image: np.ndarray):
        self.encodings += 1
        return image

    def name_objects(self, features, objects):
        self.asked.append(len(objects))
        rows = np.full((len(objects), len(KINDS)), 0.2 / 9, np.float32)
        for row, one in zip(rows, objects):
            y, x = np.nonzero(one.mask)
            y, x = y + one.y, x + one.x
            inside = (y >= 0) & (x >= 0) & (y < features.shape[0]) & (x < features.shape[1])
            value = features[y[inside], x[inside], 0].astype(float).mean()
            row[round(value / 10)] = 0.8
        return rows


def square(x: int, y: int, side: int = 20) -> Instance:
    return Instance(np.ones((side, side), bool), x, y)


def random_head() -> TinyModel:
    torch.manual_seed(3)
    return TinyModel(TinyNetwork(naming=True))


def test_kinds_are_the_likeliest_and_not_sure_below_the_limit():
    shares = np.full((3, 10), 0.01, np.float32)
    shares[0, 2], shares[1, 9], shares[2, 3] = 0.91, 0.59, 0.6
    kinds = Kinds(shares, 0.6)
    assert kinds.names == ["car", NOT_SURE, "tree"]
    assert kinds.highest == pytest.approx([0.91, 0.59, 0.6])
    assert len(kinds) == 3


def test_a_scene_of_several_tiles_is_named_object_by_object():
    # Three tiles wide, two high. Objects lie in the middle, in the overlap and on a tile's edge.
    image = np.zeros((1200, 2500, 3), np.uint8)
    places = [(100, 100, 3), (930, 40, 4), (1015, 500, 5), (2400, 1100, 6), (1800, 885, 7)]
    for x, y, kind in places:
        image[y : y + 20, x : x + 20] = 10 * kind
    objects = Instances([square(x, y) for x, y, _ in places], image.shape[:2])
    model, reports = ByBrightness(), []
    kinds = rsam.guess_kinds(
        objects, ArrayScene(image), rsam.Segmenter(model), progress=lambda f, t: reports.append(f)
    )
    assert kinds.names == [KINDS[kind] for _, _, kind in places]
    assert kinds.probabilities.sum(1) == pytest.approx(np.ones(5), abs=1e-5)
    assert reports == sorted(reports)
    assert reports[0] == 0
    assert max(reports) < 1
    # Only tiles with objects are encoded.
    alone = ByBrightness()
    some = objects.select([objects[0].id])
    assert rsam.guess_kinds(some, ArrayScene(image), rsam.Segmenter(alone)).names == ["tree"]
    assert alone.encodings == 1


def test_what_is_larger_than_a_tile_is_the_mean_of_its_parts():
    image = np.zeros((300, 2816, 3), np.uint8)
    image[:, :1920], image[:, 1920:] = 40, 60
    road = Instances([Instance(np.ones((10, 2816), bool), 0, 100)], image.shape[:2])
    kinds = rsam.guess_kinds(road, ArrayScene(image), rsam.Segmenter(ByBrightness()))
    # Tiles begin at 0, 896 and 1792 and are 1024 wide: two show kind 4, one kind 6 (its mean is
    # 57.5, of which 60 is the nearest).
    expected = np.full(10, 0.2 / 9)
    expected[4] = (2 * 0.8 + 0.2 / 9) / 3
    expected[6] = (0.8 + 2 * 0.2 / 9) / 3
    assert kinds.probabilities[0] == pytest.approx(expected, abs=1e-3)
    assert kinds.names == [NOT_SURE]


def test_views_at_hand_are_used_and_what_they_do_not_show_is_not_sure():
    image = np.full((100, 300, 3), 20, np.uint8)
    objects = Instances([square(10, 10), square(250, 10)], image.shape[:2])
    segmenter = rsam.Segmenter(ByBrightness())
    left = EmbeddedView(segmenter.embed(image[:, :200]))
    kinds = rsam.guess_kinds(objects, ArrayScene(image), segmenter, views=[left])
    assert kinds.names == ["car", NOT_SURE]
    assert kinds.probabilities[1] == pytest.approx(np.full(10, 0.1))
    small = EmbeddedView(left.embedding, scale=0.5)
    with pytest.raises(RsamError, match="full resolution"):
        rsam.guess_kinds(objects, ArrayScene(image), segmenter, views=[small])


def test_many_objects_are_asked_about_in_turns_and_it_can_be_stopped():
    image = np.full((200, 1000, 3), 30, np.uint8)
    objects = Instances([square(x, 5, 8) for x in range(0, 1000, 10)], image.shape[:2])
    model = ByBrightness()
    assert set(rsam.guess_kinds(objects, ArrayScene(image), rsam.Segmenter(model)).names) == {
        "tree"
    }
    assert sum(model.asked) == 100
    assert max(model.asked) <= 64
    with pytest.raises(Cancelled):
        rsam.guess_kinds(
            objects, ArrayScene(image), rsam.Segmenter(ByBrightness()), cancelled=lambda: True
        )


def test_nothing_to_name_and_objects_of_another_image():
    image = np.zeros((60, 80, 3), np.uint8)
    segmenter = rsam.Segmenter(ByBrightness())
    none = rsam.guess_kinds(Instances([], (60, 80)), ArrayScene(image), segmenter)
    assert none.names == []
    assert none.probabilities.shape == (0, 10)
    with pytest.raises(RsamError, match="81 × 60"):
        rsam.guess_kinds(Instances([], (60, 81)), ArrayScene(image), segmenter)


def test_a_model_that_cannot_name_objects_says_what_to_do():
    image = np.zeros((64, 64, 3), np.uint8)
    objects = Instances([square(10, 10)], (64, 64))
    plain = FakeModel(lambda prompt, multimask: ([np.ones((1, 1), bool)], [1.0]), "mobile-sam")
    assert not plain.names
    with pytest.raises(ModelError, match="Choose rsam-tiny"):
        rsam.guess_kinds(objects, ArrayScene(image), rsam.Segmenter(plain))
    older = TinyModel(TinyNetwork())
    assert not older.names
    with pytest.raises(ModelError, match="install RSAM again"):
        rsam.guess_kinds(objects, ArrayScene(image), rsam.Segmenter(older))


def test_the_embedded_model_gives_probabilities_of_its_head():
    model = random_head()
    model.network.kinds.sure.fill_(0.75)
    image = np.random.default_rng(0).integers(0, 255, (90, 130, 3), np.uint8)
    features = model.encode(image)
    masks = [Crop(disc((30, 30), 15, 15, 12), 20, 30), Crop(np.ones((9, 40), bool), 100, -3)]
    shares = model.name_objects(features, masks)
    assert model.names
    assert model.sure == 0.75
    assert shares.shape == (2, 10)
    assert shares.dtype == np.float32
    assert shares.sum(1) == pytest.approx([1, 1], abs=1e-5)
    # One at a time, and through the queue, it says the same.
    queued = QueuedModel(model, lambda line: torch.no_grad())
    assert queued.names
    assert queued.sure == 0.75
    again = np.concatenate([queued.name_objects(features, [one]) for one in masks])
    assert again == pytest.approx(shares, abs=1e-5)
    assert isinstance(model.network.kinds, KindHead)
    assert model.name_objects(features, []).shape == (0, 10)


@pytest.mark.skipif(not load_model().names, reason="these weights hold no kind head")
def test_the_shipped_weights_know_most_of_a_drawn_town():
    town = rendered(768, 512, gsd=0.3, seed=11)
    items, truth = [], []
    for label, name in town.classes.items():
        mask = town.labels == label
        if mask.sum() >= 60 and OF_RENDERED.get(name) in ("building", "car", "tree", "water"):
            items.append(Instance.from_mask(mask))
            truth.append(OF_RENDERED[name])
    objects = Instances(items, town.labels.shape)
    names = rsam.guess_kinds(objects, ArrayScene(town.image), rsam.Segmenter(load_model())).names
    right = np.array([a == b for a, b in zip(names, truth)])
    for kind in set(truth):
        some = np.array([kind == one for one in truth])
        assert right[some].mean() > 0.5, kind
    assert right.mean() > 0.7

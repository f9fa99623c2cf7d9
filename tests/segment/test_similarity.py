"""The pair network: against the one that was trained, by hand, and what it is good for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.metrics import roc_auc_score

from rsam_core.errors import OneShotError
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instances import Instances
from rsam_core.segment.features.extraction import SHAPE as NUMBERS
from rsam_core.segment.one_shot.descriptors import Descriptions, describe
from rsam_core.segment.one_shot.similarity import WEIGHTS, agreement, comparison_for
from tests.helpers.shots import BLUES, REDS, SHAPE, item_at, scene, segmenter, shown
from training.resemblance import HEAD, HIDDEN, PairNetwork, rows, tensors


def random_objects(count: int, channels: int, seed: int, model: str = "rsam-tiny") -> Descriptions:
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Descriptions(
        draw(count, len(NUMBERS)), draw(count, channels), draw(count, channels),
        draw(channels), np.abs(draw(channels)) + 0.5, model,
        kinds=rng.dirichlet(np.ones(len(KINDS)), count).astype(np.float32),
    )  # fmt: skip


@pytest.mark.parametrize("how", ["head", "plain"])
def test_answers_are_those_of_the_network_that_was_trained(how):
    stored = load_file(WEIGHTS)
    channels = stored["head.project"].shape[1] // 2
    network = PairNetwork(channels, stored["spread"], how == "head")
    state = {
        f"layers.{place}.{part}": torch.from_numpy(stored[f"{how}.{i}.{part}"])
        for i, place in enumerate((0, 3))
        for part in ("weight", "bias")
    }
    if how == "head":
        assert stored["head.project"].shape[0] == HEAD
        state["project.weight"] = torch.from_numpy(stored["head.project"])
    network.load_state_dict(state)
    network.eval()
    assert len(stored[f"{how}.0.bias"]) == HIDDEN
    objects = random_objects(40, channels, 1)
    quality = np.random.default_rng(2).random((40, 2)).astype(np.float32)
    with torch.no_grad():
        everything = tensors(objects, quality)
        wanted = network(rows(everything, [3]), everything).numpy()
    found = comparison_for("rsam-tiny", how).log_odds(objects[3], objects, quality)
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_cosines_are_computed_by_hand():
    objects = random_objects(3, 4, 7)
    quality = np.array([[0.3, 1], [0.5, 1], [0.9, 1]], np.float32)
    found = comparison_for("rsam-tiny", "cosine").log_odds(objects[0], objects, quality)
    for k in range(3):
        inside = [(objects.inside[i] - objects.centre) / objects.spread for i in (0, k)]
        around = [(objects.around[i] - objects.centre) / objects.spread for i in (0, k)]
        change = [a - b for a, b in zip(inside, around, strict=True)]

        def cosine(pair):
            return pair[0] @ pair[1] / np.linalg.norm(pair[0]) / np.linalg.norm(pair[1])

        assert found[k] == pytest.approx(cosine(inside) + cosine(change) + quality[k, 0], abs=1e-4)


def test_agreement_of_kinds_by_hand():
    example = np.array([[0.8, 0.2, 0]], np.float32)
    others = np.array([[0.8, 0.2, 0], [0, 0, 1], [0.2, 0.8, 0]], np.float32)
    found = agreement(example, others, 3)
    np.testing.assert_allclose(found[:, 0], [0.68, 0, 0.32], atol=1e-6)
    np.testing.assert_allclose(found[:, 1], [1, 0, 0.8], atol=1e-6)
    for unknown in (agreement(None, others, 3), agreement(example, None, 3)):
        np.testing.assert_array_equal(unknown, np.full((3, 2), 0.5))


def test_objects_without_kinds_are_compared_as_of_any_kind():
    known = random_objects(6, 128, 2)
    objects = replace(known, kinds=None)
    quality = np.full((6, 2), 0.9, np.float32)
    answers = comparison_for("rsam-tiny").log_odds(objects[0], objects, quality)
    assert np.isfinite(answers).all()
    assert (answers != comparison_for("rsam-tiny").log_odds(known[0], known, quality)).any()


@pytest.mark.parametrize("how", ["head", "plain", "cosine"])
def test_no_candidates_give_no_answers(how):
    one, none = random_objects(1, 64, 0), random_objects(0, 64, 0)
    answers = comparison_for("rsam-tiny", how).log_odds(one, none, np.zeros((0, 2), np.float32))
    assert answers.shape == (0,)


def test_other_models_are_compared_without_the_head():
    assert comparison_for("sam-vit-b").head is None
    assert comparison_for("rsam-tiny").head is not None
    objects = random_objects(5, 256, 3, "sam-vit-b")
    quality = np.full((5, 2), 0.9, np.float32)
    assert np.isfinite(comparison_for("sam-vit-b").log_odds(objects[0], objects, quality)).all()
    with pytest.raises(OneShotError, match="Choose rsam-tiny"):
        comparison_for("rsam-tiny").log_odds(objects[0], objects, quality)


def test_alike_roofs_lie_closest_in_the_projection_then_other_roofs_then_the_lawn():
    corners = (*REDS, *BLUES)
    objects = Instances([item_at(corner) for corner in corners], SHAPE)
    described = describe(objects, scene(), [shown()], segmenter().model.name)
    embedded = comparison_for("rsam-tiny").project(described)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-4)
    closeness = embedded @ embedded.T
    reds = closeness[:6, :6][np.triu_indices(6, 1)]
    blues = closeness[:6, 6:].ravel()
    # Roofs of any colour are one kind to it; those of one colour come before the others all the
    # same: the share of pairs in the right order.
    right = np.concatenate([np.ones(len(reds)), np.zeros(len(blues))])
    assert roc_auc_score(right, np.concatenate([reds, blues])) > 0.97
    assert reds.mean() > blues.mean() + 0.08
    # Farther from the lawn beside it than from any roof.
    places = ((58, 24), (140, 20), (70, 150))
    grass = Instances([item_at(corner) for corner in places], SHAPE)
    meadow = comparison_for("rsam-tiny").project(
        describe(grass, scene(), [shown()], segmenter().model.name)
    )
    assert (embedded[:6] @ meadow.T).max() < blues.min()

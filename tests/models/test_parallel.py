"""Portions of prompts on several cores: nothing is lost, mixed up, or different."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from rsam_core.models import parallel as module
from rsam_core.models.parallel import all_cores, cores, side_by_side
from rsam_core.models.sam.model import SamModel
from rsam_core.prompts.prompt import Prompt
from tests.helpers.sam import lively
from tests.helpers.shots import embedding, segmenter
from tests.helpers.waiting import PATIENCE


@pytest.fixture(params=[1, 3])
def crew(request, monkeypatch):
    """As many cores as asked for."""
    before = torch.get_num_threads()
    fresh = module._WorkerPool()
    fresh._size = request.param
    monkeypatch.setattr(module, "_crew", fresh)
    yield request.param
    if fresh._pool is not None:
        fresh._pool.shutdown()
    torch.set_num_threads(before)


def test_answers_come_in_the_order_of_the_items(crew):
    met = threading.Barrier(crew, timeout=PATIENCE)

    def work(portion):
        if len(portion) == 4:
            # As many portions as cores are worked on at a time.
            met.wait()
        return [item * item for item in portion]

    items = list(range(4 * crew * 2 + 3))
    assert side_by_side(work, items, 4) == [item * item for item in items]
    assert cores() == crew


def test_no_items_give_no_answers(crew):
    assert side_by_side(lambda portion: list(portion), [], 4) == []


def test_an_error_reaches_the_caller(crew):
    def work(portion):
        if 7 in portion:
            raise KeyError("seven")
        return list(portion)

    with pytest.raises(KeyError, match="seven"):
        side_by_side(work, list(range(12)), 2)
    assert side_by_side(work, [1, 2, 3], 2) == [1, 2, 3]


def test_workers_keep_to_one_core_each(crew):
    def work(portion):
        return [(threading.current_thread().name, torch.get_num_threads()) for _ in portion]

    found = side_by_side(work, list(range(40)), 2)
    if crew > 1:
        assert all(name.startswith("rsam") and count == 1 for name, count in found)


def test_large_operations_may_use_all_cores_and_the_setting_comes_back(crew):
    before = torch.get_num_threads()
    with all_cores():
        assert torch.get_num_threads() == crew
    assert torch.get_num_threads() == before
    with pytest.raises(RuntimeError), all_cores():
        raise RuntimeError
    assert torch.get_num_threads() == before


def test_many_prompts_are_answered_as_one_by_one(crew):
    model, features = segmenter().model, embedding().features
    prompts = [Prompt(points=[(x, y)]) for x in (34, 106, 184) for y in (32, 80, 124)]
    prompts.append(Prompt(box=(20, 18, 48, 46)))
    together = model.decode_many(features, prompts, True)
    for prompt, found in zip(prompts, together, strict=True):
        alone = model.decode(features, prompt, True)
        np.testing.assert_allclose(found.scores, alone.scores, atol=2e-3)
        same = found.full((192, 256)) == alone.full((192, 256))
        assert same.mean() > 0.999


def test_many_prompts_of_an_official_model_are_answered_as_one_by_one(crew, monkeypatch):
    model = SamModel(lively(), "sam-vit-b", device="cpu")
    image = np.random.default_rng(4).integers(0, 255, (96, 128, 3), np.uint8)
    features = model.encode(image)
    threads: set[str] = set()
    decode = model._decode_batch

    def watched(*args):
        threads.add(threading.current_thread().name.partition("_")[0])
        return decode(*args)

    monkeypatch.setattr(model, "_decode_batch", watched)
    prompts = [Prompt(points=[(x, y)]) for x in range(8, 128, 16) for y in (20, 50, 80)]
    together = model.decode_many(features, prompts, True)
    assert threads == ({"rsam"} if crew > 1 else {"MainThread"})
    for prompt, found in zip(prompts, together, strict=True):
        alone = model.decode(features, prompt, True)
        np.testing.assert_allclose(found.scores, alone.scores, rtol=1e-4)
        assert (found.full((96, 128)) != alone.full((96, 128))).sum() <= 3

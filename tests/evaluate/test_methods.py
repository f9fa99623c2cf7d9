"""Methods: which prompt each gives, what it answers, whose time is counted."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from rsam_core.errors import EvaluationError, ModelError
from rsam_core.evaluate.methods import base
from rsam_core.evaluate.methods.one_shot import OneShotMethod
from rsam_core.evaluate.methods.prompted import (
    BASELINES,
    EverythingMethod,
    FinderMethod,
    PromptMethod,
    SharedImageWork,
    build_methods,
)
from rsam_core.objects.instances import Instance, Instances
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, disc, overlap, rectangle

SHAPE = (40, 60)
TRUTH = rectangle(SHAPE, 10, 10, 30, 20)
IMAGE = np.where(TRUTH[..., None], (200, 80, 60), (40, 90, 50)).astype(np.uint8)


def half_then_more(prompt, multimask):
    """The left half for a lone click, the whole for anything more; three masks if asked."""
    whole = len(prompt.points) > 1 or prompt.box is not None
    mask = TRUTH if whole else rectangle(SHAPE, 10, 10, 21, 20)
    if not multimask:
        return [mask], [0.8]
    return [mask, TRUTH, np.zeros(SHAPE, bool)], [0.9, 0.5, 0.1]


@pytest.fixture
def model():
    return FakeModel(half_then_more)


def run(method, truth=TRUTH):
    return method.run(SharedImageWork(IMAGE), truth)


def test_box_method_gives_the_tight_box(model):
    method = PromptMethod(Segmenter(model), "box")
    answer = run(method)
    assert (method.key, method.title, method.sees_truth) == ("fake:box", "fake, box", False)
    assert model.calls[0].prompt.box.tolist() == [10, 10, 30, 20]
    assert not model.calls[0].multimask
    assert np.array_equal(answer.mask, TRUTH)
    assert answer.score == pytest.approx(0.8)


def test_one_point_takes_the_mask_the_model_believes_in(model):
    answer = run(PromptMethod(Segmenter(model), "1"))
    assert len(model.calls) == 1
    assert model.calls[0].multimask
    assert overlap(answer.mask, TRUTH) == pytest.approx(0.55)
    best = PromptMethod(Segmenter(model), "1best")
    assert best.sees_truth
    assert np.array_equal(run(best).mask, TRUTH)


def test_further_points_fall_on_the_error_and_refine(model):
    answer = run(PromptMethod(Segmenter(model), "3"))
    # After the second click nothing is wrong any more, so there is no third.
    assert len(model.calls) == 2
    second = model.calls[1]
    assert second.previous == "0/0"
    assert second.prompt.points[1].tolist()[0] == 25.5
    assert second.prompt.labels.tolist() == [1, 1]
    assert np.array_equal(answer.mask, TRUTH)


def test_box_with_point_keeps_the_box_and_corrects():
    def small(prompt, multimask):
        return [TRUTH if len(prompt.points) else rectangle(SHAPE, 10, 10, 20, 20)], [0.7]

    model = FakeModel(small)
    method = PromptMethod(Segmenter(model), "box+1")
    assert method.prompt == "box and 1 point"
    assert np.array_equal(run(method).mask, TRUTH)
    assert model.calls[1].prompt.box.tolist() == [10, 10, 30, 20]
    assert len(model.calls[1].prompt.points) == 1


def test_the_image_is_embedded_once_for_all_methods(model):
    bench, segmenter = SharedImageWork(IMAGE), Segmenter(model)
    methods = [PromptMethod(segmenter, prompt) for prompt in ("box", "1")]
    for method in methods:
        method.run(bench, TRUTH)
        method.run(bench, TRUTH)
    assert model.encodings == 1
    assert methods[0].image_seconds(bench) == methods[1].image_seconds(bench) > 0


def test_shared_work_counts_once_and_the_users_time_not_at_all(monkeypatch):
    now = [100.0]

    def take(seconds: float) -> None:
        now[0] += seconds

    # A clock of its own: a busy machine takes its time between any two steps.
    monkeypatch.setattr(base, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    bench = SharedImageWork(IMAGE)

    def outer():
        take(1.0)
        bench.shared("inner", lambda: take(3.0))
        take(0.5)
        return 1

    assert bench.shared("outer", outer) == 1
    assert bench.shared("outer", lambda: 2) == 1
    assert bench.seconds == {"inner": 3.0, "outer": 1.5}

    slow = FinderMethod("slow", "Slow", "x", lambda image: Instances.empty(SHAPE))
    slow.mask = lambda bench, truth: (take(0.25), bench.user(take, 5.0), None)[1:]
    assert slow.run(bench, TRUTH).seconds == 0.25
    assert bench.user_seconds == 5.0


def test_a_finder_answers_with_the_best_match():
    found = [rectangle(SHAPE, 12, 10, 30, 20), rectangle(SHAPE, 5, 5, 35, 25)]
    made = Instances([Instance.from_mask(m, score=0.6) for m in found], SHAPE)
    images = []
    method = FinderMethod("mine", "Mine", "all", lambda image: images.append(image) or made)
    bench = SharedImageWork(IMAGE)
    answer = method.run(bench, TRUTH)
    assert np.array_equal(answer.mask, found[0])
    assert answer.score == pytest.approx(0.6)
    assert method.find(bench) is made
    nothing = method.run(bench, rectangle(SHAPE, 50, 30, 55, 35))
    assert not nothing.mask.any()
    assert nothing.score is None
    assert len(images) == 1
    assert method.sees_truth


def test_everything_asks_the_grid_once_an_image():
    # Under this name the thresholds of the automatic mode are those of the embedded model.
    model = FakeModel(lambda prompt, multimask: ([TRUTH, ~TRUTH], [0.95, 0.3]), "rsam-tiny")
    method = EverythingMethod(Segmenter(model))
    bench = SharedImageWork(IMAGE)
    method.prepare(bench)
    calls = len(model.calls)
    answer = method.run(bench, TRUTH)
    assert len(model.calls) == calls > 0
    assert np.array_equal(answer.mask, TRUTH)
    assert len(method.find(bench)) == 1
    assert method.image_seconds(bench) == sum(bench.seconds.values())


@pytest.mark.parametrize("key", list(BASELINES))
def test_every_baseline_answers_with_a_mask_near_the_object(key):
    shape = (60, 80)
    truth = disc(shape, 40, 30, 14)
    noise = np.random.default_rng(1).normal(0, 3, (*shape, 3))
    image = (np.where(truth[..., None], (210, 90, 60), (50, 90, 60)) + noise).clip(0, 255)
    bench, method = SharedImageWork(image.astype(np.uint8)), BASELINES[key]
    answer = method.run(bench, truth)
    assert answer.mask.shape == shape
    assert answer.mask.dtype == bool
    # A single superpixel of some 300 of the object's 600 pixels is the least of them.
    assert overlap(answer.mask, truth) > (0.25 if key.startswith("slic") else 0.75)
    assert answer.seconds >= 0
    assert method.find(bench) is None
    assert set(method.shared) == set(bench.seconds)


def test_upper_bounds_are_marked():
    seeing = {key for key, method in BASELINES.items() if method.sees_truth}
    assert seeing == {"slic-best", "slic-bestset", "felzenszwalb-best", "felzenszwalb-bestset"}


def test_building_methods_in_order_without_doubles(model):
    methods = build_methods({"fake": Segmenter(model)}, ["1", "box", "1"], ["otsu", "grabcut"])
    assert [m.key for m in methods] == ["fake:1", "fake:box", "otsu", "grabcut"]
    assert len(build_methods([], [], ["all"])) == len(BASELINES)
    everything = build_methods({"fake": Segmenter(model)}, ["everything"])
    assert isinstance(everything[0], EverythingMethod)


@pytest.mark.parametrize("prompt", ["", "0", "21", "box+0", "box+x", "x+1", "boxes", "1.5", "²"])
def test_unknown_prompts_are_refused(model, prompt):
    with pytest.raises(EvaluationError, match="is not a prompt"):
        PromptMethod(Segmenter(model), prompt)


def test_wrong_names_are_refused_before_a_model_is_loaded():
    with pytest.raises(EvaluationError, match="no method called “snake”"):
        build_methods(["no-such-model"], ["box"], ["snake"])
    with pytest.raises(EvaluationError, match="Nothing to compare"):
        build_methods(["rsam-tiny"], [], [])
    with pytest.raises(ModelError):
        build_methods(["no-such-model"], ["box"])


def test_one_shot_joins_by_its_name(model):
    (method,) = build_methods({"fake": Segmenter(model)}, ["one-shot"])
    assert isinstance(method, OneShotMethod)
    assert method.sees_truth
    assert "one-shot" in method.key

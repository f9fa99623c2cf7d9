"""Labels by example, on clouds of numbers whose classes are known."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.by_example import (
    Prediction,
    TrainSettings,
    apply,
    check_examples,
    most_uncertain,
    train,
)
from rsam_core.objects.classify.feature_table import Features
from rsam_core.objects.instances import Instance, Instances

CENTERS = {"a": (0.0, 0.0), "b": (6.0, 0.0), "c": (0.0, 6.0)}


def clouds(each: int = 30, spread: float = 1.0, seed: int = 0) -> tuple[Features, list[str]]:
    """Three round clouds of points in two features, and one feature that is noise."""
    rng = np.random.default_rng(seed)
    labels = [name for name in CENTERS for _ in range(each)]
    places = np.array([CENTERS[name] for name in labels])
    values = np.column_stack(
        [places + rng.normal(0, spread, places.shape), rng.normal(0, 1, len(labels))]
    )
    ids = np.arange(1, len(labels) + 1)
    return Features(values.astype(np.float32), ("x", "y", "noise"), ids), labels


def examples(labels: list[str], each: int = 5) -> list[str | None]:
    return [
        name if labels[:index].count(name) < each else None for index, name in enumerate(labels)
    ]


@pytest.mark.parametrize("method", ["trees", "discriminant", "logistic"])
def test_clear_clouds_are_told_apart(method):
    features, labels = clouds()
    trained = train(features, examples(labels), TrainSettings(methods=(method,)))
    prediction = trained.predict(features)
    assert np.mean([a == b for a, b in zip(prediction.labels, labels)]) > 0.95
    assert prediction.probabilities.sum(axis=1) == pytest.approx(np.ones(90))
    assert prediction.classes == ("a", "b", "c")
    assert trained.examples == {"a": 5, "b": 5, "c": 5}
    assert trained.validation.method == method


def test_cross_validation_counts_every_example_once_and_sees_confusion():
    features, labels = clouds(each=40)
    given = [name if name != "c" else "a" if i % 2 else "b" for i, name in enumerate(labels)]
    validation = train(features, given, TrainSettings(folds=4)).validation
    assert validation.confusion.sum() == 120
    assert validation.confusion.sum(axis=1).tolist() == [given.count("a"), given.count("b")]
    # A third of the examples is labelled at random, and half of these are told wrong.
    assert validation.accuracy == pytest.approx(5 / 6, abs=0.1)
    assert set(validation.recall) == {"a", "b"}
    assert validation.folds == 4


def test_examples_without_meaning_are_reported_as_guessing():
    features, _ = clouds(each=40)
    given = np.random.default_rng(1).choice(["a", "b"], 120).tolist()
    assert train(features, given).validation.accuracy == pytest.approx(0.5, abs=0.15)


def test_same_seed_same_answer():
    features, labels = clouds(spread=3)
    first, second = (train(features, examples(labels)).predict(features) for _ in range(2))
    assert (first.probabilities == second.probabilities).all()


def test_folds_shrink_to_the_rarest_class():
    features, labels = clouds()
    given = examples(labels, 5)
    given[given.index("c")] = None
    given[given.index("c")] = None
    given[given.index("c")] = None
    assert given.count("c") == 2
    assert train(features, given).validation.folds == 2


@pytest.mark.parametrize("methods", [("trees", "discriminant", "logistic"), ("discriminant",)])
def test_two_examples_of_two_classes_are_enough(methods):
    features, labels = clouds()
    given = [None if name == "c" else name for name in examples(labels, 2)]
    trained = train(features, given, TrainSettings(methods))
    told = trained.predict(features).labels
    assert trained.validation.confusion.sum() == 4
    assert "discriminant" not in trained.validation.scores
    # Four examples are few, but far better than guessing between two classes.
    assert np.mean([a == b for a, b in zip(told[:60], labels[:60])]) > 0.7


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ({}, "no class has examples"),
        ({"a": 9}, "only “a” has examples"),
        ({"a": 9, "b": 1}, "“b” has one example only"),
        ({"a": 1, "b": 1}, "“a”, “b” have one example only"),
    ],
)
def test_too_little_to_learn_from_is_refused(counts, says):
    with pytest.raises(ClassifyError, match=f"too little to learn from: {says}"):
        check_examples(counts)
    labels = [name for name, count in counts.items() for _ in range(count)]
    features, _ = clouds()
    given = labels + [None] * (len(features) - len(labels))
    with pytest.raises(ClassifyError, match="too little"):
        train(features, given)


def test_wrong_input_is_refused():
    features, labels = clouds()
    with pytest.raises(ClassifyError, match="90 objects need as many labels, not 3"):
        train(features, ["a", "b", None])
    trained = train(features, examples(labels))
    other = Features(features.values, ("x", "y", "z"), features.ids)
    with pytest.raises(ClassifyError, match="other features"):
        trained.predict(other)
    for wrong in ({"methods": ("magic",)}, {"methods": ()}, {"folds": 1}):
        with pytest.raises(ClassifyError):
            TrainSettings(**wrong)


def test_constant_features_and_model_features_do_no_harm():
    features, labels = clouds()
    rng = np.random.default_rng(0)
    more = np.column_stack([features.values, np.full(90, 7.0), rng.normal(0, 50, (90, 60))])
    names = (*features.names, "constant", *(f"model_{i}" for i in range(60)))
    wide = Features(more.astype(np.float32), names, features.ids)
    told = train(wide, examples(labels)).predict(wide).labels
    # Sixty columns of noise are as one group of eight: they do not drown three good ones.
    assert np.mean([a == b for a, b in zip(told, labels)]) > 0.85


def test_nothing_to_predict():
    features, labels = clouds()
    trained = train(features, examples(labels))
    none = Features(features.values[:0], features.names, features.ids[:0])
    assert trained.predict(none).labels == ()
    assert most_uncertain(trained.predict(none), 3) == []


PREDICTION = Prediction(
    np.array([7, 8, 9]), ("a", "b"), np.array([[0.9, 0.1], [0.45, 0.55], [0.3, 0.7]])
)


def test_the_least_certain_comes_first():
    assert most_uncertain(PREDICTION, 3) == [8, 9, 7]
    assert most_uncertain(PREDICTION, 1, exclude=[8]) == [9]
    assert most_uncertain(PREDICTION, 5, exclude=[7, 8, 9]) == []
    assert PREDICTION.margin == pytest.approx([0.8, 0.1, 0.4])
    assert PREDICTION.confidence == pytest.approx([0.9, 0.55, 0.7])


def test_labels_are_applied_above_a_probability_and_examples_stay():
    mask = np.ones((2, 2), bool)
    objects = Instances(
        [Instance(mask, 3 * i, 0, id=7 + i, label=label)
         for i, label in enumerate([None, "x", "x"])], (4, 12)
    )  # fmt: skip
    labels = [item.label for item in apply(objects, PREDICTION, min_probability=0.6)]
    assert labels == ["a", None, "b"]
    labels = [item.label for item in apply(objects, PREDICTION, keep=[9])]
    assert labels == ["a", "b", "x"]
    with pytest.raises(ClassifyError, match="between 0 and 1"):
        apply(objects, PREDICTION, min_probability=2)

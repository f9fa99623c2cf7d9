"""Labels by example: learn from a few labelled objects, classify the rest.

>>> features = extract(instances, scene)                                    # doctest: +SKIP
>>> trained = train(features, [item.label for item in instances])           # doctest: +SKIP
>>> prediction = trained.predict(features)                                  # doctest: +SKIP
>>> instances = apply(instances, prediction, min_probability=0.5)           # doctest: +SKIP
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ClassifyError
from rsam_core.objects.classify.classes import set_labels
from rsam_core.objects.classify.feature_table import Features
from rsam_core.objects.instances import Instances

MIN_CLASSES = 2
MIN_EXAMPLES = 2

METHODS: dict[str, str] = {
    "trees": "Extremely randomised trees",
    "discriminant": "Linear discriminant with shrinkage",
    "logistic": "Logistic regression",
}
"""Classifiers to choose among, the one that is best in most scenes first."""
_MODEL_COMPONENTS = 8
"""Principal components kept of the model's features: all of them would drown the others."""


@dataclass(frozen=True)
class TrainSettings:
    """How to learn.

    Parameters
    ----------
    methods : tuple of str
        Keys of :data:`METHODS`; the one with the best cross-validation is used.
    folds : int
        Parts of the cross-validation, at least 2; fewer where a class has fewer examples.
    seed : int
        Of the random numbers; the same seed gives the same result.

    Raises
    ------
    ClassifyError
        If a method is unknown or the numbers make no sense.
    """

    methods: tuple[str, ...] = tuple(METHODS)
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        unknown = [name for name in self.methods if name not in METHODS]
        if unknown or not self.methods:
            words = ", ".join(METHODS)
            raise ClassifyError(f"Choose classifiers among {words}; not {unknown or 'none'}.")
        if self.folds < 2:
            raise ClassifyError("Cross-validation needs at least 2 parts.")


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """How well classes were told for examples that were held back.

    Attributes
    ----------
    classes : tuple of str, length K
    confusion : ndarray of int64, shape (K, K)
        Examples of class i (row: true) that were told as class j (column).
    scores : dict of str to float
        Balanced accuracy, 0 to 1, of each method that was tried.
    method : str
        The best of them, which made `confusion`.
    folds : int
    """

    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    scores: dict[str, float]
    method: str
    folds: int

    @property
    def accuracy(self) -> float:
        """Share of the examples that were told right, 0 to 1."""
        return float(np.trace(self.confusion) / self.confusion.sum())

    @property
    def recall(self) -> dict[str, float]:
        """Share told right by class."""
        hits = np.diag(self.confusion) / self.confusion.sum(axis=1)
        return dict(zip(self.classes, hits.tolist()))


@dataclass(frozen=True, eq=False)
class Prediction:
    """Class of each object.

    Attributes
    ----------
    ids : ndarray of int64, shape (N,)
    classes : tuple of str, length K
    probabilities : ndarray of float64, shape (N, K)
        Rows add up to 1. With few examples they rank well but are no exact frequencies.
    """

    ids: NDArray[np.int64]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float64]

    @property
    def labels(self) -> tuple[str, ...]:
        """The most probable class of each object."""
        return tuple(self.classes[index] for index in self.probabilities.argmax(axis=1))

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of that class, shape (N,)."""
        return self.probabilities.max(axis=1) if len(self.ids) else np.zeros(0)

    @property
    def margin(self) -> NDArray[np.float64]:
        """Lead over the second most probable class, shape (N,): small where it is uncertain."""
        ordered = np.sort(self.probabilities, axis=1)
        return ordered[:, -1] - ordered[:, -2]


@dataclass(frozen=True, eq=False)
class Trained:
    """A classifier that has learned; made by :func:`train`.

    Attributes
    ----------
    classes : tuple of str
    names : tuple of str
        Features that it reads.
    validation : CrossValidation
    examples : dict of str to int
        Examples by class.
    """

    classes: tuple[str, ...]
    names: tuple[str, ...]
    validation: CrossValidation
    examples: dict[str, int]
    _space: _Space
    _estimator: Any

    def predict(self, features: Features) -> Prediction:
        """Classify objects.

        Raises
        ------
        ClassifyError
            If the features are others than those learned from.
        """
        if features.names != self.names:
            raise ClassifyError(
                "These objects are described by other features than the examples. Learn again."
            )
        if not len(features):
            return Prediction(features.ids, self.classes, np.zeros((0, len(self.classes))))
        placed = self._space.place(features.values)
        return Prediction(features.ids, self.classes, self._estimator.predict_proba(placed))


def train(
    features: Features,
    labels: Sequence[str | None],
    settings: TrainSettings | None = None,
) -> Trained:
    """Learn classes from the labelled objects.

    Features are standardised by mean and spread of all objects, labelled or not, and the model's
    features are reduced to their first principal components: all objects describe the scene
    better than a few examples. Of several classifiers the one with the best cross-validated
    balanced accuracy is taken, and trained on all examples; a later one of
    :data:`METHODS` must be ahead by more than the standard error of an earlier one, because a
    few examples judge roughly.

    Parameters
    ----------
    features : Features
        N objects.
    labels : sequence of (str or None), length N
        None where the class is to be found.
    settings : TrainSettings, optional

    Raises
    ------
    ClassifyError
        If there are fewer than two classes, or fewer than two examples of one.
    """
    settings = settings or TrainSettings()
    if len(labels) != len(features):
        raise ClassifyError(f"{len(features)} objects need as many labels, not {len(labels)}.")
    known = np.array([bool(label) for label in labels], dtype=bool)
    counts = Counter(label for label in labels if label)
    check_examples(counts)
    classes = tuple(sorted(counts))
    truth = np.array([classes.index(label) for label in labels if label])
    space = _Space.of(features)
    examples = space.place(features.values)[known]
    folds = min(settings.folds, min(counts.values()))
    validation = _choose(examples, truth, classes, folds, settings)
    estimator = _estimator(validation.method, settings.seed)
    estimator.fit(examples, truth)
    return Trained(classes, features.names, validation, dict(counts), space, estimator)


def check_examples(counts: dict[str, int]) -> None:
    """Check that there is enough to learn from.

    Parameters
    ----------
    counts : dict of str to int
        Examples by class.

    Raises
    ------
    ClassifyError
        If there are fewer than two classes, or fewer than two examples of one.
    """
    if len(counts) < MIN_CLASSES:
        now = f"only “{next(iter(counts))}” has" if counts else "no class has"
        raise ClassifyError(
            f"There is too little to learn from: {now} examples. Label at least two objects of "
            "each of at least two classes; about five of each work well. Label what you do not "
            "look for as “other”."
        )
    few = sorted(name for name, count in counts.items() if count < MIN_EXAMPLES)
    if few:
        names = ", ".join(f"“{name}”" for name in few)
        raise ClassifyError(
            f"There is too little to learn from: {names} {'has' if len(few) == 1 else 'have'} "
            "one example only. Label at least two objects of each class; about five work well."
        )


def most_uncertain(
    prediction: Prediction, count: int = 1, *, exclude: Iterable[int] = ()
) -> list[int]:
    """Return the numbers of the objects whose label would teach most, least certain first.

    Parameters
    ----------
    prediction : Prediction
    count : int
        How many at most.
    exclude : iterable of int
        Numbers not to suggest, such as those labelled already.

    Notes
    -----
    Uncertainty is the margin between the two most probable classes [1]_.

    References
    ----------
    .. [1] Burr Settles, "Active Learning Literature Survey", 2009, section 3.1.
    """
    left_out = set(exclude)
    order = np.argsort(prediction.margin, kind="stable") if len(prediction.ids) else ()
    ids = (int(prediction.ids[index]) for index in order)
    return [id for id in ids if id not in left_out][:count]


def apply(
    instances: Instances,
    prediction: Prediction,
    *,
    min_probability: float = 0.0,
    keep: Iterable[int] = (),
) -> Instances:
    """Label objects as predicted.

    Parameters
    ----------
    instances : Instances
    prediction : Prediction
    min_probability : float
        Objects below it get no label.
    keep : iterable of int
        Numbers of the objects whose label stays, such as the examples.
    """
    if not 0 <= min_probability <= 1:
        raise ClassifyError("The least probability must lie between 0 and 1.")
    kept = set(keep)
    labels = {
        int(id): label if sure >= min_probability else None
        for id, label, sure in zip(prediction.ids, prediction.labels, prediction.confidence)
        if int(id) not in kept
    }
    return set_labels(instances, labels)


@dataclass(frozen=True, eq=False)
class _Space:
    """The numbers that classifiers see: standardised, the model's features reduced."""

    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    by_model: NDArray[np.bool_]
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, features: Features) -> _Space:
        values = features.values.astype(np.float64)
        spread = values.std(axis=0)
        center, spread = values.mean(axis=0), np.where(spread > 1e-9, spread, 1.0)
        by_model = np.array([name.startswith("model_") for name in features.names], dtype=bool)
        axes = np.zeros((int(by_model.sum()), 0))
        if by_model.any():
            standard = ((values - center) / spread)[:, by_model]
            _, sizes, rows = np.linalg.svd(standard, full_matrices=False)
            kept = [i for i in range(min(_MODEL_COMPONENTS, len(sizes))) if sizes[i] > 1e-6]
            # Whitened: each component varies as much as one of the other features.
            axes = rows[kept].T * (np.sqrt(len(values)) / sizes[kept])
        return cls(center, spread, by_model, axes)

    def place(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        standard = (values - self.center) / self.spread
        return np.hstack([standard[:, ~self.by_model], standard[:, self.by_model] @ self.axes])


def _choose(
    examples: NDArray[np.float64],
    truth: NDArray[np.int64],
    classes: tuple[str, ...],
    folds: int,
    settings: TrainSettings,
) -> CrossValidation:
    from sklearn.model_selection import StratifiedKFold

    methods = settings.methods
    if np.bincount(truth).min() < 3:
        # A fold would leave one example of a class, which has no spread to discriminate by.
        methods = tuple(name for name in methods if name != "discriminant") or ("trees",)
    splitter = StratifiedKFold(folds, shuffle=True, random_state=settings.seed)
    tables: dict[str, NDArray[np.int64]] = {}
    scores: dict[str, float] = {}
    for method in methods:
        table = np.zeros((len(classes), len(classes)), dtype=np.int64)
        for learn, test in splitter.split(examples, truth):
            told = _estimator(method, settings.seed).fit(examples[learn], truth[learn])
            np.add.at(table, (truth[test], told.predict(examples[test])), 1)
        tables[method] = table
        scores[method] = float((np.diag(table) / table.sum(axis=1)).mean())
    best = methods[0]
    for method in methods[1:]:
        error = np.sqrt(scores[best] * (1 - scores[best]) / len(truth))
        if scores[method] > scores[best] + error:
            best = method
    return CrossValidation(classes, tables[best], scores, best, folds)


def _estimator(method: str, seed: int) -> Any:
    if method == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    if method == "discriminant":
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        return LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.5)
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(100, class_weight="balanced", random_state=seed, n_jobs=1)

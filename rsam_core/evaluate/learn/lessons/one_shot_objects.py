"""The objects of a picture as the one-shot comparison sees them: numbers, nearness, a plane."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.kind_names import MANY
from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.models.base import PromptableModel
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot.descriptors import ArrayScene, Descriptions, describe
from rsam_core.segment.one_shot.similarity import Comparison, comparison_for

WAYS = {
    "features": N_("Features"),
    "metric": N_("Learned metric"),
    "comparison": N_("RSAM's comparison"),
}
"""Ways to say how near two objects are, each building on those before."""
_SMALLEST = 60
"""Pixels of the smallest objects that are compared."""


def subject() -> Subject:
    """The place whose objects are compared."""
    return town_subject()


@dataclass(frozen=True, eq=False)
class Objects:
    """N true objects of a picture, described by a model.

    Attributes
    ----------
    subject : Subject
    instances : Instances
        Numbered as in the truth.
    kinds : (N,) ndarray of str
    descriptions : Descriptions
        As the one-shot comparison uses them.
    """

    subject: Subject
    instances: Instances = field(repr=False)
    kinds: NDArray[np.str_] = field(repr=False)
    descriptions: Descriptions = field(repr=False)

    def __len__(self) -> int:
        return len(self.kinds)

    @property
    def model(self) -> str:
        """Name of the model that described them."""
        return self.descriptions.model

    @cached_property
    def ways(self) -> tuple[str, ...]:
        """The ways that there are with this model: a learned metric belongs to one model."""
        learned = isinstance(self._network, Comparison) and self._network.head is not None
        return tuple(way for way in WAYS if way != "metric" or learned)

    @cached_property
    def _network(self) -> Comparison:
        return comparison_for(self.model)

    @cached_property
    def features(self) -> NDArray[np.float32]:
        """The model's features of each object and how they differ from those around it, unit
        length, (N, 2 C)."""
        d = self.descriptions
        inside, around = (d.inside - d.centre) / d.spread, (d.around - d.centre) / d.spread
        joined = np.concatenate([inside, inside - around], axis=1)
        return joined / np.linalg.norm(joined, axis=1, keepdims=True).clip(1e-9)

    @cached_property
    def metric(self) -> NDArray[np.float32]:
        """The same after the learned projection, unit length, (N, 32)."""
        return self._network.project(self.descriptions)

    def vectors(self, way: str) -> NDArray[np.float32]:
        """The numbers that a way looks at, (N, E); the comparison adds shapes to the metric."""
        return self.metric if way != "features" and "metric" in self.ways else self.features

    def near(self, example: int, way: str) -> NDArray[np.float64]:
        """How near each object is to the one at position `example`, 0 to 1, (N,).

        The cosine of the angle between their numbers, 0 where it is negative; or the probability
        of the comparison.
        """
        if way == "comparison":
            quality = np.ones((len(self), 2), np.float32)
            answers = self._network.log_odds(
                self.descriptions[example], self.descriptions, quality
            ).astype(float)
            slope, offset = self._network.calibration
            near = 1 / (1 + np.exp(-(slope * answers + offset)))
        else:
            numbers = self.vectors(way).astype(float)
            near = np.clip(numbers @ numbers[example], 0.0, 1.0)
        near[example] = 1.0
        return near

    def position(self, number: int) -> int | None:
        """Position of the true object of that number; None if it is not among them."""
        found = np.flatnonzero(self.instances.ids == number)
        return int(found[0]) if len(found) else None

    def at(self, x: float, y: float) -> int | None:
        """Position of the object at a place of the picture; None if there is none."""
        labels = self.subject.labels
        row, column = min(int(y), labels.shape[0] - 1), min(int(x), labels.shape[1] - 1)
        return self.position(int(labels[row, column]))


def objects_of(subject: Subject, embedding: Embedding, model: PromptableModel) -> Objects:
    """Describe the true objects of a rendered place.

    Parameters
    ----------
    subject : Subject
        With truth.
    embedding : Embedding
        Of its image.
    model : PromptableModel
        The one that made it.

    Raises
    ------
    OneShotError
        If the model shows no features.
    """
    sizes = np.bincount(subject.labels.ravel())
    kept = [
        number
        for number, kind in subject.kinds.items()
        if kind in MANY and number < len(sizes) and sizes[number] >= _SMALLEST
    ]
    instances = Instances.from_label_map(np.where(np.isin(subject.labels, kept), subject.labels, 0))
    scene = ArrayScene(subject.image, subject.gsd)
    descriptions = describe(instances, scene, [EmbeddedView(embedding)], model.name, namer=model)
    kinds = np.array([subject.kinds[item.id] for item in instances])
    return Objects(subject, instances, kinds, descriptions)


def first_example(objects: Objects) -> int:
    """Position of the largest roof that lies well inside the picture."""
    height, width = objects.subject.shape
    middle = np.array([width / 2, height / 2])
    roofs = np.flatnonzero(objects.kinds == "roof")
    boxes = objects.instances.bboxes
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = [i for i in roofs if np.all(np.abs(centres[i] - middle) < middle * 0.6)]
    return int(max(inside or roofs, key=lambda i: objects.instances.areas[i]))


def default_model() -> PromptableModel:
    """The model that worksheets are made with."""
    from rsam_core.models.load import load_model

    return load_model("rsam-tiny")


@dataclass(frozen=True, eq=False)
class Plane:
    """Objects as dots.

    Attributes
    ----------
    places : (N, 2) ndarray of float
    share : float
        Of the spread of all numbers that these two show, 0 to 1.
    numbers : int
        How many numbers each object had.
    """

    places: NDArray[np.float64] = field(repr=False)
    share: float
    numbers: int


def plane(vectors: NDArray[np.floating]) -> Plane:
    """Lay objects into the plane along which they differ most (principal component analysis).

    Parameters
    ----------
    vectors : (N, E) ndarray of float
    """
    values = np.asarray(vectors, float)
    values = values - values.mean(0)
    _, lengths, axes = np.linalg.svd(values, full_matrices=False)
    axes = axes[:2]
    # An axis has no direction of its own: the largest weight is taken to be positive.
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])
    total = float((lengths**2).sum())
    share = float((lengths[:2] ** 2).sum()) / total if total else 1.0
    return Plane(values @ (axes * signs[:, None]).T, share, values.shape[1])


@dataclass(frozen=True)
class Found:
    """What a threshold lets through, the example left out.

    Attributes
    ----------
    tp, fp, fn : int
        Objects: rightly near, wrongly near, and missed.
    """

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float | None:
        """Share of the near ones that are right; None where nothing is near."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def recall(self) -> float:
        """Share of the right ones that are near; 1 where there are none."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 1.0


def found(
    kinds: NDArray[np.str_], example: int, near: NDArray[np.floating], threshold: float
) -> Found:
    """Compare what is near the example with what is of its kind.

    Parameters
    ----------
    kinds : (N,) ndarray of str
    example : int
        Its position.
    near : (N,) ndarray of float
    threshold : float
        Objects at least so near count as found.
    """
    others = np.arange(len(kinds)) != example
    chosen, right = (near >= threshold) & others, (kinds == kinds[example]) & others
    return Found(
        int(np.count_nonzero(chosen & right)),
        int(np.count_nonzero(chosen & ~right)),
        int(np.count_nonzero(right & ~chosen)),
    )


def best_f1(kinds: NDArray[np.str_], example: int, near: NDArray[np.floating]) -> float:
    """The highest F1 that any threshold reaches with this example."""
    others = np.arange(len(kinds)) != example
    order = np.argsort(-near[others], kind="stable")
    values, right = near[others][order], (kinds == kinds[example])[others][order]
    if not right.any():
        return 1.0
    # Objects equally near come and go together.
    ends = np.append(np.diff(values) != 0, True)
    f1 = 2 * np.cumsum(right) / (np.arange(1, len(values) + 1) + np.count_nonzero(right))
    return float(f1[ends].max())

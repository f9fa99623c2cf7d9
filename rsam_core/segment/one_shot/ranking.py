"""Compare candidates with the examples, keep one outline an object, and suggest a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.one_shot.candidate_search import SearchCandidates
from rsam_core.segment.one_shot.descriptors import Descriptions
from rsam_core.segment.one_shot.examples import Example, check_examples, positives
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.one_shot.similarity import Comparison, CosineComparison, comparison_for

_SURE, _MAX_SURE = 0.6, 5
"""Finds of at least this probability serve as further examples, so many at most."""

_OWN_WEIGHT = 0.3
"""What the examples count against those further ones."""

_FLOOR = 0.02
"""Candidates of a lower probability are not worth listing."""

_STRICT = 2.0
"""How sharply a refused example sets its like apart from that of a wanted one."""

_SAME_OBJECT = 0.3
"""A candidate that overlaps an example by more (IoU) is that example, not a find."""


@dataclass(frozen=True, eq=False)
class OneShotResult:
    """Objects like the examples, best first.

    Attributes
    ----------
    objects : Instances
        In scene pixels; ``score`` is the probability that it is an object like the example, and
        well outlined. One outline an object; the examples themselves are left out.
    positions : ndarray of int64, shape (M,)
        Which candidates of the state they are.
    threshold : float
        Suggested: keeps the objects for which the expected F1 is highest.
    notes : tuple of str
        What is to be said of the examples.
    """

    objects: Instances
    positions: NDArray[np.int64]
    threshold: float
    notes: tuple[str, ...] = ()

    @property
    def scores(self) -> NDArray[np.float64]:
        """Probability of each object, descending, shape (M,)."""
        return np.array([item.score for item in self.objects], np.float64)

    def choose(self, threshold: float | None = None) -> Instances:
        """The objects whose score reaches a threshold, by default the suggested one."""
        limit = self.threshold if threshold is None else threshold
        return self.objects.select([item.id for item in self.objects if item.score >= limit])


def rank(
    state: SearchCandidates, examples: Sequence[Example], settings: OneShotSettings | None = None
) -> OneShotResult:
    """Compare the candidates with examples.

    Parameters
    ----------
    state : SearchCandidates
        From `rsam_core.segment.one_shot.candidate_search`.
    examples : sequence of Example
        At least one positive; negatives lower the score of whatever is like them.
    settings : OneShotSettings, optional

    Returns
    -------
    OneShotResult

    Raises
    ------
    OneShotError
        If the examples do not suit the image or the model.
    """
    settings = settings or OneShotSettings()
    examples, notes = check_examples(examples, state.descriptions.model, state.descriptions.gsd)
    comparison = comparison_for(state.descriptions.model, settings.compare)
    here = [e for e in examples if _is_here(e, state)]
    taken = _overlapping(state.candidates, [e.instance for e in here])
    answers = _compare(comparison, state, examples, None)
    if settings.follow:
        order = distinct(state, np.where(taken, -np.inf, answers), settings)
        sure = [i for i in order if _probability(answers[i], comparison) >= _SURE][:_MAX_SURE]
        if sure:
            answers = _compare(comparison, state, examples, np.array(sure))
    probability = _probability(answers, comparison)
    order = distinct(state, np.where(taken, -np.inf, answers), settings)
    order = np.array([i for i in order if probability[i] >= _FLOOR], np.int64)
    items = [
        replace(state.candidates[int(i)], score=float(probability[i]), id=0, source="one-shot")
        for i in order
    ]
    objects = Instances(items, state.candidates.shape)
    return OneShotResult(objects, order, best_threshold(probability[order]), tuple(notes))


def best_threshold(probabilities: NDArray[np.floating]) -> float:
    """The threshold with the highest expected F1.

    Of the k likeliest of objects with probabilities p, the expected number of right ones is the
    sum of theirs, and that of all there are is the sum over all; so F1 is about
    2 Σ p (first k) / (k + Σ p (all)).

    Parameters
    ----------
    probabilities : ndarray of float, shape (M,)
        Descending.

    Returns
    -------
    float
        Midway between the last object kept and the first one dropped; 0.5 without objects.

    References
    ----------
    Lipton, Elkan and Narayanaswamy, *Optimal Thresholding of Classifiers to Maximize F1 Measure*,
    ECML PKDD 2014.
    """
    p = np.asarray(probabilities, float)
    if not len(p):
        return 0.5
    expected = 2 * np.cumsum(p) / (np.arange(1, len(p) + 1) + p.sum())
    last = int(np.argmax(expected))
    following = p[last + 1] if last + 1 < len(p) else 0.0
    return float((p[last] + following) / 2)


def _compare(
    comparison: Comparison | CosineComparison,
    state: SearchCandidates,
    examples: Sequence[Example],
    sure: NDArray[np.int64] | None,
) -> NDArray[np.float32]:
    """Log-odds of each candidate; with the surest finds as further examples if given."""
    quality = state.quality

    def against(one: Descriptions) -> NDArray[np.float32]:
        return comparison.log_odds(one, state.descriptions, quality)

    wanted = np.max([against(e.description) for e in positives(examples)], axis=0)
    if sure is not None:
        rows = np.stack([against(state.descriptions[int(i)]) for i in sure])
        # Nothing proves itself: an object does not count as its own example.
        rows[np.arange(len(sure)), sure] = wanted[sure]
        wanted = _OWN_WEIGHT * wanted + (1 - _OWN_WEIGHT) * rows.mean(0)
    refused = [against(e.description) for e in examples if not e.positive]
    if not refused:
        return wanted
    # It must be like a wanted object, and more like one than like any refused one.
    rather = _logistic(_STRICT * (wanted - np.max(refused, axis=0)))
    both = np.clip(_logistic(wanted) * rather, 1e-9, 1 - 1e-9)
    return np.log(both / (1 - both))


def _logistic(x: NDArray[np.floating]) -> NDArray[np.float64]:
    return 1 / (1 + np.exp(-np.asarray(x, float)))


def _probability(
    answers: NDArray[np.float32], comparison: Comparison | CosineComparison
) -> NDArray[np.float64]:
    slope, offset = comparison.calibration
    return _logistic(slope * np.asarray(answers, float) + offset)


def _is_here(example: Example, state: SearchCandidates) -> bool:
    """Whether an example belongs to the image that was searched."""
    _, _, x1, y1 = example.instance.bbox
    height, width = state.candidates.shape
    return example.image == state.image and x1 <= width and y1 <= height


def _overlapping(candidates: Instances, taken: Sequence[Instance]) -> NDArray[np.bool_]:
    """Which candidates are one of the given objects."""
    result = np.zeros(len(candidates), bool)
    for other in taken:
        for i, item in enumerate(candidates):
            shared = shared_pixels(item, other)
            result[i] |= shared > _SAME_OBJECT * (item.area + other.area - shared)
    return result


def distinct(
    state: SearchCandidates, answers: NDArray[np.floating], settings: OneShotSettings
) -> NDArray[np.int64]:
    """Positions of one candidate an object, likeliest first.

    Candidates whose answer is not finite are left out.
    """
    met, areas = state.meetings, state.candidates.areas
    smaller = np.minimum(areas[met.rows], areas[met.columns])
    rivals = (met.ious > settings.max_overlap) | (met.shared > settings.max_contained * smaller)
    rivals &= met.rows != met.columns
    first, second = met.rows[rivals], met.columns[rivals]
    starts = np.searchsorted(first, np.arange(len(areas) + 1))
    alive = np.isfinite(answers)
    kept: list[int] = []
    for i in np.argsort(-answers, kind="stable"):
        if alive[i]:
            kept.append(int(i))
            alive[second[starts[i] : starts[i + 1]]] = False
    return np.array(kept, np.int64)

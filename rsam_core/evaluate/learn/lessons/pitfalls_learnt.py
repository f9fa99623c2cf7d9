"""A small learner that is taught in some places and tried in all: what it never saw, it misses.

It sees the features of the embedded model's encoder, one vector for each square of 8 × 8 pixels,
and is a straight line between roofs and all else, found by least squares. It learns on the left
half of a place and is tried on the right half, so that it is never tried on what it learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.evaluate.metrics.counts import confusion
from rsam_core.evaluate.metrics.pixel import iou
from rsam_core.render.overlays import confusion_picture

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter

PLACES = ("suburb", "village", "informal", "estate")
MODEL = "rsam-tiny"
"""The model whose features are learnt from."""
_SIZE = 400, 240
_CELL = 8
"""Pixels of the picture between the encoder's features."""
_STEP = 4
"""Pixels between the samples that are learnt from."""
_STIFF = 0.01
"""How strongly weights are kept small, as a share of the samples."""


def subject(place: str) -> Subject:
    """A place with its truth."""
    return town_subject(place, 3, 0.3, *_SIZE)


def roofs(place: str) -> NDArray[np.bool_]:
    """(H, W): where roofs are."""
    s = subject(place)
    return np.isin(s.labels, s.numbers("roof"))


@dataclass(frozen=True, eq=False)
class Seen:
    """What the encoder sees of a place.

    Attributes
    ----------
    features : (h, w, C) ndarray of float32
        At every `_STEP` pixels.
    share : (h, w) ndarray of float32
        How much of each of these squares is roof.
    """

    features: NDArray[np.float32]
    share: NDArray[np.float32]


_seen: dict[str, Seen] = {}
_tried: dict[tuple[str, ...], dict[str, Trial]] = {}
"""Places and ways of teaching are few, and the model is always the same."""


def seen(model: Segmenter, place: str) -> Seen:
    """What `MODEL` sees of a place, encoded once for all who ask."""
    if place not in _seen:
        features = model.embed(subject(place).image).features.maps.features[0]
        # Beyond the picture there is padding.
        cells = features[:, : _SIZE[1] // _CELL, : _SIZE[0] // _CELL].permute(1, 2, 0)
        size = _SIZE[0] // _STEP, _SIZE[1] // _STEP
        share = cv2.resize(roofs(place).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        cells = np.ascontiguousarray(cells.float().cpu().numpy())
        _seen[place] = Seen(cv2.resize(cells, size), share)
    return _seen[place]


@dataclass(frozen=True, eq=False)
class Learner:
    """A line between roofs and all else.

    Attributes
    ----------
    mean, spread : (C,) ndarray
        Of the features that it learnt from.
    weights : (C + 1,) ndarray
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    weights: NDArray[np.float64]

    def score(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Above 0 where it takes something for a roof; of the shape of `features` without C."""
        scaled = (features - self.mean) / self.spread
        return (scaled @ self.weights[:-1] + self.weights[-1]).astype(np.float32)


def fit(features: NDArray[np.float32], is_roof: NDArray[np.bool_]) -> Learner:
    """Learn from samples, roofs and all else with the same weight together.

    Parameters
    ----------
    features : (N, C) ndarray
    is_roof : (N,) ndarray of bool
        Of both kinds at least one.
    """
    x = features.astype(np.float64)
    mean, spread = x.mean(0), x.std(0) + 1e-6
    z = np.column_stack([(x - mean) / spread, np.ones(len(x))])
    weight = np.where(is_roof, 0.5 / is_roof.mean(), 0.5 / (1 - is_roof.mean()))
    left = (z * weight[:, None]).T @ z + _STIFF * len(z) * np.eye(z.shape[1])
    right = (z * weight[:, None]).T @ np.where(is_roof, 1.0, -1.0)
    return Learner(mean, spread, np.linalg.solve(left, right))


@dataclass(frozen=True, eq=False)
class Trial:
    """How a learner does in a place.

    Attributes
    ----------
    mask : (H, W / 2) ndarray of bool
        What it takes for roofs, on the half that is for trials.
    iou : float
    """

    mask: NDArray[np.bool_]
    iou: float


def trial_half(array: NDArray) -> NDArray:
    """The half of a place on which learners are tried."""
    return array[:, _SIZE[0] // 2 :]


def learning_half(array: NDArray) -> NDArray:
    """The half of a place on which learners learn."""
    return array[:, : _SIZE[0] // 2]


def taught(model: Segmenter, places: Sequence[str]) -> Learner:
    """Learn on the left halves of some places."""
    half = _SIZE[0] // _STEP // 2
    parts = [seen(model, place) for place in places]
    channels = parts[0].features.shape[2]
    features = np.concatenate([p.features[:, :half].reshape(-1, channels) for p in parts])
    share = np.concatenate([p.share[:, :half].ravel() for p in parts])
    return fit(features, share > 0.5)


def trials(model: Segmenter, places: Sequence[str]) -> dict[str, Trial]:
    """Teach a learner in some places, and try it in all of `PLACES`; computed once.

    Parameters
    ----------
    model : Segmenter
        With `MODEL`.
    places : sequence of str
        Of `PLACES`, at least one.
    """
    key = tuple(sorted(places))
    if key not in _tried:
        learner = taught(model, key)
        _tried[key] = {place: _tried_in(model, learner, place) for place in PLACES}
    return _tried[key]


def _tried_in(model: Segmenter, learner: Learner, place: str) -> Trial:
    score = cv2.resize(learner.score(seen(model, place).features), _SIZE)
    mask = trial_half(score > 0)
    return Trial(mask, iou(confusion(trial_half(roofs(place)), mask)))


def picture(place: str, trial: Trial, scale: int = 2) -> NDArray[np.uint8]:
    """The half for trials, with right, wrong and missed roofs in the metrics' colours."""
    truth = trial_half(roofs(place))
    image = np.ascontiguousarray(trial_half(subject(place).image))
    shown = confusion_picture(image, truth, trial.mask, opacity=0.55)
    return cv2.resize(shown, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)

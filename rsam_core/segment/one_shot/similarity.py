"""How much objects resemble an example: a small network that compares pairs.

Metric learning in two steps. A *projection head* brings the model's features of an object (what
is under it, and how that differs from what is around it) to 32 numbers, such that objects of one
kind come to lie close together; it is shared by both objects of a pair, as in a Siamese network.
A small perceptron then weighs the closeness there, cosines of the plain features, differences in
shape, the quality of the candidate's outline, and how well the kinds agree that the model gives
both (building, road, tree, ...). Colour and texture count only as far as the model's features hold
them: given as numbers of their own they made it worse on the real tiles that were held back in
training (F1 0.73 in place of 0.76).

It never sees what an object is, only how two objects differ; ``training/resemblance.py`` shows
how it was trained.

References
----------
Chopra, Hadsell and LeCun, *Learning a Similarity Metric Discriminatively, with Application to Face
Verification*, CVPR 2005.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import OneShotError
from rsam_core.models.catalog import traits_of
from rsam_core.segment.one_shot.descriptors import Descriptions
from rsam_core.segment.one_shot.settings import Compare

WEIGHTS = Path(__file__).with_name("similarity.safetensors")

_TOP = 0.95
"""Closeness also counts relative to that of the image's closest objects: this quantile."""

_FULL = 2.0
"""Standard deviations by which two shapes may differ before more hardly matters."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """The weights of the pair network.

    Attributes
    ----------
    head : ndarray of float32, shape (E, 2 C), or None
        Projection head; None leaves it out.
    layers : tuple of ndarray
        Weight and bias of each layer of the perceptron.
    spread : ndarray of float32, shape (S,)
        Standard deviation of each number on shape in training.
    calibration : tuple of float
        Slope and offset that turn an answer into the log-odds of a right find.
    """

    head: NDArray[np.float32] | None
    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    spread: NDArray[np.float32]
    calibration: tuple[float, float]

    def pairs(
        self, example: Descriptions, candidates: Descriptions, quality: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """What the perceptron sees of each pair.

        Parameters
        ----------
        example : Descriptions
            One object.
        candidates : Descriptions
            N objects.
        quality : ndarray of float32, shape (N, 2)
            Predicted IoU and stability of the candidates.

        Returns
        -------
        ndarray of float32, shape (N, F)
        """
        e, c = _views(example), _views(candidates)
        columns = [_cosine(a, b) for a, b in zip(e, c)]
        products = np.zeros((len(candidates), 0), np.float32)
        if self.head is not None:
            ze, zc = self.project(example), self.project(candidates)
            columns.append((ze * zc).sum(1))
            products = ze * zc * np.float32(np.sqrt(ze.shape[1]))
        close = np.stack(columns, 1)
        # Closeness of surroundings varies little: it is left out of the comparison with the best.
        relative = np.delete(close, 2, axis=1)
        relative = relative - np.quantile(relative, _TOP, axis=0, keepdims=True)
        apart = np.abs(example.shape - candidates.shape) / self.spread
        shape = np.tanh(apart / _FULL)
        contrast = _cosine(c[0], c[2])[:, None]
        parts = [close, relative, shape, quality, contrast, products]
        if self.head is not None:
            parts.append(agreement(example.kinds, candidates.kinds, len(candidates)))
        return np.concatenate(parts, axis=1).astype(np.float32)

    def project(self, objects: Descriptions) -> NDArray[np.float32]:
        """The projection head's embedding of each object, unit length, shape (N, E).

        Raises
        ------
        OneShotError
            If there is no head, or it belongs to another model.
        """
        inside, difference, _ = _views(objects)
        joined = np.concatenate([inside, difference], 1)
        if self.head is None or joined.shape[1] != self.head.shape[1]:
            raise OneShotError(
                f"There is no projection head for {objects.model}. Choose rsam-tiny."
            )
        return _unit(joined @ self.head.T)

    def log_odds(
        self, example: Descriptions, candidates: Descriptions, quality: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Log-odds that each candidate is an object like the example, well outlined, shape (N,)."""
        if not len(candidates):
            return np.zeros(0, np.float32)
        x = self.pairs(example, candidates, quality)
        for number, (weight, bias) in enumerate(self.layers):
            x = x @ weight.T + bias
            if number < len(self.layers) - 1:
                x = _gelu(x)
        return x[:, 0]


def agreement(
    example: NDArray[np.float32] | None, candidates: NDArray[np.float32] | None, count: int
) -> NDArray[np.float32]:
    """How well the kinds of objects agree.

    Parameters
    ----------
    example : ndarray of float32, shape (1, K), or None
        Probabilities of the example's kind.
    candidates : ndarray of float32, shape (N, K), or None
        Those of the candidates.
    count : int
        N.

    Returns
    -------
    ndarray of float32, shape (N, 2)
        The probability that both are of one kind, and Bhattacharyya's coefficient, which is 1 for
        equal probabilities however unsure; one half where the kinds are not known.
    """
    if example is None or candidates is None:
        return np.full((count, 2), 0.5, np.float32)
    both = example * candidates
    return np.stack([both.sum(1), np.sqrt(both).sum(1)], 1).astype(np.float32)


@dataclass(frozen=True, eq=False)
class CosineComparison:
    """No network: cosines of the plain features, and the quality of the candidate's outline.

    Attributes
    ----------
    calibration : tuple of float
        Slope and offset that turn an answer into the log-odds of a right find.
    """

    calibration: tuple[float, float]

    def log_odds(
        self, example: Descriptions, candidates: Descriptions, quality: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Sum of two cosines and the predicted IoU of each candidate, shape (N,)."""
        if not len(candidates):
            return np.zeros(0, np.float32)
        e, c = _views(example), _views(candidates)
        return _cosine(e[0], c[0]) + _cosine(e[1], c[1]) + quality[:, 0]


def comparison_for(model: str, how: Compare = "head") -> Comparison | CosineComparison:
    """What compares objects that a model has described.

    The projection head belongs to ``rsam-tiny``; for other models the network without it is
    used, which sees cosines of features only and was trained with those of ``rsam-tiny``.
    """
    return _load("plain" if how == "head" and not traits_of(model).projection_head else how)


@lru_cache(maxsize=3)
def _load(how: Compare) -> Comparison | CosineComparison:
    from safetensors.numpy import load_file

    stored = load_file(WEIGHTS)
    slope, offset = (float(v) for v in stored[f"{how}.calibration"])
    if how == "cosine":
        return CosineComparison((slope, offset))
    return Comparison(
        stored["head.project"] if how == "head" else None,
        tuple((stored[f"{how}.{i}.weight"], stored[f"{how}.{i}.bias"]) for i in range(2)),
        stored["spread"],
        (slope, offset),
    )


def _views(objects: Descriptions) -> tuple[NDArray[np.float32], ...]:
    """Features under the objects, their difference to those around, and these, standardised."""
    inside = (objects.inside - objects.centre) / objects.spread
    around = (objects.around - objects.centre) / objects.spread
    return inside, inside - around, around


def _unit(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return values / np.linalg.norm(values, axis=1, keepdims=True).clip(1e-9)


def _cosine(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    return (_unit(first) * _unit(second)).sum(1)


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import erf

    return (x * 0.5 * (1 + erf(x / np.sqrt(2)))).astype(np.float32)

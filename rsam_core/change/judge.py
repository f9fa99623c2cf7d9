"""Small perceptrons that say of an object whether it changed, from the evidence.

Two questions, each answered by the mean of a few perceptrons that were trained on rendered pairs
(``training/change.py``). Of each object of a date: is it the same at the other date, has it left,
does it look another way inside, or did it only come to light because something else left? At most
5 % of objects fire that did not change between two renderings of one place with another sun,
season, haze and displacement. Of an object whose outline at one date holds that of the other date,
and more: did it grow?

Fitted to 22 rendered pairs whose objects were looked for (seeds 2017 to 2038) and 32 crowded ones
(2200 to 2231), at 0.3 and 0.5 metres a pixel; no real pair was learned from. Of pairs that were not
fitted on, 81 % of the changed candidates fire and 1.4 % of the others. It misses damage that leaves
most of a roof as it was, tells some destroyed houses as gone, and muddy floods as other ground at
most. ``benchmarks/README.md`` has the figures of whole comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.evidence import COLUMNS
from rsam_core.errors import ChangeError

WEIGHTS = Path(__file__).with_name("decide.safetensors")

CLASSES = ("same", "left", "inside", "revealed", "partly")
"""What may be said of an object of one date; the last: a part of what is outlined changed, so that
another outline tells it better."""

_STILL = ("same", "partly")
"""Of these nothing is reported."""

GROWTH_COLUMNS = (
    *COLUMNS,
    "small_score",
    "large_score",
    "gain",
    "held",
    "small_there",
    "large_there",
    *(f"{end}_{name}" for end in ("small", "large") for name in ("same", "left", "partly")),
    "one_kind",
    "drawn_later",
)
"""Evidence of the part that an object has more at one date, and of both its outlines."""

_CLIP = 4.0


@dataclass(frozen=True, eq=False)
class Perceptron:
    """Layers with a smooth step between them.

    Attributes
    ----------
    mean, scale : ndarray of float32, shape (F,)
        Of each column in training.
    layers : tuple of (ndarray, ndarray)
        Weight and bias of each layer.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]

    def __call__(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities (N, K) from evidence (N, F)."""
        if not len(table):
            return np.zeros((0, len(self.layers[-1][1])), np.float32)
        x = np.clip((table - self.mean) / self.scale, -_CLIP, _CLIP)
        for k, (weight, bias) in enumerate(self.layers):
            x = x @ weight.T + bias
            if k < len(self.layers) - 1:
                x = _gelu(x)
        x = np.exp(x - x.max(1, keepdims=True))
        return (x / x.sum(1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Panel:
    """A few perceptrons that answer together."""

    members: tuple[Perceptron, ...]

    def __call__(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean of their probabilities, (N, K), from evidence (N, F)."""
        return np.mean([member(table) for member in self.members], axis=0)


@dataclass(frozen=True, eq=False)
class Judge:
    """Who answers both questions, and the thresholds.

    Attributes
    ----------
    objects, growth : Panel
    fire : float
        Probability of a change from which on one is reported.
    fire_growth : float
        What is said of growth from where on an object counts as grown.
    """

    objects: Panel
    growth: Panel
    fire: float
    fire_growth: float

    def probabilities(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probability of each of :data:`CLASSES`, (N, 5), from evidence (N, F)."""
        return self.objects(table)

    def grew(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """How sure it is that objects grew, (N,), on the scale on which `fire` decides."""
        chance = self.growth(table)[:, 1]
        low = chance * self.fire / self.fire_growth
        high = self.fire + (chance - self.fire_growth) * (1 - self.fire) / (1 - self.fire_growth)
        return np.where(chance < self.fire_growth, low, high).astype(np.float32)


def said(chances: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is said of an object, (..., 5), as far as it tells whether it grew, (..., 3)."""
    return chances[..., [CLASSES.index(name) for name in ("same", "left", "partly")]]


def changed(chances: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probability of a change of the whole object, (...), from that of each of :data:`CLASSES`."""
    return 1 - chances[..., [CLASSES.index(name) for name in _STILL]].sum(-1)


def _gelu(x: NDArray) -> NDArray:
    from scipy.special import erf

    return 0.5 * x * (1 + erf(x / np.sqrt(2)))


@lru_cache(maxsize=1)
def load_judge() -> Judge:
    """Read the weights that come with RSAM.

    Raises
    ------
    ChangeError
        They are missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        state = load_file(str(WEIGHTS))
        judge = Judge(
            _panel(state, "objects"),
            _panel(state, "growth"),
            float(state["fire"][0]),
            float(state["fire"][1]),
        )
    except (OSError, SafetensorError, KeyError, IndexError) as error:
        raise ChangeError(
            "The weights that tell changes apart are missing or damaged. Install RSAM again."
        ) from error
    wanted = (judge.objects, len(COLUMNS)), (judge.growth, len(GROWTH_COLUMNS))
    if any(member.mean.shape != (size,) for panel, size in wanted for member in panel.members):
        raise ChangeError("The weights that tell changes apart are outdated. Install RSAM again.")
    return judge


def _panel(state: dict[str, NDArray], name: str) -> Panel:
    count = sum(key.startswith(f"{name}.") and key.endswith(".mean") for key in state)
    if not count:
        raise KeyError(name)
    return Panel(tuple(_perceptron(state, f"{name}.{k}") for k in range(count)))


def _perceptron(state: dict[str, NDArray], name: str) -> Perceptron:
    layers = tuple((state[f"{name}.weight_{k}"], state[f"{name}.bias_{k}"]) for k in range(2))
    return Perceptron(state[f"{name}.mean"], state[f"{name}.scale"], layers)

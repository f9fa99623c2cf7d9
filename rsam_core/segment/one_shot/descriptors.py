"""What an object looks like, in numbers that can be compared between objects and images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import OneShotError
from rsam_core.models.base import PromptableModel
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window
from rsam_core.segment.features.extraction import SHAPE, shape_features
from rsam_core.segment.features.pooling import EmbeddedView, feature_maps, pool
from rsam_core.segment.kinds import KindSums

_RING = 12
"""Width in pixels of what counts as an object's surroundings: one and a half feature cells."""

LENGTHS = tuple(name for name in SHAPE if name.startswith("log_") and name != "log_area")
"""Shape numbers that are logarithms of a length; ``log_area`` is that of an area."""


@dataclass(frozen=True, eq=False)
class Descriptions:
    """Descriptions of N objects by one model.

    Attributes
    ----------
    shape : ndarray of float32, shape (N, S)
        Named by `rsam_core.segment.features.extraction.SHAPE`. Sizes are logarithms of pixels of
        the scene.
    inside, around : ndarray of float32, shape (N, C)
        The model's features averaged under the object and over a ring of 12 pixels around it.
    centre, spread : ndarray of float32, shape (C,)
        Mean and standard deviation of the model's features over the image: what is common to all
        of it tells nothing apart.
    model : str
        Name of the model.
    gsd : float or None
        Ground sample distance in metres, to compare sizes between images.
    kinds : ndarray of float32, shape (N, 10), or None
        Probability of each of `rsam_core.models.tiny.kinds.KINDS`; None where the model cannot
        say what objects are.
    """

    shape: NDArray[np.float32]
    inside: NDArray[np.float32]
    around: NDArray[np.float32]
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]
    model: str
    gsd: float | None = None
    kinds: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, chosen: Any) -> Descriptions:
        """Some of the objects, by positions or a boolean array."""
        chosen = np.atleast_1d(chosen)
        return replace(
            self,
            shape=self.shape[chosen],
            inside=self.inside[chosen],
            around=self.around[chosen],
            kinds=None if self.kinds is None else self.kinds[chosen],
        )

    def joined(self, more: Descriptions) -> Descriptions:
        """These objects and further ones of the same image."""
        if not len(more):
            return self
        if not len(self):
            return more
        return replace(
            self,
            shape=np.concatenate([self.shape, more.shape]),
            inside=np.concatenate([self.inside, more.inside]),
            around=np.concatenate([self.around, more.around]),
            kinds=(
                None
                if self.kinds is None or more.kinds is None
                else np.concatenate([self.kinds, more.kinds])
            ),
        )

    def at(self, gsd: float | None) -> Descriptions:
        """The same objects as they would be measured at another ground sample distance.

        Without a distance on either side, pixels are taken to be of one size.
        """
        if not gsd or not self.gsd or gsd == self.gsd:
            return replace(self, gsd=gsd or self.gsd)
        shift = np.log(self.gsd / gsd)
        shape = self.shape.copy()
        shape[:, SHAPE.index("log_area")] += 2 * shift
        for name in LENGTHS:
            shape[:, SHAPE.index(name)] += shift
        return replace(self, shape=shape, gsd=gsd)


def ring(item: Instance, shape: tuple[int, int], width: int = _RING) -> Instance:
    """What surrounds an object: its dilation by a disc, without itself, inside the image.

    An object that fills the image has no surroundings; the object itself is returned then.
    """
    import cv2

    x0, y0, x1, y1 = item.bbox
    grown = np.pad(item.mask, width).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * width + 1, 2 * width + 1))
    around = (cv2.dilate(grown, disc) > 0) & (grown == 0)
    left, top = max(width - x0, 0), max(width - y0, 0)
    right = around.shape[1] - max(x1 + width - shape[1], 0)
    bottom = around.shape[0] - max(y1 + width - shape[0], 0)
    around = around[top:bottom, left:right]
    if not around.any():
        return item
    return Instance(around, x0 - width + left, y0 - width + top)


def describe(
    instances: Instances,
    scene: Any,
    views: Iterable[EmbeddedView],
    model: str,
    *,
    namer: PromptableModel | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Descriptions:
    """Describe objects of a scene.

    Parameters
    ----------
    instances : Instances
        N objects in scene pixels.
    scene : Scene
        Anything with ``height``, ``width`` and ``gsd``; see `ArrayScene`.
    views : iterable of EmbeddedView
        Encoded views that show them all; gone through once.
    model : str
        Name of the model that encoded them.
    namer : PromptableModel, optional
        That model, to say what the objects are, if it can.
    cancelled : callable, optional

    Raises
    ------
    OneShotError
        If an object lies outside all views.
    Cancelled
        If `cancelled` said so.
    """
    shape = (scene.height, scene.width)
    rings = [ring(item, shape) for item in instances]
    statistics = _Statistics()
    both = Instances([*(replace(i, id=0) for i in instances), *rings], shape)
    named = None
    if namer is not None and namer.names:
        named = KindSums(instances, namer, cancelled)
        views = _named(views, named)
    pooled = pool(both, statistics.watch(views), cancelled)
    if len(instances) and pooled is None:
        raise OneShotError(
            "An object lies outside the part of the image that the model has looked at. Choose "
            "one in that part, or move the view there."
        )
    if pooled is None:
        pooled = np.zeros((0, statistics.channels), np.float32)
    return Descriptions(
        shape_features(instances),
        pooled[: len(instances)],
        pooled[len(instances) :],
        *statistics.result(),
        model,
        getattr(scene, "gsd", None),
        named.means() if named is not None else None,
    )


def _named(views: Iterable[EmbeddedView], kinds: KindSums) -> Iterator[EmbeddedView]:
    """The views, each named as it passes by."""
    for view in views:
        kinds.add(view)
        yield view


class _Statistics:
    """Mean and standard deviation of the features of all views that pass by."""

    def __init__(self) -> None:
        self.count, self.sums, self.squares = 0, np.zeros(1), np.zeros(1)

    @property
    def channels(self) -> int:
        return len(self.sums)

    def watch(self, views: Iterable[EmbeddedView]) -> Iterator[EmbeddedView]:
        for view in views:
            for maps, per_cell in feature_maps(view.embedding):
                rows, columns = (int(np.ceil(side / per_cell)) for side in view.embedding.shape)
                cells = maps[:, :rows, :columns].reshape(len(maps), -1).astype(np.float64)
                self.count += cells.shape[1]
                self.sums = self.sums + cells.sum(1)
                self.squares = self.squares + (cells**2).sum(1)
            yield view

    def result(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        mean = self.sums / max(self.count, 1)
        variance = self.squares / max(self.count, 1) - mean**2
        spread = np.sqrt(np.maximum(variance, 1e-12))
        return mean.astype(np.float32), spread.astype(np.float32)


@dataclass(frozen=True, eq=False)
class ArrayScene:
    """An RGB array as a scene: what :func:`describe` needs of one.

    Attributes
    ----------
    rgb : ndarray of uint8, shape (H, W, 3)
    gsd : float or None
    """

    rgb: NDArray[np.uint8]
    gsd: float | None = None

    def read_rgb(
        self, window: Window | None = None, max_size: int | None = None
    ) -> NDArray[np.uint8]:
        """A part of it, or the whole with pixels left out, so that no side is much longer."""
        if window is not None:
            return self.rgb[window.y : window.y + window.height, window.x : window.x + window.width]
        step = max(1, max(self.rgb.shape[:2]) // max_size) if max_size else 1
        return self.rgb[::step, ::step]

    @property
    def height(self) -> int:
        """Rows."""
        return self.rgb.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.rgb.shape[1]

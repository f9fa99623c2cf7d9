"""What objects are: building, road, car, tree… as far as the model can say.

>>> kinds = guess_kinds(objects, scene, segmenter)                       # doctest: +SKIP
>>> kinds.names                                                          # doctest: +SKIP
['building', 'tree', 'not sure']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, RsamError
from rsam_core.models.base import PromptableModel
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.runtime.language import N_
from rsam_core.segment.features.pooling import EmbeddedView, embedded_tiles
from rsam_core.segment.features.view_crops import crop_in_view
from rsam_core.segment.segmenter import Segmenter

NOT_SURE = N_("not sure")
"""In place of a kind that is less likely than the model's limit."""

_AT_ONCE = 64
"""Objects looked at before others get their turn with the model, and a stop is heard."""


@dataclass(frozen=True, eq=False)
class Kinds:
    """What N objects are.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (N, 10)
        Of each of `rsam_core.models.tiny.kinds.KINDS`; rows sum to 1.
    sure : float
        Probability from which a kind is worth saying.
    """

    probabilities: NDArray[np.float32]
    sure: float

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def names(self) -> list[str]:
        """Most likely kind of each object, "not sure" where it is less likely than `sure`."""
        best = self.probabilities.argmax(axis=1)
        return [
            KINDS[kind] if share >= self.sure else NOT_SURE
            for kind, share in zip(best, self.highest)
        ]

    @property
    def highest(self) -> NDArray[np.float32]:
        """Probability of the most likely kind, shape (N,)."""
        return self.probabilities.max(axis=1)


def guess_kinds(
    objects: Instances,
    scene: Any,
    segmenter: Segmenter,
    *,
    views: Iterable[EmbeddedView] | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Kinds:
    """Say what objects of a scene of any size are.

    Parameters
    ----------
    objects : Instances
        N objects in scene pixels.
    scene : Scene
        Anything with ``height``, ``width`` and ``read_rgb``.
    segmenter : Segmenter
        Its model must be one that names objects, such as ``rsam-tiny``.
    views : iterable of EmbeddedView, optional
        Parts of the scene that are encoded already, at one view pixel a scene pixel; gone through
        once. By default the scene is encoded tile by tile where there are objects, with one tile
        in memory at a time. An object outside all views is "not sure".
    progress : callable, optional
        Called with the share that is done, 0 to 1, and a few words.
    cancelled : callable, optional
        Asked now and then whether to stop.

    Returns
    -------
    Kinds
        An object that lies wholly in a view is named there; one that is larger than a tile gets
        the mean over its parts, each counted by its pixels.

    Raises
    ------
    ModelError
        If the model cannot say what objects are.
    RsamError
        If the objects belong to an image of another size, or a view is enlarged or reduced.
    SceneError
        If the picture cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    model = segmenter.model
    if not model.names:
        # It says itself what to do instead.
        model.name_objects(None, ())
    if tuple(objects.shape) != (scene.height, scene.width):
        raise RsamError(
            f"These objects belong to an image of {objects.shape[1]} × {objects.shape[0]} pixels, "
            f"this one has {scene.width} × {scene.height}. Open the image they were found in."
        )
    if views is None:
        views = embedded_tiles(objects, scene, segmenter, progress=progress)
    seen = KindSums(objects, model, cancelled)
    for view in views:
        if view.scale != 1:
            raise RsamError("Kinds are told from views at full resolution. Leave the views out.")
        seen.add(view)
    return Kinds(seen.means(), float(model.sure))


class KindSums:
    """Kinds of N objects, as the views that show them pass by.

    Parameters
    ----------
    objects : Instances
        In scene pixels.
    model : PromptableModel
        One that names objects.
    cancelled : callable, optional
    """

    def __init__(
        self,
        objects: Instances,
        model: PromptableModel,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        self.objects, self.model, self.cancelled = objects, model, cancelled
        self._sums = np.zeros((len(objects), len(KINDS)))
        self._weights = np.zeros(len(objects))
        self._areas = objects.areas

    def add(self, view: EmbeddedView) -> None:
        """Name what a view shows.

        Raises
        ------
        Cancelled
            If `cancelled` said so.
        """
        meeting, seen = _seen(self.objects, view)
        for start in range(0, len(meeting), _AT_ONCE):
            if self.cancelled is not None and self.cancelled():
                raise Cancelled("Stopped. Nothing was changed.")
            some = meeting[start : start + _AT_ONCE]
            crops = [crop_in_view(self.objects[int(i)], view) for i in some]
            found = self.model.name_objects(view.embedding.features, crops)
            share = seen[start : start + _AT_ONCE] / self._areas[some]
            # A whole object outweighs any part of it that other tiles see.
            share = np.where(share == 1, 1e6, share)
            self._sums[some] += share[:, None] * found
            self._weights[some] += share

    def means(self) -> NDArray[np.float32]:
        """Probabilities of the kinds, (N, 10); alike for objects that no view has shown."""
        sums, weights = self._sums.copy(), self._weights.copy()
        sums[weights == 0], weights[weights == 0] = 1 / len(KINDS), 1
        return (sums / weights[:, None]).astype(np.float32)


def _seen(objects: Instances, view: EmbeddedView) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the objects with pixels in a view, and how many pixels."""
    height, width = (round(side / view.scale) for side in view.embedding.shape)
    left, top = int(view.x), int(view.y)
    x0, y0, x1, y1 = objects.bboxes.reshape(-1, 4).T
    near = (x1 > left) & (y1 > top) & (x0 < left + width) & (y0 < top + height)
    near = np.flatnonzero(near)
    whole = (x0 >= left) & (y0 >= top) & (x1 <= left + width) & (y1 <= top + height)
    seen = np.array([
        objects[int(i)].area if whole[i] else _inside(objects[int(i)], left, top, width, height)
        for i in near
    ], np.int64)  # fmt: skip
    return near[seen > 0], seen[seen > 0]


def _inside(item: Instance, left: int, top: int, width: int, height: int) -> int:
    rows = slice(max(top - item.y, 0), max(top + height - item.y, 0))
    columns = slice(max(left - item.x, 0), max(left + width - item.x, 0))
    return int(np.count_nonzero(item.mask[rows, columns]))

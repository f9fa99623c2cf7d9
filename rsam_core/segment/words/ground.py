"""The ground between objects: roads, water, fields, which objects lie on or near.

>>> ground = find_ground(objects, scene, naming)                         # doctest: +SKIP
>>> known = describe(objects, scene, ground=ground)                      # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, SceneError
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.classify.rules import Condition, Relation, Rule
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.segment.kinds import Kinds

GROUND = ("road", "grass or field", "bare ground", "water")
"""Kinds that lie between objects rather than being outlined as some."""

MAX_PIXELS = 16_000_000
"""Pixels of the largest place whose ground is looked at: each of its tiles is encoded."""

_MARGIN = 256
"""Pixels around the objects that are looked at: nothing farther away is near them."""

_SIDE = 1024
"""Longer side of the picture that is divided."""

_REGION = 300
"""Pixels of that picture in a region, about."""

_COMPACT = 10.0
"""Of SLIC: low follows colours, high makes squares."""

_THIN, _SLIVER = 3, 24
"""Pixels across, and pixels altogether, below which what objects leave of a region tells nothing
of its own: gaps between houses, shadows beside them."""

_REACH = 10
"""Pixels as far as such remains belong to a region beside them."""

Namer = Callable[[Instances], "Kinds | None"]
"""Tells the kinds of regions, as `rsam_core.segment.kinds.guess_kinds` does."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What the ground is at each pixel of a place, beneath objects as beside them.

    Attributes
    ----------
    kinds : ndarray of uint8, shape (h, w)
        0 where that is not known, else the place in `GROUND`, counted from 1.
    x, y : int
        Scene pixel of its top-left corner.
    shape : (int, int)
        Height and width of the scene.
    """

    kinds: NDArray[np.uint8]
    x: int
    y: int
    shape: tuple[int, int]

    def covers(self, objects: Instances) -> bool:
        """Whether it tells of the place of all objects."""
        if tuple(objects.shape) != tuple(self.shape):
            return False
        if not len(objects):
            return True
        height, width = self.kinds.shape
        low, high = objects.bboxes[:, :2].min(axis=0), objects.bboxes[:, 2:].max(axis=0)
        return bool(
            (low >= [self.x, self.y]).all() and (high <= [self.x + width, self.y + height]).all()
        )

    def areas(self, objects: Instances) -> Instances:
        """What no object covers, in connected areas whose labels are their kinds."""
        import cv2

        kinds = np.where(objects.union_mask(self.window), 0, self.kinds)
        areas: list[Instance] = []
        for number, name in enumerate(GROUND, 1):
            there = kinds == number
            if not there.any():
                continue
            _, parts = cv2.connectedComponents(there.view(np.uint8), connectivity=8)
            areas += [
                Instance(item.mask, item.x + self.x, item.y + self.y, 1.0, 0, "ground", name)
                for item in Instances.from_label_map(parts)
                if item.area >= _SLIVER
            ]
        return Instances(areas, self.shape)

    @property
    def window(self) -> Window:
        """The place that it tells of."""
        height, width = self.kinds.shape
        return Window(self.x, self.y, width, height)


def asks_for_ground(rule: Rule | None) -> bool:
    """Whether a rule asks how objects lie to roads, water, fields or bare ground."""
    return bool(ground_asked(rule))


def ground_asked(rule: Rule | None) -> set[str]:
    """Kinds of ground that a rule asks how objects lie to."""
    found: set[str] = set()
    for item in rule.items if rule is not None else ():
        if isinstance(item, Relation):
            for other in item.others:
                found |= (named_kinds(other) & set(GROUND)) | ground_asked(other)
        elif isinstance(item, Rule):
            found |= ground_asked(item)
    return found


def named_kinds(rule: Rule) -> set[str]:
    """Kinds that a rule asks for by name; those that must not be do not count."""
    if rule.combine == "none":
        return set()
    found: set[str] = set()
    for item in rule.items:
        if isinstance(item, Rule):
            found |= named_kinds(item)
        elif isinstance(item, Condition) and item.column == "kind" and item.operator == "=":
            found.add(str(item.value))
    return found


def find_ground(
    objects: Instances,
    scene: Any,
    namer: Namer,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Ground:
    """Tell what the ground between and around objects is.

    The picture is divided into regions of even colour, those beside objects are named, and what
    lies beneath an object is taken for what lies beside it.

    Parameters
    ----------
    objects : Instances
        In scene pixels.
    scene : Scene
        Anything with ``height``, ``width`` and ``read_rgb``.
    namer : callable
        Tells the kinds of regions; it reports its own progress.
    progress, cancelled : callable, optional
        Called with the share that is done, 0 to 1, and a few words; asked whether to stop.

    Raises
    ------
    SceneError
        If the place of the objects is larger than `MAX_PIXELS`, or cannot be read.
    Cancelled
        If `cancelled` said so.
    """
    window = place_of(objects)
    if progress is not None:
        progress(0.0, "dividing the ground")
    labels = ground_regions(objects, scene, window)
    _check(cancelled)
    regions = Instances(
        [
            Instance(item.mask, item.x + window.x, item.y + window.y, 1.0, item.id, "ground")
            for item in Instances.from_label_map(labels)
        ],
        objects.shape,
    )
    kinds = namer(regions)
    _check(cancelled)
    told = np.zeros(len(regions) + 1, np.uint8)
    if kinds is not None and len(regions):
        order = np.array([GROUND.index(k) + 1 if k in GROUND else 0 for k in KINDS], np.uint8)
        sure = kinds.highest >= kinds.sure
        told[1:] = np.where(sure, order[kinds.probabilities.argmax(axis=1)], 0)
    if len(regions):
        near, far = _nearest(labels)
        labels = np.where((far <= _REACH) | objects.union_mask(window), near, 0)
    return Ground(told[labels], window.x, window.y, tuple(objects.shape))


def find_kinds_and_ground(
    some: Instances,
    objects: Instances,
    scene: Any,
    namer: Callable[[Instances], Kinds],
    **options: Any,
) -> tuple[Kinds, Ground]:
    """Kinds of some of the objects, and the ground of all, in one go.

    No part of a large scene is encoded twice then. Parameters and errors as for
    :func:`find_ground`.
    """
    told: list[Kinds] = []

    def together(regions: Instances) -> Kinds:
        items = [*some, *(replace(region, id=0) for region in regions)]
        both = namer(Instances(items, objects.shape))
        told.append(replace(both, probabilities=both.probabilities[: len(some)]))
        return replace(both, probabilities=both.probabilities[len(some) :])

    ground = find_ground(objects, scene, together, **options)
    return told[0], ground


def place_of(objects: Instances) -> Window:
    """The objects and what is near them.

    Raises
    ------
    SceneError
        If it is larger than `MAX_PIXELS`.
    """
    window = _around(objects)
    if not small_enough(objects):
        raise SceneError(
            "Roads, water and fields between the objects are looked at on up to "
            f"{MAX_PIXELS / 1e6:.0f} megapixels; these objects lie on "
            f"{window.width * window.height / 1e6:.0f}. Only roads and water that are outlined "
            "themselves count. Find the objects of a smaller view to look at its ground, too."
        )
    return window


def small_enough(objects: Instances) -> bool:
    """Whether the objects lie near enough to each other to look at the ground between them."""
    window = _around(objects)
    return window.width * window.height <= MAX_PIXELS


def _around(objects: Instances) -> Window:
    height, width = objects.shape
    if not len(objects):
        return Window(0, 0, width, height)
    x0, y0 = np.maximum(objects.bboxes[:, :2].min(axis=0) - _MARGIN, 0).tolist()
    x1, y1 = np.minimum(objects.bboxes[:, 2:].max(axis=0) + _MARGIN, [width, height]).tolist()
    return Window(x0, y0, x1 - x0, y1 - y0)


def ground_regions(objects: Instances, scene: Any, window: Window) -> NDArray[np.int32]:
    """Number regions of even colour between objects, shape (h, w); 0 elsewhere.

    Neither what an object covers nor what is too thin or small to tell anything is of a region.
    """
    import cv2
    from skimage.segmentation import slic

    whole = (window.height, window.width) == (scene.height, scene.width)
    picture = scene.read_rgb(None if whole else window, max_size=_SIDE)
    count = max(round(picture.shape[0] * picture.shape[1] / _REGION), 1)
    small = slic(
        picture, n_segments=count, compactness=_COMPACT, start_label=1, channel_axis=-1
    ).astype(np.int32)
    size = (window.width, window.height)
    labels = cv2.resize(small, size, interpolation=cv2.INTER_NEAREST)
    free = (~objects.union_mask(window)).view(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_THIN, _THIN))
    labels[cv2.morphologyEx(free, cv2.MORPH_OPEN, disc) == 0] = 0
    # Numbers without gaps.
    used = np.bincount(labels.ravel()) >= _SLIVER
    used[0] = False
    return np.where(used, np.cumsum(used), 0).astype(np.int32)[labels]


def _nearest(labels: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The label nearest to each pixel, and how many pixels away it is."""
    import cv2

    known = labels > 0
    far, owners = cv2.distanceTransformWithLabels(
        (~known).view(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(owners.max()) + 1, np.int32)
    table[owners[known]] = labels[known]
    return table[owners], far


def _check(cancelled: Callable[[], bool] | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("Stopped. Nothing was changed.")

"""What lesson 5 cuts a picture into, and how many true objects the pieces tell apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.learn.subject import Subject, town_subject
from rsam_core.models.tiny.kinds import KINDS, OF_RENDERED
from rsam_core.objects.crops import Crop
from rsam_core.objects.instance import Instance
from rsam_core.prompts.superpixels import SuperpixelSettings, borders, superpixels
from rsam_core.runtime.language import N_

SIDE = (480, 320)
"""Width and height of the picture."""
SIZES = (8, 10, 12, 16, 24, 32, 48)
"""Sides of superpixels that can be chosen, in pixels."""
FINE = 12
"""Side of the superpixels that get a kind."""
SMALLEST: Mapping[str, int] = MappingProxyType({"roof": 150, "car": 30, "tree": 60, "pool": 30})
"""Kinds of objects that are counted, and from how many pixels on."""
SAME = 0.5
"""IoU from which a piece is the object."""
PUT_TOGETHER = 0.8
"""IoU from which a house counts as put together again from superpixels."""
NOT_SURE = -1
"""In place of a kind's number."""

KIND_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "building": N_("building"), "road": N_("road or paved"), "car": N_("car"),
        "tree": N_("tree"), "grass or field": N_("grass or field"),
        "bare ground": N_("bare ground"), "water": N_("water"), "pool": N_("pool"),
        "boat": N_("boat"), "other": N_("other"),
    }
)  # fmt: skip
"""What the model's kinds are called, as marked messages."""
KIND_COLOURS = (
    "#F0433A", "#9AA5B1", "#E84FD0", "#1F8A3B", "#9BD862",
    "#C98A4B", "#2F7BFF", "#00C8FF", "#FFE600", "#8E6CFF",
)  # fmt: skip
"""Colour of each of the model's kinds, in their order."""


def sample() -> Subject:
    """The rendered suburb that the lesson shows."""
    return town_subject("suburb", 5, 0.3, *SIDE)


def middle_of(subject: Subject) -> Subject:
    """The middle of a picture in the lesson's size; the picture itself where it is smaller."""
    (height, width), (wide, high) = subject.shape, SIDE
    top, left = max(height - high, 0) // 2, max(width - wide, 0) // 2
    image = np.ascontiguousarray(subject.image[top : top + high, left : left + wide])
    return Subject(
        subject.key, subject.name, image, subject.gsd, own=subject.own, credit=subject.credit
    )


@lru_cache(maxsize=4)
def targets(subject: Subject) -> tuple[int, ...]:
    """Numbers of the true objects that are counted."""
    return tuple(n for kind, least in SMALLEST.items() for n in subject.numbers(kind, least))


def houses(subject: Subject) -> list[int]:
    """Numbers of the true houses that are counted."""
    return subject.numbers("roof", SMALLEST["roof"])


def patches(subject: Subject, size: int) -> NDArray[np.int32]:
    """Superpixels about as wide as `size` pixels: the number of each pixel's, from 1."""
    return _sample_patches(size) if not subject.own else _patches(subject.image, size)


@lru_cache(maxsize=len(SIZES))
def _sample_patches(size: int) -> NDArray[np.int32]:
    return _patches(sample().image, size)


def _patches(image: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
    return superpixels(image, SuperpixelSettings(size=size))


def with_borders(image: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A picture with the borders between its pieces."""
    shown = image.copy()
    shown[borders(labels)] = (255, 230, 0)
    return shown


def averaged(image: NDArray[np.uint8], labels: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A picture in which each piece has its mean colour."""
    flat = labels.ravel()
    count = np.maximum(np.bincount(flat), 1)
    mean = [np.bincount(flat, image[..., c].ravel()) / count for c in range(3)]
    return np.rint(np.stack(mean, axis=1)[labels]).astype(np.uint8)


def _shared(truth: NDArray[np.int32], pieces: NDArray[np.int32]) -> NDArray[np.int64]:
    """(T + 1, P + 1) pixels that each true object shares with each piece."""
    rows, columns = int(truth.max()) + 1, int(pieces.max()) + 1
    codes = truth.astype(np.int64).ravel() * columns + pieces.ravel()
    return np.bincount(codes, minlength=rows * columns).reshape(rows, columns)


def told_apart(pieces: NDArray[np.int32], subject: Subject) -> frozenset[int]:
    """The counted objects that are one piece of their own.

    Parameters
    ----------
    pieces : (H, W) ndarray of int32
        Number of the piece at each pixel; 0 is none.
    subject : Subject
        With its truth.

    Returns
    -------
    frozenset of int
        Numbers of the objects that a piece covers with an IoU of at least `SAME`.
    """
    shared = _shared(subject.labels, pieces)
    union = shared.sum(axis=1)[:, None] + shared.sum(axis=0)[None, :] - shared
    best = (shared / union)[:, 1:].max(axis=1, initial=0.0)
    return frozenset(n for n in targets(subject) if best[n] >= SAME)


def told_apart_by(objects: Iterable[Instance], subject: Subject) -> frozenset[int]:
    """As `told_apart`, for outlines that may overlap."""
    areas = np.bincount(subject.labels.ravel())
    found: set[int] = set()
    wanted = set(targets(subject))
    for item in objects:
        height, width = item.mask.shape
        part = subject.labels[item.y : item.y + height, item.x : item.x + width]
        shared = np.bincount(part[item.mask])
        number = int(shared[1:].argmax()) + 1 if len(shared) > 1 else 0
        union = item.mask.sum() + areas[number] - shared[number]
        if number in wanted and shared[number] / union >= SAME:
            found.add(number)
    return frozenset(found)


def put_together(pieces: NDArray[np.int32], subject: Subject) -> dict[int, float]:
    """IoU of each house with what whole pieces can make of it.

    A piece is taken where more than half of it lies in the house: nothing better can be reached
    without cutting pieces.
    """
    shared = _shared(subject.labels, pieces)
    sizes, areas = shared.sum(axis=0), shared.sum(axis=1)
    result = {}
    for house in houses(subject):
        taken = shared[house] > sizes / 2
        common = shared[house][taken].sum()
        result[house] = float(common / (areas[house] + sizes[taken].sum() - common))
    return result


@dataclass(frozen=True, eq=False)
class Named:
    """Superpixels with a kind each.

    Attributes
    ----------
    patches : ndarray
        (H, W) int32, from 1.
    likely : ndarray
        (N, 10) float32, how likely each kind of `rsam_core.models.tiny.kinds.KINDS` is.
    """

    patches: NDArray[np.int32]
    likely: NDArray[np.float32]

    def kinds(self, sure: float = 0.0) -> NDArray[np.int8]:
        """(H, W) number of the kind at each pixel, `NOT_SURE` where it is less likely."""
        best = self.likely.argmax(axis=1).astype(np.int8)
        best[self.likely.max(axis=1) < sure] = NOT_SURE
        return best[self.patches - 1]


def crops_of(labels: NDArray[np.int32]) -> list[Crop]:
    """The pieces of a map of pieces, each with its mask, in the order of their numbers."""
    from scipy import ndimage

    return [
        Crop(labels[box] == number, box[1].start, box[0].start)
        for number, box in enumerate(ndimage.find_objects(labels), start=1)
    ]


def true_kinds(subject: Subject) -> NDArray[np.int8]:
    """(H, W) number of the true kind at each pixel, `NOT_SURE` where the truth names nothing."""
    table = np.full(max(subject.kinds, default=0) + 1, NOT_SURE, np.int8)
    for number, kind in subject.kinds.items():
        if kind in OF_RENDERED:
            table[number] = KINDS.index(OF_RENDERED[kind])
    return table[subject.labels]


def rightly_named(kinds: NDArray[np.int8], subject: Subject) -> tuple[float, float]:
    """Of the pixels whose kind is known, the share that is named, and what of that is right."""
    truth = true_kinds(subject)
    known = truth != NOT_SURE
    named = known & (kinds != NOT_SURE)
    count = int(named.sum())
    right = int((named & (kinds == truth)).sum())
    return count / max(int(known.sum()), 1), right / count if count else 0.0


def connected(kinds: NDArray[np.int8]) -> NDArray[np.int32]:
    """(H, W) pieces of one kind that hang together by their sides, from 1; 0 where not sure."""
    from skimage.measure import label

    return label(kinds.astype(np.int16), background=NOT_SURE, connectivity=1).astype(np.int32)


def coloured(
    image: NDArray[np.uint8], kinds: NDArray[np.int8], opacity: float = 0.6
) -> NDArray[np.uint8]:
    """A picture with the colour of each pixel's kind over it."""
    from rsam_core.objects.palette import to_rgb

    table = np.array([to_rgb(colour) for colour in KIND_COLOURS], np.float32)
    shown = image.astype(np.float32)
    named = kinds != NOT_SURE
    shown[named] += opacity * (table[kinds[named]] - shown[named])
    return np.rint(shown).astype(np.uint8)

"""The common interface of all ways to outline an object, and the bench on which they run."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.crops import Crop, paste, shared_pixels

if TYPE_CHECKING:
    from rsam_core.objects.instances import Instances
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A method's answer for one object.

    Attributes
    ----------
    mask : ndarray of bool, shape (H, W)
    seconds : float
        Time for this object, without what is done once an image.
    score : float or None
        Predicted IoU, where the method gives one.
    """

    mask: Mask
    seconds: float
    score: float | None = None


class SharedImageWork:
    """An image with the work that methods do once for it, each kind timed.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
        RGB.
    cancelled : callable, optional
        Handed to long work.

    Attributes
    ----------
    seconds : dict of str to float
        Time of each kind of shared work that was done.
    user_seconds : float
        Time that simulating the user took; it is no method's time.
    """

    def __init__(
        self, image: NDArray[np.uint8], *, cancelled: Callable[[], bool] | None = None
    ) -> None:
        self.image = image
        self.cancelled = cancelled
        self.seconds: dict[str, float] = {}
        self.user_seconds = 0.0
        self._values: dict[str, Any] = {}

    def shared(self, key: str, make: Callable[[], Any]) -> Any:
        """What `make` returns, made once for each key and timed.

        The time of shared work that `make` itself asks for is not counted twice.
        """
        if key not in self._values:
            before, began = sum(self.seconds.values()), time.perf_counter()
            self._values[key] = make()
            inner = sum(self.seconds.values()) - before
            self.seconds[key] = time.perf_counter() - began - inner
        return self._values[key]

    def user(self, act: Callable[..., Any], *args: Any) -> Any:
        """Do what the user does (look, aim a click), off the clock."""
        began = time.perf_counter()
        try:
            return act(*args)
        finally:
            self.user_seconds += time.perf_counter() - began

    def embedding(self, segmenter: Segmenter) -> Embedding:
        """The image as a model sees it."""
        return self.shared(f"embedding {segmenter.model.name}", lambda: segmenter.embed(self.image))


class Method(ABC):
    """One way to outline an object.

    Attributes
    ----------
    key : str
        Short name for files and the command line, such as ``"rsam-tiny:box"``.
    title : str
        Name to show.
    prompt : str
        What it is given, in plain words.
    model : str or None
        Name of the promptable model inside, if any.
    sees_truth : bool
        True for upper bounds that choose by the truth, as no user can.
    shared : tuple of str
        Keys of :attr:`SharedImageWork.seconds` that it depends on.
    """

    key: str
    title: str
    prompt: str
    model: str | None = None
    sees_truth: bool = False
    shared: tuple[str, ...] = ()

    def prepare(self, bench: SharedImageWork) -> None:  # noqa: B027 - most have nothing to prepare
        """Do what serves all objects of the image."""

    @abstractmethod
    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        """Mask of one object and its predicted IoU, if there is one."""

    def run(self, bench: SharedImageWork, truth: Mask) -> Outcome:
        """Answer for one object, timed.

        Parameters
        ----------
        bench : SharedImageWork
        truth : ndarray of bool, shape (H, W)
            The object that is meant; prompts are derived from it. Not empty.
        """
        self.prepare(bench)
        user, began = bench.user_seconds, time.perf_counter()
        mask, score = self.mask(bench, truth)
        seconds = time.perf_counter() - began - (bench.user_seconds - user)
        return Outcome(mask, max(seconds, 0.0), score)

    def image_seconds(self, bench: SharedImageWork) -> float:
        """Time of the shared work it depends on, 0 if none was done."""
        return sum(bench.seconds.get(key, 0.0) for key in self.shared)

    def find(self, bench: SharedImageWork) -> Instances | None:
        """All objects it finds unprompted; None if it needs a prompt for each."""
        return None


def best_instance(found: Instances, truth: Mask) -> tuple[Mask, float | None]:
    """Of the objects found, the one with the highest IoU; an empty mask if none touches."""
    best, chosen = 0.0, None
    area = int(truth.sum())
    for item in found:
        shared = shared_pixels(item, Crop(truth, 0, 0))
        iou = shared / (area + item.area - shared)
        if iou > best:
            best, chosen = iou, item
    mask = np.zeros(truth.shape, bool)
    if chosen is None:
        return mask, None
    paste(mask, chosen)
    return mask, chosen.score

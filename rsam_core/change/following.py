"""An object followed through frames: its mask carried over, found again, corrected."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.frames import Frames, as_frames
from rsam_core.change.picture import date_in_name
from rsam_core.errors import Cancelled, FollowError
from rsam_core.objects.crops import Crop, shared_pixels
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.progress import Progress
from rsam_core.segment.segmenter import Segmenter

if TYPE_CHECKING:
    import pandas as pd


_LOOSE = 0.12
"""By which share of its sides the box of the last frame is widened."""

_STEADY = 0.45
"""Overlap with the mask of the last frame from which on an answer is believed."""

_LOOKS = 0.55
"""Cosine of the features with those of the object from which on it is found again."""

_MEMORY = 0.15
"""Share of a new frame in the remembered look of the object."""


@dataclass(frozen=True, eq=False)
class Track:
    """An object through frames.

    Attributes
    ----------
    frames : Frames
    outlines : tuple of Instance or None
        In pixels of each frame; None where it was not found.
    confidence : tuple of float
        Of each outline, 0 to 1.
    prompts : mapping of int to Prompt
        What a person marked, by frame.
    shifts : ndarray of float64, shape (T, 2)
        How far the picture moved since the frame before, x and y in pixels.
    seconds : float
        Time that following took.
    """

    frames: Frames
    outlines: tuple[Instance | None, ...]
    confidence: tuple[float, ...]
    prompts: Mapping[int, Prompt]
    shifts: NDArray[np.float64]
    seconds: float
    _segmenter: Segmenter = field(repr=False)

    @property
    def masks(self) -> NDArray[np.bool_]:
        """Masks of all frames, (T, H, W) bool; empty where it was not found."""
        result = np.zeros((len(self.outlines), *self.frames.shape), bool)
        for mask, item in zip(result, self.outlines):
            if item is not None:
                x0, y0, x1, y1 = item.bbox
                mask[y0:y1, x0:x1] = item.mask
        return result

    @property
    def frames_per_second(self) -> float:
        """Frames followed in a second."""
        return (len(self.frames) - 1) / max(self.seconds, 1e-9)

    def corrected(self, frame: int, prompt: Prompt, **options: Any) -> Track:
        """Follow again with a prompt more: forwards and backwards from that frame.

        Other prompted frames stay as they are, and end the part that is followed anew.
        """
        prompts = {**self.prompts, frame: prompt}
        return _follow(self.frames, prompts, self._segmenter, known=self, anew=frame, **options)

    def table(self) -> pd.DataFrame:
        """One row a frame.

        Returns
        -------
        pandas.DataFrame
            ``frame`` from 0, ``name``, ``date`` (from the name, if it tells one), ``found``,
            ``confidence``, ``area`` in pixels, ``centroid_x``, ``centroid_y``, ``area_m2`` if the
            ground sample distance is known.
        """
        import pandas as pd

        rows = []
        for k, (item, sure) in enumerate(zip(self.outlines, self.confidence)):
            y, x = (np.nan, np.nan) if item is None else np.argwhere(item.mask).mean(0) + 0.5
            rows.append(
                {
                    "frame": k,
                    "name": self.frames.names[k],
                    "date": date_in_name(self.frames.names[k]),
                    "found": item is not None,
                    "confidence": sure,
                    "area": 0 if item is None else item.area,
                    "centroid_x": x if item is None else x + item.x,
                    "centroid_y": y if item is None else y + item.y,
                }
            )
        table = pd.DataFrame(rows)
        if self.frames.gsd:
            table["area_m2"] = table["area"] * self.frames.gsd**2
        return table


def follow(
    frames: Any,
    prompt: Prompt,
    start: int = 0,
    *,
    segmenter: Segmenter | None = None,
    most: int | None = None,
    every: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Track:
    """Follow an object that is marked in one frame, forwards and backwards.

    Parameters
    ----------
    frames : sequence of Scene or ndarray, or path or bytes of a video
        See `rsam_core.change.frames.read_frames`.
    prompt : Prompt
        What marks the object in frame `start`, in its pixels.
    start : int
        From 0; negative numbers count from the end.
    segmenter : Segmenter, optional
        The embedded model by default.
    most, every
        For videos; see `rsam_core.change.frames.read_frames`.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        True ends the work.

    Returns
    -------
    Track

    Raises
    ------
    FollowError, VideoError
        The frames cannot be read, or nothing was found at the prompt.
    PromptError
        The prompt lies outside the frame.
    Cancelled
        If `cancelled` said so.
    """
    options = {} if most is None else {"most": most}
    read = as_frames(frames, **options) if isinstance(frames, Frames) else as_frames(
        frames, every=every, cancelled=cancelled, **options
    )  # fmt: skip
    if not -len(read) <= start < len(read):
        raise FollowError(f"There are {len(read)} frames; there is none with the number {start}.")
    if segmenter is None:
        from rsam_core.change.comparison import default_segmenter

        segmenter = default_segmenter()
    return _follow(read, {start % len(read): prompt}, segmenter, progress=progress,
                   cancelled=cancelled)  # fmt: skip


def _follow(
    frames: Frames,
    prompts: Mapping[int, Prompt],
    segmenter: Segmenter,
    *,
    known: Track | None = None,
    anew: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Track:
    began = time.perf_counter()
    count = len(frames)
    outlines = [None] * count if known is None else list(known.outlines)
    sure = [0.0] * count if known is None else list(known.confidence)
    shifts = np.zeros((count, 2)) if known is None else known.shifts.copy()
    done = 0

    def tell() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. What was followed before is kept.")
        if progress is not None:
            progress(min(done / count, 1.0), f"frame {done} of {count}")

    for first in [anew] if anew is not None else sorted(prompts):
        tell()
        seed = _Follower(segmenter, frames[first])
        item, score = seed.prompted(prompts[first])
        outlines[first], sure[first] = item, score
        done += 1
        for way in (1, -1):
            state = replace_state(seed, item)
            k = first + way
            while 0 <= k < count and k not in prompts:
                tell()
                found, score, shift = state.step(frames[k])
                outlines[k], sure[k] = found, score
                shifts[k if way == 1 else k + 1] = shift if way == 1 else -shift
                done += 1
                k += way
    seconds = time.perf_counter() - began
    return Track(frames, tuple(outlines), tuple(sure), dict(prompts), shifts, seconds, segmenter)


class _Follower:
    """What is remembered of the object and of the last frame."""

    def __init__(self, segmenter: Segmenter, image: NDArray[np.uint8]) -> None:
        self.segmenter = segmenter
        self.image = image
        self.embedding = segmenter.embed(image)
        self.mask: Instance | None = None
        self.look: NDArray[np.float32] | None = None
        self.speed = np.zeros(2)

    def prompted(self, prompt: Prompt) -> tuple[Instance, float]:
        """The object at a person's prompt."""
        answer = self.segmenter.predict(self.embedding, prompt)
        item = answer.instance(0)
        if item is None:
            raise FollowError("Nothing was found there. Click the object's middle, or box it.")
        return item, float(answer.scores[0])

    def step(self, image: NDArray[np.uint8]) -> tuple[Instance | None, float, NDArray[np.float64]]:
        """The object in the next frame, how sure that is, and how far the picture moved."""
        shift = camera_shift(self.image, image)
        embedding = self.segmenter.embed(image)
        self.image, self.embedding = image, embedding
        if self.mask is None:
            return None, 0.0, shift
        height, width = image.shape[:2]
        expected = [shift, shift + self.speed] if np.hypot(*self.speed) > 1 else [shift]
        prompts, places = [], []
        for offset in expected:
            dx, dy = (round(float(v)) for v in offset)
            x0, y0, x1, y1 = np.add(self.mask.bbox, (dx, dy, dx, dy))
            wide = _LOOSE * np.array([x1 - x0, y1 - y0]) + 1
            box = (max(x0 - wide[0], 0), max(y0 - wide[1], 0),
                   min(x1 + wide[0], width), min(y1 + wide[1], height))  # fmt: skip
            if box[2] - box[0] < 3 or box[3] - box[1] < 3:
                continue
            moved = replace(self.mask, x=self.mask.x + dx, y=self.mask.y + dy)
            places.append(moved)
            prompts.append(Prompt(box=box))
            inside = _deepest(moved, (height, width))
            if inside is not None:
                places.append(moved)
                prompts.append(Prompt(points=[inside]))
        best, rank, sure = None, 0.0, 0.0
        if prompts:
            answers = self.segmenter.predict(embedding, prompts)
            for moved, answer in zip(places, answers):
                for k in range(len(answer)):
                    item = answer.instance(k)
                    if item is None:
                        continue
                    value, like = self._rank(item, moved, float(answer.scores[k]))
                    if value > rank:
                        best, rank, sure = item, value, like
        if best is None or rank < _STEADY:
            again = self._found_again()
            if again is None:
                return None, 0.0, shift
            best, sure = again
        middle = _middle(best) - (_middle(self.mask) + shift)
        self.speed = 0.5 * self.speed + 0.5 * middle if np.hypot(*middle) < 40 else np.zeros(2)
        self.mask = best
        self._remember(best)
        return best, float(sure), shift

    def _rank(self, item: Instance, moved: Instance, score: float) -> tuple[float, float]:
        shared = shared_pixels(item, moved)
        overlap = shared / (item.area + moved.area - shared)
        like = self._likeness(item)
        return 0.65 * overlap + 0.2 * like + 0.15 * score, 0.5 * overlap + 0.5 * like

    def _likeness(self, item: Instance) -> float:
        if self.look is None:
            return 0.5
        look = _look(self.embedding, item)
        if look is None:
            return 0.5
        return float(max(look @ self.look, 0.0))

    def _remember(self, item: Instance) -> None:
        look = _look(self.embedding, item)
        if look is None:
            return
        mixed = look if self.look is None else (1 - _MEMORY) * self.look + _MEMORY * look
        self.look = mixed / (np.linalg.norm(mixed) + 1e-9)

    def _found_again(self) -> tuple[Instance, float] | None:
        """The place of the picture whose features look most like the object."""
        from rsam_core.segment.features.pooling import feature_maps

        maps = feature_maps(self.embedding)
        if not maps or self.look is None or self.mask is None:
            return None
        cells, size = maps[0]
        mean = cells.mean((1, 2), keepdims=True)
        centred = (cells - mean).reshape(len(cells), -1)
        close = self.look @ centred / (np.linalg.norm(centred, axis=0) + 1e-9)
        close = cv2.GaussianBlur(close.reshape(cells.shape[1:]).astype(np.float32), (3, 3), 0)
        row, column = np.unravel_index(int(close.argmax()), close.shape)
        height, width = self.embedding.shape
        point = (min((column + 0.5) * size, width - 0.5), min((row + 0.5) * size, height - 0.5))
        answer = self.segmenter.predict(self.embedding, Prompt(points=[point]))
        best: tuple[Instance, float] | None = None
        for k in range(len(answer)):
            item = answer.instance(k)
            if item is None or not 0.4 < item.area / self.mask.area < 2.5:
                continue
            like = self._likeness(item)
            if like > _LOOKS and (best is None or like > best[1]):
                best = item, like
        return best


def replace_state(seed: _Follower, item: Instance) -> _Follower:
    """A follower that starts anew from a frame that was encoded already."""
    state = object.__new__(_Follower)
    state.__dict__.update(seed.__dict__)
    state.mask, state.look, state.speed = item, None, np.zeros(2)
    state._remember(item)
    return state


def camera_shift(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float64]:
    """How far the picture as a whole moved, x and y in pixels."""
    small = []
    scale = min(1.0, 256 / max(first.shape[:2]))
    for image in (first, second):
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
        small.append(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    window = cv2.createHanningWindow(small[0].shape[::-1], cv2.CV_32F)
    (dx, dy), peak = cv2.phaseCorrelate(small[0], small[1], window)
    if peak < 0.1:
        return np.zeros(2)
    return np.array([dx, dy]) / scale


def _middle(item: Instance) -> NDArray[np.float64]:
    x0, y0, x1, y1 = item.bbox
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def _deepest(item: Instance, shape: tuple[int, int]) -> tuple[float, float] | None:
    """The point deepest inside of what of an object lies in the picture."""
    from rsam_core.objects.crops import clip
    from rsam_core.prompts.simulated import centre_click

    part = clip(Crop(item.mask, item.x, item.y), (0, 0, shape[1], shape[0]))
    if not part.mask.any():
        return None
    x, y = centre_click(part.mask)
    return x + part.x, y + part.y


def _look(embedding: Any, item: Instance) -> NDArray[np.float32] | None:
    """The object's features less those of the picture, unit length, (C,)."""
    from rsam_core.objects.instances import Instances
    from rsam_core.segment.features.pooling import EmbeddedView, feature_maps, pool

    found = pool(Instances([replace(item, id=0)], embedding.shape), [EmbeddedView(embedding)])
    if found is None:
        return None
    look = found[0] - feature_maps(embedding)[0][0].mean((1, 2))
    return look / (np.linalg.norm(look) + 1e-9)

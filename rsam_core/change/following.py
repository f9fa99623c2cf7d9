"""An object followed through frames: its mask carried over, found again, corrected."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.frames import Frames, as_frames
from rsam_core.change.picture import date_in_name
from rsam_core.change.tracking import Tracker
from rsam_core.errors import Cancelled, FollowError
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.progress import Progress
from rsam_core.segment.segmenter import Segmenter

if TYPE_CHECKING:
    import pandas as pd


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
    holes: bool = False,
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
        seed = Tracker(segmenter, holes=holes)
        outlines[first], sure[first] = seed.begin(frames[first], prompts[first])
        done += 1
        for way in (1, -1):
            state = seed.fork()
            k = first + way
            while 0 <= k < count and k not in prompts:
                tell()
                step = state.step(frames[k])
                outlines[k], sure[k] = step.outline, step.sure
                shifts[k if way == 1 else k + 1] = step.shift if way == 1 else -step.shift
                done += 1
                k += way
    seconds = time.perf_counter() - began
    return Track(frames, tuple(outlines), tuple(sure), dict(prompts), shifts, seconds, segmenter)

"""An object followed through frames: its mask carried over, found again, corrected."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.frames import Frames, as_frames
from rsam_core.change.tracking import Tracker
from rsam_core.errors import Cancelled, FollowError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.prompts.prompt import Prompt
from rsam_core.runtime.progress import Progress
from rsam_core.segment.segmenter import Segmenter

if TYPE_CHECKING:
    import pandas as pd


_MANY = 8
"""From so many frames on a sudden change has to be confirmed by others."""

_MEASURES: Mapping[str, float] = MappingProxyType({
    "area": 0,
    "area_m2": 0.0,
    "centroid_x": np.nan,
    "centroid_y": np.nan,
    "map_x": np.nan,
    "map_y": np.nan,
    "perimeter": np.nan,
    "compactness": np.nan,
    "elongation": np.nan,
})  # fmt: skip
"""Columns that are measured, and what stands there without an outline."""


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
    prompts : mapping of int to Prompt or Instance
        What a person marked or outlined, by frame.
    shifts : ndarray of float64, shape (T, 2)
        How far the picture moved since the frame before, x and y in pixels.
    seconds : float
        Time that following took, the last time.
    holes : bool
        Whether holes stay holes.
    followed : int
        How many frames that were.
    """

    frames: Frames
    outlines: tuple[Instance | None, ...]
    confidence: tuple[float, ...]
    prompts: Mapping[int, Prompt | Instance]
    shifts: NDArray[np.float64]
    seconds: float
    _segmenter: Segmenter | None = field(repr=False, default=None)
    holes: bool = False
    followed: int = 0

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
        return self.followed / max(self.seconds, 1e-9)

    def corrected(self, frame: int, prompt: Prompt | Instance, **options: Any) -> Track:
        """Follow again with a prompt more: forwards and backwards from that frame.

        Other prompted frames stay as they are, and end the part that is followed anew.
        """
        if self._segmenter is None:
            raise FollowError("This track was kept without its model. Follow it again.")
        prompts = {**self.prompts, frame: prompt}
        return follow_prompts(self.frames, prompts, self._segmenter, holes=self.holes,
                              known=self, anew=frame, **options)  # fmt: skip

    def table(self) -> pd.DataFrame:
        """One row a frame.

        Returns
        -------
        pandas.DataFrame
            ``frame`` from 1, ``name``, ``date`` (if one is known), ``seconds`` (of a video),
            ``found``, ``marked`` (by a person), ``confidence``; ``area`` in pixels, ``area_m2``
            if the ground sample distance is known; ``change``, area against the first frame that
            has one; ``centroid_x``, ``centroid_y`` in pixels, ``map_x``, ``map_y`` if there is a
            place on the map; ``perimeter`` in pixels; ``compactness`` (1 for a disc) and
            ``elongation`` (0 for a disc, towards 1 for a line).
        """
        import pandas as pd

        frames = self.frames
        items = self.instances()
        measures = measure(items, frames, shape=True).set_index("id") if len(items) else None
        rows = []
        for k, (item, sure) in enumerate(zip(self.outlines, self.confidence)):
            row: dict[str, Any] = {"frame": k + 1, "name": frames.names[k]}
            row["date"] = frames.dates[k]
            if frames.seconds is not None:
                row["seconds"] = frames.seconds[k]
            row |= {"found": item is not None, "marked": k in self.prompts, "confidence": sure}
            for name, empty in _MEASURES.items():
                known = measures is not None and name in measures
                row[name] = measures.at[k + 1, name] if known and item is not None else empty
            rows.append(row)
        table = pd.DataFrame(rows)
        table["area"] = table["area"].astype(int)
        kept = table.loc[table["found"], "area"]
        base = float(kept.iloc[0]) if len(kept) else np.nan
        table.insert(table.columns.get_loc("area") + 1, "change",
                     np.where(table["found"], table["area"] / base - 1, np.nan))  # fmt: skip
        unknown = [] if frames.gsd else ["area_m2"]
        unknown += [] if frames.transform is not None else ["map_x", "map_y"]
        return table.drop(columns=unknown)

    def instances(self) -> Instances:
        """The outlines as objects; each has the number of its frame, from 1."""
        found = [
            replace(item, id=k + 1, label=self.frames.dates[k] or self.frames.names[k])
            for k, item in enumerate(self.outlines)
            if item is not None
        ]
        return Instances(found, self.frames.shape)


def follow(
    frames: Any,
    prompt: Prompt | Instance,
    start: int = 0,
    *,
    segmenter: Segmenter | None = None,
    holes: bool = False,
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
    prompt : Prompt or Instance
        What marks the object in frame `start`, in its pixels, or its outline there.
    start : int
        From 0; negative numbers count from the end.
    segmenter : Segmenter, optional
        The embedded model by default.
    holes : bool
        Whether holes stay holes, such as an island in a lake; they are filled by default.
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
    return follow_prompts(read, {start % len(read): prompt}, segmenter, holes=holes,
                          progress=progress, cancelled=cancelled)  # fmt: skip


def follow_prompts(
    frames: Frames,
    prompts: Mapping[int, Prompt | Instance],
    segmenter: Segmenter,
    *,
    holes: bool = False,
    known: Track | None = None,
    anew: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Track:
    """Follow from each prompt to the next one, half the way from either side.

    Parameters
    ----------
    frames : Frames
    prompts : mapping of int to Prompt or Instance
        By frame; an outline is taken as it is.
    segmenter : Segmenter
    holes : bool
        Whether holes stay holes.
    known : Track, optional
        What was followed before.
    anew : int, optional
        Follow again from this prompt only, all the way to the next ones.
    progress, cancelled : callable, optional

    Returns
    -------
    Track
    """
    began = time.perf_counter()
    count = len(frames)
    outlines = [None] * count if known is None else list(known.outlines)
    sure = [0.0] * count if known is None else list(known.confidence)
    shifts = np.zeros((count, 2)) if known is None else known.shifts.copy()
    starts = sorted(prompts)
    plan = {first: _reach(first, starts, count, half=anew is None)
            for first in (starts if anew is None else [anew])}  # fmt: skip
    total, done = sum(high - low + 1 for low, high in plan.values()), 0

    def tell() -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. What was followed before is kept.")
        if progress is not None:
            rate = done / max(time.perf_counter() - began, 1e-9)
            pace = f", {rate:.1f} frames a second" if done > 2 else ""
            progress(min(done / total, 1.0), f"frame {done} of {total}{pace}")

    for first, (low, high) in plan.items():
        tell()
        seed = Tracker(segmenter, holes=holes, patient=count >= _MANY)
        outlines[first], sure[first] = seed.begin(frames[first], prompts[first])
        done += 1
        for way, last in ((1, high), (-1, low)):
            state = seed.fork()
            for k in range(first + way, last + way, way):
                tell()
                step = state.step(frames[k])
                outlines[k], sure[k] = step.outline, step.sure
                shifts[k if way == 1 else k + 1] = step.shift if way == 1 else -step.shift
                done += 1
    seconds = time.perf_counter() - began
    return Track(frames, tuple(outlines), tuple(sure), dict(prompts), shifts, seconds, segmenter,
                 holes, done)  # fmt: skip


def _reach(first: int, starts: list[int], count: int, *, half: bool) -> tuple[int, int]:
    """First and last frame that are followed from a prompted one."""
    before = max((s for s in starts if s < first), default=None)
    after = min((s for s in starts if s > first), default=None)
    low = 0 if before is None else (before + first) // 2 + 1 if half else before + 1
    high = count - 1 if after is None else (first + after) // 2 if half else after - 1
    return low, high

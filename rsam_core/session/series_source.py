"""Where the frames of a series come from, so that a project can find them again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import cv2
import numpy as np

from rsam_core.change.dates import date_of, day_of
from rsam_core.change.frames import Frames, read_frames
from rsam_core.errors import FollowError
from rsam_core.formats.names import safe_name
from rsam_core.runtime.progress import Progress
from rsam_core.samples import SeriesSample
from rsam_core.samples.series_gallery import SeriesEntry, series_entry
from rsam_core.scene.scene import Scene, open_scene

File = tuple[str, bytes | Path]
"""Name of a file, and its content or place."""

MAX_FRAMES = 300
"""Frames that the app takes of a video."""


_drawn: WeakValueDictionary[str, SeriesSample] = WeakValueDictionary()
"""Invented series that somebody has open: drawn once for all."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where frames come from.

    Attributes
    ----------
    kind : {"files", "video", "sample"}
    names : tuple of str
        Of the files in the order of the frames, of the video, or the key of the sample.
    hashes : tuple of str
        Of the content of each file; empty for a sample.
    every : int
        Of a video: every how many frames.
    files : tuple of (str, bytes or Path)
        The files themselves, while they are at hand.
    """

    kind: str
    names: tuple[str, ...]
    hashes: tuple[str, ...] = ()
    every: int = 1
    files: tuple[File, ...] = field(default=(), repr=False)

    @property
    def key(self) -> tuple:
        """What tells one series from another."""
        return (self.kind, self.hashes or self.names, self.every)

    @property
    def title(self) -> str:
        """What it is called."""
        if self.kind == "sample":
            return series_entry(self.names[0]).title
        return self.names[0] if self.kind == "video" else f"{len(self.names)} dates"


@dataclass(frozen=True, eq=False)
class Series:
    """Frames, where they come from, and the first of them as a scene to be opened."""

    frames: Frames
    source: Source
    first: Scene


def series_of_files(files: Sequence[File], *, opened: Scene | None = None) -> Series:
    """Dates of one place, in the order of their dates.

    Parameters
    ----------
    files : sequence of (str, bytes or Path)
    opened : Scene, optional
        One more date, which is open already: its grid is the common one.

    Raises
    ------
    FollowError, AlignError, SceneError
        They are no images, too few, of different sizes, or show different places.
    """
    scenes = [open_scene(content, name=name, **_care(content)) for name, content in files]
    known = {scene.content_hash for scene in scenes}
    if opened is not None:
        known.add(opened.content_hash)
    if len(known) < len(scenes) + (opened is not None):
        raise FollowError("One of these files was given twice. Choose each date once.")
    dates = [date_of(name, content) for name, content in files]
    if opened is None:
        order = _order([name for name, _ in files], dates)
        scenes, dates = [scenes[k] for k in order], [dates[k] for k in order]
        frames = read_frames(scenes, dates=dates)
        contents = [files[k] for k in order]
    else:
        contents = [(opened.name, opened.file_bytes()), *files]
        dates = [date_of(opened.name, contents[0][1]), *dates]
        # The open one comes first here: its grid is the common one.
        frames = read_frames([opened, *scenes], dates=dates)
        order = _order([name for name, _ in contents], dates)
        frames = frames.ordered(order)
        scenes = [[opened, *scenes][k] for k in order]
        contents = [contents[k] for k in order]
    names = tuple(name for name, _ in contents)
    hashes = tuple(scene.content_hash for scene in scenes)
    source = Source("files", names, hashes, files=tuple(contents))
    return Series(frames, source, opened or scenes[0])


def _care(content: bytes | Path) -> dict[str, Any]:
    # Whoever may write into a folder is a stranger like those who upload.
    return {"examine": True} if isinstance(content, Path) else {}


def _order(names: Sequence[str], dates: Sequence[str | None]) -> list[int]:
    """By date, where all have one; by name otherwise."""
    days = [day_of(date) for date in dates]
    if all(day is not None for day in days):
        return sorted(range(len(names)), key=lambda k: (days[k], names[k]))
    return sorted(range(len(names)), key=lambda k: names[k].lower())


def series_of_video(
    name: str,
    content: bytes | Path,
    every: int = 1,
    *,
    most: int = MAX_FRAMES,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Series:
    """Frames of a video; its first one is opened as a scene.

    Raises
    ------
    VideoError
        See `rsam_core.change.read_frames`.
    Cancelled
        If `cancelled` said so.
    """
    frames = read_frames(
        content, most=most, every=every, progress=progress, cancelled=cancelled, name=name
    )
    digest = hashlib.sha256(content if isinstance(content, bytes) else content.read_bytes())
    source = Source("video", (name,), (digest.hexdigest()[:16],), every, files=((name, content),))
    first = open_scene(_png(frames[0]), name=f"{safe_name(Path(name).stem)} first frame.png")
    return Series(frames, source, first)


def series_of_entry(
    entry: SeriesEntry,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Series:
    """A series of the gallery: drawn, or read.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    if not entry.files:
        sample = _drawn.get(entry.key)
        if sample is None:
            sample = _drawn[entry.key] = entry.render(progress=progress, cancelled=cancelled)
        return sample_series(sample)
    found = series_of_files(entry.contents)
    return replace(found, source=Source("sample", (entry.key,)))


def sample_series(sample: SeriesSample) -> Series:
    """The frames of a rendered series."""
    count, height, width = sample.masks.shape
    seconds = tuple(k / 5 for k in range(count)) if sample.kind == "car" else None
    frames = Frames(
        sample.names, (height, width), lambda k: sample.images[k], sample.gsd, (), (), seconds,
        sample.crs, sample.transform,
    )  # fmt: skip
    source = Source("sample", (sample.kind,))
    first = open_scene(_tiff(sample), name=f"{source.title}.tif")
    if first.gsd is None:
        first = first.with_gsd(sample.gsd)
    return Series(frames, source, first)


def _png(picture: np.ndarray) -> bytes:
    bgr = np.ascontiguousarray(picture[..., ::-1])
    return cv2.imencode(".png", bgr, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes()


def _tiff(sample: SeriesSample) -> bytes:
    if sample.transform is None:
        return _png(sample.images[0])
    from rasterio.io import MemoryFile

    height, width = sample.masks.shape[1:]
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=width, height=height, count=3, dtype="uint8", crs=sample.crs,
            transform=sample.transform, compress="lzw", photometric="RGB",
        ) as target:  # fmt: skip
            target.write(np.moveaxis(sample.images[0], 2, 0))
        return bytes(memory.read())


def opened_again(
    source: Source,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Series:
    """The series of a source whose files are at hand.

    Raises
    ------
    FollowError
        They are not.
    """
    control = {"progress": progress, "cancelled": cancelled}
    if source.kind == "sample":
        return series_of_entry(series_entry(source.names[0]), **control)
    if not source.files:
        raise FollowError("The files of this series are not at hand. Open them again.")
    if source.kind == "video":
        return series_of_video(*source.files[0], source.every, **control)
    return series_of_files(source.files)

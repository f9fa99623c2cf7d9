"""The work on a series as plain data, and back."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from rsam_core.change.dates import typed_date
from rsam_core.change.following import Track
from rsam_core.errors import FollowError, ProjectError, RsamError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.samples.series_gallery import series_entry
from rsam_core.session.follow_marks import Marked
from rsam_core.session.following import FollowState, Step, Waiting
from rsam_core.session.packed_objects import BROKEN
from rsam_core.session.saved_series import SavedSeries
from rsam_core.session.series_source import File, Series, Source, opened_again

_MAX_FRAMES, _MAX_POINTS = 100_000, 10_000


def saved_series(state: FollowState, files: bool) -> SavedSeries | None:
    """What a project keeps of a series; None without one.

    Parameters
    ----------
    state : FollowState
    files : bool
        Whether the files of all frames shall be part of the project.
    """
    waiting = state.waiting
    if waiting is not None:
        return SavedSeries(waiting.record, waiting.outlines, _joined(waiting.source, files))
    frames, source, step = state.frames, state.source, state.now
    if frames is None or source is None:
        return None
    count = len(frames)
    items = [state.outline(k) for k in range(count)]
    found = [replace(item, id=k + 1, label=None) for k, item in enumerate(items) if item]
    track = step.track
    facts = {
        "source": {
            "kind": source.kind,
            "names": list(source.names),
            "hashes": list(source.hashes),
            "every": source.every,
            "sizes": [len(_content(content)) for _, content in source.files] if files else [],
        },
        "shape": list(frames.shape),
        "count": count,
        "dates": list(frames.dates),
        "frame": state.frame,
        "holes": state.holes,
        "marks": {str(k): _mark_record(m) for k, m in step.marks.items()},
        "track": None if track is None else {
            "confidence": [round(float(v), 4) for v in track.confidence],
            "shifts": np.round(track.shifts, 2).tolist(),
            "seconds": round(track.seconds, 3),
            "followed": track.followed,
        },
        "pending": list(step.pending),
    }  # fmt: skip
    return SavedSeries(facts, Instances(found, frames.shape), _joined(source, files))


def restore_series(saved: SavedSeries, state: FollowState) -> None:
    """Put the work on a series into a session; it waits for its frames.

    Raises
    ------
    ProjectError
        Something in it cannot be used.
    """
    try:
        facts = saved.facts
        source = _source(facts["source"], saved.files)
        waiting = Waiting(source, facts, saved.outlines)
        # Read once, so that what is damaged is told now.
        _step(waiting, None)
    except ProjectError:
        raise
    except (
        KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, RsamError,
    ) as error:  # fmt: skip
        raise ProjectError(BROKEN.format("its series is not readable")) from error
    state.waiting = waiting


def resume(state: FollowState, series: Series) -> None:
    """Go on with the frames that the work of a project waited for.

    Raises
    ------
    FollowError
        They are others.
    """
    waiting = state.waiting
    if waiting is None:
        state.open(series)
        return
    facts = waiting.record
    if series.source.key != waiting.source.key or len(series.frames) != facts["count"]:
        names = ", ".join(f"“{name}”" for name in waiting.source.names[:4])
        more = f" and {len(waiting.source.names) - 4} more" if len(waiting.source.names) > 4 else ""
        raise FollowError(
            f"These are not the frames of this work, which are {names}{more}. Open those files, "
            "or begin with another series."
        )
    if waiting.outlines is not None and waiting.outlines.shape != series.frames.shape:
        raise FollowError(
            "The outlines of this work have another size than its frames. The project is damaged, "
            "or was saved by another version of RSAM: begin with the series anew."
        )
    frames = series.frames.dated(tuple(facts["dates"]))
    state.open(replace(series, frames=frames))
    state.now = _step(waiting, state)
    state.frame, state.holes = int(facts["frame"]), bool(facts["holes"])
    state.waiting = None


def open_waiting(state: FollowState, **control: Any) -> Series | None:
    """The series that work waits for, where its files came along or it is invented."""
    waiting = state.waiting
    if waiting is None or not (waiting.source.files or waiting.source.kind == "sample"):
        return None
    return opened_again(waiting.source, **control)


def _step(waiting: Waiting, state: FollowState | None) -> Step:
    facts = waiting.record
    count = int(facts["count"])
    if not 2 <= count <= _MAX_FRAMES or len(facts["dates"]) != count:
        raise ValueError(count)
    for text in facts["dates"]:
        typed_date("" if text is None else text)
    if not 0 <= int(facts["frame"]) < count:
        raise ValueError(facts["frame"])
    items: list[Instance | None] = [None] * count
    for item in waiting.outlines or ():
        items[item.id - 1] = item
    marks: dict[int, Marked] = {}
    for text, row in facts["marks"].items():
        k = int(text)
        if not 0 <= k < count or len(row["points"]) > _MAX_POINTS:
            raise ValueError(text)
        points = tuple((_number(x), _number(y), int(bool(v))) for x, y, v in row["points"])
        box = None if row["box"] is None else tuple(_number(v) for v in row["box"])
        if box is not None and len(box) != 4:
            raise ValueError(box)
        marks[k] = Marked(points, box, None, int(row["choice"]), items[k],
                          _number(row["score"]), 0, True, restored=True)  # fmt: skip
    pending = tuple(int(k) for k in facts["pending"] if int(k) in marks)
    record = facts["track"]
    if record is None:
        return Step(MappingProxyType(marks), None, pending, "Open the project")
    sure = tuple(_number(v) for v in record["confidence"])
    shifts = np.array(record["shifts"], float)
    if len(sure) != count or shifts.shape != (count, 2) or not np.isfinite(shifts).all():
        raise ValueError(count)
    seconds, followed, holes = _number(record["seconds"]), int(record["followed"]), facts["holes"]
    if state is None or state.frames is None:
        return Step()
    given = {k: m.outline for k, m in marks.items() if m.outline is not None}
    track = Track(state.frames, tuple(items), sure, given, shifts, seconds, None, bool(holes),
                  followed)  # fmt: skip
    return Step(MappingProxyType(marks), track, pending, "Open the project")


def _mark_record(marked: Marked) -> dict[str, Any]:
    return {
        "points": [list(point) for point in marked.points],
        "box": None if marked.box is None else list(marked.box),
        "choice": marked.choice,
        "score": round(float(marked.score), 4),
    }


def _source(facts: dict[str, Any], files: bytes | None) -> Source:
    kind = str(facts["kind"])
    names = tuple(str(name)[:300] for name in facts["names"])
    hashes = tuple(str(value)[:64] for value in facts["hashes"])
    every = int(facts["every"])
    if kind not in ("files", "video", "sample") or not names or every < 1:
        raise ValueError(kind)
    if kind == "sample":
        series_entry(names[0])
    kept: tuple[File, ...] = ()
    if files is not None:
        sizes = [int(size) for size in facts["sizes"]]
        if len(sizes) != len(names) or min(sizes) < 0 or sum(sizes) != len(files):
            raise ValueError(sizes)
        ends = np.cumsum([0, *sizes]).tolist()
        kept = tuple((n, files[a:b]) for n, a, b in zip(names, ends, ends[1:]))
    return Source(kind, names, hashes, every, kept)


def _joined(source: Source, wanted: bool) -> bytes | None:
    if not wanted or not source.files:
        return None
    return b"".join(_content(content) for _, content in source.files)


def _content(content: bytes | Path) -> bytes:
    return content if isinstance(content, bytes) else content.read_bytes()


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number

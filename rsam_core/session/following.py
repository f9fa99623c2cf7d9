"""A series, what a person marked in it, and the object that was followed through it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from rsam_core.change.dates import typed_date
from rsam_core.change.following import Track, follow_prompts
from rsam_core.change.frames import Frames
from rsam_core.errors import FollowError
from rsam_core.objects.instance import Instance
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.follow_marks import Marked, answered, with_point
from rsam_core.session.series_source import Series, Source
from rsam_core.session.session import Session
from rsam_core.session.steps import Steps

FOLLOW = "follow"
"""Name of the job."""


@dataclass(frozen=True, eq=False)
class Step:
    """One state of the work, undone by the one before.

    Attributes
    ----------
    marks : mapping of int to Marked
        By frame.
    track : Track or None
        What was followed.
    pending : tuple of int
        Frames from which to follow again.
    what : str
        The action that led here, in a few words.
    """

    marks: Mapping[int, Marked] = field(default_factory=lambda: MappingProxyType({}))
    track: Track | None = None
    pending: tuple[int, ...] = ()
    what: str = ""


@dataclass(frozen=True, eq=False)
class Waiting:
    """Work of a project whose frames have to be opened again.

    Attributes
    ----------
    source : Source
        Without files, or with them.
    record : dict
        See `rsam_core.session.follow_project`.
    outlines : object
        Outlines by frame.
    """

    source: Source
    record: dict[str, Any]
    outlines: Any


class FollowState:
    """The series of the open scene; safe between threads.

    Parameters
    ----------
    jobs : JobRegistry
        Of the session.

    Attributes
    ----------
    frames : Frames or None
    source : Source or None
    frame : int
        The frame that is shown, from 0.
    holes : bool
        Whether holes stay holes.
    now : Step
    error : BaseException or None
        Why the last following failed.
    waiting : Waiting or None
    number : int
        Another one after each change that is worth keeping.
    """

    owns = (FOLLOW,)

    def __init__(self, jobs: JobRegistry) -> None:
        self._jobs, self._lock = jobs, threading.RLock()
        self.number = 0
        self.waiting: Waiting | None = None
        self._begin(None, None)

    def _begin(self, frames: Frames | None, source: Source | None) -> None:
        self.frames, self.source = frames, source
        self.frame, self.holes = 0, False
        self._steps = Steps(Step())
        self.error: BaseException | None = None

    # ------------------------------------------------------------------ the series

    @property
    def now(self) -> Step:
        """Marks and what was followed from them."""
        return self._steps.now

    @now.setter
    def now(self, step: Step) -> None:
        self._steps.now = step

    @property
    def empty(self) -> bool:
        """Whether nothing has been done that could be lost."""
        return self.waiting is None and (
            self.frames is None or not (self.undoable or self.now.marks)
        )

    def open(self, series: Series) -> None:
        """Take frames; work of a project goes on with them."""
        with self._lock:
            self._jobs.drop(FOLLOW)
            self._begin(series.frames, series.source)
            self.number += 1

    def look(self, frame: int) -> None:
        """Show a frame; numbers beyond the ends mean the ends."""
        if self.frames is not None:
            self.frame = int(np.clip(frame, 0, len(self.frames) - 1))

    def type_dates(self, texts: Sequence[str]) -> None:
        """Dates as a person typed them, one a frame.

        Raises
        ------
        FollowError
            One of them is no date.
        """
        dates = tuple(typed_date(text) for text in texts)
        with self._lock:
            frames = self.frames
            if frames is None or dates == frames.dates:
                return
            self.frames = frames.dated(dates)
            track = self.now.track
            if track is not None:
                self.now = replace(self.now, track=replace(track, frames=self.frames))
            self.number += 1

    # ------------------------------------------------------------------ marks, with undo

    def outline(self, frame: int) -> Instance | None:
        """The outline in a frame: of its marks, or as it was followed."""
        step = self.now
        marked = step.marks.get(frame)
        if marked is not None and marked.asked:
            return marked.outline
        return None if step.track is None else step.track.outlines[frame]

    def click(self, x: float, y: float, label: int = 1) -> None:
        """A click in the frame that is shown, in its pixels.

        Raises
        ------
        FollowError
            It says what is not the object, where nothing is outlined.
        """
        with self._lock:
            frame = self.frame
            marked = with_point(
                self.now.marks.get(frame), self.outline(frame), (float(x), float(y), int(label))
            )
            self._mark(frame, marked, f"Click in frame {frame + 1}")

    def draw_box(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """A box in the frame that is shown, in its pixels: what was marked there before goes."""
        with self._lock:
            box = tuple(float(v) for v in (x0, y0, x1, y1))
            self._mark(self.frame, Marked(box=box), f"Box in frame {self.frame + 1}")

    def other_outline(self) -> None:
        """Another one of the outlines that the click in the shown frame may mean."""
        with self._lock:
            marked = self.now.marks.get(self.frame)
            if marked is not None and marked.choices > 1:
                fresh = Marked(marked.points, marked.box, marked.base, marked.choice + 1)
                self._mark(self.frame, fresh, f"Another outline in frame {self.frame + 1}")

    def unmark(self) -> None:
        """Take the marks of the shown frame away; its outline stays until it is followed again."""
        with self._lock:
            if self.frame in self.now.marks:
                marks = {k: m for k, m in self.now.marks.items() if k != self.frame}
                track = self.now.track if marks else None
                pending = tuple(k for k in self.now.pending if k in marks)
                self._put(Step(MappingProxyType(marks), track, pending,
                               f"Unmark frame {self.frame + 1}"))  # fmt: skip

    def clear(self) -> None:
        """Take all marks and outlines away."""
        with self._lock:
            if self.now.marks:
                self._put(Step(what="Clear"))

    def _mark(self, frame: int, marked: Marked, what: str) -> None:
        marks = MappingProxyType({**self.now.marks, frame: marked})
        pending = self.now.pending
        if self.now.track is not None and frame not in pending:
            pending = (*pending, frame)
        self._put(Step(marks, self.now.track, pending, what))

    def _put(self, step: Step) -> None:
        self._jobs.drop(FOLLOW)
        self._steps.put(step)
        self.error = None
        self.number += 1

    @property
    def undoable(self) -> str:
        """What undo would take back, in words; empty for nothing."""
        return self._steps.undoable

    @property
    def redoable(self) -> str:
        """What redo would do again."""
        return self._steps.redoable

    def undo(self) -> None:
        """Take back the last step, with what was followed since."""
        with self._lock:
            self._moved(self._steps.undo())

    def redo(self) -> None:
        """Do again what was taken back."""
        with self._lock:
            self._moved(self._steps.redo())

    def _moved(self, moved: bool) -> None:
        if moved:
            self._jobs.drop(FOLLOW)
            self.error = None
            self.number += 1

    def settle(self, segmenter: Callable[[], Segmenter], embed: Callable[[int], Embedding]) -> None:
        """Ask the model about marks that it has not seen yet.

        Parameters
        ----------
        segmenter : callable
            Gives the model.
        embed : callable
            Gives the embedding of a frame.
        """
        while True:
            with self._lock:
                step = self.now
            waiting = next((k for k, m in step.marks.items() if not m.asked), None)
            if waiting is None:
                return
            known = answered(step.marks[waiting], segmenter(), embed(waiting))
            with self._lock:
                # Another click may have come meanwhile.
                if self.now is step:
                    marks = MappingProxyType({**step.marks, waiting: known})
                    self.now = replace(step, marks=marks)
                    self.number += 1

    # ------------------------------------------------------------------ following

    @property
    def ready(self) -> bool:
        """Whether there is an outline to be followed."""
        return any(m.outline is not None for m in self.now.marks.values())

    def start(self, segmenter: Callable[[], Segmenter]) -> Job:
        """Follow in the background: all frames, or again from those that were corrected.

        Raises
        ------
        FollowError
            Nothing is marked.
        """
        with self._lock:
            step, frames, holes = self.now, self.frames, self.holes
        if frames is None or not self.ready:
            raise FollowError("Mark the object in one frame first: click it, or draw a box.")
        given = {k: m.outline for k, m in step.marks.items() if m.outline is not None}

        def run(
            progress: Callable[[float, str], None], cancelled: Callable[[], bool]
        ) -> tuple[Step, Track]:
            model, track = segmenter(), step.track
            control = {"progress": progress, "cancelled": cancelled}
            if track is None:
                return step, follow_prompts(frames, given, model, holes=holes, **control)
            for frame in step.pending:
                if frame in given:
                    track = follow_prompts(
                        frames, given, model, holes=holes, known=track, anew=frame, **control
                    )
            return step, track

        self.error = None
        return self._jobs.start(FOLLOW, run, latest=True)

    def follow_anew(self, *, holes: bool | None = None) -> None:
        """Forget what was followed, but not the marks."""
        with self._lock:
            self.holes = self.holes if holes is None else holes
            self._put(replace(self.now, track=None, pending=(), what="Follow anew"))

    def collect(self) -> bool:
        """Take over what has finished; whether there was something."""
        job = self._jobs.take(FOLLOW)
        if job is None:
            return False
        if job.state == "failed":
            self.error = job.error
        elif job.state == "done":
            step, track = job.result
            with self._lock:
                if self.now is step:
                    self.now = replace(step, track=replace(track, frames=self.frames), pending=())
                    self.number += 1
        elif self.now.track is not None:
            # Stopped: what was followed before stays, and is not followed again by itself.
            with self._lock:
                self.now = replace(self.now, pending=())
        return True


def follow_state(session: Session) -> FollowState:
    """The series of the open scene."""
    return session.attached(FollowState, lambda: FollowState(session.jobs))

"""The second date of the open scene, what was found, and what a person says of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from rsam_core.change.against_truth import TrueChanges
from rsam_core.change.aligned import Alignment
from rsam_core.change.alignment import align
from rsam_core.change.compared import CompareSettings, Comparison, Found
from rsam_core.change.comparison import compare
from rsam_core.change.differences import Difference, compare_pixels
from rsam_core.change.picture import date_in_name
from rsam_core.errors import ChangeError
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.scene.scene import Scene
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.change_review import Checks, Place, Review
from rsam_core.session.change_wishes import OURS, Origin, Wishes
from rsam_core.session.session import Session

ALIGN, COMPARE = "change align", "change"
"""Names of the jobs."""


@dataclass(frozen=True, eq=False)
class Waiting:
    """Work of a project whose second date has to be opened again.

    Attributes
    ----------
    name, content_hash : str
        Of the second date.
    origin : Origin
    record : dict or None
        A comparison; see `rsam_core.change.records`.
    outlines : object
        Its outlines.
    """

    name: str
    content_hash: str
    origin: Origin
    record: dict[str, Any] | None
    outlines: Any


class ChangeState:
    """Two dates and what is known of them; safe between threads.

    Parameters
    ----------
    jobs : JobRegistry
        Of the session.

    Attributes
    ----------
    second : Scene or None
        The other date.
    origin : Origin
        Where it came from.
    swapped : bool
        Whether the open image is the later date.
    typed : tuple of str
        Dates as a person typed them, of the earlier and the later picture; empty for those that
        the file names tell.
    wishes : Wishes
        How they were compared, or are to be.
    alignment : Alignment or None
    found : mapping of str to Found
        Results by method.
    thresholds : dict of str to float
        Set by a person, by method.
    review : Review
        What a person says of the changes.
    selected : Place or None
        The change that is looked at.
    truth : TrueChanges or None
    error : BaseException or None
        Why the last alignment or comparison failed.
    waiting : Waiting or None
        Work that waits for its second date.
    number : int
        Another one after each change that is worth keeping, but for the review's.
    """

    owns = (ALIGN, COMPARE)

    def __init__(self, jobs: JobRegistry) -> None:
        self._jobs, self._lock = jobs, threading.RLock()
        self.number = 0
        self.wishes = Wishes()
        self.typed: tuple[str, str] = ("", "")
        self.waiting: Waiting | None = None
        self._begin(None, Origin())

    def _begin(self, second: Scene | None, origin: Origin) -> None:
        self.second, self.origin = second, origin
        self.swapped = False
        self.truth: TrueChanges | None = None
        self.error: BaseException | None = None
        self.selected: Place | None = None
        self.review = Review()
        self.thresholds: dict[str, float] = {}
        self.forget_results()

    def forget_results(self) -> None:
        """Align and compare again; what a person said of changes is kept."""
        self._jobs.drop(ALIGN, COMPARE)
        self.alignment: Alignment | None = None
        self._key: tuple = ()
        self.found: Mapping[str, Found] = MappingProxyType({})
        self.error = None

    # ------------------------------------------------------------------ the two dates

    @property
    def version(self) -> tuple[int, Checks]:
        """Another one after each change that is worth keeping."""
        return self.number, self.review.checks

    @property
    def empty(self) -> bool:
        """Whether nothing has been done that could be lost."""
        return self.second is None and self.waiting is None

    def open(self, second: Scene, origin: Origin | None = None) -> None:
        """Take another second date; what was found with the one of before goes.

        Raises
        ------
        ChangeError
            Work of a project waits for another file.
        """
        origin = origin or Origin()
        with self._lock:
            waiting = self.waiting
            if waiting is not None and waiting.content_hash != second.content_hash:
                raise ChangeError(
                    f"“{second.name}” is not the second date of this project, which is "
                    f"“{waiting.name}”. Open that file, or begin with another second date."
                )
            if waiting is None:
                self._begin(second, origin)
                self.typed = ("", "")
            else:
                self.second, self.origin = second, origin
                self.forget_results()
            self.number += 1

    def forget(self) -> None:
        """Take the second date away, and all that was found with it."""
        with self._lock:
            self.waiting = None
            self._begin(None, Origin())
            self.typed = ("", "")
            self.number += 1

    def swap(self) -> None:
        """Let the later picture be the earlier one; everything is compared again."""
        with self._lock:
            swapped, typed = not self.swapped, self.typed[::-1]
            truth = self.truth
            self._begin(self.second, self.origin)
            self.swapped, self.typed = swapped, typed
            # Where something changed is the same either way; the kinds of change are not.
            self.truth = None if truth is None or truth.kinds else truth
            self.number += 1

    def choose(self, method: str) -> None:
        """Show what a method found, or is to find."""
        with self._lock:
            if method != self.wishes.method:
                self.wishes = replace(self.wishes, method=method)
                self.number += 1

    def type_dates(self, first: str, second: str) -> None:
        """Dates as a person typed them."""
        if (first, second) != self.typed:
            self.typed = (first, second)
            self.number += 1

    def dates(self, scene: Scene) -> tuple[str, str]:
        """Dates of the earlier and the later picture: typed, or from the file names."""
        if self.second is None:
            return self.typed
        names = [scene.name, self.second.name][:: -1 if self.swapped else 1]
        return tuple(t or date_in_name(n) or "" for t, n in zip(self.typed, names))

    def pictures(self, scene: Scene) -> tuple[Scene, Scene]:
        """The earlier and the later picture.

        Raises
        ------
        ChangeError
            There is no second date.
        """
        if self.second is None:
            raise ChangeError("Open the second date first.")
        return (self.second, scene) if self.swapped else (scene, self.second)

    def fits(self, scene: Scene) -> bool:
        """Whether the alignment is that of the present pictures."""
        return self.alignment is not None and self._key == self._picture_key(scene)

    def _picture_key(self, scene: Scene, wishes: Wishes | None = None) -> tuple:
        both = [scene] if self.second is None else self.pictures(scene)
        shown = [
            (p.content_hash, p.shape, p.transform, p.crs, p.gsd, p.view_settings) for p in both
        ]
        return (*shown, (wishes or self.wishes).align)

    # ------------------------------------------------------------------ what was found

    @property
    def result(self) -> Found | None:
        """What the chosen method found, by the threshold that is set."""
        return self.found.get(self.wishes.method)

    def threshold(self, value: float | None, method: str | None = None) -> None:
        """Let more or less count as a change; None for the method's own threshold."""
        method = method or self.wishes.method
        with self._lock:
            found = self.found.get(method)
            if value is None:
                self.thresholds.pop(method, None)
            else:
                self.thresholds[method] = value
            if found is not None:
                self._put(method, found.with_threshold(value))
            self.number += 1

    def _put(self, method: str, found: Found) -> None:
        self.found = MappingProxyType({**self.found, method: found})

    def keep(self, found: Comparison | Difference, method: str) -> None:
        """Take over what a method found; a threshold that was set goes on to hold."""
        value = self.thresholds.get(method)
        with self._lock:
            self._put(method, found if value is None else found.with_threshold(value))
            self.error = None
            self.number += 1

    # ------------------------------------------------------------------ work in the background

    def start_align(self, scene: Scene) -> Job:
        """Bring the dates together in the background."""
        before, after = self.pictures(scene)
        settings, key = self.wishes.align, self._picture_key(scene)

        def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> tuple:
            return key, align(before, after, settings, progress=progress, cancelled=cancelled)

        self.error = None
        return self._jobs.start(ALIGN, run, latest=True)

    def start_compare(
        self, scene: Scene, wishes: Wishes, segmenter: Callable[[], Segmenter]
    ) -> Job:
        """Find what changed in the background; what was found before stays until it is done.

        Parameters
        ----------
        scene : Scene
            The open image.
        wishes : Wishes
            Where they ask for another alignment, the dates are aligned first.
        segmenter : callable
            Gives the model, if the method needs one.
        """
        before, after = self.pictures(scene)
        key = self._picture_key(scene, wishes)
        known = self.alignment if key == self._key else None

        def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> tuple:
            def part(start: float, share: float) -> dict[str, Callable[..., Any]]:
                def tell(fraction: float, text: str = "") -> None:
                    progress(start + share * fraction, text)

                return {"progress": tell, "cancelled": cancelled}

            alignment = known or align(before, after, wishes.align, **part(0.0, 0.2))
            control = part(0.0, 1.0) if known is not None else part(0.2, 0.8)
            return key, wishes, alignment, _found(alignment, wishes, segmenter, control)

        self.error = None
        return self._jobs.start(COMPARE, run, latest=True)

    def collect(self, scene: Scene) -> bool:
        """Take over what has finished; whether there was something."""
        some = False
        job = self._jobs.take(ALIGN)
        if job is not None:
            some = True
            self.error = job.error
            if job.state == "done":
                key, alignment = job.result
                with self._lock:
                    if key == self._picture_key(scene):
                        self.alignment, self._key = alignment, key
                        self.found = MappingProxyType({})
        job = self._jobs.take(COMPARE)
        if job is not None:
            some = True
            self.error = job.error
            if job.state == "done":
                key, wishes, alignment, found = job.result
                with self._lock:
                    if key == self._picture_key(scene, wishes):
                        if alignment is not self.alignment:
                            self.alignment, self._key = alignment, key
                            self.found = MappingProxyType({})
                        self.wishes = wishes
                        self.keep(found, wishes.method)
        return some

    def resume(self, scene: Scene, comparison: Comparison) -> None:
        """Go on with a comparison that a project kept."""
        with self._lock:
            self.alignment, self._key = comparison.alignment, self._picture_key(scene)
            self.waiting = None
            self._put(OURS, comparison)


def _found(
    alignment: Alignment,
    wishes: Wishes,
    segmenter: Callable[[], Segmenter],
    control: dict[str, Callable[..., Any]],
) -> Comparison | Difference:
    """What a method finds between aligned dates."""
    if wishes.method != OURS:
        model = segmenter() if wishes.method == "anychange" else None
        return compare_pixels(alignment, wishes.method, model, smallest=wishes.smallest, **control)
    settings = CompareSettings(align=wishes.align, smallest=wishes.smallest)
    return compare(
        alignment.before.picture, alignment.after.picture, wishes.kinds, settings,
        segmenter=segmenter(), alignment=alignment, **control,
    )  # fmt: skip


def change_state(session: Session) -> ChangeState:
    """The two dates of the open scene."""
    return session.attached(ChangeState, lambda: ChangeState(session.jobs))

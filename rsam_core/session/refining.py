"""Refining of objects in the background, and putting the result beside what changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from rsam_core.objects.crops import Crop, cut_out
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.refine import RefineSettings, refine
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.session.finding import Shown
from rsam_core.session.session import Session

JOB = "refine"


@dataclass
class Refinement:
    """The refining of one opened scene.

    Attributes
    ----------
    jobs : JobRegistry
        Of the session.
    error : BaseException or None
        Why the last one failed.
    what : str
        What the one that runs does, in a few words.
    told : str
        What the last one changed, in a sentence.
    """

    jobs: JobRegistry
    error: BaseException | None = None
    what: str = ""
    told: str = ""

    @property
    def job(self) -> Job | None:
        """Refining that runs, or was not taken over yet."""
        return self.jobs.get(JOB)


@dataclass(frozen=True, eq=False)
class _Refined:
    base: Shown
    objects: Instances
    what: str


def refinement(session: Session) -> Refinement:
    """The refining of the open scene."""
    return session.attached(Refinement, lambda: Refinement(session.jobs))


def start(session: Session, settings: RefineSettings, ids: list[int]) -> Job:
    """Refine these objects in the background."""
    known, base, gsd = refinement(session), session.shown(), session.image.scene.gsd
    words = "Straighten" if settings.regularise else "Refine"
    what = f"{words} object {ids[0]}" if len(ids) == 1 else f"{words} {len(ids):,} objects"

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> _Refined:
        refined = refine(
            base.objects, settings, only=ids, gsd=gsd, progress=progress, cancelled=cancelled
        )
        return _Refined(base, refined, what)

    known.error, known.what, known.told = None, what, ""
    return session.jobs.start(JOB, run)


def difference(before: Instance, after: Instance | None) -> tuple[int, int]:
    """Pixels that an object gained, and those it lost; all of them if it is gone."""
    if after is None:
        return 0, before.area
    first, second = Crop(before.mask, before.x, before.y), Crop(after.mask, after.x, after.y)
    shared = int(np.count_nonzero(cut_out(first, after.bbox) & second.mask))
    return after.area - shared, before.area - shared


def changes(before: Iterable[Instance], after: Iterable[Instance]) -> str:
    """Say what became of objects.

    Parameters
    ----------
    before, after : iterable of Instance
        Those that keep their number are the same object.

    Returns
    -------
    str
        A sentence, also where nothing changed.
    """
    kept = {item.id: item for item in after}
    before = list(before)
    changed = [item for item in before if kept.get(item.id) is not item]
    pairs = [difference(item, kept.get(item.id)) for item in changed]
    pairs = [pair for pair in pairs if pair != (0, 0)]
    if not pairs:
        return "Nothing needed it: all outlines are as they were."
    gained, lost = (sum(pair[k] for pair in pairs) for k in (0, 1))
    gone = sum(item.id not in kept for item in before)
    text = f"{len(pairs):,} of {len(before):,} objects changed: {gained:,} pixels added, "
    text += f"{lost:,} taken away"
    if not gone:
        return f"{text}."
    return f"{text}, {gone:,} object{'s' if gone > 1 else ''} removed."


def finish(session: Session) -> str | None:
    """Take over what a finished refinement changed, as one step that can be undone.

    Objects that were changed by hand in the meantime stay as they are now.

    Returns
    -------
    str or None
        What was done in a few words; empty if it changed nothing, and None if nothing has
        finished well.
    """
    job = session.jobs.take(JOB)
    if job is None:
        return None
    known = refinement(session)
    if job.state != "done":
        known.error = job.error
        return None
    done: _Refined = job.result
    before = {item.id: item for item in done.base.objects}
    after = {item.id: item for item in done.objects}
    now = session.shown()
    items = []
    for item in now.objects:
        if before.get(item.id) is not item:
            items.append(item)
        elif item.id in after:
            items.append(after[item.id])
    known.told = changes(now.objects, items)
    if len(items) == len(now.objects) and all(a is b for a, b in zip(now.objects, items)):
        return ""
    wanted = Instances(items, now.objects.shape, next_id=now.objects.next_id)
    session.commit(now, wanted, done.what)
    return done.what

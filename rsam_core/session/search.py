"""The search for everything in the scene: the running job, and taking its result over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.automatic import Automatic
from rsam_core.segment.everything import EverythingSettings, EverythingState, settings_for
from rsam_core.session.marks import Marks

JOB = "everything"

Work = Callable[..., EverythingState]


def thresholds(model: str) -> EverythingSettings:
    """What automatic objects must fulfil before the user says otherwise."""
    return settings_for(model, min_area=60, max_share=0.3)


@dataclass(frozen=True, eq=False)
class _Harvest:
    """What a search found, and with what."""

    state: EverythingState
    model: str
    view: Frame | None
    settings: EverythingSettings | None = None


class Search:
    """The automatic mode of a session.

    Attributes
    ----------
    error : BaseException or None
        Why the last search failed.
    estimate : tuple of (tuple, float), or None
        What a search would belong to, and its expected seconds.
    """

    def __init__(self, jobs: JobRegistry) -> None:
        self._jobs = jobs
        self.error: BaseException | None = None
        self.estimate: tuple[tuple, float] | None = None

    @property
    def job(self) -> Job | None:
        """The search that runs, or that has ended and was not taken over yet."""
        return self._jobs.get(JOB)

    def start(
        self,
        work: Work,
        model: str,
        view: Frame | None,
        settings: EverythingSettings | None = None,
    ) -> Job:
        """Search in the background.

        Parameters
        ----------
        work : callable
            Called with ``progress`` and ``cancelled``; see `Job.start`.
        model : str
            The model that is asked.
        view : Frame or None
            The view that is searched; None for the whole scene in tiles.
        settings : EverythingSettings, optional
            Thresholds in place of those that suit the model's name.
        """
        self.error = None

        def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> _Harvest:
            return _Harvest(work(progress=progress, cancelled=cancelled), model, view, settings)

        return self._jobs.start(JOB, run, partial=True)

    def collect(self, marks: Marks) -> bool:
        """Take over the result of a finished search, as one step that can be undone.

        Returns
        -------
        bool
            Whether there was one to take over.
        """
        job = self._jobs.take(JOB)
        if job is None:
            return False
        self.error = job.error
        if job.state == "done":
            marks.update(lambda book: found(book, job.result))
        return True


def found(book: PromptHistory, harvest: _Harvest) -> PromptHistory:
    """A book with the objects of a search in place of those of an earlier one."""
    before: Automatic | None = book.extra
    settings = harvest.settings or thresholds(harvest.model)
    if before is not None and before.model == harvest.model:
        settings = before.settings
    extra = Automatic(harvest.state, settings, harvest.model, harvest.view)
    # What was removed from an earlier search may be found again.
    edits = replace(book.edits, removed=frozenset())
    return book.step("Find everything", extra=extra, edits=edits)


def with_thresholds(book: PromptHistory, settings: EverythingSettings) -> PromptHistory:
    """The same search with other thresholds; no step: a slider is undone by the slider."""
    if book.extra is None:
        return book
    return replace(book, extra=book.extra.with_settings(settings))

"""The work bench of the Prepare page: steps, their previews, and the job at full resolution."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

from rsam_core.errors import PrepareError
from rsam_core.prepare import Pipeline, Raster, Step, read_raster
from rsam_core.prepare.advice import Advice, advise, noise_levels
from rsam_core.prepare.preview import Previewer, detail_window
from rsam_core.prepare.steps.noise import SIGMA
from rsam_core.runtime.jobs import Job
from rsam_core.scene.scene import Scene
from rsam_core.session.session import Session

JOB = "prepare"

_NUMBERS = itertools.count(1)
# Longest side, in pixels, of the copy that previews show and of the part that noise is judged on.
OVERVIEW, PROBE = 960, 768


@dataclass
class PreparationState:
    """The work bench of one image.

    Attributes
    ----------
    base : Scene
        The image as it was opened.
    previewer : Previewer
    pipeline : Pipeline
        The steps as listed; `OpenImage.pipeline` holds those in use.
    ids : list of int
        For each step of the list a number that stays with it; part of widget keys.
    open : int or None
        Number of the step whose settings are shown.
    place : (float, float)
        Centre of the detail, as shares of width and height.
    error : BaseException or None
        What went wrong last, with the list as it was then; see `fail`.
    told : str
        What happened when the prepared image was taken into use.
    notes : dict of int to str
        Why settings typed last were not taken, by the number of the step.
    recipe : str
        Number of the uploaded recipe that was read last.
    """

    base: Scene
    previewer: Previewer
    pipeline: Pipeline = field(default_factory=Pipeline)
    ids: list[int] = field(default_factory=list)
    open: int | None = None
    place: tuple[float, float] = (0.5, 0.5)
    error: BaseException | None = None
    failed: Pipeline | None = None
    told: str = ""
    notes: dict[int, str] = field(default_factory=dict)
    recipe: str = ""
    _advice: tuple[Advice, ...] | None = None
    _noise: float | None = None

    def fail(self, error: BaseException | None) -> None:
        """Keep an error on the screen until the list changes."""
        self.error, self.failed = error, self.pipeline

    @property
    def trouble(self) -> BaseException | None:
        """The error to show, if nothing was changed since."""
        return self.error if self.failed is self.pipeline else None

    def take(self, pipeline: Pipeline) -> None:
        """Replace the whole list, by that of a recipe for example."""
        self.pipeline = pipeline
        self.ids = [next(_NUMBERS) for _ in pipeline.stages]
        self.open, self.notes = None, {}

    def fresh(self, kind: type[Step]) -> Step:
        """A step with its usual settings; one against noise, with the noise of this image."""
        if any(parameter.help == SIGMA for parameter in kind.parameters()):
            return kind(sigma=self.noise)
        return kind()

    def add(self, step: Step, *, show: bool = True) -> None:
        """Append a step and show its settings."""
        self.pipeline = self.pipeline.add(step)
        self.ids.append(next(_NUMBERS))
        if show:
            self.open = self.ids[-1]

    def move(self, number: int, by: int) -> None:
        """Move a step up or down."""
        index = self.ids.index(number)
        to = min(max(index + by, 0), len(self.ids) - 1)
        self.pipeline = self.pipeline.move(index, to)
        self.ids.insert(to, self.ids.pop(index))

    def remove(self, number: int) -> None:
        """Take a step out."""
        index = self.ids.index(number)
        self.pipeline = self.pipeline.remove(index)
        self.ids.pop(index)
        if self.open == number:
            self.open = None

    def switch(self, number: int, on: bool) -> None:
        """Switch a step on or off."""
        self.pipeline = self.pipeline.switch(self.ids.index(number), on)

    def change(self, number: int, **settings: object) -> None:
        """Give a step other settings; unusable ones are noted and the old ones stay."""
        index = self.ids.index(number)
        step = self.pipeline.stages[index].step
        self.notes.pop(number, None)
        try:
            # Not `replace`: a step may derive fields of its own.
            known = {p.name: getattr(step, p.name) for p in step.parameters()}
            self.pipeline = self.pipeline.replace_step(index, type(step)(**(known | settings)))
        except PrepareError as error:
            self.notes[number] = str(error)

    def coming_to(self, index: int) -> Raster:
        """The reduced picture as it comes to the step at a position of the list."""
        steps = tuple(stage.step for stage in self.pipeline.stages[:index] if stage.on)
        return self.previewer.overall(steps).after

    @property
    def probe(self) -> Raster:
        """The middle of the image at full resolution."""
        window = detail_window(self.base, (0.5, 0.5), (PROBE, PROBE))
        return read_raster(self.base, window)

    @property
    def noise(self) -> float:
        """Noise of the image where white is 255, as a setting of the steps against it."""
        if self._noise is None:
            levels = noise_levels(self.probe)
            self._noise = min(60.0, max(0.5, round(2 * levels) / 2))
        return self._noise

    @property
    def advice(self) -> tuple[Advice, ...]:
        """What the image needs that the list does not have yet."""
        if self._advice is None:
            self._advice = advise(self.previewer.overview, self.probe)
        listed = {stage.step.key for stage in self.pipeline.stages}
        return tuple(item for item in self._advice if item.step.key not in listed)


class Preparations:
    """The bench of the image that is open, on one visit."""

    def __init__(self) -> None:
        self.known: PreparationState | None = None

    def of(self, session: Session) -> PreparationState:
        """The bench of the open image, set up afresh for another image or other bands.

        For the same image in other bands, or opened again, the list of steps stays.
        """
        base, known = session.image.source, self.known
        if known is not None and known.base is base:
            return known
        fresh = PreparationState(base, Previewer(base, OVERVIEW))
        if known is not None and known.base.content_hash == base.content_hash:
            fresh.pipeline, fresh.ids, fresh.open = known.pipeline, known.ids, known.open
        else:
            fresh.take(session.image.pipeline or Pipeline())
        self.known = fresh
        return fresh


@dataclass(frozen=True, eq=False)
class _Prepared:
    base: Scene
    scene: Scene
    pipeline: Pipeline


def start(session: Session, bench: PreparationState) -> Job:
    """Prepare at full resolution in the background."""
    base, pipeline = bench.base, bench.pipeline
    bench.told = ""
    bench.fail(None)

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> _Prepared:
        return _Prepared(base, pipeline.run_scene(base, progress, cancelled), pipeline)

    return session.jobs.start(JOB, run)


def collect(session: Session, bench: PreparationState) -> bool:
    """Take over what a finished job made.

    Returns
    -------
    bool
        Whether there was something to take over.

    Raises
    ------
    SceneError
        If the prepared image cannot be read; the session goes on with the one it has.
    """
    job = session.jobs.take(JOB)
    if job is None:
        return False
    if job.state == "failed":
        bench.fail(job.error)
    elif job.state == "done":
        done: _Prepared = job.result
        if done.base is not session.image.source:
            bench.fail(
                PrepareError(
                    "The image was shown in other bands or with another ground distance while it "
                    "was prepared. Press “Use the prepared image” again."
                )
            )
            return True
        book = session.marks.book
        had = bool(book.entries) or book.extra is not None
        if not session.use_prepared(done.scene, done.pipeline) and had:
            bench.told = "The objects outlined before lay in another picture and were removed."
    return True

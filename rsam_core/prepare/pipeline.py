"""`Pipeline`: the steps in order, switched on or off, saved as JSON and replayed."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from rsam_core.errors import Cancelled, PrepareError
from rsam_core.prepare._running import run_scene
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.stage import Stage, naming
from rsam_core.prepare.step import STEPS, Step
from rsam_core.runtime.given import given
from rsam_core.runtime.progress import Progress

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

FORMAT = "rsam-recipe"
VERSION = 1

Asks = Callable[[], bool]


@dataclass(frozen=True)
class Pipeline:
    """Steps in the order in which they are applied. Immutable: changes return a new one.

    Attributes
    ----------
    stages : tuple of Stage
    """

    stages: tuple[Stage, ...] = ()

    def __len__(self) -> int:
        return len(self.stages)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that are switched on."""
        return tuple(stage.step for stage in self.stages if stage.on)

    @property
    def halo(self) -> int | None:
        """Context in pixels that a tile needs in all; None if a step needs the whole image."""
        halos = [step.halo for step in self.steps]
        return None if None in halos else sum(halos)

    def add(self, step: Step, index: int | None = None, *, on: bool = True) -> Pipeline:
        """Insert a step before position `index`, or at the end."""
        stages = list(self.stages)
        stages.insert(len(stages) if index is None else index, Stage(step, on))
        return replace(self, stages=tuple(stages))

    def move(self, index: int, to: int) -> Pipeline:
        """Take the step at position `index` to position `to`, which is kept within the list."""
        stages = list(self.stages)
        stages.insert(min(max(to, 0), len(stages) - 1), stages.pop(self._at(index)))
        return replace(self, stages=tuple(stages))

    def remove(self, index: int) -> Pipeline:
        """Take out the step at position `index`."""
        index = self._at(index)
        return replace(self, stages=self.stages[:index] + self.stages[index + 1 :])

    def switch(self, index: int, on: bool) -> Pipeline:
        """Switch the step at position `index` on or off."""
        return self._with(index, on=on)

    def replace_step(self, index: int, step: Step) -> Pipeline:
        """Put another step, or the same with other settings, at position `index`."""
        return self._with(index, step=step)

    def to_json(self) -> str:
        """The recipe as text; `from_json` reads it."""
        steps = [
            {"step": stage.step.key, "on": stage.on, "settings": stage.step.to_dict()}
            for stage in self.stages
        ]
        recipe = {"format": FORMAT, "version": VERSION, "steps": steps}
        return json.dumps(recipe, indent=2, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Pipeline:
        """Read a recipe.

        Raises
        ------
        PrepareError
            It is not a recipe, was written by a newer version, or names a step or a setting
            that does not exist.
        """
        try:
            recipe = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PrepareError(
                "This file is not a recipe: it is not valid JSON. Choose a file that was saved "
                "with “Save recipe”."
            ) from error
        if not isinstance(recipe, dict) or recipe.get("format") != FORMAT:
            raise PrepareError(
                "This file is not a recipe of RSAM. Choose one that was saved with “Save recipe”."
            )
        version = recipe.get("version")
        if not isinstance(version, int) or not 1 <= version <= VERSION:
            told = "no version" if version is None else f"version {given(version)}"
            raise PrepareError(
                f"This recipe has {told}, and this RSAM reads up to {VERSION}. "
                "Update RSAM, or save the recipe again with this one."
            )
        entries = recipe.get("steps")
        if not isinstance(entries, list):
            raise PrepareError("The recipe is damaged: it has no list of steps. Save it again.")
        return cls(tuple(_stage(entry, i) for i, entry in enumerate(entries, start=1)))

    def fit(self, sample: Raster) -> tuple[tuple[Any, ...], Raster]:
        """Take the statistics of every step that is on, each from what the ones before it leave.

        Parameters
        ----------
        sample : Raster
            The whole image, usually reduced.

        Returns
        -------
        fitted : tuple
            One entry for each of `steps`.
        result : Raster
            The sample after all steps.
        """
        fitted = []
        for step in self.steps:
            with naming(step):
                statistics = step.fit(sample)
                sample = step.apply(sample, statistics)
            fitted.append(statistics)
        return tuple(fitted), sample

    def apply(
        self, raster: Raster, fitted: tuple[Any, ...], *, cancelled: Asks | None = None
    ) -> Raster:
        """Apply the steps that are on with statistics taken before.

        Raises
        ------
        PrepareError
            A step cannot be applied to this image.
        Cancelled
            `cancelled` said so between two steps.
        """
        for step, statistics in zip(self.steps, fitted, strict=True):
            _stop_if(cancelled)
            with naming(step):
                raster = step.apply(raster, statistics)
        return raster

    def preview(self, sample: Raster) -> Raster:
        """The steps applied to a reduced copy of the whole image."""
        return self.fit(sample)[1]

    def run(
        self, raster: Raster, progress: Progress | None = None, cancelled: Asks | None = None
    ) -> Raster:
        """Apply the pipeline to an image in memory.

        Parameters
        ----------
        raster : Raster
            The whole image.
        progress : callable, optional
            Called as ``progress(fraction, text)``.
        cancelled : callable, optional
            Asked between steps whether to stop.

        Returns
        -------
        Raster

        Raises
        ------
        PrepareError
            A step cannot be applied to this image.
        Cancelled
            `cancelled` said so.
        """
        steps = self.steps
        for done, step in enumerate(steps):
            _stop_if(cancelled)
            if progress is not None:
                progress(done / len(steps), step.title)
            with naming(step):
                raster = step.apply(raster, step.fit(raster))
        _stop_if(cancelled)
        return raster

    def run_scene(
        self,
        scene: Scene,
        progress: Progress | None = None,
        cancelled: Asks | None = None,
    ) -> Scene:
        """Apply the pipeline to a scene of any size, tile by tile where all steps allow it.

        Parameters
        ----------
        scene : Scene
        progress, cancelled : callable, optional
            As for `run`.

        Returns
        -------
        Scene
            Of the same name; in memory, or in a temporary file when it is large.

        Raises
        ------
        PrepareError
            A step cannot be applied, or needs the whole of an image that is too large for that.
        SceneError
            The file is damaged.
        Cancelled
            `cancelled` said so.
        """
        return replace(run_scene(self, scene, progress, cancelled), attribution=scene.attribution)

    def _at(self, index: int) -> int:
        if not 0 <= index < len(self.stages):
            raise PrepareError(f"There is no step {index + 1}; the list has {len(self.stages)}.")
        return index

    def _with(self, index: int, **changes: Any) -> Pipeline:
        stages, index = list(self.stages), self._at(index)
        stages[index] = replace(stages[index], **changes)
        return replace(self, stages=tuple(stages))


def _stop_if(cancelled: Asks | None) -> None:
    if cancelled is not None and cancelled():
        raise Cancelled("Preparing was stopped; the image is as it was.")


def _stage(entry: Any, position: int) -> Stage:
    """One step of a recipe."""
    from rsam_core.prepare import load_steps

    load_steps()
    if not isinstance(entry, dict) or not isinstance(entry.get("step"), str):
        raise PrepareError(f"Step {position} of the recipe is damaged. Save the recipe again.")
    kind = STEPS.get(entry["step"])
    if kind is None:
        raise PrepareError(
            f"Step {position} of the recipe is {given(entry['step'])}, which this RSAM does not "
            "have. Update RSAM, or remove the step from the file."
        )
    settings, on = entry.get("settings", {}), entry.get("on", True)
    if not isinstance(settings, dict) or not isinstance(on, bool):
        raise PrepareError(f"Step {position} of the recipe is damaged. Save the recipe again.")
    try:
        return Stage(kind.from_dict(settings), on)
    except PrepareError as error:
        raise PrepareError(f"Step {position} of the recipe, {kind.title}: {error}") from error

"""An example from one image, its like in many others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rsam_core.errors import Cancelled, RsamError
from rsam_core.objects.instances import Instances
from rsam_core.scene.coordinates import view_frame
from rsam_core.segment.one_shot.candidate_search import search, search_tiled
from rsam_core.segment.one_shot.examples import Example
from rsam_core.segment.one_shot.ranking import OneShotResult, rank
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True, eq=False)
class Outcome:
    """What was found in one image.

    Attributes
    ----------
    name : str
    scene : Scene or None
        None if it could not be opened.
    result : OneShotResult or None
    problem : str
        What went wrong, if anything did.
    seconds : float
    """

    name: str
    scene: Any
    result: OneShotResult | None
    problem: str = ""
    seconds: float = 0.0

    def choose(self, threshold: float | None = None) -> Instances | None:
        """The objects above a threshold, by default the one suggested for this image."""
        return self.result.choose(threshold) if self.result is not None else None


def search_scenes(
    segmenter: Segmenter,
    scenes: Iterable[tuple[str, Callable[[], Any]]],
    examples: Sequence[Example],
    settings: OneShotSettings | None = None,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Outcome]:
    """Look for objects like the examples in many images.

    Parameters
    ----------
    segmenter : Segmenter
    scenes : iterable of (str, callable)
        Name of each image, and a function that opens it.
    examples : sequence of Example
        From any image.
    settings : OneShotSettings, optional
    progress, cancelled : callable, optional
        If `cancelled` says so, the images finished by then are returned.

    Returns
    -------
    list of Outcome
        One for each image that was looked at; an image that cannot be used has a problem instead
        of a result, and does not stop the others.
    """
    settings = settings or OneShotSettings()
    scenes = list(scenes)
    outcomes: list[Outcome] = []
    for number, (name, opener) in enumerate(scenes):
        if cancelled is not None and cancelled():
            break

        def report(fraction: float, text: str, number: int = number, name: str = name) -> None:
            if progress is not None:
                progress((number + fraction) / len(scenes), f"{name}: {text}")

        report(0.0, "opening")
        began, scene = time.perf_counter(), None
        control = {"progress": report, "cancelled": cancelled}
        try:
            scene = opener()
            view = view_frame(scene.width, scene.height)
            if view.scale == (1.0, 1.0):
                embedding = segmenter.embed(scene.read_rgb())
                state = search(segmenter, scene, view, embedding, examples, settings, **control)
            else:
                state = search_tiled(segmenter, scene, examples, settings, **control)
        except Cancelled:
            break
        except RsamError as error:
            seconds = time.perf_counter() - began
            outcomes.append(Outcome(name, scene, None, str(error), seconds))
            continue
        if not state.complete:
            break
        result = rank(state, examples, settings)
        outcomes.append(Outcome(name, scene, result, seconds=time.perf_counter() - began))
    return outcomes

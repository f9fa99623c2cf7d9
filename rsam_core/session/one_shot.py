"""What a session has learned from examples in the open scene, and found with them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import overlaps
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.scene.coordinates import Frame
from rsam_core.scene.scene import Scene
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot import (
    Example,
    OneShotResult,
    OneShotSettings,
    Outcome,
    SearchCandidates,
    estimate_search,
    make_example,
    rank,
    search,
    search_scenes,
    search_tiled,
)
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.tiles.run import estimate_tiled
from rsam_core.session.answers import Resources
from rsam_core.session.session import Session

HERE, OTHERS = "one-shot", "one-shot elsewhere"
"""Names of the searches in the open image and in other images."""
_SAME = 0.5
"""An object that shares more than this (IoU) with a proposal is that object."""

_NUMBERS = itertools.count(1)
Views = list[tuple[Frame, NDArray[np.uint8]]]


@dataclass(frozen=True, eq=False)
class NamedExample:
    """An object that the user has named as an example, before the model has looked at it.

    Attributes
    ----------
    instance : Instance
        In scene pixels.
    positive : bool
        False for "not this one".
    number : int
        Unlike that of any other, also of one that was taken back.
    """

    instance: Instance
    positive: bool = True
    number: int = field(default_factory=lambda: next(_NUMBERS))


class OneShotState:
    """One-shot work on the open scene; safe between threads.

    Parameters
    ----------
    jobs : JobRegistry
        Of the session; owns the searches.

    Attributes
    ----------
    given : tuple of NamedExample
        The examples, in the order in which they were named.
    examples : dict of int to Example
        What was learned of them, by the number of the given one.
    state : SearchCandidates or None
        Candidates of the last search.
    key : tuple
        Model, scene and view of that search.
    searched : frozenset of int
        Numbers of the examples that it looked for.
    threshold : float or None
        Set by the user; None for the suggested one.
    selected : int or None
        Number of the proposal that is selected.
    error : BaseException or None
        Why the last search failed.
    others : list of Outcome
        What was found in other images.
    estimate : tuple of (tuple, float), or None
        What a search would belong to, and its expected seconds.
    """

    owns = (HERE, OTHERS)
    """Names of its jobs."""

    def __init__(self, jobs: JobRegistry) -> None:
        self._jobs = jobs
        self._lock = threading.RLock()
        self.given: tuple[NamedExample, ...] = ()
        self.examples: dict[int, Example] = {}
        self.state: SearchCandidates | None = None
        self.key: tuple = ()
        self.searched: frozenset[int] = frozenset()
        self.threshold: float | None = None
        self.selected: int | None = None
        self.error: BaseException | None = None
        self.others: list[Outcome] = []
        self.estimate: tuple[tuple, float] | None = None
        self._ranked: tuple[SearchCandidates, tuple[int, ...], OneShotResult] | None = None

    @property
    def job(self) -> Job | None:
        """The search in the open image that runs, or was not taken over yet."""
        return self._jobs.get(HERE)

    @property
    def learned(self) -> list[Example]:
        """The examples that the model has looked at, in order."""
        known = self.examples
        return [known[g.number] for g in self.given if g.number in known]

    @property
    def looked_for(self) -> frozenset[int]:
        """Numbers of the examples to find more of."""
        return frozenset(g.number for g in self.given if g.positive)

    def give(self, instance: Instance, *, positive: bool = True) -> NamedExample:
        """Name an object as an example, or as what is not meant."""
        given = NamedExample(replace(instance, id=0), positive)
        with self._lock:
            self.given = (*self.given, given)
            self.selected = None
        return given

    def learn(self, given: NamedExample, example: Example) -> None:
        """Keep what was learned of an example, unless it was taken back meanwhile."""
        with self._lock:
            if given in self.given:
                self.examples = self.examples | {given.number: example}

    def forget(self, given: NamedExample) -> None:
        """Take an example back."""
        with self._lock:
            self.given = tuple(g for g in self.given if g is not given)
            self.examples = {n: e for n, e in self.examples.items() if n != given.number}
            self.selected = None

    def collect(self) -> bool:
        """Take over the result of a finished search here; whether there was one."""
        job = self._jobs.take(HERE)
        if job is None:
            return False
        if job.state == "failed":
            self.error = job.error
        elif job.state == "done":
            key, searched, examples, state = job.result
            with self._lock:
                present = {g.number for g in self.given}
                # Examples that were named or taken back during the search are so still.
                kept = self.examples if self.key[:2] == key[:2] else {}
                self.examples = kept | {n: e for n, e in examples.items() if n in present}
                self.key, self.searched, self.state = key, searched, state
                self.threshold = None
        return True

    def collect_others(self) -> bool:
        """Take over what was found in other images; whether there was something."""
        job = self._jobs.take(OTHERS)
        if job is None:
            return False
        if job.state == "failed":
            self.error = job.error
        self.others = job.result or []
        return True

    def result(self) -> OneShotResult | None:
        """The proposals by the present examples, compared again when these change."""
        with self._lock:
            state, learned = self.state, self.learned
            numbers = tuple(g.number for g in self.given if g.number in self.examples)
        if state is None or not any(e.positive for e in learned):
            return None
        ranked = self._ranked
        if ranked is None or ranked[0] is not state or ranked[1] != numbers:
            ranked = (state, numbers, rank(state, learned, OneShotSettings()))
            self._ranked = ranked
        return ranked[2]


def shot(session: Session) -> OneShotState:
    """The one-shot work on the open scene."""
    return session.attached(OneShotState, lambda: OneShotState(session.jobs))


def search_key(session: Session, model: str, whole: bool) -> tuple:
    """What a search belongs to."""
    return model, session.image.scene, None if whole else session.image.view


def expected_seconds(session: Session, known: OneShotState, model: str, whole: bool) -> float:
    """How long a first search will take; measured once for each view."""
    key = search_key(session, model, whole)
    if known.estimate is None or known.estimate[0] != key:
        prompter, image = session.answers.prompter, session.image
        if whole:
            settings = EverythingSettings(OneShotSettings().spacing)
            seconds = estimate_tiled(prompter.segmenter, image.scene, None, settings)
        else:
            seconds = estimate_search(prompter.segmenter, prompter.embed(image.view))
        known.estimate = (key, seconds)
    return known.estimate[1]


def start(
    session: Session, known: OneShotState, model: str, resources: Resources, whole: bool
) -> Job:
    """Search in the background for objects like the examples."""
    image = session.image
    scene, view = image.scene, image.view
    segmenter, given = resources.segmenter(model), known.given
    key, wanted = search_key(session, model, whole), known.looked_for
    earlier = known.state if known.key == key else None
    views = [(view, image.picture(view)), (image.overview, image.picture(image.overview))]
    done = dict(known.examples) if known.key[:2] == key[:2] else {}

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> tuple:
        progress(0.0, "looking at the image")
        examples = {
            g.number: done.get(g.number) or _learn(segmenter, scene, views, g, model, resources)
            for g in given
        }
        learned = [examples[g.number] for g in given]
        control: dict[str, Any] = {"progress": progress, "cancelled": cancelled}
        if whole:
            return key, wanted, examples, search_tiled(segmenter, scene, learned, **control)
        embedding = _embedded(views[0][1], model, resources)
        state = search(segmenter, scene, view, embedding, learned, earlier=earlier, **control)
        return key, wanted, examples, state

    known.error, known.selected = None, None
    return session.jobs.start(HERE, run, partial=True)


def start_others(
    session: Session,
    known: OneShotState,
    segmenter: Segmenter,
    scenes: list[tuple[str, Callable[[], Scene]]],
) -> Job:
    """Search other images in the background for objects like the examples of this one.

    Parameters
    ----------
    session : Session
    known : OneShotState
    segmenter : Segmenter
    scenes : list of (str, callable)
        Names, and what opens each.
    """
    examples = list(known.learned)

    def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> list[Outcome]:
        return search_scenes(segmenter, scenes, examples, progress=progress, cancelled=cancelled)

    known.others = []
    return session.jobs.start(OTHERS, run, partial=True)


def _embedded(image: NDArray[np.uint8], model: str, resources: Resources) -> Any:
    return resources.embed(image, resources.embedding_key(image, model))


def _learn(
    segmenter: Segmenter,
    scene: Scene,
    views: Views,
    given: NamedExample,
    model: str,
    resources: Resources,
) -> Example:
    """Look at an example in the first view that shows all of it; the last shows the whole scene."""
    x0, y0, x1, y1 = given.instance.bbox
    view, image = next(
        ((view, image) for view, image in views[:-1] if view.contains(x0, y0, x1, y1)), views[-1]
    )
    shown = EmbeddedView(_embedded(image, model, resources), view.x, view.y, view.scale[0])
    return make_example(segmenter, scene, shown, given.instance, positive=given.positive)


def name_example(
    session: Session,
    known: OneShotState,
    model: str,
    resources: Resources,
    instance: Instance,
    *,
    positive: bool = True,
) -> None:
    """Name an object as an example; if the image was searched, it counts at once."""
    given, state = known.give(instance, positive=positive), known.state
    if state is None:
        return
    image = session.image
    view = image.view if state.view is None else state.view
    views = [(frame, image.picture(frame)) for frame in (view, image.overview)]
    segmenter = resources.segmenter(model)
    known.learn(given, _learn(segmenter, image.scene, views, given, model, resources))


def accept(session: Session, items: list[Instance]) -> int:
    """Add proposals to the objects of the scene; returns how many were not there before."""
    shown = session.shown()
    now = shown.objects
    proposed = Instances([replace(item, id=0) for item in items], now.shape, next_id=now.next_id)
    common = overlaps(now, proposed)
    there = set(common.columns[common.ious > _SAME].tolist())
    fresh = [item for k, item in enumerate(proposed) if k not in there]
    if fresh:
        some = f"{len(fresh):,} object{'s' if len(fresh) != 1 else ''}"
        wanted = Instances([*now, *fresh], now.shape, next_id=proposed.next_id)
        session.commit(shown, wanted, f"Accept {some} found by example")
    return len(fresh)

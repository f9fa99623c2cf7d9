"""What a session has learned from examples in the open scene, and found with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st

from rsam_core.everything import EverythingSettings
from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.jobs import Job
from rsam_core.one_shot import (
    EmbeddedView,
    Example,
    OneShotResult,
    OneShotSettings,
    OneShotState,
    Outcome,
    estimate_search,
    make_example,
    rank,
    search,
    search_tiled,
)
from rsam_core.suppression import shared_area
from rsam_core.tiled import estimate_tiled

from . import resources, workspace
from .workspace import Workspace


@dataclass(frozen=True, eq=False)
class Given:
    """An object that the user has named as an example, before the model has looked at it.

    Attributes
    ----------
    instance : Instance
        In scene pixels.
    positive : bool
        False for "not this one".
    """

    instance: Instance
    positive: bool = True


@dataclass
class Shot:
    """One-shot work on the open scene.

    Attributes
    ----------
    given : list of Given
        The examples, in the order in which they were named.
    examples : dict of int to Example
        What was learned of them, by identity of the given one.
    state : OneShotState or None
        Candidates of the last search.
    key : tuple
        Model, scene and view of that search.
    searched : frozenset of int
        Identities of the examples that it looked for.
    threshold : float or None
        Set by the user; None for the suggested one.
    selected : int or None
        Number of the proposal that is selected.
    job : Job or None
        A search at the moment.
    error : BaseException or None
        Why the last one failed.
    others, others_job
        What was found in other images, and the search there.
    estimate : tuple of (tuple, float), or None
        What a search would belong to, and its expected seconds.
    """

    given: list[Given] = field(default_factory=list)
    examples: dict[int, Example] = field(default_factory=dict)
    state: OneShotState | None = None
    key: tuple = ()
    searched: frozenset[int] = frozenset()
    threshold: float | None = None
    selected: int | None = None
    job: Job | None = None
    error: BaseException | None = None
    others: list[Outcome] = field(default_factory=list)
    others_job: Job | None = None
    ranked: tuple[tuple, OneShotResult] | None = None
    estimate: tuple[tuple, float] | None = None

    @property
    def learned(self) -> list[Example]:
        """The examples that the model has looked at, in order."""
        return [self.examples[id(g)] for g in self.given if id(g) in self.examples]


def shot(work: Workspace) -> Shot:
    """The one-shot work of this session on the open scene."""
    kept = st.session_state.get("one-shot")
    if kept is None or kept[0] != work.token:
        kept = st.session_state["one-shot"] = (work.token, Shot())
    return kept[1]


def search_key(work: Workspace, whole: bool) -> tuple:
    """What a search belongs to."""
    return workspace.model_name(), work.scene, None if whole else work.view


def looked_for(known: Shot) -> frozenset[int]:
    """Identities of the examples to find more of."""
    return frozenset(id(g) for g in known.given if g.positive)


def expected_seconds(work: Workspace, known: Shot, whole: bool) -> float:
    """How long a first search will take; measured once for each view."""
    key = search_key(work, whole)
    if known.estimate is None or known.estimate[0] != key:
        segmenter = work.prompter.segmenter
        if whole:
            spacing = OneShotSettings().spacing
            seconds = estimate_tiled(segmenter, work.scene, None, EverythingSettings(spacing))
        else:
            seconds = estimate_search(segmenter, work.prompter.embed(work.view))
        known.estimate = (key, seconds)
    return known.estimate[1]


def start(work: Workspace, known: Shot, whole: bool) -> None:
    """Search in the background for objects like the examples."""
    scene, view, name = work.scene, work.view, workspace.model_name()
    segmenter, given = resources.segmenter(name), list(known.given)
    key, wanted = search_key(work, whole), looked_for(known)
    earlier = known.state if known.key == key else None
    # Read here: pictures of the session belong to its own thread.
    image, home = work.picture(view), work.picture(work.overview)
    done = dict(known.examples) if known.key[:2] == key[:2] else {}

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> tuple:
        progress(0.0, "looking at the image")
        views = [(view, image), (work.overview, home)]
        examples = {
            id(g): done.get(id(g)) or _learn(segmenter, scene, views, g, name) for g in given
        }
        learned = [examples[id(g)] for g in given]
        control: dict[str, Any] = {"progress": progress, "cancelled": cancelled}
        if whole:
            return key, wanted, examples, search_tiled(segmenter, scene, learned, **control)
        embedding = resources.embed(image, resources.embedding_key(image, name))
        state = search(segmenter, scene, view, embedding, learned, earlier=earlier, **control)
        return key, wanted, examples, state

    known.error, known.selected = None, None
    known.job = Job.start(run)


def _learn(segmenter, scene, views, given: Given, name: str) -> Example:
    """Look at an example in the first view that shows all of it."""
    x0, y0, x1, y1 = given.instance.bbox
    for view, image in views:
        inside = x0 >= view.x and y0 >= view.y and x1 <= view.x + view.width
        if (inside and y1 <= view.y + view.height) or view is views[-1][0]:
            embedding = resources.embed(image, resources.embedding_key(image, name))
            shown = EmbeddedView(embedding, view.x, view.y, view.scale[0])
            return make_example(segmenter, scene, shown, given.instance, positive=given.positive)
    raise AssertionError("the last view shows the whole scene")


def collect(known: Shot) -> bool:
    """Take over the result of a finished search; whether there was one."""
    job = known.job
    if job is None or not job.finished:
        return False
    known.job = None
    if job.state == "failed":
        known.error = job.error
    elif job.state == "done":
        known.key, known.searched, known.examples, known.state = job.result
        known.threshold = None
    return True


def result(known: Shot) -> OneShotResult | None:
    """The proposals by the present examples, compared anew when these change."""
    learned = known.learned
    if known.state is None or not any(e.positive for e in learned):
        return None
    key = (known.state, tuple(id(e) for e in learned))
    if known.ranked is None or known.ranked[0] != key:
        known.ranked = (key, rank(known.state, learned, OneShotSettings()))
    return known.ranked[1]


def name_example(
    work: Workspace, known: Shot, instance: Instance, *, positive: bool = True
) -> None:
    """Name an object as an example; if the image was searched, it counts at once."""
    given = Given(replace(instance, id=0), positive)
    known.given.append(given)
    known.selected = None
    if known.state is None:
        return
    view = work.view if known.state.view is None else known.state.view
    name = workspace.model_name()
    views = [(frame, work.picture(frame)) for frame in (view, work.overview)]
    known.examples[id(given)] = _learn(resources.segmenter(name), work.scene, views, given, name)


def forget(known: Shot, given: Given) -> None:
    """Take an example back."""
    known.given = [g for g in known.given if g is not given]
    known.examples.pop(id(given), None)
    known.selected = None


def accept(work: Workspace, known: Shot, items: list[Instance]) -> int:
    """Add proposals to the objects of the scene; returns how many were not there before."""
    now, _ = workspace.objects(work)
    fresh = [item for item in items if not _there(now, item)]
    if fresh:
        added = Instances.concat(
            [now, Instances([replace(i, id=0) for i in fresh], now.shape, next_id=now.next_id)]
        )
        some = f"{len(fresh):,} object{'s' if len(fresh) != 1 else ''}"
        workspace.commit(work, added, f"Accept {some} found by example")
    return len(fresh)


def _there(objects: Instances, item: Instance) -> bool:
    """Whether much the same object exists already."""
    x0, y0, x1, y1 = item.bbox
    for other in objects:
        a0, b0, a1, b1 = other.bbox
        if a0 < x1 and x0 < a1 and b0 < y1 and y0 < b1:
            shared = shared_area(item.mask, item.bbox, other.mask, other.bbox)
            if shared > 0.5 * (item.area + other.area - shared):
                return True
    return False

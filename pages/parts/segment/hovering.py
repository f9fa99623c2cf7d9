"""The outline under the pointer: proposals of the view, and the model's answer where none is."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.shared import resources, streamlit_adapter
from pages.parts.shared.canvas.hovering import Hovering
from rsam_core.errors import RsamError
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import overlaps
from rsam_core.prompts.canvas_events import CanvasEvent, OutlinesMessage, ProposedMessage
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.proposal_outlines import EncodedOutlines, encode_outlines
from rsam_core.scene.coordinates import Frame
from rsam_core.scene.scene import Scene
from rsam_core.segment.automatic import Automatic
from rsam_core.segment.everything import initialize
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.search import thresholds
from rsam_core.session.session import Session

JOB = "outlines"

SWITCH = "outlines-under-pointer"
"""Whether the person wants the proposals looked for, in the page's state."""

_SAME = 0.6
"""IoU from which on an object is the proposal, which is then not offered again."""
_LOOK_EVERY = 0.25
"""Seconds between two looks at whether the proposals are there, while they are looked for."""
_SHORT = 4000
"""Bytes up to which an answer goes along with the message."""
_LISTS = 8
"""Lists of proposals that are remembered: a click may be meant for an earlier one."""


@dataclass
class Offered:
    """What was offered to the pointer on this scene.

    Attributes
    ----------
    lists : dict of str to sequence of Instance
        By the key under which the browser knows each.
    found : dict
        Proposals by scene and view.
    resting : tuple or None
        Where the pointer rested last (x, y), and in which view.
    """

    lists: dict[str, Sequence[Instance]] = field(default_factory=dict)
    found: dict[tuple[Scene, Frame], Sequence[Instance]] = field(default_factory=dict)
    wanted: tuple[Scene, Frame] | None = None
    resting: tuple[float, float, Frame] | None = None

    def remember(self, key: str, items: Sequence[Instance]) -> None:
        """Keep a list, the latest few of all."""
        self.lists = _latest(self.lists, key, items)

    def look(self, scene: Scene, view: Frame, items: Sequence[Instance]) -> None:
        """Keep what was found in a view, the latest few of all."""
        self.found = _latest(self.found, (scene, view), items)

    def find(self, event: CanvasEvent) -> Instance | None:
        """The proposal that a click takes."""
        items = self.lists.get(event.of, ())
        return items[event.proposal] if event.proposal < len(items) else None


def _latest(lists: dict, key: object, items: Sequence[Instance]) -> dict:
    """Lists with one more, which counts as the latest, and without the oldest."""
    kept = {**{k: v for k, v in lists.items() if k != key}, key: items}
    return dict(list(kept.items())[-_LISTS:])


def proposals_for(session: Session, view: Frame) -> Sequence[Instance] | None:
    """The proposals of a view in scene pixels, or None where there are none (yet).

    They are looked for in the background where the embedded model can propose objects; see
    `_draw_when_found`. The same list, as an object, is returned as long as nothing about it
    changes.
    """
    offered, scene = session.attached(Offered), session.image.scene
    if (scene, view) in offered.found:
        return offered.found[scene, view]
    small = resources.segmenter(DEFAULT_MODEL)
    # Each view costs seconds of computing, which a class on one computer may not have to spare.
    if not small.model.proposes or not st.session_state.get(SWITCH):
        return None
    job = session.jobs.get(JOB)
    # What failed would fail again at each run of the page.
    tried = job is not None and (not job.finished or job.error is not None)
    if tried and offered.wanted == (scene, view):
        return None
    offered.wanted = (scene, view)
    # Read here: pictures of the session belong to its own thread.
    image = session.image.picture(view)

    def work(progress: Callable[..., None], cancelled: Callable[[], bool]) -> None:
        items = look_for(small, image, view, progress=progress, cancelled=cancelled)
        if cancelled():
            return
        offered.look(scene, view, items)

    # Whoever pans over thirty views wants the last one.
    session.jobs.start(JOB, work, latest=True)
    return None


def look_for(
    small: Segmenter, image: NDArray[np.uint8], view: Frame, **control: Callable
) -> Sequence[Instance]:
    """All objects that the embedded model finds in a picture of a view, in scene pixels."""
    settings = thresholds(DEFAULT_MODEL)
    embedding = resources.embed(image, resources.embedding_key(image, DEFAULT_MODEL))
    state = initialize(small, embedding, settings, **control)
    return Automatic(state, settings, DEFAULT_MODEL, view).objects


@st.fragment(run_every=_LOOK_EVERY)
def _draw_when_found(session: Session, view: Frame) -> None:
    """Draw the page once more when the proposals of a view are there.

    The browser asks for it, not the server: a run that the server starts knows nothing of what
    the person has just done, and would take a click or a change of page back.
    """
    if (session.image.scene, view) in session.attached(Offered).found:
        st.rerun()


def hovering(session: Session, found: Instances, mode: str) -> Hovering:
    """What the canvas needs for the outline under the pointer.

    Parameters
    ----------
    session : Session
    found : Instances
        The objects as they are shown.
    mode : str
        Of the canvas; only clicks that prompt take proposals.
    """

    def take(event: CanvasEvent) -> bool:
        return taken(session, event)

    def rest(event: CanvasEvent) -> None:
        offered = session.attached(Offered)
        offered.resting = (event.x, event.y, session.image.view)

    if mode != "points":
        return Hovering(take, rest)
    view = session.image.view
    items = proposals_for(session, view)
    job = session.jobs.get(JOB)
    if items is None and job is not None and job.error is None:
        # In a place of its own: Streamlit tells fragments apart by the container they are in.
        with st.container(key="waits-for-outlines"):
            _draw_when_found(session, view)
    proposals = None if items is None else _proposed(session, items, view, found)
    # Without a search that makes proposals the model is not asked at each rest of the hand.
    rests = items is not None
    return Hovering(take, rest, proposals, rests, _answer(session, view) if rests else None)


def taken(session: Session, event: CanvasEvent) -> bool:
    """Make a proposal an object of its own, with the click as its first mark.

    Returns
    -------
    bool
        False, and nothing is done, if the list it belongs to is no longer known.
    """
    proposal = session.attached(Offered).find(event)
    if proposal is None:
        return False
    view = session.image.view

    def change(book: PromptHistory) -> PromptHistory:
        after = book.add_point(event.x, event.y, 1, own_object=True, view=view)
        entry = after.entry(after.current)
        # Known before the book is in place, or another thread would ask the model meanwhile.
        instance = Instance(
            proposal.mask, proposal.x, proposal.y, proposal.score, entry.id, entry.source
        )
        session.answers.set_masks({entry: instance})
        return after

    session.update(change)
    return True


def _proposed(
    session: Session, items: Sequence[Instance], view: Frame, found: Instances
) -> ProposedMessage:
    """The message about proposals, with those that are objects already."""
    outlines = _encoded(session, "proposals", items, view)
    book = session.marks.book
    pairs = session.memo.remember("offered", (items, found), lambda: _same(items, found))
    numbers = [number for number, _ in pairs]
    current = next((number for number, object_id in pairs if object_id == book.current), None)
    return {**outlines, "taken": numbers, "current": current}


def _same(items: Sequence[Instance], found: Instances) -> list[tuple[int, int]]:
    """Proposals that are objects already, each with the number of the object."""
    if not len(items) or not len(found):
        return []
    pairs = overlaps(Instances(items, found.shape), found)
    ids = found.ids
    return [
        (int(row), int(ids[column]))
        for row, column, iou in zip(pairs.rows, pairs.columns, pairs.ious)
        if iou >= _SAME
    ]


def _encoded(
    session: Session, name: str, items: Sequence[Instance], view: Frame
) -> OutlinesMessage:
    """Outlines where the browser can fetch them."""

    def encode() -> EncodedOutlines:
        return encode_outlines(items, unit=1 / min(view.scale))

    outlines = session.memo.remember(f"outlines-{name}", (items, view), encode)
    session.attached(Offered).remember(outlines.key, items)
    place = f"rsam-{name}-{session.image.token}"
    if name == "answer" and len(outlines.content) <= _SHORT:
        # The browser need not ask once more.
        packed = base64.b64encode(outlines.content).decode()
        return {"url": f"data:application/octet-stream;base64,{packed}", "key": outlines.key}
    url = streamlit_adapter.address(outlines.content, "application/octet-stream", place)
    return {"url": url, "key": outlines.key}


def _answer(session: Session, view: Frame) -> OutlinesMessage | None:
    """The model's outline where the pointer rests; None if it finds nothing or has no turn."""
    resting, prompter = session.attached(Offered).resting, session.answers.prompter
    if resting is None or prompter is None or resting[2] != view:
        return None
    x, y, _ = resting
    entry = PromptHistory().add_point(x, y, view=view).entries[0]

    def ask() -> tuple[Instance, ...]:
        try:
            answer = prompter.answer(entry).instance(entry)
        except RsamError:
            # A hint that fails is no hint; the click will say what is wrong.
            return ()
        return () if answer is None else (answer,)

    items = session.memo.remember("resting", (entry, prompter), ask)
    return _encoded(session, "answer", items, view) if items else None

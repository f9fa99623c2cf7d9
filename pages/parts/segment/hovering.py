"""The outline under the pointer: proposals of the view, and the model's answer where none is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from pages.parts.shared import streamlit_adapter
from pages.parts.shared.canvas.hovering import Hovering
from rsam_core.errors import RsamError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import overlaps
from rsam_core.prompts.canvas_events import CanvasEvent, OutlinesMessage, ProposedMessage
from rsam_core.prompts.history import PromptHistory
from rsam_core.render.proposal_outlines import EncodedOutlines, encode_outlines
from rsam_core.scene.coordinates import Frame
from rsam_core.session.session import Session

_SAME = 0.6
"""IoU from which on an object is the proposal, which is then not offered again."""
_LISTS = 8
"""Lists of proposals that are remembered: a click may be meant for an earlier one."""


@dataclass
class Offered:
    """What was offered to the pointer on this scene, by the key of each list."""

    lists: dict[str, Sequence[Instance]] = field(default_factory=dict)
    resting: tuple[float, float, Frame] | None = None

    def remember(self, key: str, items: Sequence[Instance]) -> None:
        """Keep a list, the latest few of all."""
        self.lists = {**{k: v for k, v in self.lists.items() if k != key}, key: items}
        for old in list(self.lists)[:-_LISTS]:
            del self.lists[old]

    def find(self, event: CanvasEvent) -> Instance | None:
        """The proposal that a click takes."""
        items = self.lists.get(event.of, ())
        return items[event.proposal] if event.proposal < len(items) else None


def proposals_for(session: Session, view: Frame) -> Sequence[Instance] | None:
    """The proposals of a view in scene pixels, or None where there are none (yet).

    The same list, as an object, is returned as long as nothing about it changes.
    """
    return None


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
        session.answers.settle({entry: instance})
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

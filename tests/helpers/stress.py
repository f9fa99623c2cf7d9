"""Thirty people at once: their shared model, what each of them does at random, and a ledger."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import replace
from operator import methodcaller
from types import SimpleNamespace

import numpy as np

import rsam_core as rsam
from rsam_core.errors import Cancelled
from rsam_core.models.queued import QueuedModel
from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.acting import acting, as_session
from rsam_core.runtime.budgets import Store
from rsam_core.runtime.fair_queue import FairQueue
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.embedding import Embedding, EmbeddingCache, content_key
from rsam_core.segment.everything import EverythingSettings, EverythingState
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.marks import Marks
from rsam_core.session.search import with_thresholds
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit
from tests.helpers.boxes import HEIGHT, WIDTH, painter, plain
from tests.helpers.session import squares

PICTURE = plain()
_LABELS = itertools.count(1)


class Shared:
    """A quick model behind the queue, and the caches of all sessions, as on a server."""

    def __init__(self) -> None:
        self.queue = FairQueue(running=2, waiting=400, waiting_each=40)
        self.cache = EmbeddingCache(8 << 20, 1 << 20)
        self.kept: Store = Store(8 << 20, 1 << 18)
        self.model = painter()
        # The test's own record would grow for ever.
        self.model.calls = SimpleNamespace(append=lambda call: None, __len__=lambda: 0)
        self.model.decode = self._decode
        self._answer = self.model.answer

    def _decode(self, features, prompt, multimask, previous=None):
        from rsam_core.models.base import Decoded

        masks, scores = self._answer(prompt, multimask)
        stable = np.full(len(masks), 0.9, np.float32)
        lowres = list(range(len(masks)))
        return Decoded(np.stack(masks), 0, 0, np.array(scores, np.float32), lowres, stable)

    def segmenter(self, model_name: str) -> Segmenter:
        def slot(line: int):
            errand = acting()
            return self.queue.slot(errand.owner, line=line, cancelled=errand.cancelled)

        return Segmenter(QueuedModel(self.model, slot))

    def embedding_key(self, image, model_name: str) -> tuple[str, str]:
        return content_key(image, model_name)

    def embed(self, image, key) -> Embedding:
        owner, errand = acting().owner, acting()
        # Each session has a picture of its own to answer for.
        own = (f"{key[0]}-{owner}", key[1])
        made = self.cache.get(own, lambda: self.segmenter(key[1]).embed(image), owner)
        if errand.cancelled is not None and errand.cancelled():
            self.cache.give_up(own, owner)
        return made

    def answers(self) -> Store:
        return self.kept


class Ledger(Marks):
    """Marks that write down every change of the book, in the order in which they came to pass."""

    def __init__(self, lock) -> None:
        super().__init__(lock)
        self.written: list[tuple[PromptHistory, PromptHistory]] = []

    def update(self, change) -> PromptHistory:
        with self._lock:
            before = self._book
            after = super().update(change)
            if after is not before:
                self.written.append((before, after))
            return after

    def swap(self, expected: PromptHistory, fresh: PromptHistory) -> bool:
        with self._lock:
            done = super().swap(expected, fresh)
            if done:
                self.written.append((expected, fresh))
            return done


def opened(shared: Shared, owner: str) -> Session:
    """A session with a ledger, ready to be clicked at."""
    session = Session(rsam.open_scene(PICTURE, name="plain.png"), owner=owner)
    session.marks = Ledger(session._lock)
    session.answers.ready("rsam-tiny", shared)
    return session


def click(session: Session, rng: random.Random) -> None:
    """A box or a click, as the canvas reports them."""
    x, y = rng.randrange(WIDTH - 20), rng.randrange(HEIGHT - 20)
    if rng.random() < 0.7:
        session.update(methodcaller("add_box", x, y, x + 5 + rng.randrange(14), y + 10))
    else:
        session.update(methodcaller("add_point", x + 10.0, y + 10.0))


def draw(session: Session, rng: random.Random) -> None:
    """An object by hand, with a label that no other has."""
    base = session.shown()
    side = 2 + rng.randrange(5)
    mask, label = np.ones((side, side), bool), f"drawn {next(_LABELS)}"
    wanted = base.objects.add(mask)
    last = wanted.get(int(wanted.ids[-1]))
    time.sleep(0.001)
    session.commit(base, wanted.replace(replace(last, label=label)), "Draw")


def remove(session: Session, rng: random.Random) -> None:
    """The removal of any object."""
    base = session.shown()
    if len(base.objects):
        session.remove([rng.choice(base.objects.ids.tolist())], base)


def search(session: Session, rng: random.Random) -> None:
    """A search for everything, stopped when the person leaves."""
    sides = [2 + rng.randrange(7) for _ in range(6)]

    def work(progress: Callable, cancelled: Callable[[], bool]) -> EverythingState:
        for part in range(4):
            if cancelled():
                raise Cancelled("stopped")
            progress(part / 4, "looking")
            session.answers.prompter.embed(session.image.overview)
            time.sleep(0.003)
        return squares(sides, at=rng.randrange(60))

    session.search.start(work, "rsam-tiny", None)


def collect(session: Session, rng: random.Random) -> None:
    """The page finds a search at its end."""
    session.search.collect(session.marks)


def slide(session: Session, rng: random.Random) -> None:
    """Another threshold."""
    least = 10 * rng.randrange(5)
    settings = EverythingSettings(min_area=least, max_overlap=1, min_quality=0.5)
    session.update(lambda book: with_thresholds(book, settings))


def pan(session: Session, rng: random.Random) -> None:
    """Another view, looked at ahead of any click."""
    x, y = rng.randrange(60), rng.randrange(50)
    session.image.view = Frame(x, y, 80, 60, 80, 60)
    session.answers.look_ahead()


def undo(session: Session, rng: random.Random) -> None:
    """Undo."""
    session.marks.undo()


def redo(session: Session, rng: random.Random) -> None:
    """Redo."""
    session.marks.redo()


def look(session: Session, rng: random.Random) -> None:
    """A run of the page."""
    items = session.objects
    assert len(set(items.ids.tolist())) == len(items)


ACTIONS = (
    click, click, click, draw, draw, remove, undo, undo, redo, search, collect, slide, pan, look,
)  # fmt: skip


def person(shared: Shared, visit: Visit, seed: int, actions: int, seen: list[Session]) -> None:
    """One script thread of a visit: random clicks, and now and then another image."""
    rng = random.Random(seed)
    with as_session(visit.jobs.owner, awaited=True):
        for _ in range(actions):
            session = visit.session
            if rng.random() < 0.02:
                fresh = opened(shared, visit.jobs.owner)
                seen.append(fresh)
                visit.open(fresh)
            else:
                rng.choice(ACTIONS)(session, rng)

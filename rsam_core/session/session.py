"""One open scene and everything done to it, safe between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from operator import is_
from typing import TYPE_CHECKING, Any

from rsam_core.objects.edits import Edits
from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.budgets import UNOWNED
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.scene.scene import Scene
from rsam_core.session.answers import Answers
from rsam_core.session.canvas import CanvasState
from rsam_core.session.finding import NO_TURN, Shown, completed, find, merged
from rsam_core.session.image import OpenImage
from rsam_core.session.marks import Change, Marks
from rsam_core.session.memo import Memo
from rsam_core.session.safekeeping import Safekeeping
from rsam_core.session.search import Search
from rsam_core.session.truth import TruthState

if TYPE_CHECKING:
    from rsam_core.prepare import Pipeline

IMAGE_JOBS = (
    "everything",
    "outlines",
    "one-shot",
    "one-shot elsewhere",
    "classify",
    "kinds",
    "refine",
    "image",
    "study",
    "change align",
    "change",
    "apply",
)
"""Jobs whose results belong to the scene in its present size and place."""


class Session:
    """An open scene with its work.

    Parameters
    ----------
    scene : Scene
    sample : str, optional
        Key of the sample it is.
    owner : hashable, optional
        Whose session this is; its jobs wait and count under this name.
    together : callable, optional
        Gives a block in which the model is asked several times in one turn.

    Attributes
    ----------
    image : OpenImage
    marks : Marks
    answers : Answers
    search : Search
    canvas : CanvasState
    truth : TruthState
    safekeeping : Safekeeping
    memo : Memo
    jobs : JobRegistry
        Owns everything that runs for this session; see `close`.

    Raises
    ------
    SceneError
        If the picture cannot be read.
    """

    def __init__(
        self,
        scene: Scene,
        sample: str | None = None,
        *,
        owner: Hashable = UNOWNED,
        together: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self._lock = threading.RLock()
        self._together = together
        self._attached: dict[type, Any] = {}
        self.jobs = JobRegistry(owner)
        self.image = OpenImage(scene, sample)
        self.marks = Marks(self._lock)
        self.answers = Answers(self._lock, self.image, self.jobs)
        self.search = Search(self.jobs)
        self.canvas = CanvasState()
        self.truth = TruthState()
        self.safekeeping = Safekeeping()
        self.memo = Memo()

    # ------------------------------------------------------------------ objects

    def shown(self) -> Shown:
        """The objects now; the very same ones as long as nothing about them changes.

        The model is asked without the session's lock: another click may be taken meanwhile, and
        is in the next ones.
        """
        while True:
            with self._lock:
                book, prompter, shape = self.marks.book, self.answers.prompter, self.image.shape
            extra = book.extra
            if extra is not None:
                numbered = book.numbered(key for key, _ in extra.distinct)
                if numbered is not book:
                    self.marks.swap(book, numbered)
                    continue
            break
        key = (book.entries, prompter, extra, book.numbers, shape)
        found, problems = self.memo.remember(
            "found", key, lambda: find(book, prompter, shape, self._together)
        )
        if NO_TURN in problems.values():
            # Asked again when the page is next drawn.
            self.memo.forget("found")
        edits, next_id = book.edits, book.next_id
        objects = self.memo.remember(
            "objects", (found, edits, next_id), lambda: _applied(edits, found, next_id)
        )
        return Shown(book, found, objects, problems)

    @property
    def objects(self) -> Instances:
        """All objects in scene pixels."""
        return self.shown().objects

    def update(self, change: Change) -> PromptHistory:
        """Change the book as it is now; see `Marks.update`."""
        return self.marks.update(change)

    def commit(
        self, base: Shown, wanted: Instances, what: str, *, prompts: Collection[int] = ()
    ) -> dict[int, int]:
        """Put other objects in place of those that were shown, as one step that can be undone.

        Where that changes nothing there is no step.

        Parameters
        ----------
        base : Shown
            The objects from which `wanted` was made. What changed since then stays changed.
        wanted : Instances
            All objects of the scene as they shall be. Those that keep their number are the same
            object, changed or not.
        what : str
            The action in a few words, for the undo button: "Smooth 42 objects".
        prompts : collection of int
            Objects whose prompts go as well, though the model has not answered them yet.

        Returns
        -------
        dict of int to int
            Numbers of the new objects, by their numbers in `wanted`; they differ where another
            click was given the number first. Nothing is done, and it is empty, if the scene has
            another size by now.
        """
        while True:
            now = self.shown()
            if now.found.shape != wanted.shape:
                return {}
            found = completed(now, base)
            present = _applied(now.book.edits, found, now.book.next_id)
            objects, numbers = merged(base.objects, wanted, present)
            edits = now.book.edits.between(found, objects)
            kept = set(objects.ids.tolist())
            known = set(found.ids.tolist())
            gone = [e.id for e in now.book.entries if e.id in known and e.id not in kept]
            gone += [e.id for e in now.book.entries if e.id in prompts and e.id not in gone]
            if not gone and len(objects) == len(present) and all(map(is_, objects, present)):
                # What was wanted has come about meanwhile, or its objects are gone.
                return numbers
            # Their prompts are gone: there is nothing left to hide.
            edits = replace(edits, removed=edits.removed - set(gone))
            if self.marks.swap(now.book, now.book.edited(edits, what, gone=gone)):
                self.marks.keep_selected(kept)
                return numbers

    def remove(self, ids: Iterable[int], base: Shown | None = None) -> None:
        """Remove objects, however they came about; can be undone.

        Parameters
        ----------
        ids : iterable of int
        base : Shown, optional
            The objects among which they were chosen; those of now by default.
        """
        gone = set(ids)
        base = base or self.shown()
        present = gone & set(base.objects.ids.tolist())
        # Objects that the model has not answered for at the moment can be removed, too.
        waiting = {entry.id for entry in base.book.entries} & gone - present
        if not present and not waiting:
            return
        what = f"Remove object {min(gone)}" if len(gone) == 1 else f"Remove {len(gone)} objects"
        self.commit(base, base.objects.remove(present), what, prompts=waiting)

    # ------------------------------------------------------------------ the scene

    def rescale(self, scene: Scene) -> None:
        """The same picture with another ground sample distance: nothing is encoded again."""
        with self._lock:
            old = self.image.scene
            self.image.rescale(scene)
            self.answers.rescale(old, scene)

    def change_scene(self, scene: Scene) -> bool:
        """Show the scene differently: other bands, or prepared.

        Objects stay where size and place stay; otherwise they would lie in the wrong place, and
        go, with every job whose result would belong to them.

        Returns
        -------
        bool
            Whether the objects were kept.
        """
        # Read first: what cannot be read must not replace what can.
        OpenImage(scene)
        with self._lock:
            old = self.image.scene
            same = scene.shape == old.shape and scene.transform == old.transform
            self.image.show(scene, self.image.sample if same else None)
            if same:
                return True
            self.jobs.drop(*IMAGE_JOBS)
            self.image.reopen()
            self.marks.reset()
            self.answers.reset()
            self.canvas.reset()
            self.truth.give(None)
            self._attached.clear()
            return False

    def use_prepared(self, scene: Scene, pipeline: Pipeline) -> bool:
        """Go on with a prepared scene; see `change_scene`."""
        with self._lock:
            original = self.image.source
            kept = self.change_scene(scene)
            self.image.original, self.image.pipeline = original, pipeline
            return kept

    def use_original(self) -> bool:
        """Go back to the scene as it was opened; see `change_scene`."""
        with self._lock:
            if self.image.original is None:
                return True
            kept = self.change_scene(self.image.original)
            self.image.original, self.image.pipeline = None, None
            return kept

    # ------------------------------------------------------------------ what hangs on it

    def attached(self, kind: type[Any], make: Callable[[], Any] | None = None) -> Any:
        """The work of one screen on this scene, made when it is first wanted.

        It goes when the scene gets another size or place, and with the session.

        Parameters
        ----------
        kind : type
            There is one of each.
        make : callable, optional
            Makes it; `kind` without arguments by default.
        """
        with self._lock:
            if kind not in self._attached:
                self._attached[kind] = (make or kind)()
            return self._attached[kind]

    def detach(self, kind: type[Any]) -> None:
        """Begin the work of one screen on this scene again; what runs for it is stopped."""
        with self._lock:
            gone = self._attached.pop(kind, None)
        if gone is not None:
            self.jobs.drop(*getattr(gone, "owns", ()))

    def close(self) -> None:
        """Stop everything that runs for this session, and let go of what it holds.

        What waits to be saved is saved still.
        """
        self.jobs.close()
        self.answers.reset()
        self.safekeeping.release()


def _applied(edits: Edits, found: Instances, next_id: int) -> Instances:
    """Objects with their edits; new ones get numbers that nothing had, undone or not."""
    objects = edits.apply(found)
    if objects.next_id >= next_id:
        return objects
    return Instances(objects, objects.shape, next_id=next_id)

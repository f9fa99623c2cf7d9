"""What answers the prompts of a session: the present model, on any view of the scene."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rsam_core.objects.instance import Instance
from rsam_core.prompts.history import PromptedObject
from rsam_core.runtime.budgets import Store
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.scene.coordinates import Frame
from rsam_core.scene.scene import Scene
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Candidates, Segmenter
from rsam_core.session.image import OpenImage
from rsam_core.session.prefetch import Latest


class Resources(Protocol):
    """What sessions share: loaded models and encoded views, within the budgets of all."""

    def segmenter(self, model_name: str) -> Segmenter:
        """A model that answers this session in its turn."""

    def embedding_key(self, image: NDArray[np.uint8], model_name: str) -> tuple[str, str]:
        """Cache key of a view."""

    def embed(self, image: NDArray[np.uint8], key: tuple[str, str]) -> Embedding:
        """The embedding of a view, encoded at most once while it stays in the cache."""

    def answers(self) -> Store[Candidates]:
        """Where prompters keep what they decoded."""


class Answers:
    """The prompter of a session, made when it is first wanted.

    Parameters
    ----------
    lock : RLock
        Of the session.
    image : OpenImage
    jobs : JobRegistry
        Owns the thread that looks ahead.

    Attributes
    ----------
    prompter : Prompter or None
        Answers the prompts with the present model.
    key : tuple
        Name of the model and scene that it is for.
    """

    def __init__(self, lock: threading.RLock, image: OpenImage, jobs: JobRegistry) -> None:
        self._lock, self._image, self._jobs = lock, image, jobs
        self._ahead = Latest(jobs, "prefetch")
        self._known_masks: dict[PromptedObject, Instance | None] = {}
        self._prefetched: tuple = ()
        self.prompter: Prompter | None = None
        self.key: tuple[str, Scene | None] = ("", None)

    def set_masks(self, known: dict[PromptedObject, Instance | None]) -> None:
        """Make known what entries gave, without asking a model: from a project file."""
        with self._lock:
            if self.prompter is None:
                self._known_masks |= known
                return
            for entry, instance in known.items():
                self.prompter.set_mask(entry, instance)

    def use(self, prompter: Prompter, model_name: str = "") -> None:
        """Answer with this prompter from now on.

        Outlines stay where only the rendering of the scene is another one.
        """
        with self._lock:
            old = self.prompter
            if old is not None and self.key[0] == model_name:
                prompter.take_over(old)
            for entry, instance in self._known_masks.items():
                prompter.set_mask(entry, instance)
            self._known_masks = {}
            self.prompter, self.key = prompter, (model_name, self._image.scene)
        if old is not None:
            old.forget()

    def ready(self, model_name: str, resources: Resources) -> Prompter:
        """The prompter for the present scene and a model, made if there is none yet."""
        with self._lock:
            if self.prompter is None or self.key != (model_name, self._image.scene):
                fresh = Prompter(
                    resources.segmenter(model_name),
                    embedder(self._image, model_name, resources),
                    self._image.overview,
                    answers=resources.answers(),
                )
                self.use(fresh, model_name)
            return self.prompter

    def look_ahead(self) -> None:
        """Encode the present view in the background, unless that was asked already.

        Of several views only the latest is encoded; a prompt that comes sooner waits for it.
        """
        prompter, view = self.prompter, self._image.view
        key = (self.key, view)
        if prompter is None or self._prefetched == key:
            return
        self._prefetched = key
        self._ahead.ask(lambda: prompter.embed(view))

    def rescale(self, old: Scene, scene: Scene) -> None:
        """Go on with a scene of which only the ground sample distance is another one."""
        with self._lock:
            if self.key[1] is old:
                self.key = (self.key[0], scene)

    def reset(self) -> None:
        """Forget all answers."""
        with self._lock:
            old, self.prompter, self._prefetched, self._known_masks = self.prompter, None, (), {}
        if old is not None:
            old.forget()


def embedder(
    image: OpenImage, model_name: str, resources: Resources
) -> Callable[[Frame], Embedding]:
    """A function from a view of the present scene to its embedding."""
    scene = image.scene
    keys: dict[Frame, tuple[str, str]] = {}

    def embed(view: Frame) -> Embedding:
        picture = image.picture(view, scene)
        if view not in keys:
            keys[view] = resources.embedding_key(picture, model_name)
        return resources.embed(picture, keys[view])

    return embed

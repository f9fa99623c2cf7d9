"""The session's prompter: the present model, ready to answer for any view of the scene."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rsam_core.coordinates import Frame
from rsam_core.embedding import Embedding
from rsam_core.errors import QueueFull
from rsam_core.prompting import Prompter

from . import memory, queueing, resources
from .workspace import Workspace, model_name


def ready(workspace: Workspace) -> Prompter:
    """The prompter for the present scene and model, made if need be.

    A scene that is seen whole is encoded now. Of a large one the present view is encoded in the
    background, so that the picture appears at once; a prompt that comes sooner waits for it.
    """
    memory.look_after_session()
    name = model_name()
    key = (name, workspace.scene)
    if workspace.prompter is None or workspace.prompter_key != key:
        fresh = Prompter(resources.segmenter(name), _embedder(workspace, name), workspace.overview)
        if workspace.prompter is not None and workspace.prompter_key[0] == name:
            # The same objects on another rendering of the scene: their outlines stay.
            fresh.take_over(workspace.prompter)
        for entry, instance in workspace.settled.items():
            fresh.settle(entry, instance)
        workspace.settled = {}
        workspace.prompter, workspace.prompter_key = fresh, key
    prompter = workspace.prompter
    if workspace.view == workspace.overview:
        try:
            prompter.embed(workspace.view)
        except QueueFull as error:
            queueing.turned_away(error)
    elif workspace.prefetched != (key, workspace.view):
        workspace.prefetched = (key, workspace.view)
        # The picture is read here: only the model's work is left to the thread.
        workspace.picture(workspace.view)
        embed = queueing.on_behalf(prompter.embed)
        threading.Thread(target=embed, args=(workspace.view,), daemon=True).start()
    return prompter


def _embedder(workspace: Workspace, name: str) -> Callable[[Frame], Embedding]:
    """A function from a view of the scene to its embedding."""
    scene = workspace.scene
    keys: dict[Frame, tuple[str, str]] = {}

    def embed(view: Frame) -> Embedding:
        image = workspace.picture(view, scene)
        if view not in keys:
            keys[view] = resources.embedding_key(image, name)
        return resources.embed(image, keys[view])

    return embed

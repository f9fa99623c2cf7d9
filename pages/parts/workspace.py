"""The user's session: the open scene, its prompts and its objects."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import rsam_core as rsam
from rsam_core.coordinates import Frame, view_frame
from rsam_core.everything import EverythingState
from rsam_core.instances import Instances
from rsam_core.jobs import Job
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.promptbook import Book
from rsam_core.prompting import Prompter

_KEY = "workspace"


@dataclass
class Workspace:
    """One open scene and everything done to it.

    Attributes
    ----------
    scene : Scene
    view : Frame
        The window of the scene that the model sees.
    image : ndarray of uint8, shape (H, W, 3)
        The view's picture.
    token : str
        Unique to this opening of a scene; part of widget keys.
    sample : str or None
        Key of the sample this is, which brings exact truth.
    book : Book
        Prompts.
    prompter : Prompter or None
        Answers the prompts with the present model.
    everything : EverythingState or None
        What the automatic mode decoded.
    hidden : set of int
        Numbers of automatic objects that the user removed.
    job : Job or None
        A running automatic mode.
    canvas_seed : dict
        What the canvas of the present generation started with.
    truth : ndarray of int32 or None
        Ground truth, of the scene's size.
    pictures : dict
        Scaled pictures, by size.
    """

    scene: rsam.Scene
    view: Frame
    image: NDArray[np.uint8]
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    sample: str | None = None
    book: Book = field(default_factory=Book)
    prompter: Prompter | None = None
    everything: EverythingState | None = None
    everything_settings: Any = None
    hidden: frozenset[int] = frozenset()
    job: Job | None = None
    job_error: BaseException | None = None
    estimate: tuple[tuple, float] | None = None
    canvas_seed: dict[str, Any] = field(default_factory=dict)
    truth: NDArray[np.int32] | None = None
    truth_name: str = ""
    pictures: dict[tuple, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene."""
        return self.scene.height, self.scene.width


def current() -> Workspace | None:
    """The session's workspace, or None if no image is open."""
    return st.session_state.get(_KEY)


def open_source(source: bytes, name: str, sample: str | None = None) -> Workspace:
    """Open an image and make it the session's scene.

    The earlier scene stays if this one cannot be opened.

    Raises
    ------
    SceneError
        If it is not a usable image.
    """
    scene = rsam.open_scene(source, name=name)
    view = view_frame(scene.width, scene.height)
    image = scene.read_rgb(max_size=max(view.columns, view.rows))
    view = view.resized(image.shape[1], image.shape[0])
    close()
    st.session_state[_KEY] = workspace = Workspace(scene, view, image, sample=sample)
    return workspace


def close() -> None:
    """Forget the scene; a running job is stopped."""
    workspace = current()
    if workspace is not None and workspace.job is not None:
        workspace.job.cancel()
    st.session_state.pop(_KEY, None)


def model_name() -> str:
    """The model in use."""
    return st.session_state.setdefault("model_name", DEFAULT_MODEL)


def objects(workspace: Workspace) -> tuple[Instances, dict[int, str]]:
    """All objects in scene pixels, and what is amiss with prompts, by object number."""
    from rsam_core.errors import RsamError
    from rsam_core.everything import generate
    from rsam_core.prompting import to_scene

    found, problems = [], {}
    if workspace.prompter is not None:
        for entry in workspace.book.entries:
            try:
                instance = workspace.prompter.answer(entry).instance(entry, workspace.view)
            except RsamError as error:
                problems[entry.id] = str(error)
                continue
            if instance is None:
                problems[entry.id] = "Nothing was found here. Try a box, or click elsewhere."
            else:
                found.append(instance)
    prompted = Instances(found, workspace.shape, next_id=workspace.book.next_id)
    if workspace.everything is None:
        return prompted, problems
    key = ("everything", id(workspace.everything), workspace.everything_settings)
    automatic = workspace.pictures.get(key)
    if automatic is None:
        for old in [k for k in workspace.pictures if k[0] == "everything"]:
            del workspace.pictures[old]
        generated = generate(workspace.everything, workspace.everything_settings)
        automatic = Instances(
            [to_scene(item, workspace.view) for item in generated], workspace.shape
        )
        workspace.pictures[key] = automatic
    kept = Instances([i for i in automatic if i.id not in workspace.hidden], workspace.shape)
    return Instances.concat([prompted, kept]), problems

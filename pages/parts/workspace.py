"""The user's session: the open scene, its prompts and its objects."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import rsam_core as rsam
from rsam_core.coordinates import Frame, view_frame
from rsam_core.errors import RsamError
from rsam_core.everything import EverythingSettings, EverythingState, generate, settings_for
from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.jobs import Job
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.promptbook import Book
from rsam_core.prompting import Prompter, to_scene
from rsam_core.sheet import Sheet

_KEY = "workspace"


@dataclass(frozen=True, eq=False)
class Truth:
    """Ground truth of the scene.

    Attributes
    ----------
    labels : ndarray of int32, shape (H, W)
        0 is background; every other number is an object.
    count : int
        Objects in it.
    """

    labels: NDArray[np.int32]
    count: int

    @classmethod
    def of(cls, labels: NDArray[np.int32]) -> Truth:
        """Truth with its objects counted."""
        return cls(labels, int(np.count_nonzero(np.unique(labels))))


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
    everything_settings : EverythingSettings or None
        Thresholds that choose among them.
    everything_model : str
        Name of the model that decoded it.
    first_automatic : int
        Number of the first automatic object.
    hidden : frozenset
        What identifies the automatic objects that the user removed.
    selected : frozenset of int
        Numbers of the objects that are ticked in the table.
    job : Job or None
        A running automatic mode.
    job_model : str
        The model it runs with.
    sheets : tuple of Sheet
        What the canvas was given to show, the present layout first.
    truth : Truth or None
        Ground truth.
    truth_file : str
        Number of the uploaded file it was last read from.
    truth_error : RsamError or None
        Why that file could not be used.
    latest : dict
        What `remember` keeps.
    """

    scene: rsam.Scene
    view: Frame
    image: NDArray[np.uint8]
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    sample: str | None = None
    book: Book = field(default_factory=Book)
    prompter: Prompter | None = None
    everything: EverythingState | None = None
    everything_settings: EverythingSettings | None = None
    everything_model: str = DEFAULT_MODEL
    first_automatic: int = 1
    hidden: frozenset[tuple[int, ...]] = frozenset()
    selected: frozenset[int] = frozenset()
    job: Job | None = None
    job_model: str = DEFAULT_MODEL
    job_error: BaseException | None = None
    estimate: tuple[tuple, float] | None = None
    sheets: tuple[Sheet, ...] = ()
    truth: Truth | None = None
    truth_file: str = ""
    truth_error: RsamError | None = None
    latest: dict[str, tuple[tuple, Any]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene."""
        return self.scene.height, self.scene.width

    def remember(self, name: str, key: tuple, make: Callable[[], Any]) -> Any:
        """The value of a name, made anew only when the key differs from the last one.

        Streamlit runs the whole page at every click; what a click does not concern is kept.
        """
        kept = self.latest.get(name)
        if kept is None or kept[0] != key:
            kept = self.latest[name] = (key, make())
        return kept[1]


def current() -> Workspace | None:
    """The session's workspace, or None if no image is open."""
    return st.session_state.get(_KEY)


def load(source: bytes, name: str, sample: str | None = None) -> Workspace:
    """Open an image without making it the session's.

    Raises
    ------
    SceneError
        If it is not a usable image.
    """
    scene = rsam.open_scene(source, name=name)
    view = view_frame(scene.width, scene.height)
    image = scene.read_rgb(max_size=max(view.columns, view.rows))
    view = view.resized(image.shape[1], image.shape[0])
    return Workspace(scene, view, image, sample=sample)


def open_source(source: bytes, name: str, sample: str | None = None) -> Workspace:
    """Open an image and make it the session's scene.

    The earlier scene stays if this one cannot be opened.

    Raises
    ------
    SceneError
        If it is not a usable image.
    """
    workspace = load(source, name, sample)
    close()
    st.session_state[_KEY] = workspace
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


def thresholds(model: str) -> EverythingSettings:
    """What automatic objects must fulfil before the user says otherwise."""
    return settings_for(model, min_area=60, max_share=0.3)


def identity(item: Instance) -> tuple[int, ...]:
    """What tells an automatic object from others, whatever number it has at the moment."""
    return (*item.bbox, item.area)


def collect(workspace: Workspace) -> bool:
    """Take over the result of a finished automatic mode.

    Returns
    -------
    bool
        Whether there was one to take over.
    """
    job = workspace.job
    if job is None or not job.finished:
        return False
    workspace.job, workspace.job_error = None, None
    if job.state != "done":
        workspace.job_error = job.error
        return True
    workspace.everything, workspace.hidden = job.result, frozenset()
    if workspace.everything_settings is None or workspace.everything_model != workspace.job_model:
        workspace.everything_settings = thresholds(workspace.job_model)
    workspace.everything_model = workspace.job_model
    # Numbered after the prompted objects, and before those that are prompted from now on, so that
    # numbers (and with them colours) stay.
    book = workspace.book
    workspace.first_automatic = max((entry.id for entry in book.entries), default=0) + 1
    count = len(generate(workspace.everything, workspace.everything_settings))
    next_id = max(book.next_id, workspace.first_automatic + count)
    workspace.book = replace(book, next_id=next_id)
    return True


def objects(workspace: Workspace) -> tuple[Instances, dict[int, str]]:
    """All objects in scene pixels, and what is amiss with prompts, by object number.

    The very same objects come back as long as nothing about them changes.
    """
    key = (
        workspace.book.entries,
        workspace.prompter,
        workspace.everything,
        workspace.everything_settings,
        workspace.hidden,
    )
    return workspace.remember("objects", key, lambda: _objects(workspace))


def _objects(workspace: Workspace) -> tuple[Instances, dict[int, str]]:
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
    automatic = Instances(_automatic(workspace), workspace.shape)
    return Instances.concat([prompted, automatic]), problems


def _automatic(workspace: Workspace) -> list[Instance]:
    """The automatic objects that pass the thresholds, in scene pixels."""
    state, settings = workspace.everything, workspace.everything_settings
    found = workspace.remember(
        "automatic",
        (state, settings),
        lambda: [to_scene(item, workspace.view) for item in generate(state, settings)],
    )
    first = workspace.first_automatic
    numbered = [replace(item, id=first + i) for i, item in enumerate(found)]
    return [item for item in numbered if identity(item) not in workspace.hidden]

"""The open image: the scene as it is shown, the view that the model sees, pictures of views."""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.scene.coordinates import Frame, view_frame
from rsam_core.scene.scene import Scene
from rsam_core.scene.window import Window

if TYPE_CHECKING:
    from rsam_core.prepare import Pipeline

PICTURES = 3
"""Pictures of views that each session keeps."""


class OpenImage:
    """The image of a session; safe between threads.

    Parameters
    ----------
    scene : Scene
    sample : str, optional
        Key of the sample this is, which brings exact truth.

    Attributes
    ----------
    scene : Scene
        As it is shown, prepared or not.
    view : Frame
        The window of the scene that the model sees.
    token : str
        Unique to this opening of a scene; part of widget keys.
    sample : str or None
    original : Scene or None
        The scene before it was prepared, if it was.
    pipeline : Pipeline or None
        The steps that prepared it.

    Raises
    ------
    SceneError
        If the picture cannot be read: a damaged file is refused before it replaces anything.
    """

    def __init__(self, scene: Scene, sample: str | None = None) -> None:
        self.scene, self.sample = scene, sample
        self.view = view_frame(scene.width, scene.height)
        self.token = uuid.uuid4().hex[:8]
        self.original: Scene | None = None
        self.pipeline: Pipeline | None = None
        self._pictures: dict[tuple[Scene, Frame], NDArray[np.uint8]] = {}
        self._lock = threading.Lock()
        self.picture(self.view)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene."""
        return self.scene.height, self.scene.width

    @property
    def source(self) -> Scene:
        """The scene as it was opened, before any preparation."""
        return self.original or self.scene

    @property
    def overview(self) -> Frame:
        """The whole scene as one picture."""
        return view_frame(self.scene.width, self.scene.height)

    @property
    def shown(self) -> NDArray[np.uint8]:
        """The picture of the present view, (H, W, 3)."""
        return self.picture(self.view)

    def picture(self, view: Frame, scene: Scene | None = None) -> NDArray[np.uint8]:
        """The picture of a view, (H, W, 3) uint8: what people and models see.

        Parameters
        ----------
        view : Frame
        scene : Scene, optional
            The present one by default.
        """
        scene = scene or self.scene
        if view == view_frame(scene.width, scene.height):
            return scene.overview(max(view.columns, view.rows))
        key = (scene, view)
        with self._lock:
            picture = self._pictures.pop(key, None)
        if picture is None:
            window = Window(*(round(v) for v in (view.x, view.y, view.width, view.height)))
            picture = scene.read_rgb(window, max(view.columns, view.rows))
        with self._lock:
            self._pictures[key] = picture
            while len(self._pictures) > PICTURES:
                del self._pictures[next(iter(self._pictures))]
        return picture

    @property
    def kept_pictures(self) -> int:
        """How many pictures of views are kept now."""
        return len(self._pictures)

    def show(self, scene: Scene, sample: str | None = None) -> None:
        """Show another scene in place of the present one; see `Session.change_scene`."""
        with self._lock:
            self.scene, self.sample, self._pictures = scene, sample, {}

    def reopen(self) -> None:
        """Begin again with the present scene: its whole view, and widgets of its own."""
        self.view, self.token = self.overview, uuid.uuid4().hex[:8]

    def rescale(self, scene: Scene) -> None:
        """The same picture with another ground sample distance: nothing is read again."""
        with self._lock:
            old, self.scene = self.scene, scene
            pictures = self._pictures.items()
            self._pictures = {(scene, view): it for (of, view), it in pictures if of is old}

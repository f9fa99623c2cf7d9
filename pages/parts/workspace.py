"""The user's session: the open scene, its prompts and its objects."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

import rsam_core as rsam
from rsam_core.automatic import Automatic
from rsam_core.canvas_events import Acknowledged
from rsam_core.coordinates import Frame, Viewport, view_frame
from rsam_core.edits import Identity, identity
from rsam_core.errors import QueueFull, RsamError
from rsam_core.everything import EverythingSettings, settings_for
from rsam_core.instance import Instance
from rsam_core.instances import Instances
from rsam_core.jobs import Job
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.painting import Painting
from rsam_core.promptbook import Book, Entry
from rsam_core.prompting import Prompter

from . import memory, queueing

if TYPE_CHECKING:
    from rsam_core.prepare import Pipeline
    from rsam_core.truth import Truth

_KEY = "workspace"
_PICTURES = 3
"""Pictures of views kept in each session."""
_NO_TURN = (
    "Too many others wait for the model at the moment. Your click is kept, and asked again with "
    "the next thing you do."
)


@dataclass
class Workspace:
    """One open scene and everything done to it.

    Attributes
    ----------
    scene : Scene
        As it is shown, prepared or not.
    view : Frame
        The window of the scene that the model sees.
    token : str
        Unique to this opening of a scene; part of widget keys.
    sample : str or None
        Key of the sample this is, which brings exact truth.
    original : Scene or None
        The scene before it was prepared, if it was.
    pipeline : Pipeline or None
        The steps that prepared it.
    book : Book
        Prompts and edits, with undo; its ``extra`` is what the automatic mode found (`Automatic`).
    numbers : dict
        Numbers given to automatic objects, which they keep whatever the thresholds.
    prompter : Prompter or None
        Answers the prompts with the present model.
    prompter_key : tuple
        Name of the model and scene that it is for.
    prefetched : tuple
        The view that was last encoded ahead of any prompt, with `prompter_key`.
    settled : dict
        Objects of prompts that are known without asking a model, from a project file.
    selected : frozenset of int
        Numbers of the objects that are selected in the picture or the table.
    classes : Any
        The classes that objects can be given; None until the first is wanted.
    painting : Painting or None
        Patches of the picture that clicks choose, while an area is painted.
    viewport : Viewport or None
        What the canvas shows; None until the browser has told.
    look_at : tuple or None
        Where the canvas shall look next: a running number and x0, y0, x1, y1 in scene pixels.
    acknowledged : Acknowledged
        How far the events of the canvas were taken.
    job : Job or None
        A running automatic mode.
    job_model : str
        The model it runs with.
    job_view : Frame or None
        The view it searches; None for the whole scene in tiles.
    truth : Truth or None
        Ground truth.
    truth_file : str
        Number of the uploaded file it was last read from.
    truth_error : RsamError or None
        Why that file could not be used.
    kept : tuple
        The state that was last saved, or is about to be.
    saving : threading.Timer or None
        What saves it.
    declined : bool
        Whether earlier work on this image was offered and not wanted.
    latest : dict
        What `remember` keeps.
    pictures : dict
        What `picture` keeps.
    """

    scene: rsam.Scene
    view: Frame
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])
    sample: str | None = None
    original: rsam.Scene | None = None
    pipeline: Pipeline | None = None
    book: Book = field(default_factory=Book)
    numbers: dict[Identity, int] = field(default_factory=dict)
    prompter: Prompter | None = None
    prompter_key: tuple = ("", None)
    prefetched: tuple = ()
    settled: dict[Entry, Instance | None] = field(default_factory=dict)
    selected: frozenset[int] = frozenset()
    classes: Any = None
    painting: Painting | None = None
    viewport: Viewport | None = None
    look_at: tuple[int, float, float, float, float] | None = None
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    job: Job | None = None
    job_model: str = DEFAULT_MODEL
    job_view: Frame | None = None
    job_error: BaseException | None = None
    estimate: tuple[tuple, float] | None = None
    truth: Truth | None = None
    truth_file: str = ""
    truth_error: RsamError | None = None
    kept: tuple = ()
    saving: threading.Timer | None = None
    declined: bool = False
    latest: dict[str, tuple[tuple, Any]] = field(default_factory=dict)
    pictures: dict[tuple, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the scene."""
        return self.scene.height, self.scene.width

    @property
    def automatic(self) -> Automatic | None:
        """What the automatic mode found."""
        return self.book.extra

    @property
    def image(self) -> NDArray[np.uint8]:
        """The picture of the present view, (H, W, 3)."""
        return self.picture(self.view)

    @property
    def overview(self) -> Frame:
        """The whole scene as one picture."""
        return view_frame(self.scene.width, self.scene.height)

    def picture(self, view: Frame, scene: rsam.Scene | None = None) -> NDArray[np.uint8]:
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
        # A view may be wanted by a thread in the background at the same time.
        picture = self.pictures.pop(key, None)
        if picture is None:
            window = rsam.Window(*(round(v) for v in (view.x, view.y, view.width, view.height)))
            picture = scene.read_rgb(window, max(view.columns, view.rows))
        self.pictures[key] = picture
        while len(self.pictures) > _PICTURES:
            self.pictures.pop(next(iter(self.pictures), None), None)
        return picture

    def rescale(self, scene: rsam.Scene) -> None:
        """The same picture with another ground sample distance: nothing is looked at anew."""
        old, self.scene = self.scene, scene
        self.pictures = {(scene, view): it for (of, view), it in self.pictures.items() if of is old}
        if self.prompter_key[1] is old:
            self.prompter_key = (self.prompter_key[0], scene)

    def remember(self, name: str, key: tuple, make: Callable[[], Any]) -> Any:
        """The value of a name, made anew only when the key differs from the last one.

        Streamlit runs the whole page at every click; what a click does not concern is kept.
        """
        kept = self.latest.get(name)
        if kept is None or kept[0] != key:
            kept = self.latest[name] = (key, make())
        return kept[1]

    def show(self, x0: float, y0: float, x1: float, y1: float) -> None:
        """Let the canvas look at a part of the scene."""
        number = self.look_at[0] + 1 if self.look_at else 1
        self.look_at = (number, x0, y0, x1, y1)


def current() -> Workspace | None:
    """The session's workspace, or None if no image is open."""
    return st.session_state.get(_KEY)


def of_scene(scene: rsam.Scene, sample: str | None = None) -> Workspace:
    """A workspace with nothing done yet."""
    work = Workspace(scene, view_frame(scene.width, scene.height), sample=sample)
    # Read at once, so that a damaged file is refused before it replaces anything.
    work.picture(work.view)
    return work


def load(source: bytes | Path, name: str, sample: str | None = None, **options: Any) -> Workspace:
    """Open an image without making it the session's.

    Parameters
    ----------
    source, name, sample
        Content or place of the file, its name, and key of the sample it is.
    **options
        For `rsam_core.open_scene`, such as a world file.

    Raises
    ------
    SceneError
        If it is not a usable image.
    BudgetError
        If there is no room for it among all that was uploaded.
    """
    memory.keep_uploads_within_limits()
    return of_scene(rsam.open_scene(source, name=name, **options), sample)


def enter(work: Workspace) -> Workspace:
    """Make a workspace the session's."""
    close()
    st.session_state[_KEY] = work
    memory.look_after_session()
    memory.stop_with_session(work)
    return work


def open_source(
    source: bytes | Path, name: str, sample: str | None = None, **options: Any
) -> Workspace:
    """Open an image and make it the session's scene.

    The earlier scene stays if this one cannot be opened.

    Raises
    ------
    SceneError, BudgetError
        If it is not a usable image, or there is no room for it.
    """
    return enter(load(source, name, sample, **options))


def close() -> None:
    """Forget the scene; a running job is stopped."""
    work = current()
    if work is not None and work.job is not None:
        work.job.cancel()
    st.session_state.pop(_KEY, None)


def change_scene(work: Workspace, scene: rsam.Scene) -> bool:
    """Show the scene differently: other bands, or prepared.

    Objects stay where size and place stay; otherwise they would lie in the wrong place, and go.

    Returns
    -------
    bool
        Whether the objects were kept.
    """
    same = scene.shape == work.scene.shape and scene.transform == work.scene.transform
    # Read first: what cannot be read must not replace what can.
    fresh = of_scene(scene)
    work.scene, work.pictures = scene, fresh.pictures
    if same:
        return True
    if work.job is not None:
        work.job.cancel()
        work.job = None
    work.book, work.numbers, work.prompter, work.selected = Book(), {}, None, frozenset()
    work.view, work.viewport, work.look_at, work.painting = fresh.view, None, None, None
    work.truth, work.sample, work.token = None, None, fresh.token
    return False


def use_prepared(work: Workspace, scene: rsam.Scene, pipeline: Pipeline) -> bool:
    """Go on with a prepared scene; see `change_scene`."""
    original = work.original or work.scene
    kept = change_scene(work, scene)
    work.original, work.pipeline = original, pipeline
    return kept


def use_original(work: Workspace) -> bool:
    """Go back to the scene as it was opened; see `change_scene`."""
    if work.original is None:
        return True
    kept = change_scene(work, work.original)
    work.original, work.pipeline = None, None
    return kept


def model_name() -> str:
    """The model in use."""
    return st.session_state.setdefault("model_name", DEFAULT_MODEL)


def thresholds(model: str) -> EverythingSettings:
    """What automatic objects must fulfil before the user says otherwise."""
    return settings_for(model, min_area=60, max_share=0.3)


def collect(work: Workspace) -> bool:
    """Take over the result of a finished automatic mode.

    Returns
    -------
    bool
        Whether there was one to take over.
    """
    job = work.job
    if job is None or not job.finished:
        return False
    work.job, work.job_error = None, None
    if job.state != "done":
        work.job_error = job.error
        return True
    before = work.automatic
    settings = thresholds(work.job_model)
    if before is not None and before.model == work.job_model:
        settings = before.settings
    found = Automatic(job.result, settings, work.job_model, work.job_view)
    # What was removed from an earlier search may be found anew.
    edits = replace(work.book.edits, removed=frozenset())
    work.book = work.book.step("Find everything", extra=found, edits=edits)
    return True


def found(work: Workspace) -> tuple[Instances, dict[int, str]]:
    """Objects as found, before any edit, and what is amiss with prompts, by object number."""
    key = (work.book.entries, work.prompter, work.automatic)
    answer = work.remember("found", key, lambda: _found(work))
    if _NO_TURN in answer[1].values():
        # Asked again when the page is next drawn.
        work.latest.pop("found")
    return answer


def objects(work: Workspace) -> tuple[Instances, dict[int, str]]:
    """All objects in scene pixels, and what is amiss with prompts, by object number.

    The very same objects come back as long as nothing about them changes.
    """
    base, problems = found(work)
    edits = work.book.edits
    return work.remember("objects", (base, edits), lambda: edits.apply(base)), problems


def commit(work: Workspace, wanted: Instances, what: str) -> None:
    """Put other objects in place of the present ones, as one step that can be undone.

    Parameters
    ----------
    work : Workspace
    wanted : Instances
        All objects of the scene as they shall be. Those that keep their number are the same
        object, changed or not.
    what : str
        The action in a few words, for the undo button: "Smooth 42 objects".
    """
    base, _ = found(work)
    edits = work.book.edits.to_reach(base, wanted)
    kept = set(wanted.ids.tolist())
    gone = [e.id for e in work.book.entries if e.id in base.ids and e.id not in kept]
    work.book = work.book.edited(edits, what, gone=gone)
    work.selected &= kept


def remove(work: Workspace, ids: Iterable[int]) -> None:
    """Remove objects, however they came about; can be undone."""
    gone = set(ids)
    now, _ = objects(work)
    what = f"Remove object {min(gone)}" if len(gone) == 1 else f"Remove {len(gone)} objects"
    commit(work, now.remove(gone), what)


def undo(work: Workspace) -> None:
    """Take back the last change."""
    work.book = work.book.undo()


def redo(work: Workspace) -> None:
    """Do again what was taken back."""
    work.book = work.book.redo()


def _found(work: Workspace) -> tuple[Instances, dict[int, str]]:
    prompted, problems = [], {}
    if work.prompter is not None:
        for entry in work.book.entries:
            try:
                # A correction asks the model twice.
                with queueing.in_one_turn():
                    instance = work.prompter.instance(entry)
            except QueueFull:
                problems[entry.id] = _NO_TURN
                continue
            except RsamError as error:
                problems[entry.id] = str(error)
                continue
            if instance is None:
                problems[entry.id] = "Nothing was found here. Try a box, or click elsewhere."
            else:
                prompted.append(instance)
    items = Instances(prompted, work.shape, next_id=work.book.next_id)
    if work.automatic is None:
        return items, problems
    return Instances.concat([items, Instances(_numbered(work), work.shape)]), problems


def _numbered(work: Workspace) -> list[Instance]:
    """The automatic objects with numbers that they keep, so that edits and colours keep to them."""
    next_id = max(work.book.next_id, work.book.edits.highest + 1)
    items = []
    for item in work.automatic.objects:
        known = identity(item)
        if known not in work.numbers:
            work.numbers[known] = next_id
            next_id += 1
        items.append(replace(item, id=work.numbers[known]))
    # Prompts that follow get higher numbers.
    work.book = replace(work.book, next_id=next_id)
    # Two masks may share box and area, though hardly ever: such twins count once.
    seen: set[int] = set()
    return [item for item in items if not (item.id in seen or seen.add(item.id))]

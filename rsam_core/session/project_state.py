"""From a session to a project's plain data, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from affine import Affine

from rsam_core.errors import Cancelled, ProjectError, RsamError
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.edits import Edits
from rsam_core.objects.instance import Instance
from rsam_core.prepare import Pipeline
from rsam_core.prompts.history import PromptedObject, PromptHistory
from rsam_core.scene.bands import ViewSettings
from rsam_core.scene.crs_text import plain_crs
from rsam_core.scene.scene import Scene
from rsam_core.session.apply import apply_state
from rsam_core.session.apply_project import restore_apply, saved_apply
from rsam_core.session.change import change_state
from rsam_core.session.change_project import restore_change, saved_change
from rsam_core.session.follow_project import restore_series, saved_series
from rsam_core.session.following import follow_state
from rsam_core.session.kinds import naming
from rsam_core.session.packed_objects import MAX_NUMBER
from rsam_core.session.project import ProjectState
from rsam_core.session.prompt_records import from_records, to_records
from rsam_core.session.session import Session
from rsam_core.session.undo_records import from_steps, to_steps

_FARTHEST = 1e15
LARGE_TRUTH = 64_000_000
"""Pixels of all true objects' boxes together, above which a copy against a lost tab leaves the
truth out: it is written every few seconds."""


def to_state(
    session: Session,
    image: bytes | None = None,
    *,
    most_truth: int | None = None,
    undo: bool = False,
) -> ProjectState:
    """Everything of a session that a project keeps.

    Parameters
    ----------
    session : Session
    image : bytes, optional
        The image file, if it shall be part of the project.
    most_truth : int, optional
        Pixels that the boxes of a truth may have; a larger truth is left out, and named.
    undo : bool
        Whether what can be undone is kept, too: not in files for others, who need not know what
        was removed.
    """
    shown, scene, source = session.shown(), session.image.scene, session.image.source
    book, truth, pipeline = shown.book, session.truth.value, session.image.pipeline
    left_out = ""
    if truth is not None and most_truth is not None:
        pixels = sum(item.mask.size for item in truth.objects)
        if pixels + (truth.valid.size if truth.valid is not None else 0) > most_truth:
            truth, left_out = None, truth.name
    return ProjectState(
        scene_name=source.name,
        scene_hash=source.content_hash,
        width=scene.width,
        height=scene.height,
        instances=shown.objects,
        crs=scene.crs,
        gsd=scene.gsd,
        image=image,
        classes=session.marks.classes or ClassList(),
        prompts=tuple(to_records(book.entries)),
        settings={
            "sample": session.image.sample,
            "view": source.view_settings.to_dict(),
            "next_id": max(book.next_id, shown.found.next_id),
            "current": book.current,
            "transform": list(source.transform[:6]) if source.transform is not None else None,
            "crs": source.crs,
            "truth_left_out": left_out,
            "kinds": naming(session).record(shown.objects),
        },
        pipeline=json.loads(pipeline.to_json()) if pipeline is not None else None,
        truth=truth,
        change=saved_change(change_state(session), image is not None),
        series=saved_series(follow_state(session), image is not None),
        apply=saved_apply(apply_state(session)),
        undo=to_steps(book, shown.found) if undo else None,
    )


def is_empty(session: Session) -> bool:
    """Whether nothing has been done, or all of it was undone: there is nothing to keep."""
    book, classes = session.marks.book, session.marks.classes
    return not (
        book.entries
        or book.extra is not None
        or len(session.objects)
        or session.image.pipeline is not None
        or session.truth.value is not None
        or _own(classes)
        or not change_state(session).empty
        or not follow_state(session).empty
        or not apply_state(session).empty
    )


def version(session: Session) -> tuple:
    """Another one after each change that is worth keeping."""
    book = session.marks.book
    return (
        book.entries, book.edits, book.extra, session.image.scene, session.truth.number,
        change_state(session).version, follow_state(session).number, naming(session).number,
        apply_state(session).number,
    )  # fmt: skip


def has_work(state: ProjectState) -> bool:
    """Whether there is anything in a project to bring back."""
    return bool(
        len(state.instances)
        or state.prompts
        or state.pipeline is not None
        or state.truth is not None
        or state.change is not None
        or state.series is not None
        or state.apply is not None
        or (state.undo is not None and state.undo.facts.get("past"))
        or _own(state.classes)
    )


def _own(classes: ClassList | None) -> bool:
    """Whether somebody has changed the classes that are there from the beginning."""
    return classes is not None and classes.to_json() != ClassList().to_json()


def from_state(
    state: ProjectState,
    scene: Scene,
    *,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    **session: Any,
) -> Session:
    """A session as a project has kept it.

    Parameters
    ----------
    state : ProjectState
    scene : Scene
        The project's image, opened and not prepared.
    progress, cancelled : callable, optional
        For the preparation, which is done again; see `Pipeline.run_scene`.
    **session
        For `Session`, such as its owner.

    Raises
    ------
    ProjectError
        If it is another image, or something in the project cannot be used. Nothing is changed
        then.
    Cancelled
        If `cancelled` said so.
    """
    if state.image is None and scene.content_hash != state.scene_hash:
        raise ProjectError(
            f"“{scene.name}” is not the image of this project, which is “{state.scene_name}”. "
            "Open that file, or a project that was saved together with its image."
        )
    scene = _placed(state, scene)
    prepared, pipeline = _shown(state, scene, progress, cancelled)
    if prepared.shape != state.instances.shape:
        raise ProjectError(
            "The image has another size than the objects of the project. It may have been "
            "prepared by another version of RSAM; open the image and start from there."
        )
    if state.gsd is not None and prepared.gsd != state.gsd:
        prepared = prepared.with_gsd(state.gsd)
    sample = state.settings.get("sample")
    made = Session(prepared, sample if isinstance(sample, str) else None, **session)
    # The image that came with a project is kept with the work, like any other.
    made.safekeeping.source = state.image
    if pipeline is not None:
        made.image.original, made.image.pipeline = scene, pipeline
    made.marks.classes = state.classes
    if state.undo is not None:
        book, known_masks = from_steps(state.undo, state.width, state.height)
    else:
        entries = from_records(state.prompts, state.width, state.height)
        book, known_masks = _book(state, entries)
    made.update(lambda _: book)
    made.answers.set_masks(known_masks)
    if state.truth is not None:
        made.truth.give(state.truth)
    if state.change is not None:
        restore_change(state.change, change_state(made), made.image.scene)
    if state.series is not None:
        restore_series(state.series, follow_state(made))
    if state.apply is not None:
        restore_apply(state.apply, apply_state(made))
    # Files of before know of no kinds.
    naming(made).restore(state.settings.get("kinds"), state.instances)
    left_out = state.settings.get("truth_left_out")
    made.truth.lost = left_out if isinstance(left_out, str) else ""
    return made


def _placed(state: ProjectState, scene: Scene) -> Scene:
    """The scene with the place that a world file or the user gave it."""
    place, crs = state.settings.get("transform"), state.settings.get("crs")
    named = plain_crs(crs)
    if scene.transform is not None:
        # Typed, because the file does not name it.
        return scene.with_crs(named) if scene.crs is None and named else scene
    if not isinstance(place, list) or len(place) != 6:
        return scene
    # Numbers beyond this lie on no map, and longer ones than a float can hold are no numbers.
    if not all(isinstance(v, (int, float)) and abs(v) < _FARTHEST for v in place):
        return scene
    transform = Affine(*place)
    if transform.is_degenerate:
        return scene
    return replace(scene, transform=transform, crs=named, gsd=state.gsd)


def _shown(
    state: ProjectState,
    scene: Scene,
    progress: Callable[[float, str], None] | None,
    cancelled: Callable[[], bool] | None,
) -> tuple[Scene, Pipeline | None]:
    """The scene as it was shown: its bands, and prepared."""
    try:
        if "view" in state.settings:
            scene = scene.with_view(ViewSettings.from_dict(state.settings["view"]))
        if state.pipeline is None:
            return scene, None
        pipeline = Pipeline.from_json(json.dumps(state.pipeline))
        return pipeline.run_scene(scene, progress, cancelled), pipeline
    except (ProjectError, Cancelled):
        raise
    except RsamError as error:
        raise ProjectError(f"The project's picture cannot be made again. {error}") from error


def _book(
    state: ProjectState, entries: tuple[PromptedObject, ...]
) -> tuple[PromptHistory, dict[PromptedObject, Instance | None]]:
    """Prompts with the objects that they gave; all other objects count as added."""
    known = {item.id: item for item in state.instances}
    known_masks = {entry: known.get(entry.id) for entry in entries}
    prompted = {entry.id for entry in entries}
    added = tuple(item for item in state.instances if item.id not in prompted)
    labels = {
        id: item.label for id, item in known.items() if id in prompted and item.label is not None
    }
    next_id, current = state.settings.get("next_id"), state.settings.get("current")
    highest = max([0, *known, *prompted])
    book = PromptHistory(
        entries,
        current if isinstance(current, int) and current in prompted else None,
        1 + max((mark.uid for entry in entries for mark in entry.marks), default=0),
        max(highest + 1, next_id if isinstance(next_id, int) and next_id < MAX_NUMBER else 1),
        Edits(added=added, labels=MappingProxyType(labels)),
    )
    return book, known_masks

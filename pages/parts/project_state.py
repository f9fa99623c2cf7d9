"""From the session to a project's plain data, and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from types import MappingProxyType

from affine import Affine

import rsam_core as rsam
from rsam_core.bands import ViewSettings
from rsam_core.classes import ClassList
from rsam_core.edits import Edits
from rsam_core.errors import ProjectError, RsamError
from rsam_core.prepare import Pipeline
from rsam_core.project import ProjectState
from rsam_core.prompt_records import from_records, to_records
from rsam_core.promptbook import Book, Entry

from .workspace import Workspace, objects, of_scene


def to_state(work: Workspace, image: bytes | None = None) -> ProjectState:
    """Everything of a session that a project keeps.

    Parameters
    ----------
    work : Workspace
    image : bytes, optional
        The image file, if it shall be part of the project.
    """
    scene, source = work.scene, work.original or work.scene
    found, _ = objects(work)
    return ProjectState(
        scene_name=source.name,
        scene_hash=source.content_hash,
        width=scene.width,
        height=scene.height,
        instances=found,
        crs=scene.crs,
        gsd=scene.gsd,
        image=image,
        classes=work.classes or ClassList(),
        prompts=tuple(to_records(work.book.entries)),
        settings={
            "sample": work.sample,
            "view": source.view_settings.to_dict(),
            "next_id": max(work.book.next_id, found.next_id),
            "current": work.book.current,
            "transform": list(source.transform[:6]) if source.transform is not None else None,
            "crs": source.crs,
        },
        pipeline=json.loads(work.pipeline.to_json()) if work.pipeline is not None else None,
    )


def from_state(state: ProjectState, scene: rsam.Scene) -> Workspace:
    """A session as a project has kept it.

    Parameters
    ----------
    state : ProjectState
    scene : Scene
        The project's image, opened and not prepared.

    Raises
    ------
    ProjectError
        If it is another image, or something in the project cannot be used. Nothing is changed
        then.
    """
    if state.image is None and scene.content_hash != state.scene_hash:
        raise ProjectError(
            f"“{scene.name}” is not the image of this project, which is “{state.scene_name}”. "
            "Open that file, or a project that was saved together with its image."
        )
    scene = _placed(state, scene)
    prepared, pipeline = _shown(state, scene)
    if prepared.shape != state.instances.shape:
        raise ProjectError(
            "The image has another size than the objects of the project. It may have been "
            "prepared by another version of RSAM; open the image anew and start from there."
        )
    if state.gsd is not None and prepared.gsd != state.gsd:
        prepared = prepared.with_gsd(state.gsd)
    sample = state.settings.get("sample")
    work = of_scene(prepared, sample if isinstance(sample, str) else None)
    if pipeline is not None:
        work.original, work.pipeline = scene, pipeline
    work.classes = state.classes
    entries = from_records(state.prompts, state.width, state.height)
    work.book, work.settled = _book(state, entries)
    return work


def _placed(state: ProjectState, scene: rsam.Scene) -> rsam.Scene:
    """The scene with the place that a world file or the user gave it."""
    place, crs = state.settings.get("transform"), state.settings.get("crs")
    if scene.transform is not None or not isinstance(place, list) or len(place) != 6:
        return scene
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in place):
        return scene
    named = crs if isinstance(crs, str) else None
    return replace(scene, transform=Affine(*place), crs=named, gsd=state.gsd)


def _shown(state: ProjectState, scene: rsam.Scene) -> tuple[rsam.Scene, Pipeline | None]:
    """The scene as it was shown: its bands, and prepared."""
    try:
        if "view" in state.settings:
            scene = scene.with_view(ViewSettings.from_dict(state.settings["view"]))
        if state.pipeline is None:
            return scene, None
        pipeline = Pipeline.from_json(json.dumps(state.pipeline))
        return pipeline.run_scene(scene), pipeline
    except ProjectError:
        raise
    except RsamError as error:
        raise ProjectError(f"The project's picture cannot be made again. {error}") from error


def _book(state: ProjectState, entries: tuple[Entry, ...]) -> tuple[Book, dict]:
    """Prompts with the objects that they gave; all other objects count as added."""
    known = {item.id: item for item in state.instances}
    settled = {entry: known.get(entry.id) for entry in entries}
    prompted = {entry.id for entry in entries}
    added = tuple(item for item in state.instances if item.id not in prompted)
    labels = {
        id: item.label for id, item in known.items() if id in prompted and item.label is not None
    }
    next_id, current = state.settings.get("next_id"), state.settings.get("current")
    highest = max([0, *known, *prompted])
    book = Book(
        entries,
        current if current in prompted else None,
        1 + max((mark.uid for entry in entries for mark in entry.marks), default=0),
        max(highest + 1, next_id if isinstance(next_id, int) else 1),
        Edits(added=added, labels=MappingProxyType(labels)),
    )
    return book, settled

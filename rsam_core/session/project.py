"""The project file: one zip that restores a session on another machine.

It is a zip with a manifest (version, scene, settings, prompts, classes, preparation), a list of
objects, their masks as packed bits, and the image if the user wishes. Every part carries a
checksum; a file is either read as a whole or refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from rsam_core.errors import ProjectError, RsamError
from rsam_core.formats.truth import Truth
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instances
from rsam_core.scene.crs_text import plain_crs
from rsam_core.session._project_archive import (
    APPLY,
    APPLY_SHAPES,
    CHANGE,
    CHANGE_IMAGE,
    CHANGE_MASKS,
    CHANGE_OBJECTS,
    ENDING,
    FORMAT,
    IMAGE,
    IMAGES,
    LISTS,
    MANIFEST,
    MASKS,
    OBJECTS,
    SERIES,
    SERIES_FILES,
    SERIES_MASKS,
    SERIES_OBJECTS,
    TRUTH,
    TRUTH_MASKS,
    TRUTH_VALID,
    UNDO,
    UNDO_MASKS,
    UNDO_OBJECTS,
    VERSION,
    WHEN,
    check_names,
    mapping_of,
    most_bytes,
    read_manifest,
    read_part,
)
from rsam_core.session.packed_objects import BROKEN, ObjectList, pack_objects
from rsam_core.session.saved_apply import SavedApply
from rsam_core.session.saved_change import SavedChange, facts_bytes, read_facts
from rsam_core.session.saved_series import SavedSeries, read_series, series_bytes
from rsam_core.session.undo_records import SavedSteps

_MAX_SIDE = 1_000_000


@dataclass(frozen=True, eq=False)
class ProjectState:
    """Everything that a session knows about one scene, as plain data.

    Attributes
    ----------
    scene_name : str
        File name of the image.
    scene_hash : str
        `Scene.content_hash`: tells whether an image is the same.
    width, height : int
        Size of the scene in pixels.
    instances : Instances
    crs : str or None
    gsd : float or None
        Metres a pixel, perhaps typed by the user.
    image : bytes or None
        The image file itself.
    classes : ClassList
    prompts : tuple of dict
        JSON data that the caller understands.
    settings : dict
        The same.
    pipeline : dict or None
        Preparation steps, as ``Pipeline.to_json`` gives them.
    truth : Truth or None
        Ground truth of the scene.
    change : SavedChange or None
        A second date, and what was found between the dates.
    series : SavedSeries or None
        Frames, and an object that was followed through them.
    apply : SavedApply or None
        Questions, with the layers that were given and what was said of findings.
    undo : SavedSteps or None
        What can be undone and done again.
    saved : str
        When it was saved, ISO 8601; empty before.

    Raises
    ------
    ProjectError
        If the objects do not have the scene's size, or something is no JSON data.
    """

    scene_name: str
    scene_hash: str
    width: int
    height: int
    instances: Instances
    crs: str | None = None
    gsd: float | None = None
    image: bytes | None = field(default=None, repr=False)
    classes: ClassList = field(default_factory=ClassList)
    prompts: tuple[dict[str, Any], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    pipeline: dict[str, Any] | None = None
    truth: Truth | None = None
    change: SavedChange | None = None
    series: SavedSeries | None = None
    apply: SavedApply | None = None
    undo: SavedSteps | None = None
    saved: str = ""

    def __post_init__(self) -> None:
        if not (0 < self.width <= _MAX_SIDE and 0 < self.height <= _MAX_SIDE):
            raise ProjectError("The size of the project's image is not possible.")
        if self.instances.shape != (self.height, self.width):
            raise ProjectError("The objects belong to an image of another size.")
        if self.truth is not None and self.truth.shape != self.instances.shape:
            raise ProjectError("The truth belongs to an image of another size.")
        if self.gsd is not None and not (math.isfinite(self.gsd) and self.gsd > 0):
            raise ProjectError("The ground distance in the project is not a number above 0.")
        object.__setattr__(self, "prompts", tuple(self.prompts))
        try:
            json.dumps([self.prompts, self.settings, self.pipeline], allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ProjectError(
                "The project holds something that cannot be saved: a number that is none or has "
                "no end, or a list in too many others."
            ) from error


def save_project(state: ProjectState) -> bytes:
    """Return a project as the bytes of its file.

    The same state gives the same bytes but for the time, which is taken from `state.saved` if
    that is given.
    """
    objects, masks = pack_objects(state.instances)
    parts = {OBJECTS: objects, MASKS: masks}
    if state.image is not None:
        parts[IMAGE] = bytes(state.image)
    if state.truth is not None:
        parts |= _packed_truth(state.truth)
    if state.change is not None:
        parts |= _packed_change(state.change)
    if state.series is not None:
        parts |= _packed_series(state.series)
    if state.apply is not None:
        parts[APPLY], parts[APPLY_SHAPES] = state.apply.facts_bytes(), state.apply.shapes
    if state.undo is not None:
        parts[UNDO] = state.undo.facts_bytes()
        parts[UNDO_OBJECTS], parts[UNDO_MASKS] = pack_objects(
            state.undo.objects(state.instances.shape)
        )
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "saved": state.saved or datetime.now(UTC).isoformat(timespec="seconds"),
        "scene": {
            "name": state.scene_name,
            "hash": state.scene_hash,
            "width": state.width,
            "height": state.height,
            "crs": state.crs,
            "gsd": state.gsd,
        },
        "classes": state.classes.to_json(),
        "prompts": list(state.prompts),
        "settings": state.settings,
        "pipeline": state.pipeline,
        "truth": _about(state.truth),
        "parts": {name: hashlib.sha256(data).hexdigest() for name, data in parts.items()},
    }
    text = json.dumps(manifest, ensure_ascii=False, allow_nan=False, indent=1).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in {MANIFEST: text, **parts}.items():
            info = zipfile.ZipInfo(name, WHEN)
            # Images are compressed already.
            info.compress_type = zipfile.ZIP_STORED if name in IMAGES else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return stream.getvalue()


def load_project(data: bytes) -> ProjectState:
    """Read a project file.

    Nothing is written to disk, and nothing is changed unless all of it is right.

    Raises
    ------
    ProjectError
        If it is no project, was saved by a newer version of RSAM, or is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            check_names(archive)
            manifest = read_manifest(archive)
            digests = mapping_of(manifest, "parts")
            shape = _shape(mapping_of(manifest, "scene"))
            # Lists come before the masks: they say how long those are.
            optional = (TRUTH, TRUTH_MASKS, TRUTH_VALID, IMAGE)
            optional += (UNDO, UNDO_OBJECTS, UNDO_MASKS)
            optional += (APPLY, APPLY_SHAPES)
            optional += (CHANGE, CHANGE_OBJECTS, CHANGE_MASKS, CHANGE_IMAGE)
            optional += (SERIES, SERIES_OBJECTS, SERIES_MASKS, SERIES_FILES)
            wanted = [OBJECTS, MASKS, *(name for name in optional if name in digests)]
            facts: dict[str, Any] | None = None
            followed: dict[str, Any] | None = None
            sizes: dict[str, tuple[int, int] | None] = {}
            parts: dict[str, bytes] = {}
            lists: dict[str, ObjectList] = {}
            for name in wanted:
                parts[name] = read_part(
                    archive, name, digests.get(name), most_bytes(name, lists, shape)
                )
                if name == CHANGE:
                    facts, sizes[CHANGE_OBJECTS] = read_facts(parts[name])
                elif name == SERIES:
                    followed, sizes[SERIES_OBJECTS] = read_series(parts[name])
                if name in LISTS:
                    lists[name] = ObjectList.read(parts.pop(name), sizes.get(name) or shape)
    except zipfile.BadZipFile as error:
        raise ProjectError(
            "This is not a project file, or only a part of one. Choose a file that RSAM saved, "
            f"which ends in {ENDING}."
        ) from error
    except (OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise ProjectError(BROKEN.format("its parts cannot be unpacked")) from error
    return _state(manifest, parts, lists, facts, followed)


def _state(
    manifest: Mapping[str, Any],
    parts: Mapping[str, bytes],
    lists: Mapping[str, ObjectList],
    facts: dict[str, Any] | None,
    followed: dict[str, Any] | None,
) -> ProjectState:
    scene = mapping_of(manifest, "scene")
    try:
        height, width = _shape(scene)
        prompts, settings = manifest["prompts"], mapping_of(manifest, "settings")
        if not isinstance(prompts, list) or not all(isinstance(row, dict) for row in prompts):
            raise ProjectError(BROKEN.format("its prompts are not readable"))
        pipeline = manifest["pipeline"]
        if pipeline is not None and not isinstance(pipeline, dict):
            raise ProjectError(BROKEN.format("its preparation is not readable"))
        gsd = scene["gsd"]
        return ProjectState(
            scene_name=str(scene["name"]),
            scene_hash=str(scene["hash"]),
            width=width,
            height=height,
            instances=lists[OBJECTS].objects(parts[MASKS]),
            crs=_system(scene["crs"]),
            gsd=None if gsd is None else float(gsd),
            image=parts.get(IMAGE),
            classes=ClassList.from_json(manifest["classes"]),
            prompts=tuple(prompts),
            settings=dict(settings),
            pipeline=pipeline,
            # Files of before know of no truth.
            truth=_truth(manifest.get("truth"), parts, lists, (height, width)),
            change=_change(facts, parts, lists),
            series=_series(followed, parts, lists),
            apply=_apply(parts),
            undo=_undo(parts, lists),
            saved=str(manifest["saved"]),
        )
    except ProjectError:
        raise
    except RsamError as error:
        raise ProjectError(BROKEN.format(str(error).rstrip("."))) from error
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProjectError(BROKEN.format("an entry is missing, or is no such value")) from error


def _packed_change(change: SavedChange) -> dict[str, bytes]:
    """A second date and its comparison as parts of a project."""
    parts = {CHANGE: facts_bytes(change)}
    if change.outlines is not None:
        parts[CHANGE_OBJECTS], parts[CHANGE_MASKS] = pack_objects(change.outlines)
    if change.image is not None:
        parts[CHANGE_IMAGE] = bytes(change.image)
    return parts


def _change(
    facts: dict[str, Any] | None, parts: Mapping[str, bytes], lists: Mapping[str, ObjectList]
) -> SavedChange | None:
    if facts is None:
        return None
    outlines = None
    if CHANGE_OBJECTS in lists:
        outlines = lists[CHANGE_OBJECTS].objects(parts[CHANGE_MASKS])
    return SavedChange(facts, outlines, parts.get(CHANGE_IMAGE))


def _packed_series(series: SavedSeries) -> dict[str, bytes]:
    """A series and what was followed through it as parts of a project."""
    parts = {SERIES: series_bytes(series)}
    if series.outlines is not None:
        parts[SERIES_OBJECTS], parts[SERIES_MASKS] = pack_objects(series.outlines)
    if series.files is not None:
        parts[SERIES_FILES] = series.files
    return parts


def _series(
    facts: dict[str, Any] | None, parts: Mapping[str, bytes], lists: Mapping[str, ObjectList]
) -> SavedSeries | None:
    if facts is None:
        return None
    outlines = None
    if SERIES_OBJECTS in lists:
        outlines = lists[SERIES_OBJECTS].objects(parts[SERIES_MASKS])
    return SavedSeries(facts, outlines, parts.get(SERIES_FILES))


def _apply(parts: Mapping[str, bytes]) -> SavedApply | None:
    if APPLY not in parts:
        return None
    return SavedApply.read(parts[APPLY], parts.get(APPLY_SHAPES, b""))


def _undo(parts: Mapping[str, bytes], lists: Mapping[str, ObjectList]) -> SavedSteps | None:
    if UNDO not in parts:
        return None
    return SavedSteps.read(parts[UNDO], lists[UNDO_OBJECTS].objects(parts[UNDO_MASKS]))


def _about(truth: Truth | None) -> dict[str, Any] | None:
    """What a manifest says of a truth beside its objects."""
    if truth is None:
        return None
    return {
        "name": truth.name,
        "kind": truth.kind,
        "notes": list(truth.notes),
        "warnings": list(truth.warnings),
    }


def _packed_truth(truth: Truth) -> dict[str, bytes]:
    """The objects of a truth, and where it says something, as parts of a project."""
    objects, masks = pack_objects(truth.objects)
    parts = {TRUTH: objects, TRUTH_MASKS: masks}
    if truth.valid is not None:
        parts[TRUTH_VALID] = np.packbits(truth.valid).tobytes()
    return parts


def _truth(
    about: Any,
    parts: Mapping[str, bytes],
    lists: Mapping[str, ObjectList],
    shape: tuple[int, int],
) -> Truth | None:
    if about is None:
        return None
    objects = lists[TRUTH].objects(parts[TRUTH_MASKS])
    valid = None
    if TRUTH_VALID in parts:
        packed = np.frombuffer(parts[TRUTH_VALID], np.uint8)
        if packed.size != (shape[0] * shape[1] + 7) // 8:
            raise ProjectError(BROKEN.format("its truth does not fit the image"))
        valid = np.unpackbits(packed, count=shape[0] * shape[1]).astype(bool).reshape(shape)
    notes, warnings = (tuple(map(str, about[name])) for name in ("notes", "warnings"))
    return Truth(objects, str(about["name"]), str(about["kind"]), notes, warnings, valid)


def _shape(scene: Mapping[str, Any]) -> tuple[int, int]:
    """Height and width of the image."""
    sides = scene.get("height"), scene.get("width")
    if not all(type(side) is int and 0 < side <= _MAX_SIDE for side in sides):
        raise ProjectError(BROKEN.format("the size of the image is not possible"))
    return sides  # type: ignore[return-value]


def _system(crs: Any) -> str | None:
    """Coordinate system, unless it is none, or names something to be read."""
    plain = plain_crs(crs)
    # What older programs are told beside the system may name files.
    return plain if plain is None or "extension" in str(crs).lower() else str(crs)

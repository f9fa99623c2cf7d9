"""What the app does with an upload of each kind, without the app."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

from rsam_core.batch.recipe import Recipe
from rsam_core.change import read_frames
from rsam_core.change.apply import Site, read_layer
from rsam_core.change.video import video_facts
from rsam_core.errors import ClassifyError, RsamError
from rsam_core.evaluate.datasets import open_dataset
from rsam_core.evaluate.learn.exercise_file import read_exercise, task_of_link
from rsam_core.evaluate.learn.result import read_result
from rsam_core.formats.truth import read_truth
from rsam_core.objects.classify.classes import ClassList
from rsam_core.prepare import Pipeline
from rsam_core.scene.description import facts
from rsam_core.scene.scene import Scene, open_scene
from rsam_core.scene.window import Window
from rsam_core.session.apply import apply_state
from rsam_core.session.follow_project import open_waiting, resume
from rsam_core.session.following import follow_state
from rsam_core.session.project import load_project
from rsam_core.session.project_state import from_state, has_work
from tests.hostile import seeds

_LOOK = 512
_SAMPLES = 5
"""Images of a data set that are read."""


def look_at(scene: Scene) -> str:
    """Do what showing an image takes: its reduced view, a window at full size, and its facts."""
    scene.overview(1024)
    width, height = min(_LOOK, scene.width), min(_LOOK, scene.height)
    window = Window((scene.width - width) // 2, (scene.height - height) // 2, width, height)
    scene.read_rgb(window)
    scene.valid_mask(window)
    told = [f"{name}: {text}" for name, text in facts(scene)]
    return "; ".join([*told, *scene.notes])


def image(content: bytes, name: str) -> str:
    """Open and show an image."""
    return look_at(open_scene(content, name=name))


def world_file(content: bytes, name: str) -> str:
    """Open a sound picture with this world file."""
    beside = io.BytesIO(content)
    beside.name = name
    opened = open_scene(seeds.picture("PNG"), name="town.png", world_file=beside, crs=seeds.UTM)
    opened.pixel_to_map(0, 0)
    return look_at(opened)


def truth(content: bytes, name: str) -> str:
    """Lay truth on the common scene; on the plain one if the name says so."""
    scene = seeds.plain() if name.startswith("plain") else seeds.scene()
    read = read_truth(content, scene, name=name)
    return "; ".join([f"{read.count} objects", f"{read.mask.sum()}", *read.notes, *read.warnings])


def project(content: bytes, name: str) -> str:
    """Open a project with its image, or on the common scene, and make its picture again."""
    state = load_project(content)
    scene = seeds.scene()
    if state.image is not None:
        scene = open_scene(state.image, name=state.scene_name)
    opened = from_state(state, scene)
    state.instances.label_map()
    told = [f"{len(state.instances)} objects", look_at(opened.image.scene)]
    opened.shown().objects.label_map()
    has_work(state)
    following = follow_state(opened)
    series = open_waiting(following)
    if series is not None:
        resume(following, series)
        told.append(f"{len(following.frames)} frames")
    for kept in apply_state(opened).layers.values():
        told.append(f"{kept.features(Site.of(opened.image.scene)).union.area:.0f} m²")
    return "; ".join(told)


def recipe(content: bytes, name: str) -> str:
    """Read the steps of a recipe and apply them to the common scene."""
    return look_at(Pipeline.from_json(content).run_scene(seeds.scene()))


def batch_recipe(content: bytes, name: str) -> str:
    """Read a recipe for a batch."""
    return Recipe.from_json(content).describe()


def data_set(content: bytes, name: str) -> str:
    """Open a data set and read its first images; each failure is one of ours."""
    found = open_dataset(content, name=name)
    told = [f"{len(found)} images", *found.notes]
    for item in found.items[:_SAMPLES]:
        try:
            told.append(f"{len(item.read().truth)} objects")
        except RsamError as error:
            told.append(f"{REFUSED_PART}{error}")
    return "\n".join(told)


def class_list(content: bytes, name: str) -> str:
    """Read a list of classes."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ClassifyError("The list of classes is not readable. Save it again.") from error
    return ", ".join(ClassList.from_json(data).names)


def video(content: bytes, name: str) -> str:
    """Ask a video what it holds, and decode it."""
    facts = video_facts(content, name)
    frames = read_frames(content, most=300, every=facts.every(300), name=name)
    return f"{facts.frames}, {len(frames)} frames, {frames[0].mean():.0f}; {frames.notes}"


def layer(content: bytes, name: str) -> str:
    """Lay places onto the ground of the common scene."""
    found = read_layer(content, Site.of(seeds.scene()), name=name)
    return "; ".join([f"{len(found)} places", *found.names()[:9], *found.notes])


def exercise(content: bytes, name: str) -> str:
    """Open an exercise of the class room."""
    return read_exercise(content).title


def exercise_link(content: bytes, name: str) -> str:
    """Open the exercise of an address."""
    return task_of_link(content.decode("utf-8", "replace")).title


def result(content: bytes, name: str) -> str:
    """Read a result that is handed in."""
    found = read_result(content)
    return f"{found.name}: {found.iou:.2f}, {found.clicks}, {found.seconds:.1f}"


REFUSED_PART = "refused: "
"""Begins what is told of an image of a data set that could not be read."""

DO: dict[str, Callable[[bytes, str], str]] = {
    "image": image,
    "world file": world_file,
    "truth": truth,
    "project": project,
    "recipe": recipe,
    "batch recipe": batch_recipe,
    "data set": data_set,
    "class list": class_list,
    "video": video,
    "layer": layer,
    "exercise": exercise,
    "exercise link": exercise_link,
    "result": result,
}
"""What is done with an upload, by its kind: given content and name, it says what it saw."""

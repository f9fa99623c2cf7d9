"""Run a recipe over the scenes of a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsam_core.batch.manifest import Manifest, file_mark
from rsam_core.batch.outputs import write_outputs
from rsam_core.batch.recipe import Recipe
from rsam_core.errors import BatchError, Cancelled
from rsam_core.formats.tables import to_csv
from rsam_core.objects.instances import Instances
from rsam_core.runtime.failures import reason
from rsam_core.runtime.progress import Progress, Stop
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.tiles.grid import TileSource
from rsam_core.segment.tiles.run import Elsewhere, initialize_tiled

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.scene.scene import Scene
    from rsam_core.segment.segmenter import Segmenter

IMAGE_TYPES = (".tif", ".tiff", ".jp2", ".jpg", ".jpeg", ".png")

Spread = Callable[[str, TileSource, EverythingSettings, Stop | None], Elsewhere]
"""From model, scene and settings to what looks at the scene's tiles."""


@dataclass(frozen=True)
class BatchRow:
    """What became of a scene.

    Attributes
    ----------
    scene : str
        Path within the folder.
    state : str
        ``"done"``, ``"failed"``, ``"skipped"`` (done before) or ``"open"`` (stopped before).
    found : int or None
        Objects exported.
    area_m2 : float or None
        Their area together; None without a ground sample distance.
    seconds : float
    problem : str
        Why it failed.
    """

    scene: str
    state: str
    found: int | None = None
    area_m2: float | None = None
    seconds: float = 0.0
    problem: str = ""


def find_scenes(folder: Path) -> list[str]:
    """Images in a folder and those below, as paths within it, in the order of their names.

    Raises
    ------
    BatchError
        If there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise BatchError(f"There is no folder {folder}. Check its name.")
    found = []
    # Folders that cannot be looked into are passed over.
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(parent, name)
            wanted = path.suffix.lower() in IMAGE_TYPES and not name.startswith(".")
            if wanted and (path.is_file() or path.is_symlink()):
                found.append(path.relative_to(folder).as_posix())
    found.sort()
    if not found:
        raise BatchError(f"There is no image in {folder}. Images end in {', '.join(IMAGE_TYPES)}.")
    return found


def run_batch(
    recipe: Recipe,
    folder: Path,
    output: Path,
    *,
    spread: Spread | None = None,
    jobs: int = 1,
    again: bool = False,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> list[BatchRow]:
    """Run a recipe over all scenes of a folder.

    Parameters
    ----------
    recipe : Recipe
    folder : Path
        With images; folders in it count.
    output : Path
        Gets a folder of results for each scene, ``manifest.json`` and ``summary.csv``.
    spread : callable, optional
        Where tiles are looked at, such as `rsam_core.batch.cluster.Cluster.spread`; in this
        process by default.
    jobs : int
        Scenes worked on at a time.
    again : bool
        Also do what was done before.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        True ends the work; scenes that are done stay done.

    Returns
    -------
    list of BatchRow
        One for each scene. A scene that cannot be used is failed and stops no other.

    Raises
    ------
    BatchError
        If a folder cannot be used.
    ModelError
        If the model cannot be loaded.
    """
    from rsam_core.models.load import load_model
    from rsam_core.segment.segmenter import Segmenter

    folder, output = Path(folder), Path(output)
    names = find_scenes(folder)
    if output.resolve().is_relative_to(folder.resolve()):
        # Results would be scenes of the next run.
        raise BatchError("The output folder lies in the folder of images. Choose one beside it.")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BatchError(f"The folder {output} cannot be made ({error.strerror}).") from error
    manifest = Manifest(output)
    segmenter = Segmenter(load_model(recipe.model))
    shares = dict.fromkeys(names, 0.0)

    def one(name: str) -> BatchRow:
        if cancelled is not None and cancelled():
            return BatchRow(name, "open")

        def report(share: float, text: str) -> None:
            shares[name] = share
            if progress is not None:
                progress(sum(shares.values()) / len(names), f"{name}: {text}")

        try:
            row = _one(recipe, folder, name, manifest, segmenter, spread, again, report, cancelled)
        except OSError as error:
            # The file went away, or cannot be looked at.
            row = BatchRow(name, "failed", problem=reason(error))
        report(1.0, row.state)
        return row

    with ThreadPoolExecutor(max(jobs, 1)) as pool:
        rows = list(pool.map(one, names))
    try:
        (output / "summary.csv").write_bytes(to_csv(_summary(rows)))
    except OSError as error:
        raise BatchError(
            f"The table {output / 'summary.csv'} cannot be written ({error.strerror}). Close it "
            "in other programs, or free some space."
        ) from error
    return rows


def _one(
    recipe: Recipe,
    folder: Path,
    name: str,
    manifest: Manifest,
    segmenter: Segmenter,
    spread: Spread | None,
    again: bool,
    report: Progress,
    cancelled: Stop | None,
) -> BatchRow:
    """One scene, with its state noted."""
    path, began = folder / name, time.perf_counter()
    if not path.resolve().is_relative_to(folder.resolve()):
        problem = "A link leads out of the folder of images. Put the image itself there."
        return BatchRow(name, "failed", problem=problem)
    mark = {**file_mark(path), "recipe": recipe.fingerprint}
    if not again and manifest.is_done(name, mark):
        entry = manifest.get(name) or {}
        return BatchRow(name, "skipped", entry.get("found"), entry.get("area_m2"))
    try:
        objects, scene = segment_scene(
            recipe, path, segmenter, spread, progress=report, cancelled=cancelled
        )
        report(0.95, "writing")
        objects, table = classified(recipe, objects, scene)
        files = write_outputs(
            manifest.folder / name, path.stem, recipe.export, objects, scene, table
        )
    except Cancelled:
        return BatchRow(name, "open")
    # Whatever is wrong with one scene, the others are worked on.
    except Exception as error:
        problem = reason(error)
        seconds = time.perf_counter() - began
        manifest.put(name, {**mark, "state": "failed", "problem": problem})
        return BatchRow(name, "failed", seconds=seconds, problem=problem)
    area = float(table["area_m2"].sum()) if "area_m2" in table else None
    seconds = time.perf_counter() - began
    manifest.put(
        name,
        {**mark, "state": "done", "found": len(objects), "area_m2": area,
         "seconds": round(seconds, 2), "files": files},
    )  # fmt: skip
    return BatchRow(name, "done", len(objects), area, seconds)


def segment_scene(
    recipe: Recipe,
    path: Path,
    segmenter: Segmenter,
    spread: Spread | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Stop | None = None,
) -> tuple[Instances, Scene]:
    """Prepare, segment and refine one scene.

    Returns
    -------
    objects : Instances
    scene : Scene
        After preparation, in whose pixels the objects are.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    RsamError
        If the scene cannot be used with this recipe.
    """
    from rsam_core.objects.refine import refine
    from rsam_core.scene.scene import open_scene
    from rsam_core.segment.everything import generate

    def part(start: float, length: float) -> Progress:
        def report(share: float, text: str) -> None:
            if progress is not None:
                progress(start + length * share, text)

        return report

    scene = open_scene(path)
    if recipe.prepare.steps:
        scene = recipe.prepare.run_scene(scene, part(0.0, 0.15), cancelled)
    elsewhere = None
    if spread is not None:
        elsewhere = spread(recipe.model, scene, recipe.segment, cancelled)
    state = initialize_tiled(
        segmenter,
        scene,
        None,
        recipe.segment,
        size=recipe.tile,
        progress=part(0.15, 0.7),
        cancelled=cancelled,
        elsewhere=elsewhere,
    )
    if not state.complete:
        raise Cancelled("Stopped.")
    objects = generate(state, recipe.segment)
    if recipe.refine is not None:
        objects = refine(
            objects, recipe.refine, gsd=scene.gsd, progress=part(0.85, 0.1), cancelled=cancelled
        )
    return objects, scene


def classified(recipe: Recipe, objects: Instances, scene: Scene) -> tuple[Instances, pd.DataFrame]:
    """Objects with the classes that the rules give them, those to keep, and their measures.

    Raises
    ------
    ClassifyError
        If a rule asks for a column that the scene does not have.
    """
    from rsam_core.objects.classify.classes import set_label
    from rsam_core.objects.classify.rule_matching import match
    from rsam_core.objects.measurements import measure

    shape = bool(recipe.classify)
    table = measure(objects, scene, shape=shape)
    if not shape:
        return objects, table
    ids = table["id"].to_numpy()
    for entry in recipe.classify:
        objects = set_label(objects, ids[match(table, entry.rule)].tolist(), entry.name)
    if recipe.keep:
        objects = objects.select([item.id for item in objects if item.label in recipe.keep])
    return objects, measure(objects, scene, shape=True)


def _summary(rows: Sequence[BatchRow]) -> pd.DataFrame:
    import pandas as pd

    table: Any = pd.DataFrame([asdict(row) for row in rows])
    table["seconds"] = np.round(table["seconds"], 2)
    return table

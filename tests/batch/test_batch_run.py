"""Batches: what is written, what a second run does again, and what stops nothing."""

from __future__ import annotations

import io
import json
import os
import threading

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image

import rsam_core as rsam
from rsam_core.batch import ClassRule, Recipe, find_scenes, run_batch
from rsam_core.batch import run as module
from rsam_core.batch.cli import main
from rsam_core.errors import BatchError, ModelError
from rsam_core.objects.classify.rules import Condition, Rule
from rsam_core.objects.refine import refine
from rsam_core.objects.refine.settings import RefineSettings
from rsam_core.prepare import Pipeline
from rsam_core.prepare.steps.noise import Bilateral
from rsam_core.runtime.console import GOOD, SOME_FAILED, STOPPED, WRONG
from rsam_core.samples import write_geotiff
from rsam_core.segment.everything import EverythingSettings, generate
from rsam_core.segment.tiles.run import initialize_tiled
from tests.helpers.shots import lawn
from tests.helpers.towns import rendered

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

# As the app looks, at few places.
QUICK = EverythingSettings(spacing=64, max_proposals=24)
LARGE = ClassRule("large", Rule((Condition("area", ">=", 200),)))
RECIPE = Recipe(
    segment=QUICK, classify=(LARGE,), export=("gpkg", "geojson", "shp", "coco", "csv", "labels")
)


@pytest.fixture(scope="module")
def town() -> bytes:
    return write_geotiff(rendered(256, 160, gsd=0.5, seed=6))


@pytest.fixture
def folder(tmp_path, town):
    """Two scenes, one of them in a folder below, and two files that are none."""
    images = tmp_path / "images"
    (images / "north").mkdir(parents=True)
    (images / "town.tif").write_bytes(town)
    Image.fromarray(lawn()).save(images / "north" / "lawn.png")
    (images / "broken.jpg").write_bytes(b"this is no picture")
    (images / "notes.txt").write_text("nothing")
    return images


def by_name(rows) -> dict:
    return {row.scene: row for row in rows}


def test_scenes_are_images_here_and_below(folder, tmp_path):
    assert find_scenes(folder) == ["broken.jpg", "north/lawn.png", "town.tif"]
    with pytest.raises(BatchError, match="no folder"):
        find_scenes(tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="no image"):
        find_scenes(tmp_path / "empty")


def test_results_are_those_of_the_steps_taken_by_hand(folder, tmp_path):
    out = tmp_path / "out"
    told: list[tuple[float, str]] = []
    rows = by_name(run_batch(RECIPE, folder, out, progress=lambda *a: told.append(a)))
    scene = rsam.open_scene(folder / "town.tif")
    segmenter = rsam.Segmenter(rsam.load_model())
    state = initialize_tiled(segmenter, scene, settings=QUICK)
    wanted = refine(generate(state, QUICK), RefineSettings(), gsd=scene.gsd)
    with rasterio.open(out / "town.tif" / "town_labels.tif") as file:
        np.testing.assert_array_equal(file.read(1), wanted.label_map())
        assert file.crs == scene.crs
        assert file.transform == scene.transform
    frame = gpd.read_file(out / "town.tif" / "town.gpkg")
    assert len(frame) == len(wanted) == rows["town.tif"].found
    assert frame.area.sum() == pytest.approx(float(wanted.areas.sum()) * 0.25, rel=0.02)
    assert rows["town.tif"].area_m2 == pytest.approx(float(wanted.areas.sum()) * 0.25, rel=1e-6)
    large = {item.id for item in wanted if item.area >= 200}
    assert set(frame.loc[frame["label"] == "large", "id"]) == large
    assert 0 < len(large) < len(wanted)
    assert len(gpd.read_file(out / "town.tif" / "town.geojson")) == len(wanted)
    assert len(gpd.read_file(f"zip://{out / 'town.tif' / 'town_shp.zip'}")) == len(wanted)
    coco = json.loads((out / "town.tif" / "town_coco.json").read_text())
    assert len(coco["annotations"]) == len(wanted)
    assert len(pd.read_csv(out / "town.tif" / "town.csv")) == len(wanted)
    # An image without georeference has results, too, and no area in metres.
    assert rows["north/lawn.png"].state == "done"
    assert rows["north/lawn.png"].area_m2 is None
    assert (out / "north" / "lawn.png" / "lawn.csv").is_file()
    # A broken file stops nothing.
    assert rows["broken.jpg"].state == "failed"
    assert "not an image" in rows["broken.jpg"].problem
    summary = pd.read_csv(out / "summary.csv")
    assert summary["state"].tolist() == ["failed", "done", "done"]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert not list(out.rglob("*.partial"))


def test_only_classes_to_keep_are_exported(folder, tmp_path):
    (folder / "broken.jpg").unlink()
    (folder / "north" / "lawn.png").unlink()
    both = run_batch(Recipe(segment=QUICK, classify=(LARGE,), export=("csv",)),
                     folder, tmp_path / "both")  # fmt: skip
    kept = run_batch(Recipe(segment=QUICK, classify=(LARGE,), keep=("large",), export=("csv",)),
                     folder, tmp_path / "kept")  # fmt: skip
    table = pd.read_csv(tmp_path / "kept" / "town.tif" / "town.csv")
    assert (table["area"] >= 200).all()
    assert 0 < kept[0].found == len(table) < both[0].found


def test_a_prepared_scene_is_segmented(folder, tmp_path, monkeypatch):
    (folder / "broken.jpg").unlink()
    (folder / "town.tif").unlink()
    seen = []
    real = module.initialize_tiled

    def spy(segmenter, scene, *args, **options):
        seen.append(scene.read_rgb())
        return real(segmenter, scene, *args, **options)

    monkeypatch.setattr(module, "initialize_tiled", spy)
    pipeline = Pipeline().add(Bilateral())
    rows = run_batch(Recipe(prepare=pipeline, segment=QUICK, export=("csv",)),
                     folder, tmp_path / "out")  # fmt: skip
    assert rows[0].state == "done"
    # The lawn's noise of 4 levels is gone where nothing else is.
    assert seen[0][140:180, 0:25].std(axis=(0, 1)).max() < 3
    assert lawn()[140:180, 0:25].std(axis=(0, 1)).min() > 3.5


def test_a_second_run_does_only_what_is_new_changed_or_lost(folder, tmp_path, monkeypatch, town):
    out, quick = tmp_path / "out", Recipe(segment=QUICK, export=("csv",))
    calls: list[str] = []
    real = module.segment_scene

    def counted(recipe, path, *args, **options):
        calls.append(path.name)
        return real(recipe, path, *args, **options)

    monkeypatch.setattr(module, "segment_scene", counted)

    def run(recipe=quick, **options) -> list[str]:
        calls.clear()
        run_batch(recipe, folder, out, **options)
        return sorted(calls)

    assert run() == ["broken.jpg", "lawn.png", "town.tif"]
    before = by_name(run_batch(quick, folder, out))
    # What failed is tried again, what is done is not.
    assert run() == ["broken.jpg"]
    assert before["town.tif"].state == "skipped"
    assert before["town.tif"].found > 0
    (folder / "broken.jpg").unlink()
    assert run() == []
    os.utime(folder / "town.tif", ns=(1, 1))
    assert run() == ["town.tif"]
    (out / "town.tif" / "town.csv").unlink()
    assert run() == ["town.tif"]
    (folder / "new.tif").write_bytes(town)
    assert run() == ["new.tif"]
    assert run(again=True) == ["lawn.png", "new.tif", "town.tif"]
    assert run(Recipe(segment=QUICK, export=("csv", "coco"))) == ["lawn.png", "new.tif", "town.tif"]


def test_a_stopped_run_goes_on_where_it_ended(folder, tmp_path):
    out, recipe = tmp_path / "out", Recipe(segment=QUICK, export=("csv",))
    stop = threading.Event()

    def progress(share: float, text: str) -> None:
        # Asked for in the middle of the last scene.
        if text.startswith("town.tif: tile"):
            stop.set()

    rows = by_name(run_batch(recipe, folder, out, progress=progress, cancelled=stop.is_set))
    assert rows["north/lawn.png"].state == "done"
    assert rows["town.tif"].state == "open"
    assert not (out / "town.tif").exists()
    rows = by_name(run_batch(recipe, folder, out))
    assert rows["north/lawn.png"].state == "skipped"
    assert rows["town.tif"].state == "done"


def test_several_scenes_at_a_time_give_the_same(folder, tmp_path):
    recipe = Recipe(segment=QUICK, export=("csv",))
    run_batch(recipe, folder, tmp_path / "one")
    run_batch(recipe, folder, tmp_path / "two", jobs=3)
    for name in ("town.tif/town.csv", "north/lawn.png/lawn.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_folders_that_cannot_be_used_are_told(folder, tmp_path):
    with pytest.raises(BatchError, match="lies in the folder of images"):
        run_batch(Recipe(), folder, folder / "results")
    with pytest.raises(ModelError):
        run_batch(Recipe(model="nobody"), folder, tmp_path / "out")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BatchError, match="cannot be made"):
        run_batch(Recipe(), folder, tmp_path / "file" / "out")
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "manifest.json").write_text("[]")
    with pytest.raises(BatchError, match="not the record"):
        run_batch(Recipe(), folder, strange)


def test_a_scene_without_ground_distance_says_what_the_rule_misses(folder, tmp_path):
    rule = ClassRule("big", Rule((Condition("area_m2", ">", 5),)))
    rows = by_name(run_batch(Recipe(segment=QUICK, classify=(rule,), export=("csv",)),
                             folder, tmp_path / "out"))  # fmt: skip
    assert rows["town.tif"].state == "done"
    assert rows["north/lawn.png"].state == "failed"
    assert "ground sample distance" in rows["north/lawn.png"].problem


def test_the_command_line(folder, tmp_path, capsys):
    recipe, out = tmp_path / "recipe.json", tmp_path / "out"
    assert main(["example"]) == GOOD
    recipe.write_text(capsys.readouterr().out)
    assert main(["check", str(recipe)]) == GOOD
    assert "building" in capsys.readouterr().out
    recipe.write_text(Recipe(segment=QUICK, export=("csv",)).to_json())
    assert main(["run", str(recipe), str(folder), str(out), "--quiet"]) == SOME_FAILED
    shown = capsys.readouterr().out
    assert "broken.jpg" in shown
    assert "not an image" in shown
    (folder / "broken.jpg").unlink()
    assert main(["run", str(recipe), str(folder), str(out)]) == GOOD
    assert "skipped" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "none.json")]) == WRONG
    assert "cannot be read" in capsys.readouterr().err
    recipe.write_text("{}")
    assert main(["run", str(recipe), str(folder), str(out)]) == WRONG
    assert main(["run", str(recipe), str(tmp_path / "no"), str(out)]) == WRONG
    assert STOPPED == 130


def test_a_full_disk_is_told_and_leaves_the_earlier_results(folder, tmp_path, monkeypatch):
    out, recipe = tmp_path / "out", Recipe(segment=QUICK, export=("csv",))
    run_batch(recipe, folder, out)
    before = (out / "town.tif" / "town.csv").read_bytes()

    def full(*args) -> bytes:
        raise OSError(28, "No space left on device")

    from rsam_core.batch.outputs import EXPORTS, Export

    monkeypatch.setitem(EXPORTS, "csv", Export("table", ".csv", full))
    rows = by_name(run_batch(recipe, folder, out, again=True))
    assert rows["town.tif"].state == "failed"
    assert "No space left" in rows["town.tif"].problem
    assert (out / "town.tif" / "town.csv").read_bytes() == before
    assert io.BytesIO(before).getbuffer().nbytes > 100


def test_nothing_that_goes_wrong_with_one_scene_ends_the_batch(folder, tmp_path, monkeypatch):
    (tmp_path / "outside.png").write_bytes((folder / "north" / "lawn.png").read_bytes())
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    (folder / "lost.png").symlink_to(tmp_path / "nowhere.png")
    original = module.segment_scene

    def broken(recipe, path, *rest, **options):
        if path.name == "town.tif":
            raise ZeroDivisionError("deep inside another library")
        return original(recipe, path, *rest, **options)

    monkeypatch.setattr(module, "segment_scene", broken)
    rows = by_name(run_batch(Recipe(segment=QUICK, export=("csv",)), folder, tmp_path / "out"))
    assert {name: row.state for name, row in rows.items()} == {
        "broken.jpg": "failed",
        "link.png": "failed",
        "lost.png": "failed",
        "north/lawn.png": "done",
        "town.tif": "failed",
    }
    assert "nobody foresaw (ZeroDivisionError)" in rows["town.tif"].problem
    assert "deep inside" not in rows["town.tif"].problem
    assert "leads out of the folder" in rows["link.png"].problem
    summary = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert (summary["state"] == "failed").sum() == 4


def test_a_scene_named_like_a_formula_is_harmless_in_the_table(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "=1+1.png").write_bytes(b"no picture")
    run_batch(Recipe(segment=QUICK), tmp_path / "images", tmp_path / "out")
    assert "'=1+1.png" in (tmp_path / "out" / "summary.csv").read_text("utf-8-sig")

"""Real samples: small, readable, named with their source wherever they go."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pyogrio
import pytest

import rsam_core as rsam
from rsam_core import formats
from rsam_core.errors import SceneError
from rsam_core.formats.polygons import credited
from rsam_core.formats.truth import read_truth
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure
from rsam_core.prepare import STEPS, Pipeline, load_steps
from rsam_core.render.session_report import html_report
from rsam_core.samples.places import FOLDER, PLACES, place
from rsam_core.scene.description import facts
from tests.helpers.boxes import plain

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SOURCES = FOLDER.with_name("SOURCES.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("entry", PLACES, ids=lambda entry: entry.key)
def test_each_place_opens_and_names_its_source(entry) -> None:
    assert len(entry.content) <= 1 << 20
    scene = rsam.open_scene(entry.content, name=entry.file)
    assert scene.attribution.startswith("USDA NAIP")
    assert ("Source", scene.attribution) in facts(scene)
    assert (scene.gsd or entry.gsd) == pytest.approx(1.0 if entry.key == "fields" else 0.6)
    assert f"`{entry.file}`" in SOURCES
    assert place(entry.key) is entry


def test_nothing_else_is_shipped() -> None:
    known = {name for entry in PLACES for name in (entry.file, entry.truth) if name}
    assert {file.name for file in FOLDER.iterdir()} == known
    assert all(f"`{name}`" in SOURCES for name in known)
    assert "CC BY 4.0" in SOURCES
    assert "Copyright (c) 2021 Radix" in SOURCES


def test_truth_is_what_was_drawn_by_hand_and_no_more() -> None:
    drawn = [entry for entry in PLACES if entry.truth is not None]
    assert [entry.key for entry in drawn] == ["fields"]
    scene = rsam.open_scene(drawn[0].content, name=drawn[0].file)
    truth = read_truth(drawn[0].truth_content, scene, name=drawn[0].truth)
    assert truth.count == 53
    # The field in the lower right corner of the picture, seen with the eye.
    assert any(item.mask[880 - item.y, 975 - item.x] for item in truth.objects if _covers(item))
    assert place("campus").truth_content is None


def _covers(item: Instance) -> bool:
    height, width = item.mask.shape
    return item.x <= 975 < item.x + width and item.y <= 880 < item.y + height


def test_an_unknown_place_is_refused() -> None:
    with pytest.raises(SceneError, match="campus"):
        place("atlantis")


def one_object(scene) -> Instances:
    return Instances([Instance(np.ones((9, 7), bool), 20, 30)], scene.shape)


def test_exports_name_the_source_of_the_image(tmp_path) -> None:
    entry = place("new-houses")
    scene = rsam.open_scene(entry.content, name=entry.file)
    objects, told = one_object(scene), scene.attribution
    geojson = json.loads(formats.to_geojson(objects, scene))
    assert geojson["features"][0]["properties"]["attribution"] == told
    path = tmp_path / "objects.gpkg"
    path.write_bytes(formats.to_geopackage(objects, scene))
    package = pyogrio.read_dataframe(path)
    assert package["attribution"].tolist() == [told]
    assert told in formats.to_kml(objects, scene).decode()
    assert json.loads(formats.to_coco(objects, scene))["info"]["contributor"] == told
    table = measure(objects, scene)
    rows = formats.to_csv(credited(table, scene)).decode("utf-8-sig").splitlines()
    assert next(csv.DictReader(rows))["attribution"] == told
    assert told in html_report(scene.read_rgb(), table, scene).decode()


def test_without_a_source_there_is_no_empty_column() -> None:
    scene = rsam.open_scene(plain(), name="plain.png")
    assert scene.attribution == ""
    geojson = json.loads(formats.to_geojson(one_object(scene), scene))
    assert "attribution" not in geojson["features"][0]["properties"]
    assert "contributor" not in json.loads(formats.to_coco(one_object(scene), scene))["info"]
    assert "Source" not in dict(facts(scene))


def test_a_prepared_image_keeps_its_source() -> None:
    load_steps()
    entry = place("new-houses")
    scene = rsam.open_scene(entry.content, name=entry.file)
    prepared = Pipeline().add(STEPS["brightness"]()).run_scene(scene)
    assert prepared.attribution == scene.attribution


def test_a_source_from_outside_is_one_short_line() -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x8298] = "Me\n\u202egpj.exe " + "x" * 999
    stream = io.BytesIO()
    Image.fromarray(np.full((40, 50, 3), 90, np.uint8)).save(stream, "JPEG", exif=exif)
    scene = rsam.open_scene(stream.getvalue(), name="photo.jpg")
    assert scene.attribution.startswith("Me")
    assert len(scene.attribution) <= 300
    assert not set(scene.attribution) & set("\n\u202e")
    assert replace(scene, attribution="").attribution == ""

"""Answers as files: what is in them, and that other programs read them."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from affine import Affine
from PIL import Image

from rsam_core.change.apply import Check, Features, Inputs, Site
from rsam_core.change.apply.files import csv_of, geojson_of, geopackage_of
from rsam_core.change.apply.maps import nice_length, north_of, png_of
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.reports import html_of, pdf_of, sections_of
from rsam_core.change.picture import ArrayPicture
from rsam_core.scene.ground_distance import ground_sample_distance

UTM, TRANSFORM = "EPSG:32737", Affine(0.5, 0, 500_000, 0, -0.5, 9_860_000)
PICTURE = np.full((300, 400, 3), 120, np.uint8)


def site(placed: bool = True) -> Site:
    if not placed:
        return Site.of(ArrayPicture(PICTURE, "plain", None, None, 0.5))
    gsd = ground_sample_distance(TRANSFORM, UTM, 400, 300)
    return Site.of(ArrayPicture(PICTURE, "Kwale <2023>.tif", UTM, TRANSFORM, gsd))


def answer(placed: bool = True):
    here = site(placed)
    pixels = [shapely.box(20, 20, 60, 60), shapely.box(200, 100, 240, 130)]
    permits = Features.of_shapes("Permits & plots", here.plane([shapely.box(10, 10, 80, 45)]),
                                 [{"fid": 3, "owner": "Ngũgĩ", "geometry": "x"}])  # fmt: skip
    inputs = Inputs(here, {"buildings": Features.of_shapes("b", here.plane(pixels)),
                           "permits": permits}, dates=("2019", "2023"))  # fmt: skip
    return QUESTIONS["permits"].answer(inputs)


def test_geopackage_with_styles_that_qgis_reads(tmp_path):
    path = tmp_path / "answer.gpkg"
    path.write_bytes(geopackage_of(answer()))
    found = gpd.read_file(path, layer="findings")
    assert found.crs == UTM
    # 40 × 40 and 40 × 30 pixels of half a metre; the first column of pixels begins at 500,000.
    np.testing.assert_allclose(found.geometry[0].bounds, (500_010, 9_859_970, 500_030, 9_859_990),
                               atol=2e-3)  # fmt: skip
    assert sorted(found.area.round(1)) == [300.0, 400.0]
    assert list(found["verdict"]) == ["larger than permitted", "no permit"]
    np.testing.assert_allclose(found["area_m2"], found.area / 0.9996**2, rtol=1e-4)
    assert set(found["caution"]) == {"indication, not proof"}
    plan = gpd.read_file(path, layer="layer_1")
    assert plan["owner"][0] == "Ngũgĩ"
    with sqlite3.connect(path) as database:
        rows = database.execute(
            "SELECT f_table_name, f_geometry_column, styleQML, useAsDefault FROM layer_styles"
        ).fetchall()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert [(name, default) for name, _, _, default in rows] == [("findings", 1), ("layer_1", 1)]
    renderer = ElementTree.fromstring(rows[0][2]).find("renderer-v2")
    assert renderer.get("attr") == "verdict"
    values = {c.get("value") for c in renderer.find("categories")}
    assert set(found["verdict"]) <= values
    symbols = {s.get("name") for s in renderer.find("symbols")}
    assert {c.get("symbol") for c in renderer.find("categories")} == symbols


def test_geojson_and_table_hold_the_same_findings():
    made = answer()
    data = json.loads(geojson_of(made))
    assert [f["properties"]["verdict"] for f in data["features"]] == [
        "larger than permitted", "no permit",
    ]  # fmt: skip
    ring = shapely.Polygon(data["features"][0]["geometry"]["coordinates"][0])
    back = gpd.GeoSeries([ring], crs=4326).to_crs(UTM)[0]
    assert back.bounds == pytest.approx((500_010, 9_859_970, 500_030, 9_859_990), abs=0.01)
    table = pd.read_csv(io.BytesIO(csv_of(made)))
    assert table["verdict"].tolist() == ["larger than permitted", "no permit"]
    assert table[["centre_x_px", "centre_y_px"]].iloc[1].tolist() == pytest.approx(
        [220, 115], abs=0.01
    )
    assert table[["date_1", "date_2"]].iloc[0].tolist() == [2019, 2023]


def test_refused_findings_are_in_no_file():
    made = answer()
    checks = {made.keys()[0]: Check("refused"), made.keys()[1]: Check("accepted", "seen on site")}
    data = json.loads(geojson_of(made, checks))
    assert len(data["features"]) == 1
    assert data["features"][0]["properties"]["comment"] == "seen on site"
    text = html_of(made, sections_of(made, PICTURE, checks)).decode()
    assert "seen on site" in text
    assert "Every finding was checked" in text


def test_without_a_map_coordinates_are_pixels_and_that_is_said(tmp_path):
    data = json.loads(geojson_of(answer(placed=False)))
    assert "no georeference" in data["coordinates_note"]
    xs, ys = np.array(data["features"][0]["geometry"]["coordinates"][0]).T
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (20, 60, -60, -20)
    path = tmp_path / "a.gpkg"
    path.write_bytes(geopackage_of(answer(placed=False)))
    assert len(gpd.read_file(path, layer="findings")) == 2
    assert north_of(site(placed=False)) is None


def test_map_has_a_scale_that_is_right():
    picture = Image.open(io.BytesIO(png_of(answer(), PICTURE)))
    assert min(picture.size) > 400
    assert [nice_length(v) for v in (7, 49.9, 50, 210, 1999)] == [5, 20, 50, 200, 1000]
    # Up, but for the meridian convergence: 37° 0′ E is half a degree off nothing here.
    np.testing.assert_allclose(north_of(site()), [0, -1], atol=1e-3)
    turned = Affine(0, 0.5, 500_000, 0.5, 0, 9_860_000)
    gsd = ground_sample_distance(turned, UTM, 400, 300)
    by = Site.of(ArrayPicture(PICTURE, "turned", UTM, turned, gsd))
    np.testing.assert_allclose(north_of(by), [1, 0], atol=1e-3)


def test_report_says_what_it_rests_on_in_html_and_pdf():
    made = answer()
    pair = (PICTURE[:64, :64], PICTURE[:64, :64])
    sections = sections_of(made, PICTURE, thumbnails=lambda shape: pair, sources=["2019.tif"])
    text = html_of(made, sections).decode()
    for wanted in ("Indication, not proof", "2019.tif", "Least share within a permit", "50 %",
                   "Permits &amp; plots", "0.5 m a pixel", "EPSG:32737", "Kwale &lt;2023&gt;",
                   "first date"):  # fmt: skip
        assert wanted in text, wanted
    content = pdf_of(made, sections)
    assert content.startswith(b"%PDF-")
    boxes = {tuple(float(v) for v in m.split())
             for m in re.findall(rb"/MediaBox \[([\d. ]+)\]", content)}  # fmt: skip
    assert boxes == {(0.0, 0.0, 595.28, 841.89)}
    # A map, and two pictures of each finding.
    assert len(re.findall(rb"/Subtype /Image", content)) >= 2
    assert len(re.findall(rb"/Type /Page\b", content)) >= 2


def test_pdf_takes_whatever_people_write():
    made = answer()
    checks = {made.keys()[0]: Check("", "日本語 🙂 " + "x" * 500 + "\u202e<script>")}
    content = pdf_of(made, sections_of(made, PICTURE, checks))
    assert content.startswith(b"%PDF-")

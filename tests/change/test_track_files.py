"""A followed object as files, read back by other programs."""

from __future__ import annotations

import io
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from PIL import Image

from rsam_core.change import track_files
from rsam_core.change.following import Track
from rsam_core.change.frames import Frames
from rsam_core.errors import ExportError
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt

GRID = Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)


def track(*, placed: bool = True, found: tuple[bool, ...] = (True, True, False)) -> Track:
    """A rectangle of 10 × 20 pixels that doubles, then is lost."""
    place = {"crs": "EPSG:32611", "transform": GRID, "gsd": 0.5} if placed else {}
    frames = Frames(("a 2016.tif", "b 2018-05.tif", "c 2020.tif"), (60, 80),
                    lambda k: np.full((60, 80, 3), 60 + 50 * k, np.uint8), **place)  # fmt: skip
    sizes = ((10, 20), (20, 20), (20, 20))
    items = tuple(
        Instance(np.ones(size, bool), 30, 20, 0.9) if there else None
        for size, there in zip(sizes, found)
    )
    prompts = {0: Prompt(box=(30, 20, 50, 30))}
    return Track(frames, items, (0.9, 0.8, 0.0), prompts, np.zeros((3, 2)), 2.0, followed=2)


def test_the_table_as_csv():
    table = pd.read_csv(io.BytesIO(track_files.csv_of(track())))
    assert list(table["area_m2"]) == [50, 100, 0]
    assert list(table["found"]) == [True, True, False]
    assert list(table["date"].astype(str)) == ["2016", "2018-05", "2020"]


def test_outlines_lie_where_they_were_with_their_dates(tmp_path):
    path = tmp_path / "track.gpkg"
    path.write_bytes(track_files.geopackage_of(track()))
    layer = gpd.read_file(path)
    assert layer.crs.to_epsg() == 32611
    assert list(layer["date"]) == ["2016", "2018-05"]
    assert list(layer.geometry.area) == [50, 100]
    # Columns 30 to 50 and rows 20 to 30 of half a metre.
    assert layer.geometry[0].bounds == (500_015, 3_999_985, 500_025, 3_999_990)
    found = json.loads(track_files.geojson_of(track()))["features"]
    assert [f["properties"]["id"] for f in found] == [1, 2]
    ring = np.array(found[0]["geometry"]["coordinates"][0])
    # Zone 11 has its middle at 117 degrees west.
    assert ring[:, 0] == pytest.approx(-117, abs=0.001)


def test_without_a_place_coordinates_are_pixels():
    found = json.loads(track_files.geojson_of(track(placed=False)))
    assert "pixels" in found["coordinates_note"]
    assert "area_m2" not in found["features"][0]["properties"]


def test_the_moving_picture_shows_each_frame():
    picture = Image.open(io.BytesIO(track_files.moving_picture(track(), seconds=0.5)))
    assert picture.n_frames == 3
    assert picture.info["duration"] == 500
    picture.seek(1)
    frame = np.asarray(picture.convert("RGB")).astype(int)
    # The outline is drawn along the border of the object, in its own colour.
    assert frame[20, 40, 0] > frame[20, 40, 1] + 80
    assert abs(frame[5, 70] - 110).max() < 12


def test_the_report_tells_areas_and_needs_nothing_else():
    page = track_files.report(track(), "A <lake>", {"Model": "rsam-tiny"}).decode()
    assert "A &lt;lake&gt;" in page
    assert "+100%" in page
    assert "2 of 3" in page
    assert 'src="http' not in page


def test_time_runs_by_dates_seconds_or_numbers():
    table = track().table()
    days, what = track_files.time_axis(table)
    assert (what, [d.year for d in days]) == ("date", [2016, 2018, 2020])
    assert track_files.time_axis(table.assign(date=None, seconds=[0.0, 0.2, 0.4]))[1] == "seconds"
    assert track_files.time_axis(table.assign(date=[None, "2018", "2020"])) == ([1, 2, 3], "frame")


def test_nothing_found_is_told():
    empty = track(found=(False, False, False))
    for make in (track_files.geojson_of, track_files.geopackage_of):
        with pytest.raises(ExportError, match="no outline yet"):
            make(empty)
    assert track_files.key_numbers(empty.table()) == [("frames with the object", "0 of 3")]

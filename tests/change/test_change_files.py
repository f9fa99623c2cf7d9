"""Pictures and files of changes: what they show and hold."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import cv2
import geopandas
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from PIL import Image

from rsam_core.change import ArrayPicture, exports
from rsam_core.change.pictures import COLOURS, around, drawn_pair, pair_pictures, thumbnails
from rsam_core.objects.palette import to_rgb
from rsam_core.scene.window import Window
from tests.helpers.dates import HOUSES, SHAPE, compared, pictures

PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)


@pytest.fixture
def found():
    return compared(
        *(ArrayPicture(p, f"{n}", "EPSG:32631", PLACE, 0.5) for n, p in zip("ab", pictures()))
    )


@pytest.fixture
def shown(found):
    changes = tuple(c for c in found.changes if c.change != "unchanged")
    said = {changes[0].id: "accepted"}
    return exports.Shown(found, changes, ("2016", "2020 <b>"), said, 4.0)


def test_outlines_have_the_colour_of_their_kind(found):
    new = [c for c in found.changes if c.change == "new"]
    before, after = drawn_pair(found.alignment, new, longest=200)
    x, y, _, h = HOUSES["new"][1]
    edge = after[y : y + h, x - 1 : x + 2].reshape(-1, 3).astype(int)
    assert (np.abs(edge - np.array(to_rgb(COLOURS["new"]))).sum(1) < 30).any()
    assert np.array_equal(after[100:], pictures()[1][100:])
    # At the date at which it is not there yet a line says where it will be.
    assert not np.array_equal(before[y - 2 : y + h + 2], pictures()[0][y - 2 : y + h + 2])


def test_what_is_not_compared_is_striped():
    first, second = pictures()
    valid = np.ones(SHAPE, bool)
    valid[:50] = False
    found = compared(ArrayPicture(first), ArrayPicture(second, valid=valid))
    before, after = drawn_pair(found.alignment, (), longest=200)
    assert not np.array_equal(before[:50], first[:50])
    assert np.array_equal(before[:50], after[:50]) or np.ptp(after[:50]) > 0
    assert np.array_equal(before[50:], first[50:])


def test_small_parts_are_enlarged_and_large_ones_reduced(found):
    part = Window(10, 10, 50, 40)
    assert drawn_pair(found.alignment, (), part)[0].shape == (320, 400, 3)
    first, _, valid = pair_pictures(found.alignment, None, 100)
    assert first.shape == (80, 100, 3)
    assert valid.shape == (80, 100)


def test_a_window_holds_both_outlines(found):
    grown = next(c for c in found.changes if c.change == "enlarged")
    part = around(grown, SHAPE, 1.0)
    assert part.x <= 30
    assert part.y <= 100
    assert part.y + part.height >= 136
    edge = around(replace(grown, after=grown.before), SHAPE, 5.0, 40)
    assert (edge.x, edge.width) == (0, SHAPE[1])
    assert thumbnails(found.alignment, grown, 64)[0].shape == (64, 64, 3)


def test_maps_and_table_agree(shown):
    rows = pd.read_csv(io.BytesIO(exports.csv_of(shown)))
    assert list(rows["change"]) == [c.change for c in shown.changes]
    assert list(rows["checked"].fillna("")) == ["accepted", "", ""]
    assert set(rows["second_date"]) == {"2020 <b>"}
    layer = geopandas.read_file(io.BytesIO(exports.geopackage_of(shown)))
    assert layer.crs.to_epsg() == 32631
    areas = dict(zip(layer["change"], layer.area))
    assert areas["gone"] == pytest.approx(600 * 0.25)
    assert areas["enlarged"] == pytest.approx(720 * 0.25)
    collection = json.loads(exports.geojson_of(shown))
    assert [f["properties"]["change"] for f in collection["features"]] == list(rows["change"])


def test_pictures_that_swipe_and_blink(shown):
    split = cv2.imdecode(np.frombuffer(exports.split_picture(shown), np.uint8), 1)[..., ::-1]
    before, after = drawn_pair(shown.found.alignment, shown.changes)
    assert split.shape == before.shape
    assert np.array_equal(split[300:400, :100], before[300:400, :100])
    assert np.array_equal(split[300:400, -100:], after[300:400, -100:])
    moving = Image.open(io.BytesIO(exports.blinking(shown)))
    assert (moving.n_frames, moving.info["duration"]) == (2, 900)
    page = exports.swipe_page(shown, "Two <script>dates").decode()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "<script>dates" not in page
    assert "2020 &lt;b&gt;" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_report_tells_sums_and_settings(shown):
    text = exports.report(shown, "Changes", {"Method": "RSAM"}).decode()
    assert "By kind of change" in text
    assert "enlarged" in text
    assert "2020 &lt;b&gt;" in text
    # 576 came, 600 went and 320 were added: (576 + 320 - 600) / 4 m² in 4 years.
    assert f"{(576 + 320 - 600) / 4 / 4:+,.0f} m²" in text

"""Areas of change: what is joined, what it is called, and the files that hold it."""

from __future__ import annotations

import io
import json

import geopandas
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from scipy import ndimage

from rsam_core.change import ArrayPicture, exports
from rsam_core.change.areas import Area, areas_of, counted, gap_of, members_of
from rsam_core.change.findings import AREA, Change
from rsam_core.errors import ChangeError
from rsam_core.objects.instance import Instance
from tests.helpers.dates import HOUSES, SHAPE, compared, pictures

PLACE = Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)


def change(x: int, y: int, w: int, h: int, kind: str = "new", sure: float = 0.8) -> Change:
    """A rectangle that came, or that went."""
    item = Instance(np.ones((h, w), bool), x, y)
    ends = (None, item) if kind == "new" else (item, None)
    return Change(1, kind, sure, *ends, "building")


def parts_of(mask: np.ndarray, gap: int) -> list[int]:
    """Areas of what is one after widening by a disc, narrowed again, as another library does it."""
    x = np.arange(-gap, gap + 1)[None]
    reach = np.round(np.sqrt(gap**2 - np.arange(-gap, gap + 1) ** 2.0))
    disc = np.abs(x) <= reach[:, None]
    wide = ndimage.binary_dilation(np.pad(mask, 2 * gap), disc)
    labels, count = ndimage.label(wide, np.ones((3, 3)))
    labels[~ndimage.binary_erosion(wide, disc, border_value=1)] = 0
    inside = labels[2 * gap : -2 * gap, 2 * gap : -2 * gap]
    return np.bincount(inside.ravel(), minlength=count + 1)[1:].tolist()


def test_near_changes_are_one_area_and_far_ones_are_not():
    near, far = [change(10, 10, 20, 40), change(48, 10, 20, 40)], change(10, 100, 20, 20)
    areas = areas_of([*near, far], (160, 120), 10)
    # 18 pixels lie between the first two.
    assert [set(map(id, area.members)) for area in areas] == [set(map(id, near)), {id(far)}]
    assert areas[0].outline.bbox == (10, 10, 68, 50)
    assert areas[0].outline.area > 2 * 20 * 40 + 18 * 26
    assert len(areas_of([*near, far], (160, 120), 8)) == 3
    assert [area.outline.area for area in areas_of([far], (160, 120), 0)] == [400]


def test_areas_are_the_closed_mask_cut_into_its_parts():
    rng = np.random.default_rng(4)
    some = [
        change(*rng.integers(0, (150, 110)).tolist(), *rng.integers(4, 30, 2).tolist())
        for _ in range(12)
    ]
    mask = np.zeros((140, 180), bool)
    for one in some:
        x0, y0, x1, y1 = one.outline.bbox
        mask[y0:y1, x0:x1] = True
    for gap in (3, 7):
        areas = areas_of(some, (140, 180), gap)
        assert sorted(a.outline.area for a in areas) == sorted(parts_of(mask, gap))
        assert {id(m) for a in areas for m in a.members} == set(map(id, some))


def test_areas_end_at_the_edge_of_the_grid():
    areas = areas_of([change(0, 0, 6, 30), change(14, 0, 6, 30)], (30, 20), 6)
    assert [area.outline.bbox for area in areas] == [(0, 0, 20, 30)]


def test_an_area_says_what_it_is_made_of():
    some = [change(10, 10, 9, 9), change(22, 10, 9, 9, sure=0.95), change(34, 10, 9, 9, "gone")]
    (area,) = areas_of(some, (60, 60), 6)
    assert isinstance(area, Area)
    assert (area.change, area.kind, area.probability) == (AREA, "building", 0.95)
    assert area.reason == "3 changes close to each other: 2 new, 1 gone"
    assert counted(area.members) == "2 new, 1 gone"
    assert members_of([area, area]) == list(area.members)
    assert members_of(some) == some
    with pytest.raises(ChangeError, match="0 or more pixels"):
        areas_of(some, (60, 60), -1)


def test_a_distance_in_metres_or_pixels():
    assert gap_of(12, 0.5) == 12
    assert gap_of(12, 0.3) == 20
    assert gap_of(24, None) == 12


def test_of_what_grew_only_what_came_is_in_the_area():
    found = compared(*map(ArrayPicture, pictures()))
    joined = found.areas(3)
    assert np.array_equal(joined.mask(), found.mask(gap=3))
    x, y, w, h = HOUSES["enlarged"][0]
    grown = next(a for a in joined.changes if a.members[0].change == "enlarged")
    assert grown.outline.area == 20 * 16
    assert not joined.mask()[y : y + h, x : x + w].any()
    assert {c.change for c in joined.changes} == {AREA}
    everything = found.areas(60).changes
    assert len(everything) == 1
    assert everything[0].outline.bbox[2] <= SHAPE[1]


def test_files_hold_areas_with_what_is_in_them():
    found = compared(
        *(ArrayPicture(p, n, "EPSG:32631", PLACE, 0.5) for n, p in zip("ab", pictures()))
    )
    areas = found.areas(20).changes
    assert sorted(len(area.members) for area in areas) == [1, 2]
    shown = exports.Shown(found, areas, ("2016", "2020"), {1: "accepted"}, 4.0)
    table = pd.read_csv(io.BytesIO(exports.csv_of(shown)))
    assert table["changes"].tolist() == [len(area.members) for area in areas]
    assert table[["new", "gone", "enlarged"]].sum().tolist() == [1, 1, 1]
    assert table["checked"].fillna("").tolist() == ["accepted", ""]
    assert table["area_m2"].tolist() == [area.outline.area * 0.25 for area in areas]
    assert not {"area_before", "area_after", "area_before_m2"} & set(table)
    features = json.loads(exports.geojson_of(shown))["features"]
    assert [f["properties"]["changes"] for f in features] == table["changes"].tolist()
    frame = geopandas.read_file(io.BytesIO(exports.geopackage_of(shown)), layer="areas")
    assert frame.geometry.area.tolist() == pytest.approx(table["area_m2"].tolist(), rel=0.2)
    page = exports.report(shown, "Place", {}).decode()
    assert "changes in them" in page
    assert "2 changes close to each other: 1 new, 1 gone" in page
    assert "area of change" in page

"""Answers of drawn geometry, against figures by hand and against geopandas."""

from __future__ import annotations

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from rsam_core.change.apply import Check, Features, Inputs, Site
from rsam_core.change.apply.answer import VERDICT, area_text
from rsam_core.change.apply.expansion import expansion_index
from rsam_core.change.apply.land_consumption import land_consumption
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import ApplyError

SITE = Site.of(ArrayPicture(np.zeros((400, 500, 3), np.uint8), "plan", None, None, 1.0))
"""500 m across and 400 m down; x to the right, y from 0 to −400."""


def box(x: float, y: float, w: float, h: float) -> shapely.Polygon:
    """Right of and below the corner of the picture, metres."""
    return shapely.box(x, -y - h, x + w, -y)


def layer(*shapes: shapely.Geometry, name: str = "layer", **columns: list) -> Features:
    rows = [dict(zip(columns, row)) for row in zip(*columns.values())] if columns else None
    return Features.of_shapes(name, list(shapes), rows)


def ask(key: str, values: dict | None = None, dates: tuple = (), **layers: Features):
    return QUESTIONS[key].answer(Inputs(SITE, layers, values or {}, dates))


def figures(answer, checks=None) -> dict[str, object]:
    return {f.label: f.value for f in answer.summary(checks or {}).figures}


# --- urban growth ---------------------------------------------------------------------------


def test_land_consumption_by_hand():
    # 200 ha become 260 in 5 years while 10,000 people become 12,000.
    rates = land_consumption(200, 260, 5, 10_000, 12_000)
    assert rates.land_rate == pytest.approx(0.06)
    assert rates.population_rate == pytest.approx(math.log(1.2) / 5)
    assert rates.ratio == pytest.approx(0.06 * 5 / math.log(1.2))
    assert land_consumption(200, 260, 5).ratio is None
    assert land_consumption(200, 260, 5, 10_000, 10_000).ratio is None
    assert land_consumption(0, 260, 5).land_rate is None
    with pytest.raises(ApplyError, match="after the first"):
        land_consumption(1, 2, 0)
    with pytest.raises(ApplyError, match="more than 0"):
        land_consumption(1, 2, 1, -5, 5)


def test_expansion_index_of_squares():
    old = box(100, 100, 100, 100)
    patches = layer(box(140, 200, 20, 20), box(400, 300, 20, 20))
    ring = shapely.buffer(patches.shapes[0], 10).area - 400
    # Above the touching side the ring covers 20 m and two quarter circles of what was built.
    touched = (20 * 10 + 2 * math.pi * 100 / 4) / ring * 100
    index = expansion_index(patches, old, 10)
    assert index[0] == pytest.approx(touched, rel=0.01)
    assert index[1] == 0


def growth_layers() -> dict[str, Features]:
    corners = [(x, y) for x in (100, 130, 160) for y in (100, 130, 160) if (x, y) != (130, 130)]
    old = [box(x, y, 20, 20) for x, y in corners]
    new = [box(130, 130, 20, 20), box(185, 130, 20, 20), box(400, 300, 30, 20)]
    gone = box(20, 300, 10, 10)
    zones = Features.of_shapes(
        "zones", [box(0, 0, 250, 400), box(250, 0, 250, 400)], [{"name": "a"}, {"name": "b"}]
    )
    return {"before": layer(*old, gone), "after": layer(*old, *new), "zones": zones}


def test_urban_growth_counts_areas_kinds_and_zones():
    given = {"population1": 1000.0, "population2": 1100.0, "gap": 25.0}
    answer = ask("growth", given, ("2015", "2020"), **growth_layers())
    found = figures(answer)
    assert found["Buildings, 2015"] == 9
    assert found["Buildings, 2020"] == 11
    assert found["Built-up area, 2015"] == pytest.approx(3300)
    assert found["Built-up area, 2020"] == pytest.approx(3200 + 400 + 400 + 600)
    kinds = ("Infill", "Edge growth", "Outlying")
    assert [found[f"{kind}: buildings"] for kind in kinds] == [1, 1, 1]
    assert found["Outlying: area"] == pytest.approx(600)
    assert found["No longer there: buildings"] == 1
    lcr = (4600 - 3300) / 3300 / 5
    pgr = math.log(1.1) / 5
    assert found["Land consumption rate (LCR) a year"] == pytest.approx(100 * lcr)
    assert found["Population growth rate (PGR) a year"] == pytest.approx(100 * pgr)
    assert found["LCR / PGR (SDG 11.3.1)"] == pytest.approx(lcr / pgr)
    zones = answer.summary().tables["By zone"].set_index("Zone")
    assert zones.loc["a", "Buildings, 2020"] == 10
    assert zones.loc["b", "Built-up (m²), 2020"] == pytest.approx(600)
    assert zones.loc["b", "Built-up (m²), 2015"] == 0


def test_refused_growth_is_taken_back_from_the_figures():
    answer = ask("growth", dates=("2015", "2020"), **growth_layers())
    verdicts = answer.findings.column(VERDICT)
    key = answer.keys()[verdicts.index("outlying")]
    found = figures(answer, {key: Check("refused")})
    assert found["Buildings, 2020"] == 10
    assert found["Built-up area, 2020"] == pytest.approx(4000)
    assert answer.unchecked({key: Check("refused")}) == len(answer.findings) - 1


def test_growth_needs_both_dates_and_a_right_order():
    given = growth_layers()
    missing = QUESTIONS["growth"].missing(Inputs(SITE, {"before": given["before"]}))
    assert [one.key for one in missing] == ["after"]
    with pytest.raises(ApplyError, match="Buildings at the second date"):
        ask("growth", before=given["before"])
    with pytest.raises(ApplyError, match="not before"):
        ask("growth", dates=("2020", "2015"), **given)
    # Without dates all but the rates is told.
    assert "Years between the dates" not in figures(ask("growth", **given))


# --- permits --------------------------------------------------------------------------------


def test_permits_by_hand():
    buildings = layer(
        box(10, 10, 10, 10),  # wholly within its permit
        box(60, 10, 20, 10),  # half of it outside
        box(200, 10, 10, 10),  # no permit at all
        box(300, 10, 10, 10),  # in the reserve
        box(100, 100, 10, 12),  # larger than its permit allows
    )
    permits = layer(
        box(5, 5, 30, 30), box(55, 5, 15, 30), box(295, 5, 30, 30), box(95, 95, 30, 30),
        max_m2=[200, 200, 200, 100],
    )  # fmt: skip
    forbidden = layer(box(290, 0, 15, 100))
    answer = ask("permits", {"limit": "max_m2"}, buildings=buildings, permits=permits,
                 forbidden=forbidden)  # fmt: skip
    table = answer.findings.table
    assert list(table[VERDICT]) == ["larger than permitted", "no permit",
                                    "where nothing may stand", "larger than permitted"]  # fmt: skip
    assert table["outside_m2"].tolist() == pytest.approx([100, 100, 0, 0])
    assert table["forbidden_m2"].tolist() == pytest.approx([0, 0, 50, 0])
    assert table["over_m2"].iloc[3] == pytest.approx(20)
    assert figures(answer)["Buildings looked at"] == 5
    assert figures(answer)["Area outside permits"] == pytest.approx(200)
    only_new = ask("permits", {"only_new": "new buildings only"}, buildings=buildings,
                   permits=permits, before=layer(box(200, 10, 10, 10)))  # fmt: skip
    assert "no permit" not in only_new.findings.column(VERDICT)
    with pytest.raises(ApplyError, match="they have: max_m2"):
        ask("permits", {"limit": "storeys"}, buildings=buildings, permits=permits)
    with pytest.raises(ApplyError, match="nothing to compare"):
        ask("permits", buildings=buildings)


def test_permitted_shares_agree_with_geopandas():
    rng = np.random.default_rng(3)
    make = lambda n, size: [  # noqa: E731
        shapely.affinity.rotate(box(x, y, *rng.uniform(5, size, 2)), rng.uniform(0, 90))
        for x, y in rng.uniform(10, 350, (n, 2))
    ]
    buildings, permits = layer(*make(60, 25)), layer(*make(25, 60))
    answer = ask("permits", {"share": 100.0, "slack": 0.1}, buildings=buildings, permits=permits)
    frame = gpd.GeoDataFrame(geometry=list(answer.findings.shapes))
    outside = gpd.overlay(
        frame.assign(key=range(len(frame))), gpd.GeoDataFrame(geometry=list(permits.shapes)),
        how="difference", keep_geom_type=True,
    )  # fmt: skip
    areas = outside.dissolve("key").area.reindex(range(len(frame)), fill_value=0.0)
    np.testing.assert_allclose(answer.findings.table["outside_m2"], areas, atol=1e-6)


# --- sensitive areas ------------------------------------------------------------------------


def test_depth_and_distance_to_a_river():
    river = layer(box(0, 200, 500, 20), name="river")
    things = layer(
        box(10, 170, 10, 10), box(50, 185, 10, 10), box(90, 195, 10, 10), box(10, 50, 10, 10),
        box(150, 190, 10, 10),
    )  # fmt: skip
    answer = ask("sensitive", {"distance": 30.0}, objects=things, sensitive=river)
    table = answer.findings.table
    assert table[VERDICT].tolist() == [
        "within the distance", "within half the distance", "inside", "within half the distance",
    ]  # fmt: skip
    assert table["distance_m"].tolist() == pytest.approx([20, 5, 0, 0])
    assert table["reach_m"].tolist() == pytest.approx([0, 0, 5, 0])
    assert table["inside_m2"].tolist() == pytest.approx([0, 0, 50, 0])
    assert figures(answer)["Inside or nearer"] == 4
    line = layer(shapely.LineString([(0, -210), (500, -210)]), name="stream")
    by_line = ask("sensitive", {"distance": 30.0}, objects=things, sensitive=line)
    assert by_line.findings.table["distance_m"].tolist() == pytest.approx([30, 15, 5, 10])


# --- forest ---------------------------------------------------------------------------------


def test_cleared_forest_by_hand():
    before = layer(box(100, 100, 200, 100))
    after = layer(shapely.difference(box(100, 100, 200, 100), box(140, 100, 40, 30)))
    house = layer(box(150, 105, 10, 10), kind=["building"])
    answer = ask("forest", dates=("2019", "2021"), before=before, after=after, objects=house)
    row = answer.findings.table.iloc[0]
    assert len(answer.findings) == 1
    assert row["area_m2"] == pytest.approx(1200)
    assert (row[VERDICT], row["objects"], row["what"]) == ("cleared and built on", 1, "1 building")
    assert row["covered_m2"] == pytest.approx(100)
    assert row["deepest_m"] == pytest.approx(30)
    found = figures(answer)
    assert found["Share of the forest cleared"] == pytest.approx(6)
    assert found["Cleared a year"] == pytest.approx(600)
    # A forest that reaches the border of the picture has no edge there.
    left = shapely.difference(box(0, 0, 500, 100), box(200, 0, 40, 20))
    wide = ask("forest", before=layer(box(0, 0, 500, 100)), after=layer(left))
    assert wide.findings.table["deepest_m"].iloc[0] == pytest.approx(100)


# --- public infrastructure ------------------------------------------------------------------


def test_coverage_agrees_with_geopandas():
    rng = np.random.default_rng(5)
    buildings = layer(*(box(x, y, 8, 8) for x, y in rng.uniform(5, 380, (80, 2))))
    places = [shapely.Point(x, -y) for x, y in rng.uniform(0, 400, (6, 2))]
    services = Features.of_shapes(
        "services", places, [
            {"amenity": kind, "name": name}
            for kind, name in zip(["school"] * 4 + ["clinic"] * 2, "abcdef")
        ],
    )  # fmt: skip
    answer = ask("services", {"distance": 90.0}, buildings=buildings, services=services)
    frame = gpd.GeoDataFrame(geometry=list(buildings.shapes))
    for kind, some in (("school", places[:4]), ("clinic", places[4:])):
        near = gpd.sjoin_nearest(frame, gpd.GeoDataFrame(geometry=some), distance_col="d")
        np.testing.assert_allclose(answer.findings.table[f"{kind}_m"],
                                   near.groupby(level=0)["d"].min(), atol=1e-9)  # fmt: skip
    both = (answer.findings.table[["school_m", "clinic_m"]] <= 90).all(axis=1).sum()
    assert figures(answer)["Covered by every kind within 90 m"] == both
    inventory = answer.summary().tables["Inventory"]
    assert inventory["Buildings within the distance"].iloc[0] == sum(
        shape.distance(places[0]) <= 90 for shape in buildings.shapes
    )
    with pytest.raises(ApplyError, match="no column “fee”"):
        ask("services", {"column": "fee"}, buildings=buildings, services=services)


# --- vacant land ----------------------------------------------------------------------------


def test_vacant_land_between_drawn_buildings():
    taken = layer(box(0, 0, 500, 100), box(0, 200, 500, 200), box(0, 100, 100, 100))
    road = layer(box(300, 100, 10, 100))
    answer = ask("vacant", {"clearance": 0.0, "access": 10.0}, taken=taken, roads=road)
    assert answer.findings.areas.tolist() == pytest.approx([20_000, 19_000], rel=1e-3)
    assert answer.findings.table["road_m"].tolist() == pytest.approx([0, 0], abs=1e-3)
    assert figures(answer)["Vacant area"] == pytest.approx(39_000, rel=1e-3)
    parcels = layer(box(100, 100, 100, 100), box(200, 100, 100, 100))
    by = ask("vacant", {"clearance": 0.0}, taken=taken, roads=road, parcels=parcels)
    assert by.findings.areas.tolist() == pytest.approx([10_000, 10_000], rel=1e-3)
    inner = by.findings.table.sort_values("road_m")
    assert inner[VERDICT].tolist() == ["at a road", "without access"]
    assert inner["compactness"].iloc[0] == pytest.approx(math.pi / 4, rel=1e-3)


# --- density --------------------------------------------------------------------------------


def test_density_of_squares_by_hand():
    buildings = layer(box(10, 10, 20, 20), box(20, 20, 20, 20), box(150, 50, 10, 10))
    answer = ask("density", {"size": 100.0}, buildings=buildings)
    assert len(answer.findings) == 20
    table = answer.findings.table.set_index("zone")
    # Two buildings that overlap by 100 m² cover 700.
    assert table.loc["A1", "coverage_percent"] == pytest.approx(7.0)
    assert table.loc["A1", "per_hectare"] == pytest.approx(2.0)
    assert table.loc["A1", "mean_size_m2"] == pytest.approx(400)
    assert table.loc["B1", "coverage_percent"] == pytest.approx(1.0)
    rings = ask("density", {"by": "rings around the middle", "size": 100.0}, buildings=buildings)
    assert rings.findings.areas.sum() == pytest.approx(500 * 400, rel=1e-6)
    assert rings.findings.areas[0] == pytest.approx(math.pi * 1e4, rel=1e-3)
    green = layer(box(10, 60, 10, 10))
    near = ask("density", {"size": 100.0, "near": 25.0}, buildings=buildings, green=green)
    row = near.findings.table.set_index("zone").loc["A1"]
    assert row["green_percent"] == pytest.approx(50)
    assert row["green_m2"] == pytest.approx(100)
    with pytest.raises(ApplyError, match="Choose larger"):
        ask("density", {"size": 1.0}, buildings=buildings)


# --- cost -----------------------------------------------------------------------------------

COSTS = {"unit_low": 800.0, "unit_likely": 1000.0, "unit_high": 1500.0, "floors": 2.0,
         "currency": "KES"}  # fmt: skip


def test_cost_by_hand():
    graded = layer(box(0, 0, 10, 10), box(20, 0, 10, 10), box(40, 0, 10, 10),
                   grade=["destroyed", "no visible damage", "Possibly damaged"])  # fmt: skip
    answer = ask("cost", COSTS, damage=graded)
    found = figures(answer)
    assert found["Damaged buildings"] == 2
    # 100 m² × 2 storeys × unit cost × share lost, of either building.
    assert found["Cost, low"] == pytest.approx(200 * 800 * (0.80 + 0.02))
    assert found["Cost, likely"] == pytest.approx(200 * 1000 * (1.00 + 0.10))
    assert found["Cost, high"] == pytest.approx(200 * 1500 * (1.10 + 0.25))
    assert any("KES" in text for text in answer.assumptions)
    assert answer.draft
    missing = QUESTIONS["cost"].missing(Inputs(SITE, {"damage": graded}))
    assert [one.key for one in missing] == ["unit_low", "unit_likely", "unit_high"]
    with pytest.raises(ApplyError, match="low may not be above likely"):
        ask("cost", COSTS | {"unit_low": 2000.0}, damage=graded)
    with pytest.raises(ApplyError, match="no grade of damage"):
        ask("cost", COSTS, damage=layer(box(0, 0, 9, 9), grade=["bad"]))


# --- checks ---------------------------------------------------------------------------------


def test_a_corrected_verdict_counts_in_place_of_the_first():
    graded = layer(box(0, 0, 10, 10), grade=["damaged"])
    answer = ask("cost", COSTS, damage=graded)
    (key,) = answer.keys()
    left = answer.checked({key: Check(verdict="destroyed", comment="roof gone")})
    assert left.table[[VERDICT, "checked", "comment"]].iloc[0].tolist() == [
        "destroyed", "corrected", "roof gone",
    ]  # fmt: skip
    assert answer.status({}).startswith("Draft for review: 1 of 1")
    assert answer.status({key: Check("accepted")}) == "Every finding was checked by a person."


def test_layers_of_another_dimension_are_refused():
    points = layer(shapely.Point(10, -10), name="points")
    with pytest.raises(ApplyError, match=r"holds points; “Buildings now” needs areas"):
        ask("permits", buildings=points, permits=layer(box(0, 0, 9, 9)))


def test_settings_say_what_is_wrong():
    with pytest.raises(ApplyError, match="lies from 0 to 10000 m"):
        ask("sensitive", {"distance": -1.0}, objects=layer(box(0, 0, 9, 9)),
            sensitive=layer(box(0, 0, 9, 9)))  # fmt: skip


@pytest.mark.parametrize("key", [k for k, q in QUESTIONS.items() if not q.pictures])
def test_nothing_found_is_an_answer(key: str):
    empty = Features.of_shapes("nothing", [])
    question = QUESTIONS[key]
    graded = replace(empty, table=empty.table.assign(grade=[]))
    layers = {need.key: graded if need.key == "damage" else empty for need in question.needs}
    values = COSTS if key == "cost" else {}
    answer = question.answer(Inputs(SITE, layers, values, ("2015", "2020")))
    assert answer.summary().figures
    assert all(isinstance(figure.text, str) for figure in answer.summary().figures)


def test_areas_are_told_in_three_units():
    assert area_text(4046.8564224) == "4,047 m² (0.40 ha, 1.00 acres)"
    assert area_text(12.3) == "12 m²"

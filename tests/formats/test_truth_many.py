"""Very many outlines: drawn together as each alone, in seconds, or refused before they are."""

from __future__ import annotations

import json

import numpy as np
import pytest
import shapely

from rsam_core.errors import MetricError, TruthChoice
from rsam_core.formats._outline_alone import drawn_alone
from rsam_core.formats.coco.run_lengths import decode
from rsam_core.formats.truth import read_truth
from rsam_core.formats.truth_outlines import draw, drawn_masks
from rsam_core.objects.crops import Crop, cut_out
from rsam_core.runtime.limited_reading import run_limited
from rsam_core.samples import render_town, write_geotiff
from rsam_core.scene.scene import open_scene

SHAPE = (300, 400)


def by_centres(shape: shapely.Geometry) -> np.ndarray:
    """Pixels of the image whose centres lie in a valid outline."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    return shapely.contains_xy(shape, x, y)


def blobs(count: int, seed: int) -> list[shapely.Geometry]:
    """Outlines of one part and of two, with and without holes, some of them beyond the image."""
    random = np.random.default_rng(seed)
    found: list[shapely.Geometry] = []
    for n in range(count):
        x, y = random.uniform(-20, 420), random.uniform(-20, 320)
        radius = random.uniform(3, 40)
        shape = shapely.Point(x, y).buffer(radius, quad_segs=int(random.integers(1, 8)))
        if n % 3 == 0:
            shape = shape.difference(shapely.Point(x + 1, y).buffer(radius / 2))
        if n % 4 == 0:
            shape = shape.union(shapely.box(x + 2 * radius, y, x + 2 * radius + 9.3, y + 11.7))
        found.append(shape)
    return found


def test_outlines_drawn_together_hold_the_centres_that_lie_inside() -> None:
    shapes = blobs(300, seed=3)
    masks, kept, notes = drawn_masks(shapes, SHAPE)
    wanted = [by_centres(shape) for shape in shapes]
    box = (0, 0, SHAPE[1], SHAPE[0])
    seen = dict(zip(kept, range(len(kept))))
    for at, mask in enumerate(wanted):
        if mask.any():
            x0, y0 = masks.boxes[seen[at], :2].tolist()
            found = cut_out(Crop(masks.mask(seen[at]), x0, y0), box)
            assert (found == mask).all(), at
    assert masks.areas.tolist() == [masks.mask(n).sum() for n in range(len(masks))]
    assert len(kept) >= sum(mask.any() for mask in wanted) > 200
    assert notes == [f"{300 - len(kept)} of 300 outlines lie outside the image."]


def test_each_alone_gives_the_same() -> None:
    shapes = blobs(60, seed=5)
    masks, kept, _ = drawn_masks(shapes, SHAPE)
    for number, at in enumerate(kept):
        mask, x, y = drawn_alone(shapes[at], SHAPE)
        assert (x, y) == tuple(masks.boxes[number, :2])
        assert (masks.mask(number) == mask).all()


def test_what_is_thin_or_strange_touches_no_neighbour() -> None:
    square = shapely.box(10, 10, 20, 20)
    strange = [
        square,
        # Between two rows of centres.
        shapely.box(30, 30.6, 40, 30.9),
        # A hole beside its polygon.
        shapely.Polygon([(50, 50), (60, 50), (60, 60), (50, 60)],
                        [[(70, 50), (75, 50), (75, 55), (70, 55)]]),
        shapely.Polygon(),
        shapely.Polygon([(0, 0), (np.nan, 5), (5, 5)]),
        # A bow tie: the ring crosses itself.
        shapely.Polygon([(100, 100), (120, 120), (120, 100), (100, 120)]),
        shapely.box(-1e12, -1e12, 1e12, 1e12),
        square,
    ]  # fmt: skip
    masks, kept, notes = drawn_masks(strange, SHAPE)
    assert kept == [0, 1, 2, 5, 6, 7]
    assert masks.areas.tolist()[:2] == [100, 10]
    assert masks.areas[2] >= 100
    assert masks.areas[3] == pytest.approx(200, abs=20)
    assert masks.areas[4] == SHAPE[0] * SHAPE[1]
    assert masks.areas[5] == 100
    assert notes == ["2 of 8 outlines lie outside the image."]


@pytest.mark.parametrize("kind", ["geojson", "coco"])
def test_outlines_that_all_cover_the_image_are_refused_before_they_are_drawn(kind: str) -> None:
    ring = [[0, 0], [400, 0], [400, 300], [0, 300], [0, 0]]
    if kind == "geojson":
        shape = {"type": "Polygon", "coordinates": [ring]}
        feature = {"type": "Feature", "properties": {}, "geometry": shape}
        told = {"type": "FeatureCollection", "features": [feature] * 1000}
    else:
        runs = {"size": SHAPE, "counts": [0, SHAPE[0] * SHAPE[1]]}
        image = {"id": 1, "file_name": "a.png", "width": SHAPE[1], "height": SHAPE[0]}
        one = {"image_id": 1, "segmentation": runs}
        told = {"images": [image], "annotations": [one] * 1000}
    with pytest.raises(MetricError, match="times as large as the image"):
        read_truth(json.dumps(told).encode(), SHAPE, name="a.json")


def test_outlines_that_lie_on_each_other_as_parcels_and_zones_do_are_drawn() -> None:
    whole = shapely.box(0, 0, SHAPE[1], SHAPE[0])
    objects, notes = draw([whole] * 20, SHAPE)
    assert objects.areas.tolist() == [SHAPE[0] * SHAPE[1]] * 20
    assert not notes


def test_run_lengths_are_those_of_all_columns() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        height, width = random.integers(1, 30, 2)
        mask = random.random((height, width)) < random.choice([0.02, 0.5, 0.98])
        flat = mask.T.ravel()
        edges = np.flatnonzero(np.diff(flat.astype(np.int8), prepend=0)).tolist()
        counts = np.diff([0, *edges, flat.size]).tolist()
        # Runs of length 0 change nothing.
        counts = [counts[0], 0, 0, *counts[1:]]
        told = {"size": [int(height), int(width)], "counts": counts}
        assert (decode(told) == mask).all()


def test_many_outlines_are_read_as_few() -> None:
    rings = [shapely.box(x, y, x + 3, y + 2) for y in range(0, 290, 4) for x in range(0, 390, 4)]
    features = [
        {"type": "Feature", "properties": {"label": f"k{n % 3}", "n": n}, "geometry": {
            "type": "Polygon", "coordinates": [shapely.get_coordinates(ring).tolist()]}}
        for n, ring in enumerate(rings)
    ]  # fmt: skip
    scene = open_scene(write_geotiff(render_town(400, 300)), name="town.tif")
    told = {"type": "FeatureCollection", "coordinates_note": "pixels", "features": features}
    content = json.dumps(told).encode()
    assert len(content) > 64 << 10
    many = read_truth(content, scene, name="many.geojson")
    assert many.count == len(rings)
    assert set(many.objects.areas.tolist()) == {6}
    assert [item.label for item in many.objects[:4]] == ["k0", "k1", "k2", "k0"]
    assert [row["n"] for row in many.attributes] == list(range(len(rings)))
    few = read_truth(json.dumps(told | {"features": features[:50]}).encode(), scene, name="few")
    assert few.notes == many.notes
    assert [i.bbox for i in few.objects] == [i.bbox for i in many.objects[:50]]


def test_a_choice_comes_back_from_another_process() -> None:
    with pytest.raises(TruthChoice, match="Which one") as caught:
        run_limited(choosing)
    assert caught.value.option == "layer"
    assert caught.value.choices == (("a", "first"), ("b", "second"))


def choosing() -> dict:
    raise TruthChoice("Which one?", "layer", [("a", "first"), ("b", "second")])

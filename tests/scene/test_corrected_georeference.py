"""From a tilted picture to objects on the map: their places agree with the untouched truth."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import shape
from shapely.ops import transform as move

from rsam_core.formats import to_geojson
from rsam_core.objects.instances import Instances
from rsam_core.prepare import Raster, write_scene
from rsam_core.prepare.geometric import homography
from rsam_core.prepare.steps.geometric import GroundControlPoints, Reproject, Rotate
from rsam_core.samples import TownSample

POINTS = [(20, 16), (430, 22), (418, 300), (25, 290), (220, 150), (330, 90), (110, 210)]


@pytest.fixture(scope="module")
def tilted(town: TownSample) -> tuple[np.ndarray, np.ndarray, tuple]:
    """Town and labels as a camera at an angle sees them, and control points from a map.

    OpenCV does the warping; in its matrices the centre of the first pixel is (0, 0).
    """
    corners = np.array([[0, 0], [448, 0], [448, 320], [0, 320]], float)
    seen = np.array([[60, 25], [395, 8], [470, 330], [8, 345]], float)
    matrix = homography(corners, seen)
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(half) @ matrix @ half
    picture = cv2.warpPerspective(town.image, centred, (480, 350), flags=cv2.INTER_CUBIC)
    labels = cv2.warpPerspective(
        town.labels.astype(np.float32), centred, (480, 350), flags=cv2.INTER_NEAREST
    )
    control = []
    for x, y in POINTS:
        u, v, w = matrix @ (x, y, 1)
        control.append((u / w, v / w, *(town.transform * (x, y))))
    return picture, labels.astype(np.int32), tuple(control)


def outlines(labels: np.ndarray, scene, crs: str) -> dict[int, object]:
    """Roof outlines on the map, by number."""
    features = json.loads(to_geojson(Instances.from_label_map(labels), scene))["features"]
    there = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    return {f["properties"]["id"]: move(there, shape(f["geometry"])) for f in features}


def test_roofs_found_on_a_corrected_picture_lie_where_they_are(town, tilted):
    picture, seen, control = tilted
    step = GroundControlPoints(control=control, crs=town.crs, model="projective", gsd=town.gsd)
    corrected = step.apply(Raster.of_array(picture))
    numbers = Raster.of_array(seen.astype(np.float32))
    nearest = GroundControlPoints(
        control=control, crs=town.crs, model="projective", gsd=town.gsd, kernel="nearest"
    )
    found = nearest.apply(numbers)
    assert found.transform == corrected.transform
    roofs = [
        n for n, kind in town.classes.items() if kind == "roof" and (town.labels == n).sum() > 300
    ]
    labels = found.values[..., 0].round().astype(np.int32)
    scene = write_scene(corrected, "corrected.tif")
    measured = outlines(np.where(np.isin(labels, roofs), labels, 0), scene, town.crs)
    original = Raster.of_array(town.image, transform=town.transform, crs=town.crs, gsd=town.gsd)
    true = outlines(
        np.where(np.isin(town.labels, roofs), town.labels, 0),
        write_scene(original, "true.tif"),
        town.crs,
    )
    assert len(true) >= 5
    assert set(measured) == set(true)
    for number, outline in true.items():
        apart = outline.centroid.distance(measured[number].centroid)
        assert apart < 0.5 * town.gsd
        assert measured[number].area == pytest.approx(outline.area, rel=0.05)


def test_a_chain_of_corrections_keeps_places(town):
    raster = Raster.of_array(town.image, transform=town.transform, crs=town.crs, gsd=town.gsd)
    chain = Reproject(target="EPSG:3857").apply(Rotate(degrees=20).apply(raster))
    back = Reproject(target=town.crs, gsd=town.gsd).apply(chain)
    # The middle of the picture, found again by what is there.
    x, y = ~back.transform * (town.transform * (224, 160))
    patch = town.image[130:190, 194:254].astype(np.float32)
    part = back.values[int(y) - 40 : int(y) + 40, int(x) - 40 : int(x) + 40]
    match = cv2.matchTemplate(part, patch, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(match)
    assert best > 0.8
    assert abs(int(x) - 40 + column + 30 - x) <= 1
    assert abs(int(y) - 40 + row + 30 - y) <= 1

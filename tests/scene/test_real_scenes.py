"""Real satellite, aerial and drone images open, show, embed and measure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.features import rasterize

from rsam_core.models.tiny import TinyModel
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.scene.bands import presets
from rsam_core.scene.description import facts
from rsam_core.scene.scene import Scene, Window, open_scene
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.rasters import SHARED, ellipsoidal

FILES = {
    "aoi1_zanzibar_tz_z19.tif": ((2048, 1024, 3), "EPSG:3857", 0.29858 * ellipsoidal(-6.04)),
    "aoi5_nairobi_ke_z19.tif": ((1024, 1024, 3), "EPSG:3857", 0.29858 * ellipsoidal(-1.305)),
    "m_4709963_se_14_1_20100629.tif": ((934, 723, 4), "EPSG:26914", 5.0),
    "m_4709963_se_14_1_20190904.tif": ((934, 723, 4), "EPSG:26914", 5.0),
    # 2.7e-6° of latitude are 0.300 m; of longitude as much times the cosine.
    "spacenet2_paris_rgb_img1447.tif": ((650, 650, 3), "EPSG:4326", 0.2435),
    "spacenet3_vegas_img0_4band.tif": ((1300, 1300, 4), "EPSG:4326", 0.2695),
}
PLACES = {
    "aoi1_zanzibar_tz_z19": (2048, 1024, 32737),
    "aoi5_nairobi_ke_z19": (1024, 1024, 32737),
}


def shared(name: str) -> Path:
    """Path of a shared file; the test is skipped without it."""
    path = SHARED / name
    if not path.exists():
        pytest.skip("shared data absent")
    return path


@pytest.mark.parametrize("name", FILES)
def test_header_and_pixels(name: str) -> None:
    scene = open_scene(shared(name))
    size, crs, gsd = FILES[name]
    assert (scene.width, scene.height, scene.count) == size
    assert scene.crs == crs
    assert scene.gsd == pytest.approx(gsd, rel=1e-3)
    window = Window(100, 200, 256, 128)
    view = scene.read_rgb(window)
    assert view.shape == (128, 256, 3)
    assert view.std() > 10
    if size[2] == 3:
        with rasterio.open(SHARED / name) as dataset:
            truth = dataset.read().transpose(1, 2, 0)
        np.testing.assert_array_equal(view, truth[window.slices])


@pytest.mark.parametrize("name", FILES)
def test_a_window_embeds_and_a_click_is_answered(name: str, tiny: TinyModel) -> None:
    from rsam_core.prompts.prompt import Prompt

    scene = open_scene(shared(name))
    segmenter = Segmenter(tiny)
    embedding = segmenter.embed(scene.read_rgb(Window(300, 300, 256, 192)))
    found = segmenter.predict(embedding, Prompt(box=(60, 40, 160, 140)))
    assert found.masks.shape[1:] == (192, 256)
    assert found.masks.any()


@pytest.mark.parametrize("name", FILES)
def test_every_preset_shows_a_picture(name: str) -> None:
    scene = open_scene(shared(name))
    offered = presets(scene)
    # Of the two 4-band sources one has near infrared, the other transparency.
    four = name.startswith("m_")
    assert ("Colour infrared" in offered) == four
    assert len(offered) == (1 + 3 + 4 if four else 1 + 3)
    for settings in offered.values():
        view = scene.with_view(settings).read_rgb(max_size=200)
        assert view.std() > 10
    assert dict(facts(scene))["Coordinates"].startswith(("WGS 84", "NAD83"))


def test_every_photograph_of_the_coast_opens_and_shows(tiny: TinyModel) -> None:
    paths = sorted(shared("coast_unlabelled").glob("*.*"))
    assert paths
    for path in paths:
        scene = open_scene(path)
        assert (scene.transform, scene.count) == (None, 3)
        assert scene.read_rgb(max_size=230).std() > 10
    view = scene.read_rgb(Window(700, 400, 200, 160))
    assert Segmenter(tiny).embed(view).shape == (160, 200)


def test_plants_and_water_of_the_prairie_stand_apart() -> None:
    # North Dakota in June: ponds in green fields. Both indices must separate the darkest infrared
    # (water) from the brightest (crops).
    scene = open_scene(shared("m_4709963_se_14_1_20100629.tif"))
    infrared = scene.read_bands()[..., 3].astype(float)
    valid = scene.valid_mask()
    ndvi, ndwi = scene.index("ndvi"), scene.index("ndwi")
    water = valid & (infrared < np.percentile(infrared[valid], 3))
    crops = valid & (infrared > np.percentile(infrared[valid], 90))
    assert np.nanmedian(ndvi[water]) < 0 < np.nanmedian(ndvi[crops])
    assert np.nanmedian(ndwi[crops]) < 0 < np.nanmedian(ndwi[water])


def footprints(name: str) -> tuple[Scene, Instances, np.ndarray]:
    """Return the scene, its footprints as objects, and the true area of each in square metres.

    The truth is geopandas' area of the polygons, cut to the scene, in the local UTM zone; the
    objects are the same polygons drawn on the pixels of the scene.
    """
    import geopandas as gpd
    from shapely.geometry import box

    scene = open_scene(shared(f"{name}.tif"))
    frame = gpd.read_file(shared(f"{name}_buildings.geojson")).to_crs(scene.crs)
    left, top = scene.pixel_to_map(0, 0)
    right, bottom = scene.pixel_to_map(scene.width, scene.height)
    frame = frame.clip(box(left, bottom, right, top), keep_geom_type=True)
    areas = frame.to_crs(PLACES[name][2]).area
    items, truth = [], []
    for shape, area in zip(frame.geometry, areas):
        mask = rasterize([shape], (scene.height, scene.width), transform=scene.transform)
        if mask.any():
            rows, columns = np.nonzero(mask)
            y, x = rows.min(), columns.min()
            crop = mask[y : rows.max() + 1, x : columns.max() + 1].astype(bool)
            items.append(Instance(crop, int(x), int(y), 1.0, id=len(items) + 1))
            truth.append(area)
    return scene, Instances(items, (scene.height, scene.width)), np.array(truth)


@pytest.mark.parametrize("name", PLACES)
def test_footprint_areas_agree_with_geopandas_in_the_utm_zone(name: str) -> None:
    scene, objects, truth = footprints(name)
    table = measure(objects, scene)
    measured = table["area_m2"].to_numpy()
    assert len(measured) > 20
    assert measured.sum() == pytest.approx(truth.sum(), rel=0.01)
    large = truth > 100
    error = measured[large] / truth[large] - 1
    assert large.sum() >= 10
    # Drawing a building on pixels of 0.3 m moves its area a little either way.
    assert abs(error.mean()) < 0.005
    assert error.std() < 0.01
    assert np.abs(error).max() < 0.03

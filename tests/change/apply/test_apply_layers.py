"""Layers of places on the ground of a picture: moved, repaired, clipped, refused in plain words."""

from __future__ import annotations

import io
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine
from pyproj import Geod

from rsam_core.change.apply import Features, Site, read_layer
from rsam_core.change.picture import ArrayPicture
from rsam_core.errors import ApplyError, TruthChoice

UTM, ORIGIN = "EPSG:32737", (500_000.0, 9_860_000.0)
TRANSFORM = Affine(0.5, 0, ORIGIN[0], 0, -0.5, ORIGIN[1])


def picture(crs: str | None = UTM, transform: Affine | None = TRANSFORM, gsd: float | None = 0.5):
    if transform is not None and crs is not None:
        from rsam_core.scene.ground_distance import ground_sample_distance

        gsd = ground_sample_distance(transform, crs, 800, 600)
    return ArrayPicture(np.zeros((600, 800, 3), np.uint8), "place.tif", crs, transform, gsd)


@pytest.fixture(scope="module")
def site() -> Site:
    return Site.of(picture())


def at(x0: float, y0: float, x1: float, y1: float) -> shapely.Polygon:
    """A box in metres right of and below the corner of the picture, in UTM."""
    return shapely.box(ORIGIN[0] + x0, ORIGIN[1] - y1, ORIGIN[0] + x1, ORIGIN[1] - y0)


def frame(shapes: list, crs: str | None = UTM, **columns: list) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns or {"name": range(len(shapes))}, geometry=shapes, crs=crs)


def gpkg(table: gpd.GeoDataFrame, layer: str = "plan") -> bytes:
    stream = io.BytesIO()
    table.to_file(stream, driver="GPKG", layer=layer)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("crs", "transform"),
    [
        (UTM, TRANSFORM),
        ("EPSG:4326", Affine(5e-6, 0, 39.0, 0, -5e-6, -1.26)),
        ("EPSG:3857", Affine(0.6, 0, 1_300_000.0, 0.0, -0.6, 7_000_000.0)),
        ("EPSG:32633", Affine(0.4, 0.3, 400_000, 0.3, -0.4, 5_800_000)),
    ],
)
def test_areas_and_distances_are_those_on_the_ellipsoid(crs: str, transform: Affine):
    site = Site.of(picture(crs, transform))
    corners = np.array([(100, 100), (300, 120), (280, 420), (90, 380)])
    plane = site.plane([shapely.Polygon(corners)])[0]
    mapped = [transform @ tuple(corner) for corner in corners]
    degrees = gpd.GeoSeries([shapely.Polygon(mapped)], crs=crs).to_crs(4326)[0]
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(degrees)
    assert plane.area == pytest.approx(abs(area), rel=2e-6)
    one, two = degrees.exterior.coords[0], degrees.exterior.coords[2]
    points = plane.exterior.coords
    metres = Geod(ellps="WGS84").inv(*one, *two)[2]
    assert np.hypot(*np.subtract(points[0], points[2])) == pytest.approx(metres, rel=1e-6)
    back = shapely.get_coordinates(site.pixels([plane]))[:4]
    # The series of the projection are good to half a millimetre.
    np.testing.assert_allclose(back, corners, atol=2e-3)


def test_a_typed_pixel_size_stands_for_square_pixels():
    site = Site.of(picture(None, None, 2.0))
    assert not site.placed
    plane = site.plane([shapely.box(10, 20, 30, 60)])[0]
    assert plane.bounds == (20, -120, 60, -40)
    assert site.area == 800 * 600 * 4
    # Somebody who typed another size than the map's means square pixels of that size.
    typed = picture()
    assert Site.of(ArrayPicture(typed.image, "a", UTM, TRANSFORM, 0.7)).area == pytest.approx(
        800 * 600 * 0.49
    )
    with pytest.raises(ApplyError, match="Type the ground sample distance"):
        Site.of(picture(None, None, None))


def test_every_format_gives_the_same_ground(site: Site, tmp_path):
    shapes = [at(10, 10, 60, 40), at(100, 100, 220, 160)]
    table = frame(shapes, name=["one", "two"])
    table.to_file(tmp_path / "plan.shp")
    with zipfile.ZipFile(tmp_path / "plan.zip", "w") as archive:
        for part in tmp_path.glob("plan.[sdp]*"):
            archive.write(part, part.name)
    degrees = table.to_crs(4326)
    rings = "".join(
        f"<Placemark><name>{name}</name><Polygon><outerBoundaryIs><LinearRing><coordinates>"
        + " ".join(f"{x:.12f},{y:.12f}" for x, y in shape.exterior.coords)
        + "</coordinates></LinearRing></outerBoundaryIs></Polygon></Placemark>"
        for name, shape in zip(table["name"], degrees.geometry)
    )
    text = "name;wkt\n" + "".join(f"{n};{s.wkt}\n" for n, s in zip(table["name"], shapes))
    files = {
        "plan.gpkg": gpkg(table),
        "plan.geojson": degrees.to_json().encode(),
        "plan.zip": (tmp_path / "plan.zip").read_bytes(),
        "plan.kml": f'<kml xmlns="http://www.opengis.net/kml/2.2">{rings}</kml>'.encode(),
        "plan.csv": text.encode(),
    }
    for name, content in files.items():
        layer = read_layer(content, site, name=name)
        assert layer.names() == ["one", "two"], name
        # UTM is short by 0.9996² at its middle meridian.
        np.testing.assert_allclose(layer.areas, [1500 / 0.9996**2, 7200 / 0.9996**2], rtol=1e-5)
        np.testing.assert_allclose(
            shapely.bounds(site.pixels(layer.shapes))[0], [20, 20, 120, 80], atol=0.02
        )


def test_points_by_longitude_and_latitude(site: Site):
    lonlat = gpd.GeoSeries([shapely.Point(ORIGIN[0] + 50, ORIGIN[1] - 70)], crs=UTM).to_crs(4326)[0]
    text = f"name,amenity,longitude,latitude\nPrimary,school,{lonlat.x:.9f},{lonlat.y:.9f}\n"
    layer = read_layer(text.encode(), site, name="places.csv")
    pixel = shapely.get_coordinates(site.pixels(layer.shapes))
    np.testing.assert_allclose(pixel, [[100, 140]], atol=0.01)
    assert layer.column("amenity") == ["school"]


def test_what_crosses_itself_is_repaired_and_said(site: Site):
    bow = shapely.Polygon([(ORIGIN[0] + x, ORIGIN[1] - y) for x, y in
                           [(10, 10), (50, 50), (50, 10), (10, 50)]])  # fmt: skip
    layer = read_layer(gpkg(frame([bow, at(100, 100, 110, 110)])), site, name="plan.gpkg")
    assert shapely.is_valid(layer.shapes).all()
    # Two triangles that touch in the middle.
    assert layer.areas[0] == pytest.approx(800 / 0.9996**2, rel=1e-5)
    assert "1 shape crossed or touched themselves and were repaired." in layer.notes


def test_far_things_are_left_out_and_near_ones_stay(site: Site):
    shapes = [at(10, 10, 20, 20), at(-60, 100, -40, 120), at(90_000, 0, 90_010, 10)]
    layer = read_layer(gpkg(frame(shapes)), site, name="rivers.gpkg")
    assert len(layer) == 2
    assert any("1 of 3 entries lie far outside" in note for note in layer.notes)
    inside = layer.clipped(site.extent)
    assert len(inside) == 1
    assert any("lie outside the picture" in note for note in inside.notes)


def test_wrong_place_empty_and_unreadable_are_told_apart(site: Site):
    berlin = frame([shapely.box(13.3, 52.5, 13.4, 52.6)], "EPSG:4326")
    with pytest.raises(ApplyError, match=r"another place than the image.*longitude 13\.35"):
        read_layer(gpkg(berlin), site, name="berlin.gpkg")
    with pytest.raises(ApplyError, match="holds nothing that can be used"):
        read_layer(b'{"type": "FeatureCollection", "features": []}', site, name="e.geojson")
    with pytest.raises(ApplyError, match="0 bytes"):
        read_layer(b"", site, name="plan.gpkg")
    with pytest.raises(ApplyError, match="one part of a Shapefile"):
        read_layer(b"\0\0\x27\x0a" + b"\0" * 200, site, name="plan.shp")
    with pytest.raises(ApplyError, match="no layer that is read here"):
        read_layer(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", site, name="plan.png")
    with pytest.raises(ApplyError, match="XML of a kind"):
        read_layer(b"<gml><a/></gml>", site, name="plan.gml")
    with pytest.raises(ApplyError, match="damaged or incomplete"):
        read_layer(gpkg(frame([at(0, 0, 9, 9)]))[:5000], site, name="plan.gpkg")


def test_no_coordinate_system_is_taken_for_that_of_the_image(site: Site):
    layer = read_layer(gpkg(frame([at(10, 10, 60, 40)], crs=None)), site, name="plan.gpkg")
    assert layer.areas[0] == pytest.approx(1500 / 0.9996**2, rel=1e-5)
    assert any("does not name its coordinate system" in note for note in layer.notes)


def test_several_layers_are_a_choice(site: Site, tmp_path):
    for name in ("permits", "zones"):
        frame([at(10, 10, 20, 20)]).to_file(tmp_path / "a.gpkg", driver="GPKG", layer=name)
    content = (tmp_path / "a.gpkg").read_bytes()
    with pytest.raises(TruthChoice, match="several layers") as caught:
        read_layer(content, site, name="a.gpkg")
    assert [value for value, _ in caught.value.choices] == ["permits", "zones"]
    assert len(read_layer(content, site, name="a.gpkg", layer="zones")) == 1


def test_lines_over_a_picture_in_degrees():
    site = Site.of(picture("EPSG:4326", Affine(5e-6, 0, 39.0, 0, -5e-6, -1.26)))
    back = gpd.GeoSeries(
        [shapely.LineString([(39.001, -1.2605), (39.002, -1.2605)])], crs=4326
    ).to_crs(UTM)
    layer = read_layer(gpkg(frame([back[0]])), site, name="road.gpkg")
    metres = Geod(ellps="WGS84").inv(39.001, -1.2605, 39.002, -1.2605)[2]
    assert shapely.length(layer.shapes[0]) == pytest.approx(metres, rel=1e-6)


def test_many_shapes_are_indexed(site: Site):
    x, y = np.meshgrid(np.arange(150) * 2.4, np.arange(150) * 1.9)
    x, y = ORIGIN[0] + x.ravel(), ORIGIN[1] - y.ravel()
    boxes = shapely.box(x, y - 0.5, x + 0.5, y)
    content = gpkg(frame(list(boxes)))
    layer = read_layer(content, site, name="many.gpkg")
    assert len(layer) == 150 * 150
    # Each is found by the index alone.
    assert len(layer.tree.query(layer.shapes[5])) == 1


def test_drawn_areas(site: Site):
    drawn = Features.of_polygons([[(0, 0), (100, 0), (100, 40), (0, 40)]], site, "zone")
    assert drawn.areas[0] == pytest.approx(50 * 20 / 0.9996**2, rel=1e-4)
    assert drawn.names() == ["zone"]
    # Of an outline that crosses itself both wings count.
    bow = [(0, 0), (40, 40), (40, 0), (0, 40)]
    two = Features.of_polygons([bow, bow], site, "zones", ["North", ""])
    assert two.names() == ["North", "zones 2"]
    assert two.areas[0] == pytest.approx(2 * 10 * 20 / 2 / 0.9996**2, rel=1e-4)
    with pytest.raises(ApplyError, match="three corners"):
        Features.of_polygons([[(0, 0), (1, 1)]], site, "zone")
    with pytest.raises(ApplyError, match="encloses nothing"):
        Features.of_polygons([[(0, 0), (1, 1), (2, 2)]], site, "zone")

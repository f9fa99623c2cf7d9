"""Tables and shapes as other programs write them, and as nobody should."""

from __future__ import annotations

import json
import struct

import pytest
import shapely

from rsam_core.change.apply import Site, read_layer
from rsam_core.errors import ApplyError, MetricError
from rsam_core.formats.truth import read_truth
from rsam_core.formats.vector_csv import read_csv
from rsam_core.formats.vector_files import read_layers
from rsam_core.formats.well_known_binary import is_sound
from tests.hostile import seeds
from tests.hostile.layers import nested, nested_binary

X, Y = 500_005.0, 3_999_995.0
BOX = shapely.box(X, Y - 9, X + 9, Y)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (f"name\tx\ty\theight\na\t{X}\t{Y}\t3.5\n".encode("utf-16"), 3.5),
        (f"sep=|\r\nname|x|y|height\r\na|{X}|{Y}|3.5\r\n".encode(), 3.5),
        (f"name,x,y,height\ra,{X},{Y},3.5\r".encode(), 3.5),
        (f"name;x;y;height\na;{X};{Y};3,5\n".replace(".", ",").encode(), 3.5),
        (f"name;x;y;height\na;{X};{Y};1_000\n".encode(), "1_000"),
        (f"name;x;y;height\na;{X};{Y};0815\n".encode(), "0815"),
        (f"name;x;y;height\na;{X};{Y};123456789012345678\n".encode(), 123456789012345678),
        (f"name;x;y;height\na;{X};{Y};12345678901234567890\n".encode(), "12345678901234567890"),
        (f"name;x;y;height\na;{X};{Y};٣\n".encode(), "٣"),
        (f"name;x;y;height\na;{X};{Y};1e3\n".encode(), 1000),
    ],
)
def test_numbers_are_what_is_written(content: bytes, value: object):
    (layer,) = read_csv(content, "places.csv")
    assert [(p.x, p.y) for p in layer.shapes] == [(X, Y)]
    assert layer.rows[0]["height"] == value
    assert type(layer.rows[0]["height"]) is type(value)


def test_digits_of_python_are_no_coordinates():
    (layer,) = read_csv(b"x,y\n1_000,2\n1,2\n", "a.csv")
    assert len(layer.shapes) == 1
    assert layer.left_out == {"without coordinates": 1}


def test_shapes_as_a_database_writes_them():
    other = shapely.set_srid(shapely.box(0, 0, 1, 1), 4326)
    shapes = [
        shapely.to_wkb(shapely.set_srid(BOX, 32637), hex=True, include_srid=True),
        f'"SRID=32637;{BOX.wkt}"',
        shapely.to_wkb(other, hex=True, include_srid=True),
        "0103",
    ]
    content = "id;geom\n" + "".join(f"{k};{shape}\n" for k, shape in enumerate(shapes))
    (layer,) = read_csv(content.encode(), "a.csv")
    assert layer.crs == "EPSG:32637"
    assert [shape.equals(BOX) for shape in layer.shapes] == [True, True]
    assert layer.left_out == {
        "in another coordinate system than the first ones": 1,
        "with a damaged geometry": 1,
    }
    found = read_layer(content.encode(), Site.of(seeds.scene()), name="a.csv")
    # A metre on the map is one on the ground to 4 parts in 10,000 there.
    assert found.areas.tolist() == pytest.approx([81, 81], rel=1e-3)


def test_collections_without_end_are_damage_and_nothing_more():
    content = f'id;wkt\n0;"{BOX.wkt}"\n1;"{nested(3000)}"\n2;"{nested(3)}"\n'.encode()
    (layer,) = read_csv(content, "a.csv")
    assert len(layer.shapes) == 2
    assert layer.left_out == {"with a damaged geometry": 1}


@pytest.mark.parametrize(
    "shape",
    [
        "POINT (1 2)", "POINT Z (1 2 3)", "POINT EMPTY", "LINESTRING (0 0, 1 1)",
        "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 1, 2 1, 2 2, 1 1))", "POLYGON EMPTY",
        "POLYGON Z ((0 0 1, 4 0 1, 4 4 1, 0 0 1))",
        "POLYGON ZM ((0 0 1 2, 4 0 1 2, 4 4 1 2, 0 0 1 2))",
        "MULTIPOLYGON (((0 0, 4 0, 4 4, 0 0)), ((9 9, 8 9, 8 8, 9 9)))",
        "MULTIPOINT ((1 2), (3 4))",
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))", "GEOMETRYCOLLECTION EMPTY",
    ],
)  # fmt: skip
def test_sound_shapes_of_every_kind_are_sound(shape: str):
    made = shapely.from_wkt(shape)
    for options in (
        {}, {"byte_order": 0}, {"flavor": "iso"}, {"include_srid": True}, {"output_dimension": 2},
    ):  # fmt: skip
        blob = shapely.to_wkb(shapely.set_srid(made, 32637), **options)
        assert is_sound(blob), options
        if not made.is_empty:
            assert not is_sound(blob[:-1])


@pytest.mark.parametrize(
    "blob",
    [
        b"", b"\1", b"\7\1\0\0\0", b"\1\3\0\0\0\xff\xff\xff\x7f", nested_binary(9),
        nested_binary(100_000), struct.pack("<BI", 1, 99), b"\1\6\0\0\0\1\0\0\0\1\3",
    ],
)  # fmt: skip
def test_shapes_that_are_cut_or_without_end_are_not_sound(blob: bytes):
    assert not is_sound(blob)


def test_names_in_kml_belong_to_their_own_placemark():
    point = "<Point><coordinates>{},2</coordinates></Point>"
    content = (
        f"<kml><Placemark>{point.format(1)}<name>a</name><name>x</name>"
        f"<Placemark><name>b</name>{point.format(5)}</Placemark></Placemark></kml>"
    )
    (layer,) = read_layers(content.encode(), "kml", "a.kml", areas=False)
    assert [(row["name"], shape.x) for row, shape in zip(layer.rows, layer.shapes)] == [
        ("a", 1), ("b", 5),
    ]  # fmt: skip


def test_attributes_that_no_table_holds_become_texts():
    geometry = {"type": "Polygon", "coordinates": [seeds.ring(10, 10, 20, 20)]}
    row = {"name": "Ost\ud800", "\ud800": 1, "big": 2**64, "huge": 10**400, "id": 2**63 - 1}
    feature = {"type": "Feature", "properties": row, "geometry": geometry}
    content = json.dumps(
        {"type": "FeatureCollection", "features": [feature],
         "crs": {"type": "name", "properties": {"name": "EPSG:32637"}}}
    ).encode()  # fmt: skip
    found = read_layer(content, Site.of(seeds.scene()), name="a.geojson")
    assert found.table.iloc[0].to_dict() == {
        "name": "Ost?", "?": 1, "big": str(2**64), "huge": "a number of about 400 digits",
        "id": 2**63 - 1,
    }  # fmt: skip


def test_xml_in_another_code_is_told_and_not_shown():
    content = '<?xml version="1.0" encoding="utf-16"?><kml><a b="/private"/></kml>'.encode("utf-16")
    with pytest.raises(ApplyError, match=r"“a\.kml” is XML in a code that is not read") as caught:
        read_layer(content, Site.of(seeds.scene()), name="a.kml")
    assert "private" not in str(caught.value)


@pytest.mark.parametrize("crs", ["OGC:CRS84", "EPSG:32637"])
def test_swapped_coordinates_are_told(crs: str):
    ring = seeds.ring(10, 10, 20, 20)
    if crs == "OGC:CRS84":
        ring = [[39.00006, 36.14467], [39.0002, 36.14467], [39.0002, 36.1446], [39.00006, 36.14467]]

    def content(swapped: bool) -> bytes:
        points = [point[::-1] if swapped else point for point in ring]
        return json.dumps(
            {"type": "Feature", "properties": {},
             "crs": {"type": "name", "properties": {"name": crs}},
             "geometry": {"type": "Polygon", "coordinates": [points]}}
        ).encode()  # fmt: skip

    assert read_truth(content(False), seeds.scene(), name="a.geojson").count == 1
    with pytest.raises(MetricError, match=r"swapped they would meet it.*longitude before latitude"):
        read_truth(content(True), seeds.scene(), name="a.geojson")
    far = content(False).replace(b"39.", b"-70.").replace(b"3999", b"7999").replace(b"36.", b"10.")
    with pytest.raises(MetricError, match="another place") as caught:
        read_truth(far, seeds.scene(), name="a.geojson")
    assert "swapped" not in str(caught.value)

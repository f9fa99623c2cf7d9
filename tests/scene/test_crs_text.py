"""Coordinate systems in files: what is a name is taken, what names a file is not."""

from __future__ import annotations

import pytest
from pyproj import CRS

from rsam_core.errors import SceneError
from rsam_core.scene.crs_text import plain_crs
from rsam_core.scene.georeference import checked_crs


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("EPSG:4326", "EPSG:4326"),
        ("urn:ogc:def:crs:EPSG::32737", "EPSG:32737"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "OGC:CRS84"),
        ("http://www.opengis.net/def/crs/EPSG/0/3857", "EPSG:3857"),
        (CRS(32737).to_wkt("WKT1_ESRI"), "EPSG:32737"),
        (CRS(4326).to_wkt("WKT1_ESRI"), "EPSG:4326"),
        (CRS(3857).to_wkt("WKT1_GDAL"), "EPSG:3857"),
        (CRS(25832).to_wkt(), "EPSG:25832"),
    ],
)
def test_names_and_wkt_are_taken(text: str, code: str):
    assert plain_crs(text) == code


def test_a_local_system_stays_wkt():
    assert plain_crs('LOCAL_CS["quarry",UNIT["metre",1]]').startswith("ENGCRS")


@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "C:\\grids\\a.prj",
        "http://127.0.0.1:9/x.prj",
        "/vsicurl/http://127.0.0.1:9/x",
        "+proj=longlat +nadgrids=/etc/passwd",
        "+proj=pipeline +step +proj=hgridshift +grids=/etc/passwd",
        "+init=/opt/x:1",
        CRS(32737).to_wkt().replace("ENSEMBLEACCURACY", 'PARAMETERFILE["x","/etc/passwd"],Q'),
        'GEOGCS["x",DATUM["y",SPHEROID["z",6378137,298]],METHOD["PROJ-based operation method"]]',
        "EPSG:99999999",
        "nonsense",
        "",
        None,
        4326,
        "GEOGCS[" * 5000,
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_not(text: object):
    assert plain_crs(text) is None


def test_what_older_programs_are_told_beside_it_is_dropped():
    hidden = CRS(4326).to_wkt("WKT1_GDAL")
    hidden = hidden.replace(
        'AUTHORITY["EPSG","4326"]]', 'EXTENSION["PROJ4","+proj=longlat +nadgrids=/etc/passwd"]]'
    ).replace('AXIS["Latitude",NORTH],AXIS["Longitude",EAST],', "")
    assert "nadgrids" in hidden
    found = plain_crs(hidden)
    assert found is not None
    assert "nadgrids" not in found


@pytest.mark.parametrize(
    "typed",
    ["+proj=longlat +nadgrids=/etc/passwd", "+init=/opt/x:1", "/vsicurl/http://127.0.0.1/x",
     "https://example.org/crs", "file:/etc/passwd"],
)  # fmt: skip
def test_what_somebody_types_names_no_files(typed: str) -> None:
    with pytest.raises(SceneError, match="no coordinate system"):
        checked_crs(typed)


def test_what_people_type_is_understood() -> None:
    assert checked_crs("32737") == checked_crs("epsg:32737") == "EPSG:32737"
    assert checked_crs("WGS 84 / UTM zone 37S") == "EPSG:32737"

"""Files from the dialog of export: the right objects, read with the libraries that know them."""

from __future__ import annotations

import io
import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from affine import Affine
from rasterio.io import MemoryFile
from streamlit.testing.v1 import AppTest

from pages.parts.shared.downloads import too_many
from pages.parts.shared.export_panel import FORMATS, Request, refusal
from rsam_core.errors import ExportError
from rsam_core.formats.polygons import OutlineSettings
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure
from rsam_core.render.style import OverlayStyle
from rsam_core.samples import TownSample, write_geotiff
from rsam_core.session.session import Session
from tests.helpers.pages import fine, opened, png, texts
from tests.helpers.panels import coloured, panel_app, work_of
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def buttons(at: AppTest) -> dict[str, bool]:
    """Download buttons by label, and whether they can be pressed."""
    return {b.proto.label: not b.proto.disabled for b in at.get("download_button")}


@pytest.fixture
def at() -> AppTest:
    image, objects = coloured()
    page = panel_app("shared.export_panel:export_panel", work_of(png(image), objects))
    page.run()
    fine(page)
    return page


def test_formats_by_purpose_and_what_a_plain_image_lacks(at: AppTest):
    shown = buttons(at)
    assert shown["GeoPackage"]
    assert not shown["KML"]
    assert "no position on Earth" in texts(at)
    for purpose, formats in FORMATS.items():
        at.button_group(key="export-purpose").set_value(purpose).run()
        fine(at)
        assert list(buttons(at)) == [format.title for format in formats]


@pytest.fixture
def local() -> Session:
    """An image on the grid of a building site: metres, and no place on Earth."""
    image, objects = coloured()
    grid = 'LOCAL_CS["Site",UNIT["metre",1],AXIS["Easting",EAST],AXIS["Northing",NORTH]]'
    stream = MemoryFile()
    height, width = image.shape[:2]
    with stream.open(
        driver="GTiff", width=width, height=height, count=3, dtype="uint8", crs=grid,
        transform=Affine(0.1, 0, 1000, 0, -0.1, 2000),
    ) as file:  # fmt: skip
        file.write(np.moveaxis(image, -1, 0))
    return work_of(stream.read(), objects, "site.tif")


def test_what_a_local_grid_cannot_have_is_grey_and_says_why(local: Session):
    page = panel_app("shared.export_panel:export_panel", local)
    page.run()
    fine(page)
    shown = buttons(page)
    refused = {title for title, enabled in shown.items() if not enabled}
    # The independent list: the two formats of longitude and latitude.
    assert refused == {"GeoJSON", "KML"}
    hints = {b.proto.label: b.proto.help for b in page.get("download_button")}
    for title in refused:
        assert hints[title].rstrip(".").replace("\\", "") in texts(page).replace("\\", "")
    # All others give their file.
    found = local.objects
    request = Request(
        local,
        found,
        measure(found, local.image.scene),
        OverlayStyle(),
        ClassList(),
        OutlineSettings(0.0),
    )
    for formats in FORMATS.values():
        for format in formats:
            assert (refusal(format, request) is None) == (format.title not in refused)
            if format.title not in refused:
                assert len(format.make(request)) > 10, format.title


def test_numbers_that_no_png_holds_are_refused_beforehand():
    mask = np.ones((3, 3), bool)
    assert too_many(Instances([Instance(mask, 0, 0, id=65_535)], (9, 9))) is None
    assert "GeoTIFF" in too_many(Instances([Instance(mask, 0, 0, id=65_536)], (9, 9)))


def test_a_file_that_fails_when_it_is_wanted_is_explained(monkeypatch):
    def script() -> None:
        import streamlit as st

        from pages.parts.shared import banner, downloads
        from rsam_core.errors import ExportError

        def broken() -> bytes:
            raise ExportError("The disk is full.")

        with banner.corner():
            downloads.offer("File", broken, "file.bin", "text/plain", key="file")
            st.session_state["wanted"] = True

    kept = {}
    real = st.download_button

    def record(title, data, *args, **options):
        kept["make"] = data
        return real(title, data, *args, **options)

    monkeypatch.setattr(st, "download_button", record)
    page = AppTest.from_function(script, default_timeout=PATIENCE).run()
    assert not page.error
    with pytest.raises(ExportError):
        # What the server does at the click, in a thread of its own.
        kept["make"]()
    page.run()
    assert [error.value for error in page.error] == ["The disk is full."]
    page.run()
    assert len(page.error) == 1


def test_selected_objects_alone(at: AppTest):
    work = opened(at)
    work.marks.select({2, 3})
    at.run()
    fine(at)
    scope = at.button_group(key="export-scope")
    assert scope.options == ["All objects (14)", "Selected (2)"]


@pytest.fixture
def request_of(town: TownSample):
    work = work_of(write_geotiff(town), Instances.from_label_map(town.labels), "town.tif")

    found = work.objects
    table = measure(found, work.image.scene)
    return Request(work, found, table, OverlayStyle(), ClassList(), OutlineSettings(0.0))


def test_every_format_gives_a_file(request_of: Request):
    sizes = {f.title: len(f.make(request_of)) for group in FORMATS.values() for f in group}
    assert min(sizes.values()) > 100


def test_files_hold_the_same_objects(request_of: Request):
    formats = {f.title: f for group in FORMATS.values() for f in group}
    package = gpd.read_file(io.BytesIO(formats["GeoPackage"].make(request_of)))
    assert len(package) == len(request_of.objects)
    assert package.area.sum() == pytest.approx(request_of.table["area_m2"].sum(), rel=1e-6)
    rows = pd.read_csv(io.BytesIO(formats["Table (CSV)"].make(request_of)))
    assert rows["id"].tolist() == request_of.objects.ids.tolist()
    report = formats["Report (HTML)"].make(request_of).decode()
    assert f"{len(request_of.objects):,}" in report
    with zipfile.ZipFile(io.BytesIO(formats["Shapefile (ZIP)"].make(request_of))) as archive:
        assert {name.rsplit(".", 1)[-1] for name in archive.namelist()} >= {"shp", "dbf", "prj"}


def test_the_recipe_repeats_preparation_and_thresholds(request_of: Request):
    from rsam_core.batch import Recipe
    from rsam_core.prepare import Pipeline
    from rsam_core.prepare.steps.noise import Bilateral

    recipe = next(f for f in FORMATS["Table and report"] if f.ending == "batch.json")
    plain = Recipe.from_json(recipe.make(request_of))
    assert plain.model == "rsam-tiny"
    assert not plain.prepare.steps
    request_of.session.image.pipeline = Pipeline().add(Bilateral())
    prepared = Recipe.from_json(recipe.make(request_of))
    assert prepared.prepare == request_of.session.image.pipeline
    assert prepared.segment.min_area == 60, "what the Segment page begins with"

"""Prepare, with images of every kind: the page opens, previews and applies the steps."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.io import MemoryFile
from rasterio.transform import from_origin
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session
from rsam_core.prepare import Pipeline, load_steps
from rsam_core.prepare.steps.colours import RemoveHaze, WhiteBalance
from rsam_core.prepare.steps.noise import Bilateral, Destripe
from rsam_core.prepare.steps.tones import Clahe, Stretch
from rsam_core.session.preparation import Preparations
from tests.helpers.pages import fine, opened, png, put
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings(
    "ignore::rasterio.errors.NotGeoreferencedWarning", "ignore::PendingDeprecationWarning"
)
load_steps()
RECIPE = (
    Pipeline()
    .add(Bilateral(6)).add(Destripe()).add(RemoveHaze()).add(WhiteBalance()).add(Clahe())
    .add(Stretch())
)  # fmt: skip


def tiff(values: np.ndarray, **options) -> bytes:
    """A GeoTIFF; values are (H, W, C)."""
    height, width, count = values.shape
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=width, height=height, count=count, dtype=values.dtype,
            crs="EPSG:32637", transform=from_origin(5e5, 4e6, 2, 2), **options,
        ) as target:  # fmt: skip
            target.write(np.moveaxis(values, 2, 0))
        return memory.read()


def numbers(*shape: int, top: float = 200) -> np.ndarray:
    return np.random.default_rng(len(shape)).uniform(10, top, shape)


def gaps() -> np.ndarray:
    values = numbers(60, 70, 4).astype(np.float32)
    values[10:30, 20:50] = np.nan
    values[5, 5, 2] = np.inf
    values[..., 3] = np.nan
    return values


IMAGES = {
    "one band of 16 bits": tiff(numbers(60, 70, 1, top=4000).astype(np.uint16), nodata=0),
    "four bands of 8 bits": tiff(numbers(60, 70, 4).astype(np.uint8)),
    "decimal numbers with gaps": tiff(gaps(), nodata=np.nan),
    "negative numbers": tiff((numbers(60, 70, 2) - 100).astype(np.int16)),
    "twelve bands": tiff(numbers(40, 50, 12, top=9000).astype(np.uint16)),
    "a constant": tiff(np.full((40, 50, 3), 7, np.uint8)),
    "transparent": png(numbers(60, 70, 4).astype(np.uint8)),
    "grey": png(numbers(60, 70).astype(np.uint8)),
    "the smallest": png(numbers(8, 8, 3).astype(np.uint8)),
    "very long": png(numbers(9, 1200, 3).astype(np.uint8)),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_any_image_is_previewed_and_prepared(app: AppTest, kind: str):
    work = current_session.load(IMAGES[kind], f"{kind}.tif")
    before = work.image.scene
    put(app, work)
    app.run()
    app.switch_page("pages/screens/prepare.py").run()
    fine(app)
    app.session_state["visit"].attached(Preparations).known.take(RECIPE)
    for mode in ("Whole picture", "Detail at 100 %"):
        app.button_group(key="prepare-mode-all").set_value(mode).run()
        fine(app)
    app.button(key="use-prepared").click().run()
    job = opened(app).jobs.get("prepare")
    assert job is None or job.wait(PATIENCE)
    app.run()
    fine(app)
    after = work.image.scene
    assert after is not before
    assert work.image.original is before
    assert (after.shape, after.transform, after.crs) == (
        before.shape, before.transform, before.crs,
    )  # fmt: skip
    assert len(after.data_bands) == len(before.data_bands)
    np.testing.assert_array_equal(after.valid_mask(), before.valid_mask())
    assert after.read_rgb().shape == (*before.shape, 3)

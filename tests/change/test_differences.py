"""Methods without objects as lists of places, with a threshold that acts at once."""

from __future__ import annotations

import io

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import rsam_core as rsam
from rsam_core.change import ArrayPicture
from rsam_core.change.differences import SCALES, compare_pixels
from rsam_core.change.vegetation import has_infrared, vegetation_steps
from rsam_core.errors import Cancelled, ChangeError
from tests.helpers.dates import HOUSES, laid, pictures


def alignment():
    return laid(*(ArrayPicture(p) for p in pictures()))


@pytest.mark.parametrize("method", ["difference", "vectors"])
def test_drawn_houses_are_found_as_places(method):
    found = compare_pixels(alignment(), method, smallest=100)
    boxes = {change.outline.bbox for change in found.changes}
    x, y, w, h = HOUSES["new"][1]
    assert (x, y, x + w, y + h) in boxes
    assert {change.change for change in found.changes} == {"different"}
    assert not any(x <= 155 < x1 and y <= 105 < y1 for x, y, x1, y1 in boxes)
    assert "count" in found.changes[0].reason
    assert found.mask().sum() == sum(change.outline.area for change in found.changes)
    assert len(found.with_threshold(SCALES[method].top * 10).changes) == 0
    again = found.with_threshold(None)
    assert again.threshold == found.automatic
    assert len(again.changes) == len(found.changes)
    assert len(found.table()) == len(found.changes)


def test_what_is_not_seen_is_no_change():
    first, second = pictures()
    hidden = np.ones(first.shape[:2], bool)
    hidden[:90] = False
    found = compare_pixels(laid(ArrayPicture(first), ArrayPicture(second, valid=hidden)), "vectors")
    assert found.changes
    assert all(change.outline.y >= 90 for change in found.changes)


def test_refusals():
    with pytest.raises(ChangeError, match="no method"):
        compare_pixels(alignment(), "magic")
    with pytest.raises(ChangeError, match="needs a model"):
        compare_pixels(alignment(), "anychange")
    with pytest.raises(ChangeError, match="near infrared"):
        compare_pixels(alignment(), "ndvi")
    with pytest.raises(Cancelled):
        compare_pixels(alignment(), "difference", cancelled=lambda: True)


def infrared(green: np.ndarray, name: str) -> rsam.Scene:
    """Four bands: plants where `green`, bare ground elsewhere."""
    bands = np.full((4, *green.shape), 90, np.uint8)
    bands[0][green], bands[3][green] = 40, 160
    stream = io.BytesIO()
    with rasterio.open(
        stream, "w", driver="GTiff", width=green.shape[1], height=green.shape[0], count=4,
        dtype="uint8", crs="EPSG:32631", transform=from_origin(500_000, 4_000_000, 0.5, 0.5),
    ) as target:  # fmt: skip
        target.write(bands)
        target.colorinterp = [
            rasterio.enums.ColorInterp[n] for n in ("red", "green", "blue", "undefined")
        ]
    return rsam.open_scene(stream.getvalue(), name=name)


def test_vegetation_index_on_the_common_grid():
    plants = np.zeros((64, 80), bool)
    plants[10:50, 10:60] = True
    fewer = plants.copy()
    fewer[10:30] = False
    both = laid(infrared(plants, "a.tif"), infrared(fewer, "b.tif"))
    assert has_infrared(both.before.picture)
    steps = vegetation_steps(both)
    # (160 - 40) / (160 + 40) against 0.
    assert steps[20, 30] == pytest.approx(0.6, abs=0.01)
    assert steps[40, 30] == pytest.approx(0.0, abs=0.01)
    found = compare_pixels(both, "ndvi")
    assert [change.outline.bbox for change in found.changes] == [(10, 10, 60, 30)]

"""Dates of pictures from names, tags and keyboards."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile

from rsam_core.change.dates import date_in_tags, date_of, day_of, typed_date
from rsam_core.errors import FollowError


def photograph(taken: str) -> bytes:
    exif = Image.Exif()
    exif[306] = taken
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def raster(**tags: str) -> bytes:
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=8, height=8, count=1, dtype="uint8") as target:
            target.write(np.zeros((1, 8, 8), np.uint8))
            target.update_tags(**tags)
        return bytes(memory.read())


def test_a_name_comes_before_the_tags(tmp_path):
    content = raster(TIFFTAG_DATETIME="2016:05:31 10:20:00")
    assert date_of("lake_2018-07.tif", content) == "2018-07"
    assert date_of("lake.tif", content) == "2016-05-31"
    path = tmp_path / "lake.tif"
    path.write_bytes(content)
    assert date_of("lake.tif", path) == "2016-05-31"
    assert date_of("lake.tif") is None


def test_tags_of_photographs_and_nonsense():
    assert date_in_tags(photograph("2021:12:24 08:00:00")) == "2021-12-24"
    assert date_in_tags(photograph("2021:13:44 08:00:00")) is None
    assert date_in_tags(raster()) is None
    assert date_in_tags(b"no image") is None


def test_typed_dates():
    assert typed_date(" 2016 ") == "2016"
    assert typed_date("2016-5") == "2016-05"
    assert typed_date("2016-05-31") == "2016-05-31"
    assert typed_date("") is None
    for wrong in ("31.5.2016", "2016-02-30", "16", "soon"):
        with pytest.raises(FollowError, match="is no date"):
            typed_date(wrong)


def test_the_day_that_a_date_begins():
    assert day_of("2016") == date(2016, 1, 1)
    assert day_of("2016-05") == date(2016, 5, 1)
    assert day_of("2016-05-31") == date(2016, 5, 31)
    assert day_of(None) is None
    assert day_of(float("nan")) is None

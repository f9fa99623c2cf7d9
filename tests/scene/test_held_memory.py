"""Small files that ask a decoder for much memory are refused before it sets that aside."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from rasterio.io import MemoryFile

from rsam_core.errors import SceneError
from rsam_core.scene._jpeg2000 import check_tiles
from rsam_core.scene.checks import check_content
from rsam_core.scene.raster_file import RasterFile
from tests.hostile import jpeg2000, seeds

PIXELS = np.random.default_rng(0).integers(0, 255, (3, 200, 300), np.uint8)


@pytest.mark.parametrize("codec", ["JP2", "J2K"])
def test_many_small_tiles_that_are_there_are_fine(codec: str) -> None:
    with MemoryFile() as memory:
        with memory.open(
            driver="JP2OpenJPEG", width=300, height=200, count=3, dtype="uint8", codec=codec,
            blockxsize=32, blockysize=32, reversible=True, quality=100,
        ) as out:  # fmt: skip
            out.write(PIXELS)
        content = memory.read()
    check_tiles(RasterFile("a.jp2", content))
    with RasterFile("a.jp2", content).open() as dataset:
        assert (dataset.read() == PIXELS).all()


@pytest.mark.parametrize("place", [6, 10])
def test_tiles_for_which_there_is_no_room_are_refused(place: int) -> None:
    content = bytearray(jpeg2000.sound())
    stream = content.index(b"\xff\x4f\xff\x51") + 2
    struct.pack_into(">I", content, stream + place, 5_636_192)
    with pytest.raises(SceneError, match="damaged"):
        check_tiles(RasterFile("a.jp2", bytes(content)))
    # The same picture as it was made passes, and as a stream without its boxes.
    check_tiles(RasterFile("a.jp2", jpeg2000.sound()))
    check_tiles(RasterFile("a.j2k", jpeg2000.sound()[stream - 2 :]))


@pytest.mark.parametrize("content", [b"", jpeg2000.sound()[:20], seeds.geotiff()])
def test_what_has_no_such_header_is_left_to_others(content: bytes) -> None:
    check_tiles(RasterFile("a.jp2", content))


@pytest.mark.parametrize(("bands", "fine"), [(200, True), (300, False)])
def test_a_block_of_300_megabytes_in_a_small_file_is_refused(bands: int, fine: bool) -> None:
    with MemoryFile() as memory:
        # Never written: no file of a kilobyte packs so much.
        memory.open(
            driver="GTiff", width=1000, height=1000, count=bands, dtype="uint8", tiled=True,
            blockxsize=1024, blockysize=1024, interleave="pixel", compress="deflate",
            SPARSE_OK=True,
        ).close()  # fmt: skip
        file = RasterFile("a.tif", memory.read())
    with file.open() as dataset:
        if fine:
            check_content(file, dataset)
            return
        with pytest.raises(SceneError, match=r"blocks of 0\.3 GB"):
            check_content(file, dataset)

"""Packed texts beside the picture in a PNG: of usual size they are fine, swollen ones refused."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from rsam_core.errors import SceneError
from rsam_core.scene.scene import open_scene

PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)


def picture(info: PngInfo | None = None, **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(PIXELS).save(stream, "PNG", pnginfo=info, **options)
    return stream.getvalue()


def with_parts(*parts: tuple[bytes, bytes]) -> bytes:
    """Return the picture with further parts behind its header."""
    content = picture()
    added = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return content[:33] + added + content[33:]


def test_texts_of_usual_size_change_nothing() -> None:
    info = PngInfo()
    info.add_text("Comment", "by hand " * 10_000, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<x/>" * 100_000, "en", "xmp", zip=True)
    info.add_text("Plain", "a" * 100_000)
    opened = open_scene(picture(info, icc_profile=b"profile" * 999), name="a.png")
    assert (opened.read_rgb() == PIXELS).all()


PACKED = zlib.compress(bytes(1 << 20))


@pytest.mark.parametrize(
    "part",
    [
        (b"zTXt", b"a\0\0" + PACKED),
        (b"iTXt", b"a\0\x01\0en\0name\0" + PACKED),
        (b"iTXt", b"a\0\x01\0\0\0" + PACKED),
        (b"iCCP", b"a\0\0" + PACKED),
    ],
)
def test_texts_that_swell_are_refused(part: tuple[bytes, bytes]) -> None:
    for examine in (False, True):
        with pytest.raises(SceneError, match="texts of more than 16 MB"):
            open_scene(with_parts(*[part] * 17), name="a.png", examine=examine)


def test_parts_that_are_no_texts_are_let_be() -> None:
    strange = [(b"zTXt", b""), (b"zTXt", b"a" * 99), (b"zTXt", b"a\0\0no data"), (b"iTXt", b"a\0"),
               (b"iTXt", b"a\0\x01\0en"), (b"iTXt", b"a\0\0\0\0\0" + PACKED)]  # fmt: skip
    assert open_scene(with_parts(*strange), name="a.png").width == 60

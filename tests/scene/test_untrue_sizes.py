"""Pictures whose size cannot be true are refused before any pixel is decoded."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import encode, refused


def flat(kind: str, side: int, **options: object) -> bytes:
    """A real picture of one colour, which packs as tightly as the format can."""
    stream = io.BytesIO()
    Image.new("L" if kind != "WEBP" else "RGB", (side, side), 90).save(stream, kind, **options)
    return stream.getvalue()


def lying(kind: str) -> bytes:
    content = bytearray(encode(Image.effect_noise((96, 64), 60), kind))
    if kind == "JPEG":
        struct.pack_into(">HH", content, content.index(b"\xff\xc0") + 5, 9_000, 9_000)
    else:
        struct.pack_into("<HH", content, 6, 9_000, 9_000)
    return bytes(content)


@pytest.mark.parametrize("kind", ["JPEG", "GIF"])
def test_81_megapixels_in_a_few_kilobytes_are_refused(kind: str) -> None:
    message = refused(lying(kind), "lie")
    assert "cannot be what it says" in message
    assert "9,000 × 9,000" in message


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 10}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {})],
)
def test_one_colour_of_20_megapixels_opens(kind: str, options: dict) -> None:
    scene = open_scene(flat(kind, 4_500, **options), name="flat")
    assert scene.shape == (4_500, 4_500)

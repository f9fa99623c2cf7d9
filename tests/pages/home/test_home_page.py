"""Home: samples, uploads, and every bad file that a person may hand to it."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from rsam_core.samples import GALLERY, TownSample
from rsam_core.samples.places import PLACES
from tests.helpers.pages import fine, opened, plain, png, texts

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def home(app: AppTest, model) -> AppTest:
    app.run()
    fine(app)
    return app


def upload(at: AppTest, name: str, content: bytes) -> AppTest:
    """Choose a file on Home, as a person does; the app moves on to Segment if it opens."""
    at.switch_page("pages/screens/home.py").run()
    at.file_uploader(key="home-upload").upload(name, content).run()
    assert not at.exception
    return at


def save(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def noise(width: int, height: int) -> Image.Image:
    values = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(values)


def huge_png() -> bytes:
    """A PNG whose header promises 30,000 × 30,000 pixels, with a few bytes of content."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(90_001))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def animation() -> bytes:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    return save(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=80)


def palette_with_alpha() -> bytes:
    image = noise(64, 48).quantize(16)
    return save(image, "PNG", transparency=bytes([0] * 4 + [255] * 12))


def turned_photo() -> bytes:
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees
    return save(noise(64, 48), "JPEG", exif=exif)


def test_home_explains_itself(home: AppTest):
    assert home.title[0].value == "Outline anything in an aerial image"
    steps = [m.value for m in home.markdown if "**" in m.value]
    assert [any(f"**{n}." in step for step in steps) for n in (1, 2, 3)] == [True] * 3
    titles = [entry.title for entry in (*PLACES, *GALLERY)]
    labels = [button.label for button in home.button if button.key.startswith("sample-")]
    assert [label for label in labels if label in titles] == titles
    # On each card of a real place, and below the picture before and after.
    assert texts(home).count("Image: USDA NAIP") >= len(PLACES) + 1


def test_a_sample_opens_on_the_segment_page(home: AppTest, town: TownSample):
    home.button(key=f"sample-{GALLERY[3].key}").click().run()
    fine(home)
    assert opened(home).image.sample == GALLERY[3].key
    assert "448 × 320 pixels" in texts(home)
    assert f"**Pixel on the ground** {town.gsd:g} m" in texts(home)
    assert home.button_group(key="mode").value == "Points"


def test_a_broken_sample_is_one_message(home: AppTest, monkeypatch):
    from pages.parts.shared import resources

    monkeypatch.setattr(resources, "sample_file", lambda key: b"not an image")
    home.button(key=f"sample-{GALLERY[0].key}").click().run()
    assert not home.exception
    assert len(home.error) == 1
    assert opened(home) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.png", b"Bring the ladder on Monday.\n", "is not an image"),
        ("photo.jpg", save(noise(200, 160), "JPEG")[:9_000], "damaged or incomplete"),
        ("empty.tif", b"", "is empty (0 bytes)"),
        ("dot.png", png(np.zeros((1, 1, 3), np.uint8)), "too small to segment"),
        ("huge.png", huge_png(), "30,000 × 30,000 pixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_file_is_one_message_and_the_session_goes_on(
    home: AppTest, name: str, content: bytes, message: str
):
    upload(home, "first.png", plain(96, 64))
    first = opened(home)
    upload(home, name, content)
    assert len(home.error) == 1
    assert message in home.error[0].value
    assert f"“{name}”" in home.error[0].value
    assert opened(home) is first, "the earlier image must stay open"
    assert home.title[0].value == "Outline anything in an aerial image"
    # The message stays until the file is taken away, and the file can be tried again.
    home.run()
    assert len(home.error) == 1
    home.button(key="open-again").click().run()
    assert len(home.error) == 1
    upload(home, "second.png", plain(80, 72))
    fine(home)
    assert "80 × 72 pixels" in texts(home)


@pytest.mark.parametrize(
    ("name", "content", "size"),
    [
        ("moving.gif", animation(), (64, 48)),
        ("palette.png", palette_with_alpha(), (64, 48)),
        ("print.jpg", save(noise(64, 48).convert("CMYK"), "JPEG"), (64, 48)),
        ("phone.jpg", turned_photo(), (48, 64)),
        ("photo.jpg", save(noise(64, 48), "JPEG"), (64, 48)),
        ("scan.tif", save(noise(64, 48), "TIFF"), (64, 48)),
        ("grey.png", png(np.arange(64 * 48, dtype=np.uint8).reshape(48, 64)), (64, 48)),
        ("depth.png", png(np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 9), (64, 48)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unusual_file_opens_with_its_size(
    home: AppTest, name: str, content: bytes, size: tuple[int, int]
):
    upload(home, name, content)
    fine(home)
    assert f"**{name}**" in texts(home)
    assert f"{size[0]} × {size[1]} pixels" in texts(home)
    assert opened(home).image.shown.shape == (size[1], size[0], 3)


def test_what_was_done_to_a_file_is_said(home: AppTest):
    upload(home, "phone.jpg", turned_photo())
    assert "turned upright" in texts(home)
    upload(home, "moving.gif", animation())
    assert "the first one is shown" in texts(home)


def test_home_leads_back_to_the_open_image(home: AppTest):
    assert not home.page_link
    upload(home, "first.png", plain())
    home.switch_page("pages/screens/home.py").run()
    fine(home)
    assert home.page_link[0].label == "Back to first.png"


def test_the_message_goes_with_the_file_or_by_hand(home: AppTest) -> None:
    upload(home, "notes.png", b"Bring the ladder on Monday.\n")
    home.run()
    assert len(home.error) == 1
    home.file_uploader(key="home-upload").set_value([]).run()
    fine(home)
    upload(home, "notes.png", b"Bring the ladder on Tuesday.\n")
    home.button(key="dismiss-open-image").click().run()
    fine(home)


def test_a_name_is_no_markup_and_a_long_one_is_shortened(home: AppTest) -> None:
    name = "[roof](javascript:x) <b>*" + "y" * 200 + ".png"
    upload(home, name, plain(96, 64))
    home.switch_page("pages/screens/home.py").run()
    link = next(m for m in home.get("page_link") if "Back to" in m.proto.label)
    assert link.proto.label == "Back to \\[roof\\](javascript…yyyyyyyyyyyy.png"
    assert link.proto.help.startswith("\\[roof\\](javascript\\:x) \\<b\\>\\*yyy")

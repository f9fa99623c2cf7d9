"""Ground-truth files as people save them, good and bad."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from rsam_core.errors import MetricError
from rsam_core.formats.truth import read_truth

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

# Two objects that touch nowhere and one that hangs on to the second by a corner.
DRAWN = np.array(
    [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ],
    np.uint8,
)
PIECES = np.array(
    [
        [0, 1, 1, 0, 0, 0],
        [0, 1, 1, 0, 0, 0],
        [0, 0, 0, 0, 2, 0],
        [0, 0, 0, 0, 0, 2],
    ]
)
LABELS = np.where(PIECES == 2, 7, PIECES * 3).astype(np.uint8)
SHAPE = DRAWN.shape


def png(array: np.ndarray, mode: str | None = None, **options: object) -> bytes:
    image = Image.fromarray(array)
    if mode:
        image = image.convert(mode)
    return encoded(image, "PNG", **options)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def palette_png(indices: np.ndarray, colors: list[int], **options: object) -> bytes:
    image = Image.frombytes("P", indices.shape[::-1], indices.astype(np.uint8).tobytes())
    image.putpalette(colors)
    return encoded(image, "PNG", **options)


def tiff(array: np.ndarray, **options: object) -> bytes:
    bands = array if array.ndim == 3 else array[None]
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=bands.shape[2], height=bands.shape[1], count=len(bands),
            dtype=bands.dtype, transform=Affine.scale(2), **options,
        ) as dataset:  # fmt: skip
            dataset.write(bands)
        return memory.read()


@pytest.mark.parametrize(
    "data",
    [
        png(DRAWN),
        png(DRAWN * 255),
        png(DRAWN * 255, "1"),
        png(DRAWN * 255, "RGB"),
        png(DRAWN * 255, "RGBA"),
        png(DRAWN.astype(np.uint16) * 60_000),
        tiff(DRAWN * 255),
        tiff(DRAWN.astype(np.float32)),
        tiff(DRAWN.astype(np.uint32)),
        encoded(Image.fromarray(DRAWN * 255), "TIFF", compression="tiff_lzw"),
    ],
    ids=["0-1", "0-255", "1 bit", "rgb", "rgba", "16 bit", "tiff", "float", "32 bit", "lzw"],
)
def test_binary_mask_gives_its_connected_pieces(data):
    labels = read_truth(data, SHAPE)
    assert labels.dtype == np.int32
    assert (labels == PIECES).all()


@pytest.mark.parametrize(
    ("array", "reader"),
    [(LABELS, png), (LABELS.astype(np.uint16) * 9000, png), (LABELS.astype(np.int32), tiff)],
)
def test_label_image_keeps_its_numbers(array, reader):
    assert (read_truth(reader(array), SHAPE) == array).all()


def test_grey_labels_saved_as_colors_keep_their_numbers():
    assert (read_truth(png(LABELS, "RGB"), SHAPE) == LABELS).all()


def test_colors_become_labels_on_black():
    rgb = np.zeros((*SHAPE, 3), np.uint8)
    rgb[PIECES == 1] = (200, 30, 30)
    rgb[PIECES == 2] = (30, 30, 200)
    expected = np.where(PIECES == 1, 2, np.where(PIECES == 2, 1, 0))
    assert (read_truth(png(rgb), SHAPE) == expected).all()
    assert (read_truth(tiff(rgb.transpose(2, 0, 1), photometric="RGB"), SHAPE) == expected).all()


def test_most_frequent_color_is_background_where_there_is_no_black():
    rgb = np.full((*SHAPE, 3), 255, np.uint8)
    rgb[PIECES == 1] = (200, 30, 30)
    rgb[PIECES == 2] = (30, 30, 200)
    labels = read_truth(png(rgb), SHAPE)
    assert ((labels == 0) == (PIECES == 0)).all()
    assert len(np.unique(labels)) == 3


def test_transparent_pixels_are_background():
    rgba = np.full((*SHAPE, 4), 255, np.uint8)
    rgba[..., 3] = DRAWN * 255
    assert (read_truth(png(rgba), SHAPE) == PIECES).all()
    grey = np.dstack([np.full(SHAPE, 9, np.uint8), DRAWN * 255])
    assert (read_truth(png(grey), SHAPE) == PIECES).all()


def test_palette_indices_are_labels():
    colors = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255, *[9, 9, 9] * 4]
    assert (read_truth(palette_png(LABELS, colors), SHAPE) == LABELS).all()


def test_palette_background_is_black_wherever_it_stands():
    indices = np.where(PIECES == 1, 0, np.where(PIECES == 2, 1, 5))
    colors = [255, 0, 0, 0, 255, 0, 9, 9, 9, 9, 9, 8, 9, 9, 7, 0, 0, 0]
    labels = read_truth(palette_png(indices, colors), SHAPE)
    assert (labels == np.where(PIECES == 1, 2, np.where(PIECES == 2, 1, 0))).all()


def test_palette_without_black_has_its_background_at_index_0():
    colors = [70, 0, 90, 255, 0, 0, 0, 255, 0, 0, 0, 255, *[9, 9, 9] * 4]
    assert (read_truth(palette_png(LABELS, colors), SHAPE) == LABELS).all()
    transparent = palette_png(LABELS, colors, transparency=bytes([255, 255, 255, 0]))
    assert (read_truth(transparent, SHAPE) == PIECES // 2).all()


def test_palette_never_filled_in_is_read_by_its_indices():
    assert (read_truth(palette_png(LABELS, [0] * 24), SHAPE) == LABELS).all()


def test_no_data_and_negative_values_are_background():
    values = LABELS.astype(np.int16)
    values[0, 0], values[3, 0] = -9999, -1
    assert (read_truth(tiff(values, nodata=-9999), SHAPE) == LABELS).all()
    floats = np.where(LABELS > 0, LABELS, np.nan).astype(np.float32)
    assert (read_truth(tiff(floats), SHAPE) == LABELS).all()


def test_all_background_all_object_and_many_labels():
    assert not read_truth(png(np.zeros(SHAPE, np.uint8)), SHAPE).any()
    assert (read_truth(png(np.full(SHAPE, 255, np.uint8)), SHAPE) == 1).all()
    many = np.arange(60_000, dtype=np.uint16).reshape(200, 300)
    assert (read_truth(png(many), many.shape) == many).all()


def test_huge_numbers_are_counted_anew():
    values = np.where(PIECES == 1, 4_000_000_000, PIECES).astype(np.uint32)
    expected = np.where(PIECES == 1, 2, np.where(PIECES == 2, 1, 0))
    assert (read_truth(tiff(values), SHAPE) == expected).all()


def test_path_and_file_object(tmp_path):
    path = tmp_path / "mask.png"
    path.write_bytes(png(DRAWN))
    assert (read_truth(path, SHAPE) == PIECES).all()
    assert (read_truth(str(path), SHAPE) == PIECES).all()
    file = io.BytesIO(png(DRAWN))
    file.read()
    assert (read_truth(file, SHAPE) == PIECES).all()


def test_other_size_is_named_with_the_remedy():
    with pytest.raises(MetricError, match=r"mask has 6 × 4 .* image has 60 × 40.*export the mask"):
        read_truth(png(DRAWN), (40, 60))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"id,area\n1,20\n", "not an image"),
        (png(np.random.default_rng(0).integers(0, 9, SHAPE, np.uint8))[:60], "damaged"),
        (tiff(np.ones(SHAPE, np.uint16))[:-20], "damaged"),
        (encoded(Image.fromarray(DRAWN * 255), "JPEG"), "JPG blurs"),
        (encoded(Image.fromarray(DRAWN * 255), "BMP"), "BMP file"),
        (tiff(np.full(SHAPE, 0.3, np.float32)), "decimal numbers"),
        (tiff(np.ones((5, *SHAPE), np.uint8)), "5 bands"),
        (tiff(np.ones(SHAPE, np.complex64)), "decimal numbers"),
    ],
    ids=["empty", "text", "cut png", "cut tiff", "jpg", "bmp", "float", "bands", "complex"],
)
def test_bad_file_gets_one_clear_message(data, words):
    with pytest.raises(MetricError, match=words) as caught:
        read_truth(data, SHAPE)
    assert "Error" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(MetricError, match="does not exist"):
        read_truth(tmp_path / "nothing.png", SHAPE)


@pytest.mark.parametrize("empty", [-9999.0, np.nan, 3.4028234663852886e38, -3.4e38, 1.70141e38])
@pytest.mark.parametrize("declared", [True, False])
def test_floats_that_mean_no_data_are_background(empty: float, declared: bool):
    values = np.where(np.arange(SHAPE[1]) == 5, np.float32(empty), LABELS.astype(np.float32))
    expected = np.where(np.arange(SHAPE[1]) == 5, 0, LABELS)
    # Written with a few digits only, as programs do.
    nodata = {"nodata": float(f"{empty:.7g}")} if declared and abs(empty) < 3.4028e38 else {}
    assert (read_truth(tiff(values.astype(np.float32), **nodata), SHAPE) == expected).all()


def test_a_number_of_no_data_in_whole_numbers_is_background():
    values = np.where(np.arange(SHAPE[1]) == 0, 255, LABELS).astype(np.uint8)
    assert (read_truth(tiff(values, nodata=255), SHAPE) == LABELS).all()


def test_objects_at_both_ends_of_a_palette_are_kept():
    indices = np.where(PIECES == 1, 0, np.where(PIECES == 2, 255, 5)).astype(np.uint8)
    colors = np.random.default_rng(0).integers(40, 255, (256, 3))
    colors[5] = 0
    labels = read_truth(palette_png(indices, colors.ravel().tolist()), SHAPE)
    assert (labels == np.where(PIECES == 1, 256, np.where(PIECES == 2, 255, 0))).all()

"""Pictures of an evaluation: the colours stand where they should."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import MetricError
from rsam_core.evaluate.report import pictures as pictures
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.palette import to_rgb

IMAGE = np.full((60, 80, 3), 100, np.uint8)


def box(x: int, y: int, width: int, height: int, score: float = 1.0) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, score)


TRUTH = Instances([box(5, 5, 20, 20), box(40, 5, 20, 20), box(5, 35, 20, 20)], (60, 80))
FOUND = Instances([box(5, 5, 20, 20, 0.9), box(50, 5, 20, 20, 0.6)], (60, 80))


def close(pixel: np.ndarray, color: str) -> bool:
    return bool(np.abs(pixel.astype(int) - to_rgb(color)).max() < 40)


def test_contours_are_drawn_in_their_colours_and_nothing_is_filled():
    picture = pictures.contour_picture(IMAGE, TRUTH, FOUND)
    colors = dict(pictures.contour_legend())
    assert close(picture[15, 40], colors["truth"])
    assert close(picture[15, 69], colors["prediction"])
    assert (picture[45, 15] == 100).all()
    assert close(picture[5, 15], colors["prediction"]), "the prediction is on top"
    assert (IMAGE == 100).all()


def test_objects_are_coloured_by_their_iou():
    picture = pictures.iou_picture(IMAGE, TRUTH, [0.95, 0.6, 0.0], opacity=1.0)
    legend = dict(pictures.iou_legend())
    assert close(picture[15, 15], legend["IoU 0.90 and more"])
    assert close(picture[15, 50], legend["0.50 to 0.75"])
    assert close(picture[45, 15], legend["not found"])
    outside = picture[50, 70]
    assert len(set(outside.tolist())) == 1, "the image is grey"
    with pytest.raises(MetricError, match="3 objects"):
        pictures.iou_picture(IMAGE, TRUTH, [0.5])
    empty = pictures.iou_picture(IMAGE, Instances.empty((60, 80)), [])
    assert empty.shape == IMAGE.shape


@pytest.mark.parametrize(
    ("value", "step"),
    [(1, 0), (0.9, 0), (0.899, 1), (0.75, 1), (0.5, 2), (0.4999, 3), (1e-4, 3), (0, 4)],
)
def test_steps_of_iou(value: float, step: int):
    assert pictures.iou_color(value) == pictures.iou_legend()[step][1]


def crop(box: tuple[int, int, int, int], size: int) -> np.ndarray:
    x, y, width, height = pictures.crop_window(box, TRUTH.shape)
    return pictures.object_crop(IMAGE[y : y + height, x : x + width], TRUTH, FOUND, box, size)


def test_a_crop_shows_the_object_enlarged_even_at_the_edge():
    # 32 px are shown on 160: rows 28 to 60, where the object has 35 to 55; columns 0 to 32, as the
    # view is moved inward, where it has 5 to 25.
    assert pictures.crop_window(TRUTH[2].bbox, TRUTH.shape) == (0, 28, 32, 32)
    picture = crop(TRUTH[2].bbox, 160)
    assert picture.shape == (160, 160, 3)
    truth = to_rgb(dict(pictures.contour_legend())["truth"])
    drawn = np.argwhere((np.abs(picture.astype(int) - truth) < 30).all(-1))
    assert drawn.min(0) == pytest.approx([35, 25], abs=4)
    assert drawn.max(0) == pytest.approx([135, 125], abs=4)
    assert (crop((0, 0, 4, 4), 64)[0, 0] == 100).all()
    whole = crop((0, 0, 80, 60), 80)
    assert (whole[0, 0] == 24).all(), "beyond the image it is dark"
    assert (whole[40, 75] == 100).all()
    with pytest.raises(MetricError, match="32 × 32"):
        pictures.object_crop(IMAGE, TRUTH, FOUND, TRUTH[2].bbox)

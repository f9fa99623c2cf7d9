"""Pictures of an evaluation: the colours stand where they should, the figures hold the values."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from rsam_core import evaluation_pictures as pictures
from rsam_core.errors import MetricError
from rsam_core.instances import Instance, Instances
from rsam_core.metrics.objects import precision_recall
from rsam_core.palette import to_rgb

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


def test_a_crop_shows_the_object_enlarged_even_at_the_edge():
    crop = pictures.object_crop(IMAGE, TRUTH, FOUND, TRUTH[2].bbox, size=160)
    assert crop.shape == (160, 160, 3)
    truth = to_rgb(dict(pictures.contour_legend())["truth"])
    drawn = np.argwhere((np.abs(crop.astype(int) - truth) < 30).all(-1))
    # 32 px are shown on 160: rows 28 to 60, where the object has 35 to 55; columns 0 to 32, as the
    # view is moved inward, where it has 5 to 25.
    assert drawn.min(0) == pytest.approx([35, 25], abs=4)
    assert drawn.max(0) == pytest.approx([135, 125], abs=4)
    corner = pictures.object_crop(IMAGE, TRUTH, FOUND, (0, 0, 4, 4), size=64)
    assert (corner[0, 0] == 100).all()
    whole = pictures.object_crop(IMAGE, TRUTH, FOUND, (0, 0, 80, 60), size=80)
    assert (whole[0, 0] == 24).all(), "beyond the image it is dark"
    assert (whole[40, 75] == 100).all()


def curve():
    return precision_recall([(TRUTH, FOUND)])


def test_precision_recall_figure_holds_the_curve():
    figure = pictures.precision_recall_figure({"rsam-tiny": curve()})
    axes = figure.axes[0]
    line = axes.get_lines()[0]
    assert line.get_xdata().tolist() == pytest.approx([0, 1 / 3, 1 / 3])
    assert line.get_ydata().tolist() == pytest.approx([1, 1, 1 / 2])
    assert "AP 0.34" in axes.get_legend().get_texts()[0].get_text()


def test_box_plots_show_every_value():
    values = {"box": [0.8, 0.9, 0.7, np.nan], "1 click": [0.5, 0.6]}
    axes = pictures.box_plots(values).axes[0]
    shown = [points.get_offsets()[:, 1].tolist() for points in axes.collections]
    assert [sorted(some) for some in shown] == [[0.7, 0.8, 0.9], [0.5, 0.6]]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["box\nn = 3", "1 click\nn = 2"]
    medians = [line for line in axes.get_lines() if line.get_linewidth() == 1.8]
    assert sorted(line.get_ydata()[0] for line in medians) == pytest.approx([0.55, 0.8])


def test_size_scatter_shows_every_object_on_a_logarithmic_axis():
    areas = np.geomspace(10, 1000, 30)
    figure = pictures.size_scatter({"box": areas}, {"box": np.linspace(0, 1, 30)}, unit="m²")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert "m²" in axes.get_xlabel()
    assert len(axes.collections[0].get_offsets()) == 30
    trend = axes.get_lines()[0].get_ydata()
    assert len(trend) == 6
    assert (np.diff(trend) > 0).all()
    assert not pictures.size_scatter([5, 6], [0.1, 0.2]).axes[0].get_lines()


@pytest.mark.parametrize(
    "make",
    [
        lambda: pictures.precision_recall_figure({"a": curve()}),
        lambda: pictures.precision_recall_figure({}),
        lambda: pictures.precision_recall_figure(
            {"nothing found": precision_recall([(TRUTH, Instances.empty((60, 80)))])}
        ),
        lambda: pictures.box_plots({"a": [], "a method with a long name": [0.2, 0.4]}),
        lambda: pictures.box_plots({}),
        lambda: pictures.size_scatter([], []),
    ],
)
def test_figures_become_files_that_open(make):
    svg = pictures.to_svg(make())
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "http://www.w3.org" in svg
    assert "<script" not in svg
    assert pictures.to_svg(make()) == svg, "the same each time"
    image = Image.open(io.BytesIO(pictures.to_png(make(), dpi=80)))
    assert image.size[0] > 200

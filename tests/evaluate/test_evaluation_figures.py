"""Figures of an evaluation hold the values, and become files that open."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from PIL import Image

from rsam_core.evaluate.metrics.objects import precision_recall
from rsam_core.evaluate.report import image_figures as figures
from rsam_core.objects.instances import Instance, Instances
from rsam_core.render.figures import to_png, to_svg


def box(x: int, y: int, score: float = 1.0) -> Instance:
    return Instance(np.ones((20, 20), bool), x, y, score)


TRUTH = Instances([box(5, 5), box(40, 5), box(5, 35)], (60, 80))
FOUND = Instances([box(5, 5, 0.9), box(50, 5, 0.6)], (60, 80))


def curve():
    return precision_recall([(TRUTH, FOUND)])


def test_precision_recall_figure_holds_the_curve():
    figure = figures.precision_recall_figure({"rsam-tiny": curve()})
    axes = figure.axes[0]
    line = axes.get_lines()[0]
    assert line.get_xdata().tolist() == pytest.approx([0, 1 / 3, 1 / 3])
    assert line.get_ydata().tolist() == pytest.approx([1, 1, 1 / 2])
    assert "AP 0.34" in axes.get_legend().get_texts()[0].get_text()


def test_box_plots_show_every_value():
    values = {"box": [0.8, 0.9, 0.7, np.nan], "1 click": [0.5, 0.6]}
    axes = figures.box_plots(values).axes[0]
    shown = [points.get_offsets()[:, 1].tolist() for points in axes.collections]
    assert [sorted(some) for some in shown] == [[0.7, 0.8, 0.9], [0.5, 0.6]]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["box\nn = 3", "1 click\nn = 2"]
    medians = [line for line in axes.get_lines() if line.get_linewidth() == 1.8]
    assert sorted(line.get_ydata()[0] for line in medians) == pytest.approx([0.55, 0.8])


def test_size_scatter_shows_every_object_on_a_logarithmic_axis():
    areas = np.geomspace(10, 1000, 30)
    figure = figures.size_scatter({"box": areas}, {"box": np.linspace(0, 1, 30)}, unit="m²")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert "m²" in axes.get_xlabel()
    assert len(axes.collections[0].get_offsets()) == 30
    trend = axes.get_lines()[0].get_ydata()
    assert len(trend) == 6
    assert (np.diff(trend) > 0).all()
    assert not figures.size_scatter([5, 6], [0.1, 0.2]).axes[0].get_lines()


@pytest.mark.parametrize(
    "make",
    [
        lambda: figures.precision_recall_figure({"a": curve()}),
        lambda: figures.precision_recall_figure({}),
        lambda: figures.precision_recall_figure(
            {"nothing found": precision_recall([(TRUTH, Instances.empty((60, 80)))])}
        ),
        lambda: figures.box_plots({"a": [], "a method with a long name": [0.2, 0.4]}),
        lambda: figures.box_plots({}),
        lambda: figures.size_scatter([], []),
    ],
)
def test_figures_become_files_that_open(make):
    svg = to_svg(make())
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert "http://www.w3.org" in svg
    assert "<script" not in svg
    assert to_svg(make()) == svg, "the same each time"
    image = Image.open(io.BytesIO(to_png(make(), dpi=80)))
    assert image.size[0] > 200

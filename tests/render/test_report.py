"""The report: one HTML file that stands alone and says the right numbers."""

from __future__ import annotations

import base64
import io
import re
from datetime import datetime
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from rsam_core.errors import ExportError
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.measurements import measure
from rsam_core.objects.semantic import class_areas
from rsam_core.render.session_report import html_report

SCENE = SimpleNamespace(
    name="<Plan> & Co.tif", width=200, height=100, gsd=0.5, pixel_area_m2=0.25, crs="EPSG:32637",
    transform=None,
)  # fmt: skip
PICTURE = np.full((100, 200, 3), (200, 30, 30), np.uint8)


def objects(count: int = 3) -> Instances:
    mask = np.ones((4, 5), bool)
    return Instances(
        [Instance(mask, 6 * (i % 30), 6 * (i // 30), label="<b>hut</b>" if i == 0 else None)
         for i in range(count)], (100, 200)
    )  # fmt: skip


class Tree(HTMLParser):
    """Collects tags and text, and checks that tags are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def report(count: int = 3, **more) -> str:
    table = measure(objects(count), SCENE)
    return html_report(PICTURE, table, SCENE, when=datetime(2026, 3, 4, 5, 6), **more).decode()


def test_it_is_well_formed_and_needs_no_other_file():
    text = report(legend=[("large & red", "#FF0000")], settings={"model": "a<b"})
    tree = Tree(text)
    assert "<b>hut" not in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    for words in ("<Plan> & Co.tif", "2026-03-04 05:06", "large & red", "a<b", "<b>hut</b>"):
        assert words in tree.text


def test_the_picture_is_inside_and_reduced():
    table = measure(objects(), SCENE)
    large = np.repeat(np.repeat(PICTURE, 20, axis=0), 20, axis=1)
    text = html_report(large, table, SCENE).decode()
    data = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    image = Image.open(io.BytesIO(data))
    assert image.size == (1600, 800)
    assert np.abs(np.array(image).mean(axis=(0, 1)) - (200, 30, 30)).max() < 4


def test_the_figures_are_right():
    text = Tree(report()).text
    # Three objects of 20 pixels of 0.25 m², of 20,000 pixels.
    for words in ("15 m²", "5 m²", "0.3 %", "area (m²)"):
        assert words in text
    areas = class_areas(objects(), ClassList(), SCENE)
    with_classes = Tree(report(class_areas=areas)).text
    # One object has a class; the other two and the rest of the picture have rows of their own.
    for words in ("no class", "no object", "0.1 %", "0.2 %", "99.7 %"):
        assert words in with_classes


def test_long_tables_are_cut_and_say_so():
    text = report(60)
    assert text.count("<tr>") == 41
    assert "The first 40 of 60 objects" in text


def test_no_objects_and_no_metres():
    bare = SimpleNamespace(name="a.png", width=200, height=100, gsd=None, crs=None, transform=None)
    none = Instances.empty((100, 200))
    text = Tree(html_report(PICTURE, measure(none, bare), bare).decode()).text
    assert "0 px" in text
    assert "nan" not in text
    assert "m²" not in text


def test_a_grey_picture_is_refused():
    with pytest.raises(ExportError, match="three colours"):
        html_report(PICTURE[..., 0], measure(objects(), SCENE), SCENE)

"""Script in names does nothing in what people take along; for reports see test_inert_reports."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.figure import Figure

from rsam_core.formats.kml import to_kml
from rsam_core.objects.classify.classes import ClassList, ObjectClass
from rsam_core.objects.instances import Instance, Instances
from rsam_core.render.figures import to_svg

PAYLOADS = [
    "<script>window.__hit=1</script>",
    "<img src=x onerror=window.__hit=1>",
    '"><svg onload=window.__hit=1>',
    "'-window.__hit=1-'",
    "]]><script>window.__hit=1</script>",
    "--><script>window.__hit=1</script>",
    "</title><script>window.__hit=1</script>",
    "&lt;script&gt;window.__hit=1&lt;/script&gt;",
    "javascript:window.__hit=1",
]


def scene(name: str, crs: str | None = "EPSG:32637") -> SimpleNamespace:
    from affine import Affine

    return SimpleNamespace(
        name=name, width=40, height=30, shape=(30, 40), gsd=1.0, crs=crs,
        transform=Affine(1, 0, 500_000, 0, -1, 4_000_000), original_transform=None,
    )  # fmt: skip


def objects(label: str) -> Instances:
    return Instances([Instance(np.ones((6, 8), bool), 3, 4, 0.9, id=1, label=label)], (30, 40))


@pytest.mark.parametrize("payload", PAYLOADS)
def test_kml_opens_no_tag_even_where_its_texts_are_taken_for_html(payload: str) -> None:
    classes = ClassList((ObjectClass(payload[:60], "#00ff00"),))
    content = to_kml(objects(payload), scene(payload), classes=classes, name=payload)
    root = ET.fromstring(content)
    texts = [element.text or "" for element in root.iter()]
    assert not [text for text in texts if re.search(r"<[A-Za-z/!?]", text)]
    assert not {element.tag.rsplit("}")[-1] for element in root.iter()} & {"script", "img", "svg"}
    assert any(payload == text.replace("\u2060", "") for text in texts)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_svg_holds_names_as_text(payload: str) -> None:
    figure = Figure()
    axes = figure.add_subplot()
    axes.bar([0], [1], label=payload.replace("$", ""))
    axes.set_title(payload)
    axes.legend()
    root = ET.fromstring(to_svg(figure))
    names = {element.tag.rsplit("}")[-1] for element in root.iter()}
    assert not names & {"script", "img", "foreignObject", "a"}
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]

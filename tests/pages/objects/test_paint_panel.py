"""Painting an area on the Objects page: clicks choose patches, which become an object."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from tests.helpers.pages import click, fine, opened, png, texts
from tests.helpers.panels import coloured, labels, panel_app, work_of

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def at() -> AppTest:
    image, objects = coloured()
    page = panel_app("objects.paint:paint_panel", work_of(png(image), objects))
    page.run()
    fine(page)
    return page


def test_patches_are_chosen_and_become_an_object_of_a_class(at: AppTest):
    work = opened(at)
    before = len(work.objects)
    click(at, "Show patches")
    assert work.canvas.painting.frame.bounds == (0, 0, 240, 160)
    assert "**0 patches chosen.**" in texts(at)
    assert [b.disabled for b in at.button if b.label == "Make it an object"] == [True]
    # The canvas hands its clicks over.
    work.canvas.painting = work.canvas.painting.toggled(45, 115)
    at.run()
    assert "**1 patch chosen.**" in texts(at)
    at.selectbox(key="paint-class").select("vegetation").run()
    click(at, "Make it an object")
    found = work.objects
    assert len(found) == before + 1
    assert labels(at)[-1] == "vegetation"
    assert found[-1].id in found.at(45, 115)
    assert work.canvas.painting.chosen == frozenset()
    click(at, "Done")
    assert work.canvas.painting is None
    work.marks.undo()
    assert len(work.objects) == before

"""Images of a folder: listed, opened in place, and nothing from outside it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared.folder import images
from tests.helpers.pages import fine, opened, plain

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "images"
    (inside / "north").mkdir(parents=True)
    (inside / "b.png").write_bytes(plain())
    (inside / "north" / "a.PNG").write_bytes(plain(80, 60))
    (inside / "notes.txt").write_text("not an image")
    (tmp_path / "secret.png").write_bytes(plain())
    (inside / "link.png").symlink_to(tmp_path / "secret.png")
    return inside


def test_only_images_inside_the_folder_are_listed(folder):
    assert [path.relative_to(folder).as_posix() for path in images(folder)] == [
        "b.png",
        "north/a.PNG",
    ]


def test_an_image_of_the_folder_is_opened_in_place(app: AppTest, model, folder, monkeypatch):
    monkeypatch.setenv("RSAM_IMAGES", str(folder))
    app.run()
    choice = app.selectbox(key="folder-image")
    assert list(choice.options) == ["b.png", "north/a.PNG"]
    choice.select("north/a.PNG").run()
    app.button(key="folder-open").click().run()
    fine(app)
    assert opened(app).image.scene.name == "a.PNG"
    assert opened(app).image.shape == (60, 80)


def test_without_the_setting_there_is_no_folder(app: AppTest, model, monkeypatch):
    monkeypatch.delenv("RSAM_IMAGES", raising=False)
    app.run()
    fine(app)
    assert not [box for box in app.selectbox if box.key == "folder-image"]

"""Home offers what this browser has kept: to go on, name, duplicate, delete and bring back."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from rsam_core.session import kept_images, safekeeping, works
from rsam_core.session.project_state import to_state
from rsam_core.session.work_cards import Card
from rsam_core.session.work_picture import work_picture
from tests.helpers.boxes import TWO_BOXES, plain
from tests.helpers.pages import fine, opened, texts
from tests.helpers.session import fresh
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
BROWSER = "0123456789abcdef"


@pytest.fixture
def shelf(tmp_path, monkeypatch, app: AppTest, model) -> works.Shelf:
    """A work of two objects, its image kept, and the browser that it belongs to."""
    monkeypatch.setenv("RSAM_HOME", str(tmp_path))
    monkeypatch.setattr(safekeeping, "_tidied", float("inf"))
    monkeypatch.setattr(safekeeping, "open_images", set)
    app.session_state["browser-id"] = BROWSER
    shelf = works.Shelf(works.folder(BROWSER))
    session = fresh()
    session.update(lambda _: TWO_BOXES)
    source = session.image.source
    card = Card(
        session.safekeeping.work, source.name, source.content_hash, 160, 120,
        objects=2, page="objects",
    )  # fmt: skip
    picture = work_picture(session.image, session.objects)
    session.safekeeping.keep(to_state(session, undo=True), shelf.where, 0.0, card, picture)
    session.safekeeping.wait(PATIENCE)
    kept_images.keep(shelf.where, source.content_hash, plain())
    return shelf


def test_one_click_brings_image_objects_undo_and_page_back(app: AppTest, shelf):
    app.run()
    fine(app)
    (work,) = shelf.works()
    assert "Go on where you were" in [item.value for item in app.subheader]
    assert "2 objects · on Objects" in texts(app)
    app.button(key=f"go-on-{work.id}").click().run()
    fine(app)
    session = opened(app)
    assert session.image.scene.name == "plain.png"
    assert sorted(session.objects.areas.tolist()) == [1200, 1800]
    assert len(session.marks.book.past) == 2
    assert session.safekeeping.page == "objects", "the page that was looked at last"
    # It is the same work, not a second one.
    session.remove([1])
    app.run()
    session.safekeeping.flush()
    assert [(w.id, w.card.objects) for w in shelf.works()] == [(work.id, 1)]


def test_works_are_named_duplicated_deleted_and_brought_back(app: AppTest, shelf):
    app.run()
    id = shelf.works()[0].id
    app.text_input(key=f"name-{id}").set_value("North [Street]").run()
    fine(app)
    assert "**North \\[Street\\]**" in texts(app)
    app.button(key=f"duplicate-{id}").click().run()
    assert sorted(w.card.title for w in shelf.works()) == ["North [Street]", "North [Street] (2)"]
    app.button(key=f"delete-{id}").click().run()
    assert [w.card.title for w in shelf.works()] == ["North [Street] (2)"]
    app.button(key="work-undelete").click().run()
    fine(app)
    assert len(shelf.works()) == 2
    app.button(key="empty-images").click().run()
    fine(app)
    assert kept_images.size(shelf.where) == 0
    assert "Its image must be opened again" in texts(app)
    app.button(key=f"go-on-{id}").click().run()
    assert "no longer kept here" in app.error[0].value
    assert opened(app) is None


def place_of(node: Block, kind: str) -> tuple[int, ...]:
    """Where the first element of a kind stands: the number of each block on the way to it."""
    for number, child in node.children.items():
        if child.type == kind:
            return (number,)
        if isinstance(child, Block) and (rest := place_of(child, kind)):
            return (number, *rest)
    return ()


def test_an_upload_stays_where_it_is_when_the_works_come(app: AppTest, shelf):
    # The browser tells who it is after the first run: what moved then would lose a file that is
    # just being given to it.
    del app.session_state["browser-id"]
    app.run()
    before = place_of(app.main, "file_uploader")
    assert before
    assert not app.subheader or "Go on where you were" not in [s.value for s in app.subheader]
    app.session_state["browser-id"] = BROWSER
    app.run()
    assert "Go on where you were" in [item.value for item in app.subheader]
    assert place_of(app.main, "file_uploader") == before

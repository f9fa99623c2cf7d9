"""Work is kept without being asked, and offered again for the same image in the same browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rsam_core.formats.truth import truth_from_labels
from rsam_core.session import autosave, works
from tests.helpers.pages import TWO_BOXES, click, fine, opened, plain, table, texts
from tests.helpers.waiting import until

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]
BROWSER = "0123456789abcdef"


@pytest.fixture
def home(tmp_path, monkeypatch, app: AppTest):
    """A place for saves of this test alone, and a browser that has told its number."""
    monkeypatch.setenv("RSAM_HOME", str(tmp_path))
    app.session_state["browser-id"] = BROWSER
    return works.folder(BROWSER)


def wait_for_saves(folder, count: int) -> list:
    until(lambda: len(autosave.entries(folder)) >= count)
    return list(autosave.entries(folder))


def work_a_little(segment: Start, monkeypatch) -> AppTest:
    from pages.parts.shared import autosaving

    monkeypatch.setattr(autosaving, "DELAY", 0.01)
    at = segment(book=TWO_BOXES)
    work = opened(at)
    work.update(lambda book: book.add_box(60, 5, 90, 35))
    return at.run()


def test_work_is_kept_and_brought_back_by_another_session(home, segment: Start, monkeypatch):
    at = work_a_little(segment, monkeypatch)
    before = table(at)
    assert wait_for_saves(home, 1)
    opened(at).safekeeping.wait()
    # Another session opens the same image.
    again = segment()
    assert "Earlier work on this image" in texts(again)
    assert table(again).empty
    again.button(key="offer-take").click().run()
    fine(again)
    found = table(again)
    assert found["area"].tolist() == before["area"].tolist()
    assert found["id"].tolist() == before["id"].tolist()
    assert "Earlier work" not in texts(again)
    # The prompts are back as well: they can be refined.
    assert [b.label for b in again.button if b.label.startswith("Object")] == [
        "Object 3 · 1 box",
        "Object 2 · 1 box",
        "Object 1 · 1 box",
    ]


def test_another_image_or_browser_is_offered_nothing(home, segment: Start, monkeypatch):
    at = work_a_little(segment, monkeypatch)
    assert wait_for_saves(home, 1)
    opened(at).safekeeping.wait()
    assert "Earlier work" not in texts(segment(plain(100, 90)))
    at.session_state["browser-id"] = "f" * 32
    assert "Earlier work" not in texts(segment())


def test_the_offer_can_be_declined(home, segment: Start, monkeypatch):
    at = work_a_little(segment, monkeypatch)
    assert wait_for_saves(home, 1)
    opened(at).safekeeping.wait()
    again = segment()
    again.button(key="offer-decline").click().run()
    fine(again)
    assert "Earlier work" not in texts(again)


def test_when_all_is_undone_nothing_is_offered(home, segment: Start, monkeypatch):
    from pages.parts.shared import autosaving

    monkeypatch.setattr(autosaving, "DELAY", 0.01)
    at = segment()
    opened(at).update(lambda book: book.add_box(60, 5, 90, 35))
    at.run()
    assert wait_for_saves(home, 1)
    opened(at).safekeeping.wait()
    click(at, "Undo")
    at.run()
    opened(at).safekeeping.wait()
    assert autosave.entries(home) == ()
    assert "Earlier work" not in texts(segment())


def test_a_save_without_anything_in_it_is_not_offered(home, segment: Start):
    """Earlier versions kept the empty state, too; the one before it is what was lost."""
    from rsam_core.session.project_state import to_state

    at = segment()
    empty = to_state(opened(at))
    opened(at).update(lambda book: TWO_BOXES)
    autosave.save(to_state(opened(at)), home)
    autosave.save(empty, home)
    again = segment()
    assert "Earlier work on this image" in texts(again)
    again.button(key="offer-take").click().run()
    fine(again)
    assert len(table(again)) == 2


def test_truth_comes_back_with_the_work(home, segment: Start, monkeypatch):
    at = work_a_little(segment, monkeypatch)
    labels = np.zeros((120, 160), np.int32)
    labels[10:40, 20:60] = 1
    opened(at).truth.give(truth_from_labels(labels, "drawn roofs"))
    at.run()
    opened(at).safekeeping.wait()
    again = segment()
    again.button(key="offer-take").click().run()
    fine(again)
    assert opened(again).truth.value.name == "drawn roofs"
    assert opened(again).truth.value.objects.areas.tolist() == [1200]


def test_truth_too_large_to_be_kept_is_named(home, segment: Start, monkeypatch):
    from pages.parts.shared import autosaving

    monkeypatch.setattr(autosaving, "LARGE_TRUTH", 100)
    at = work_a_little(segment, monkeypatch)
    labels = np.zeros((120, 160), np.int32)
    labels[10:40, 20:60] = 1
    opened(at).truth.give(truth_from_labels(labels, "drawn roofs"))
    at.run()
    opened(at).safekeeping.wait()
    again = segment()
    again.button(key="offer-take").click().run()
    fine(again)
    assert opened(again).truth.value is None
    assert "The truth “drawn roofs” was too large to be kept" in texts(again)


def test_a_disk_that_is_full_does_not_disturb(home, segment: Start, monkeypatch):
    home.parent.mkdir(parents=True)
    home.write_text("a file where the folder should be")
    at = work_a_little(segment, monkeypatch)
    opened(at).safekeeping.wait()
    fine(at.run())
    assert len(table(at)) == 3


def test_how_long_ago_in_words():
    from pages.parts.shared.autosaving import ago

    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert ago(now - timedelta(seconds=20), now) == "a minute ago"
    assert ago(now - timedelta(minutes=42), now) == "42 minutes ago"
    assert ago(now - timedelta(hours=5), now) == "5 hours ago"
    assert ago(now - timedelta(days=3), now) == "3 days ago"

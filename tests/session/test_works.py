"""Works side by side: listed, named, duplicated, deleted and brought back; nothing is lost."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rsam_core.errors import ProjectError
from rsam_core.session import atomic_file, autosave, kept_images, safekeeping, work_cards, works
from rsam_core.session.project_state import to_state
from rsam_core.session.safekeeping import Safekeeping
from rsam_core.session.session import Session
from rsam_core.session.work_cards import Card
from rsam_core.session.works import Shelf
from tests.helpers.boxes import TWO_BOXES
from tests.helpers.session import fresh
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def no_round(monkeypatch) -> None:
    """Nothing is tidied in the background."""
    monkeypatch.setattr(safekeeping, "_tidied", float("inf"))


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    return Shelf(tmp_path / "browser")


def worked() -> Session:
    session = fresh()
    session.update(lambda _: TWO_BOXES)
    return session


def card(session: Session, **facts) -> Card:
    source = session.image.source
    known = {"scene_name": source.name, "scene_hash": source.content_hash, "objects": 2}
    return Card(session.safekeeping.work, **known | facts)


def keep(shelf: Shelf, session: Session | None = None, **facts) -> Session:
    """Save the work of a session, with its card and a picture."""
    session = session or worked()
    session.safekeeping.keep(
        to_state(session, undo=True), shelf.where, 0.0, card(session, **facts), lambda: b"jpeg"
    )
    session.safekeeping.wait(PATIENCE)
    return session


def titles(shelf: Shelf) -> list[str]:
    return [work.card.title for work in shelf.works()]


def test_what_is_told_of_a_work(shelf):
    session = keep(shelf, page="objects")
    (work,) = shelf.works()
    assert work.id == session.safekeeping.work
    assert (work.card.title, work.card.objects) == ("plain.png", 2)
    assert work.card.page == "objects"
    assert work.picture.read_bytes() == b"jpeg"
    assert abs((datetime.now(UTC) - work.time).total_seconds()) < 60
    assert work.image is None
    state, note = shelf.load(work.id)
    assert len(state.instances) == 2
    assert state.undo is not None
    assert note == ""


def test_works_stand_side_by_side_the_latest_first(shelf):
    first, second = keep(shelf, scene_name="a.png"), keep(shelf, scene_name="b.png")
    assert titles(shelf) == ["b.png", "a.png"]
    keep(shelf, first, scene_name="a.png")
    assert titles(shelf) == ["a.png", "b.png"]
    assert shelf.works(scene_hash="other") == ()
    assert len(shelf.works(scene_hash=second.image.source.content_hash)) == 2


def test_a_name_stays_whatever_is_saved_later(shelf):
    session = keep(shelf)
    shelf.rename(session.safekeeping.work, "  Roofs  of\nNorth Street ")
    keep(shelf, session)
    assert titles(shelf) == ["Roofs of North Street"]
    shelf.rename(session.safekeeping.work, "")
    assert titles(shelf) == ["plain.png"]


def test_a_duplicate_goes_its_own_way(shelf):
    session = keep(shelf)
    copy = shelf.duplicate(session.safekeeping.work)
    shelf.duplicate(copy)
    assert sorted(titles(shelf)) == ["plain.png", "plain.png (2)", "plain.png (3)"]
    session.remove([1])
    keep(shelf, session)
    assert len(shelf.load(copy)[0].instances) == 2
    assert len(shelf.load(session.safekeeping.work)[0].instances) == 1
    assert shelf.get(copy).picture.read_bytes() == b"jpeg"


def test_deleting_can_be_undone_for_a_day(shelf):
    session = keep(shelf)
    id = session.safekeeping.work
    shelf.delete(id)
    assert shelf.works() == ()
    shelf.tidy()
    shelf.undelete(id)
    assert titles(shelf) == ["plain.png"]
    shelf.delete(id)
    shelf.tidy(now=datetime.now(UTC) + timedelta(hours=25))
    assert shelf.get(id) is None
    assert list(shelf.where.rglob("*")) == []
    with pytest.raises(ProjectError, match="no longer there"):
        shelf.undelete(id)


def test_an_image_is_kept_once_and_goes_with_its_last_work(shelf):
    session = keep(shelf)
    hash = session.image.source.content_hash
    kept_images.keep(shelf.where, hash, b"picture")
    copy = shelf.duplicate(session.safekeeping.work)
    assert [work.image.read_bytes() for work in shelf.works()] == [b"picture"] * 2
    assert kept_images.size(shelf.where) == 7
    shelf.remove(session.safekeeping.work)
    shelf.tidy()
    assert kept_images.find(shelf.where, hash) is not None
    shelf.remove(copy)
    shelf.tidy(open_images={hash})
    assert kept_images.find(shelf.where, hash) is not None, "it is open"
    shelf.tidy()
    assert kept_images.find(shelf.where, hash) is None


def test_a_second_date_is_kept_as_long_as_its_work(shelf):
    session = worked()
    safe = session.safekeeping
    safe.keep_second("beef", shelf.where, lambda: b"second")
    _join()
    keep(shelf, session, second_hash="beef")
    session.close()
    shelf.tidy()
    assert shelf.second_date(safe.work).read_bytes() == b"second"
    shelf.remove(safe.work)
    shelf.tidy()
    assert kept_images.find(shelf.where, "beef") is None


def test_an_image_opened_where_it_lies_is_not_copied(shelf, tmp_path):
    place = tmp_path / "huge.tif"
    keep(shelf, place=str(place))
    assert shelf.works()[0].image is None
    place.write_bytes(b"x")
    assert shelf.works()[0].image == place


def test_an_image_without_work_is_offered_as_long_as_it_is_the_latest(shelf):
    session = fresh()
    hash = session.image.source.content_hash
    session.safekeeping.note(shelf.where, card(session, objects=0))
    assert shelf.works() == (), "without its file there is nothing to go on with"
    kept_images.keep(shelf.where, hash, b"picture")
    assert [work.saves for work in shelf.works()] == [()]
    assert shelf.load(session.safekeeping.work) == (None, "")
    other = keep(shelf)
    assert [work.id for work in shelf.works()] == [other.safekeeping.work]
    shelf.tidy()
    assert shelf.get(session.safekeeping.work) is None


def _join() -> None:
    """Wait for what is copied in the background."""
    for thread in threading.enumerate():
        if thread.name in (safekeeping.COPYING, safekeeping.TIDYING):
            thread.join(PATIENCE)


# ---------------------------------------------------------------------- damage


def test_after_a_damaged_save_comes_the_one_before(shelf):
    session = keep(shelf)
    session.remove([1])
    keep(shelf, session)
    latest = shelf.works()[0].saves[0].path
    latest.write_bytes(latest.read_bytes()[:-40])
    state, note = shelf.load(session.safekeeping.work)
    assert len(state.instances) == 2
    assert "last save of this work was damaged" in note


def test_when_no_save_is_whole_it_is_said(shelf):
    session = keep(shelf)
    for entry in shelf.works()[0].saves:
        entry.path.write_bytes(b"PK")
    with pytest.raises(ProjectError, match="only a part of one"):
        shelf.load(session.safekeeping.work)


def test_a_save_of_another_version_says_so(shelf, monkeypatch):
    from rsam_core.session import project

    monkeypatch.setattr(project, "VERSION", 99)
    session = keep(shelf)
    monkeypatch.undo()
    with pytest.raises(ProjectError, match="newer RSAM"):
        shelf.load(session.safekeeping.work)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "id": 5}', b'{"version": 1, "id": "x"}',
     b'{"version": 1, "id": "ID", "objects": -1}', b'{"version": 1, "id": "ID", "time": "now"}'],
)  # fmt: skip
def test_a_damaged_card_is_made_again(shelf, content):
    session = keep(shelf)
    id = session.safekeeping.work
    path = shelf.where / f"{id}{work_cards.ENDING}"
    path.write_bytes(content.replace(b"ID", id.encode()))
    (work,) = shelf.works()
    assert (work.id, work.card.title, work.card.objects) == (id, "plain.png", 2)
    assert work_cards.read(path) == work.card


def test_saves_of_earlier_versions_are_works(shelf):
    autosave.save(to_state(worked()), shelf.where)
    autosave.save(to_state(worked()), shelf.where, writer="anothertab")
    assert titles(shelf) == ["plain.png"] * 2
    assert len(shelf.load(shelf.works()[1].id)[0].instances) == 2


def test_a_full_disk_is_told_and_loses_nothing(shelf, monkeypatch):
    session = keep(shelf)
    id = session.safekeeping.work

    def full(target, data, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_file, "write", full)
    for act in (
        lambda: shelf.rename(id, "x"),
        lambda: shelf.duplicate(id),
        lambda: shelf.delete(id),
        lambda: kept_images.keep(shelf.where, "abc", b"picture"),
    ):
        with pytest.raises(ProjectError, match="No space left on device"):
            act()
    session.remove([1])
    keep(shelf, session)
    assert "No space left on device" in session.safekeeping.problem
    assert "Save the project yourself" in session.safekeeping.problem
    monkeypatch.undo()
    assert titles(shelf) == ["plain.png"]
    assert len(shelf.load(id)[0].instances) == 2
    keep(shelf, session)
    assert session.safekeeping.problem == ""


def test_a_crash_while_writing_leaves_the_file_of_before(tmp_path, monkeypatch):
    path = tmp_path / "a" / "file"
    atomic_file.write(path, b"before")

    def crash(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(atomic_file.os, "replace", crash)
    with pytest.raises(KeyboardInterrupt):
        atomic_file.write(path, b"after")
    assert [p.name for p in path.parent.iterdir()] == ["file"]
    assert path.read_bytes() == b"before"


# ---------------------------------------------------------------------- images within budgets


def test_the_image_used_longest_ago_goes_but_none_that_is_open(shelf):
    for age, name in ((30, "a"), (20, "b"), (10, "c")):
        path = kept_images.keep(shelf.where, name, b"1234", each=12, total=99)
        stamp = time.time() - age
        atomic_file.os.utime(path, (stamp, stamp))
    kept_images.keep(shelf.where, "d", b"1234", used=lambda: {"a"}, each=12, total=99)
    left = {name for name in "abcd" if kept_images.find(shelf.where, name)}
    assert left == {"a", "c", "d"}
    other = shelf.where.parent / "other"
    kept_images.keep(other, "e", b"1234", each=12, total=12)
    assert kept_images.size(shelf.where) + kept_images.size(other) <= 12
    assert kept_images.find(other, "e") is not None


def test_an_image_larger_than_the_budget_is_refused_in_words(shelf):
    with pytest.raises(ProjectError, match="open the image again"):
        kept_images.keep(shelf.where, "a", b"1234", each=3)
    assert kept_images.find(shelf.where, "a") is None


def test_a_nearly_full_disk_keeps_no_image(shelf, monkeypatch):
    monkeypatch.setattr(kept_images, "SPARE", 1 << 60)
    with pytest.raises(ProjectError, match="disk is nearly full"):
        kept_images.keep(shelf.where, "a", b"1234")


def test_emptying_spares_open_images(shelf):
    for name in "ab":
        kept_images.keep(shelf.where, name, b"1234")
    assert kept_images.remove(shelf.where, {"a"}) == 4
    assert kept_images.size(shelf.where) == 4


def test_the_file_of_an_opened_image_is_kept_and_its_problem_told(shelf, monkeypatch):
    session = worked()
    safe, hash = session.safekeeping, "0123abc"

    def kept() -> None:
        safe.source = b"picture"
        safe.keep_image(hash, shelf.where)
        _join()

    kept()
    assert kept_images.find(shelf.where, hash).read_bytes() == b"picture"
    assert hash in safekeeping.open_images()
    session.close()
    assert hash not in safekeeping.open_images()
    kept_images.remove(shelf.where)
    monkeypatch.setattr(kept_images, "EACH", 3)
    kept()
    assert "larger than what is kept" in safe.image_problem


# ---------------------------------------------------------------------- one work in two tabs


def test_who_goes_on_with_a_work_saves_it_and_the_other_tab_makes_a_new_one(shelf):
    first = keep(shelf)
    id = first.safekeeping.work
    second = worked()
    second.safekeeping.go_on(shelf.where, id)
    second.remove([1])
    keep(shelf, second)
    assert len(shelf.works()) == 1
    first.update(lambda book: book.add_box(1, 1, 9, 9))
    keep(shelf, first)
    assert first.safekeeping.work != id
    counts = {work.id: len(shelf.load(work.id)[0].instances) for work in shelf.works()}
    assert counts == {id: 1, first.safekeeping.work: 3}


def test_what_waits_for_its_moment_is_saved_before_works_are_listed(shelf):
    session = worked()
    session.safekeeping.keep(to_state(session), shelf.where, 60.0, card(session))
    assert shelf.works() == ()
    safekeeping.flush(shelf.where.parent / "other browser")
    assert shelf.works() == ()
    safekeeping.flush(shelf.where)
    assert titles(shelf) == ["plain.png"]


def test_a_flush_beside_the_timer_saves_once(shelf, monkeypatch):
    session, saves, real = worked(), [], autosave.save
    monkeypatch.setattr(autosave, "save", lambda *a, **k: saves.append(1) or real(*a, **k))
    for _ in range(20):
        session.safekeeping.keep(to_state(session), shelf.where, 0.0)
        safekeeping.flush(shelf.where)
        session.safekeeping.wait(PATIENCE)
    assert len(saves) == 20


# ---------------------------------------------------------------------- secrets and housekeeping


def test_the_secret_of_a_browser_stands_nowhere_on_disk(tmp_path, monkeypatch):
    monkeypatch.setenv("RSAM_HOME", str(tmp_path))
    shelf = Shelf(works.folder(SECRET))
    keep(shelf)
    found = list(tmp_path.rglob("*"))
    assert found
    assert not [path for path in found if SECRET in str(path)]
    assert not [path for path in found if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert works.folder("f" * 32) != works.folder(SECRET)
    assert shelf.where.stat().st_mode & 0o077 == 0 or atomic_file.os.name == "nt"


def test_work_that_an_earlier_version_filed_under_the_secret_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("RSAM_HOME", str(tmp_path))
    autosave.save(to_state(worked()), autosave.folder() / SECRET)
    assert titles(Shelf(works.folder(SECRET))) == ["plain.png"]
    assert not (autosave.folder() / SECRET).exists()


def test_tidying_removes_folders_that_hold_nothing(tmp_path):
    shelf = Shelf(tmp_path / "a")
    session = keep(shelf)
    kept_images.keep(shelf.where, "x", b"1234")
    works.tidy(tmp_path)
    assert titles(shelf) == ["plain.png"]
    assert kept_images.find(shelf.where, "x") is None, "no work needs it"
    shelf.remove(session.safekeeping.work)
    works.tidy(tmp_path)
    assert not shelf.where.exists()


def test_a_card_survives_its_file(tmp_path):
    told = Card("abc", "Ä “b”.tif", "0f", 10, 20, "Übung", 3, "one-shot", "town", "ff", "/x", 5.0)
    work_cards.write(tmp_path, told)
    assert work_cards.read(tmp_path / "abc.card.json") == told
    content = json.loads((tmp_path / "abc.card.json").read_text())
    content["later"] = 1
    (tmp_path / "abc.card.json").write_text(json.dumps(content))
    assert work_cards.read(tmp_path / "abc.card.json") == told
    (tmp_path / "other.card.json").write_text(json.dumps(content))
    assert work_cards.read(tmp_path / "other.card.json") is None
    assert replace(told, name="").title == "Ä “b”.tif"


def test_each_opened_image_is_a_work_of_its_own():
    assert len({Safekeeping().work for _ in range(100)}) == 100

"""Autosaves: the latest few of each image, whole at every moment."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rsam_core.errors import ProjectError
from rsam_core.objects.instances import Instance, Instances
from rsam_core.session import autosave
from rsam_core.session.project import ProjectState
from tests.helpers.waiting import PATIENCE


def state(count: int = 1, hash: str = "aa11") -> ProjectState:
    items = [Instance(np.ones((2, 2), bool), 3 * i, 0) for i in range(count)]
    return ProjectState("a.png", hash, 60, 4, Instances(items, (4, 60)), image=b"picture")


def test_the_latest_comes_first_and_old_ones_go(tmp_path):
    for count in range(1, 8):
        autosave.save(state(count), tmp_path, keep=3)
    found = autosave.entries(tmp_path)
    assert [len(autosave.load(entry).instances) for entry in found] == [7, 6, 5]
    assert len(list(tmp_path.iterdir())) == 3
    assert found[0].time >= found[1].time
    assert found[0].size == found[0].path.stat().st_size


def test_each_image_has_its_own(tmp_path):
    first = autosave.save(state(1, "aa11"), tmp_path, keep=1)
    autosave.save(state(2, "bb22"), tmp_path, keep=1)
    assert len(autosave.entries(tmp_path)) == 2
    assert autosave.entries(tmp_path, scene_hash="aa11") == (first,)
    assert autosave.entries(tmp_path, scene_hash="cc33") == ()


def test_a_slow_older_save_is_not_offered_as_the_latest(tmp_path, monkeypatch):
    """The older one begins first and is still packing when the newer one is done."""
    packing, go_on = threading.Event(), threading.Event()
    real = autosave.save_project

    def slow(state):
        if len(state.instances) == 1:
            packing.set()
            assert go_on.wait(PATIENCE)
        return real(state)

    monkeypatch.setattr(autosave, "save_project", slow)
    older = threading.Thread(target=autosave.save, args=(state(1), tmp_path))
    older.start()
    assert packing.wait(PATIENCE)
    autosave.save(state(2), tmp_path)
    go_on.set()
    older.join(PATIENCE)
    found = autosave.entries(tmp_path)
    assert [len(autosave.load(entry).instances) for entry in found] == [2, 1]


def test_stamps_are_never_given_twice():
    with ThreadPoolExecutor(8) as pool:
        given = list(pool.map(lambda _: autosave.stamp(), range(2000)))
    assert len(set(given)) == 2000


def test_two_tabs_do_not_push_each_others_saves_out(tmp_path):
    first = autosave.save(state(1), tmp_path, writer="one", keep=2)
    for count in range(2, 8):
        autosave.save(state(count), tmp_path, writer="two", keep=2)
    found = autosave.entries(tmp_path, scene_hash="aa11")
    assert [len(autosave.load(entry).instances) for entry in found] == [7, 6, 1]
    assert found[-1] == first
    assert [entry.writer for entry in found] == ["two", "two", "one"]
    autosave.forget(tmp_path, "aa11", "two")
    assert autosave.entries(tmp_path) == (first,)


def at(folder: Path, day: int, size: int, name: str = "aa11") -> Path:
    """A save of a day of January 2026."""
    moment = int(datetime(2026, 1, day, tzinfo=UTC).timestamp() * 1e6)
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{moment}.rsam.zip"
    path.write_bytes(bytes(size))
    return path


def left(root: Path) -> list[int]:
    """Days of the saves that are left, in all folders."""
    found = [e for folder in (root, *root.iterdir()) for e in autosave.entries(folder)]
    return sorted(entry.time.day for entry in found)


@pytest.mark.parametrize(
    ("limits", "days"),
    [
        ({"age": timedelta(days=10)}, [20, 25, 29]),
        ({"count": 2}, [25, 29]),
        ({"total": 250}, [25, 29]),
        ({"total": 1}, [29]),
        ({"age": timedelta(hours=1)}, []),
        ({}, [1, 12, 20, 25, 29]),
    ],
)
def test_saves_expire_by_age_number_and_size_over_all_browsers(tmp_path, limits, days):
    for day, browser in ((1, "x"), (12, "y"), (20, "x"), (25, "y"), (29, "z")):
        at(tmp_path / browser, day, 100)
    (tmp_path / "x" / "notes.txt").write_text("x")
    now = datetime(2026, 1, 30, tzinfo=UTC)
    assert autosave.tidy(tmp_path, now=now, **limits) == 5 - len(days)
    assert left(tmp_path) == days
    assert (tmp_path / "x" / "notes.txt").exists()


def test_what_a_crash_left_is_cleared_away_after_a_day(tmp_path):
    old, young = tmp_path / ".saving-old", tmp_path / ".saving-young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    autosave.tidy(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".saving-young"]


def test_the_image_itself_is_left_out(tmp_path):
    assert autosave.load(autosave.save(state(), tmp_path)).image is None


def test_a_crash_leaves_the_earlier_save_whole(tmp_path, monkeypatch):
    autosave.save(state(1), tmp_path)

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(ProjectError, match="No space left"):
        autosave.save(state(2), tmp_path)
    assert [len(autosave.load(e).instances) for e in autosave.entries(tmp_path)] == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_strange_files_and_hashes_do_no_harm(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "aa11-12.rsam.zip").write_text("x")
    entry = autosave.save(state(1, "../../evil"), tmp_path)
    assert entry.path.parent == tmp_path
    assert autosave.entries(tmp_path) == (entry,)
    assert autosave.entries(tmp_path / "nowhere") == ()


def test_damaged_and_vanished_saves_are_refused(tmp_path):
    entry = autosave.save(state(), tmp_path)
    entry.path.write_bytes(entry.path.read_bytes()[:50])
    with pytest.raises(ProjectError):
        autosave.load(entry)
    entry.path.unlink()
    with pytest.raises(ProjectError, match="no longer there"):
        autosave.load(entry)


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProjectError, match="could not be saved"):
        autosave.save(state(), tmp_path / "file" / "folder")


def test_the_folder_follows_rsam_home(tmp_path, monkeypatch):
    monkeypatch.setenv("RSAM_HOME", str(tmp_path))
    assert autosave.folder() == tmp_path / "autosave"
    autosave.save(state())
    assert len(autosave.entries()) == 1
    monkeypatch.delenv("RSAM_HOME")
    assert autosave.folder().parts[-2:] == ("rsam", "autosave")
    assert isinstance(autosave.folder(), Path)

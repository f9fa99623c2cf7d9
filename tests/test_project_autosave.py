"""Autosaves: the latest few of each image, whole at every moment."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from rsam_core import autosave
from rsam_core.errors import ProjectError
from rsam_core.instances import Instance, Instances
from rsam_core.project import ProjectState


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

"""A series in a session: marks with undo, following in the background, projects."""

from __future__ import annotations

import gc

import cv2
import numpy as np
import pytest

from rsam_core.errors import FollowError, ProjectError
from rsam_core.samples import render_series
from rsam_core.samples.series_gallery import SeriesEntry, series_entry
from rsam_core.scene.scene import open_scene
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.follow_project import open_waiting, resume
from rsam_core.session.following import FOLLOW, FollowState, follow_state
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, has_work, is_empty, to_state
from rsam_core.session.series_source import (
    Series,
    opened_again,
    sample_series,
    series_of_entry,
    series_of_files,
    series_of_video,
)
from rsam_core.session.session import Session
from tests.change.test_frames import video
from tests.helpers.colour_model import ColourModel
from tests.helpers.waiting import PATIENCE

MODEL = Segmenter(ColourModel())
NAMES = ("lake 2018.png", "lake 2016.png", "lake 2020-05.png")


def png(x: int, side: int = 24) -> bytes:
    image = np.full((90, 120, 3), 90, np.uint8)
    image[::7] = 120
    image[30 : 30 + side, x : x + side] = (200, 40, 40)
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


FILES = tuple(zip(NAMES, (png(24), png(20), png(28))))


def opened() -> tuple[Session, FollowState, Series]:
    series = series_of_files(FILES)
    session = Session(series.first)
    state = follow_state(session)
    state.open(series)
    return session, state, series


def settle(state: FollowState) -> None:
    state.settle(lambda: MODEL, lambda k: MODEL.embed(state.frames[k]))


def follow(session: Session, state: FollowState) -> None:
    state.start(lambda: MODEL)
    assert session.jobs.get(FOLLOW).wait(PATIENCE)
    assert state.collect()


def areas(state: FollowState) -> list[int]:
    return [0 if item is None else item.area for item in map(state.outline, range(3))]


def test_files_come_in_the_order_of_their_dates():
    session, state, series = opened()
    assert state.frames.dates == ("2016", "2018", "2020-05")
    assert series.source.names == ("lake 2016.png", "lake 2018.png", "lake 2020-05.png")
    assert session.image.scene.name == "lake 2016.png"
    assert state.frames[2][40, 30].tolist() == [200, 40, 40]
    with pytest.raises(FollowError, match="twice"):
        series_of_files((FILES[0], ("copy.png", FILES[0][1])))


def test_the_open_image_is_one_of_the_dates():
    scene = open_scene(FILES[0][1], name=NAMES[0])
    series = series_of_files(FILES[1:], opened=scene)
    assert series.frames.dates == ("2016", "2018", "2020-05")
    assert series.first is scene
    assert series.frames[0][40, 22].tolist() == [200, 40, 40]


def test_a_click_outlines_and_is_followed_both_ways():
    session, state, _ = opened()
    state.look(1)
    state.click(30, 40)
    settle(state)
    assert areas(state) == [0, 576, 0]
    follow(session, state)
    assert areas(state) == [576, 576, 576]
    assert [state.outline(k).x for k in range(3)] == [20, 24, 28]
    assert state.now.track.frames_per_second > 0


def test_each_step_is_undone_with_what_was_followed():
    session, state, _ = opened()
    assert (state.undoable, state.redoable, state.empty) == ("", "", True)
    state.draw_box(20, 30, 44, 54)
    settle(state)
    follow(session, state)
    state.look(2)
    state.draw_box(28, 30, 52, 42)
    assert state.undoable == "Box in frame 3"
    assert state.now.pending == (2,)
    settle(state)
    follow(session, state)
    assert areas(state)[2] == 288
    # The frame that was marked first stays.
    assert areas(state)[0] == 576
    state.undo()
    assert areas(state) == [576, 576, 576]
    assert state.redoable == "Box in frame 3"
    state.undo()
    assert areas(state) == [0, 0, 0]
    state.redo()
    assert areas(state) == [576, 576, 576]


def test_a_correction_keeps_the_outline_it_corrects():
    session, state, _ = opened()
    state.click(30, 40)
    settle(state)
    follow(session, state)
    state.look(1)
    outline = state.outline(1)
    state.click(30, 35, label=0)
    assert state.now.marks[1].base is outline
    # Far away a click means another thing.
    state.undo()
    state.click(110, 80)
    assert state.now.marks[1].base is None


def test_what_cannot_be_is_told_and_nothing_is_lost():
    session, state, _ = opened()
    with pytest.raises(FollowError, match="Include"):
        state.click(30, 40, label=0)
    with pytest.raises(FollowError, match="Mark the object"):
        state.start(lambda: MODEL)
    assert session.jobs.get(FOLLOW) is None
    with pytest.raises(FollowError, match="no date"):
        state.type_dates(["2016", "soon", ""])
    assert state.frames.dates == ("2016", "2018", "2020-05")


def test_typed_dates_are_those_of_the_track():
    session, state, _ = opened()
    state.click(30, 40)
    settle(state)
    follow(session, state)
    state.type_dates(["2011", "", "2013-4"])
    assert state.now.track.table()["date"].tolist()[::2] == ["2011", "2013-04"]


def test_a_job_of_before_a_click_is_not_taken_over():
    session, state, _ = opened()
    state.click(30, 40)
    settle(state)
    state.start(lambda: MODEL)
    job = session.jobs.get(FOLLOW)
    state.draw_box(20, 30, 30, 40)
    job.wait(PATIENCE)
    state.collect()
    assert state.now.track is None


@pytest.mark.parametrize("with_files", [True, False])
def test_a_project_goes_on_with_its_frames(with_files):
    session, state, series = opened()
    state.look(1)
    state.click(30, 40)
    settle(state)
    follow(session, state)
    state.type_dates(["2011", "2012", "2013"])
    assert not is_empty(session)
    image = session.image.source.file_bytes() if with_files else None
    saved = load_project(save_project(to_state(session, image)))
    assert has_work(saved)
    again = from_state(saved, session.image.source)
    back = follow_state(again)
    assert back.frames is None
    assert not back.empty
    # Nothing is lost while it waits.
    saved = load_project(save_project(to_state(again, image)))
    again = from_state(saved, session.image.source)
    back = follow_state(again)
    found = open_waiting(back)
    assert (found is not None) == with_files
    other = series_of_files(FILES[:2])
    with pytest.raises(FollowError, match=r"“lake 2016\.png”"):
        resume(back, other)
    resume(back, found or series)
    assert areas(back) == [576, 576, 576]
    assert back.frame == 1
    assert back.frames.dates == ("2011", "2012", "2013")
    assert list(back.now.track.table()["area"]) == [576] * 3
    assert back.now.track.table()["marked"].tolist() == [False, True, False]
    # A click corrects the outline that came with the project.
    back.click(30, 35, label=0)
    assert back.now.marks[1].base is not None
    settle(back)
    follow(again, back)


def test_damaged_series_of_projects_are_refused():
    session, state, _ = opened()
    state.click(30, 40)
    settle(state)
    saved = to_state(session)
    for name, value in (("count", 1), ("frame", 7), ("dates", ["soon", None, None]),
                        ("marks", {"9": {}}), ("source", {"kind": "magic"})):  # fmt: skip
        saved.series.facts[name], kept = value, saved.series.facts[name]
        with pytest.raises(ProjectError, match="series"):
            from_state(load_project(save_project(saved)), session.image.source)
        saved.series.facts[name] = kept


def test_sources_are_opened_again_the_same():
    clip = series_of_video("flight.mp4", video(9), 2)
    assert clip.frames.names[1] == "0.08 s"
    assert clip.first.shape == (48, 64)
    again = opened_again(clip.source)
    assert again.source.key == clip.source.key
    assert np.array_equal(again.frames[3], clip.frames[3])
    lake = sample_series(render_series("lake", 1, 2, width=128, height=128))
    assert lake.first.crs == lake.frames.crs
    assert lake.first.transform == lake.frames.transform
    assert lake.first.shape == lake.frames.shape == (128, 128)
    flight = sample_series(render_series("car", 1, 2, width=128, height=128))
    assert flight.frames.transform is None
    assert flight.first.gsd == 0.1


def test_an_invented_series_is_drawn_once_for_all_who_have_it_open(monkeypatch):
    drawn = []

    def render(self, **_):
        drawn.append(self.key)
        return render_series(self.key, 1, 2, width=128, height=128)

    monkeypatch.setattr(SeriesEntry, "render", render)
    first = series_of_entry(series_entry("lake"))
    second = series_of_entry(series_entry("lake"))
    assert drawn == ["lake"]
    assert second.frames[1] is not None
    del first, second
    gc.collect()
    series_of_entry(series_entry("lake"))
    assert drawn == ["lake", "lake"]


def test_a_real_series_is_known_by_its_key_and_named_in_its_files():
    found = series_of_entry(series_entry("estate"))
    assert found.source.key == opened_again(found.source).source.key
    assert found.frames.dates == ("2016", "2018", "2020")
    assert found.frames.attribution.startswith("USDA NAIP")
    assert found.first.crs == found.frames.crs == "EPSG:26911"

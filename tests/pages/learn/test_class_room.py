"""Exercises and the class board on the page: from the maker over a pupil to the result."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.parts.learn import class_state, class_work
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Touch
from pages.parts.shared import current_session
from rsam_core.evaluate.learn import exercise_subject
from rsam_core.evaluate.learn.boards import Boards
from rsam_core.evaluate.learn.exercise import make_exercise
from rsam_core.evaluate.learn.exercise_file import link_of, write_exercise
from rsam_core.evaluate.learn.own_work import OwnWork
from rsam_core.evaluate.learn.result import read_result
from rsam_core.formats.truth import truth_from_labels
from tests.helpers.boxes import png
from tests.helpers.exercises import box_answer, subject, task
from tests.helpers.pages import arranged, fine, put, texts
from tests.helpers.waiting import PATIENCE
from tests.pages.conftest import APP

Open = Callable[..., AppTest]


class Room:
    """What the tests share with the pages: boards, time, and the next touch of a picture."""

    def __init__(self) -> None:
        self.boards, self.own, self.clock = Boards(), OwnWork(), 1000.0
        self.touches: list[Touch] = []


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, model: object) -> Room:
    """Boards of this test alone, a small picture, a model that takes boxes as they are."""
    found = Room()
    monkeypatch.setattr(class_state, "boards", lambda: found.boards)
    for module in ("class_pupil", "class_board", "class_start", "class_maker", "class_done"):
        monkeypatch.setattr(f"pages.parts.learn.{module}.boards", lambda: found.boards)
    for module in ("class_state", "class_pupil", "class_start", "class_maker", "class_done"):
        monkeypatch.setattr(f"pages.parts.learn.{module}.own_work", lambda: found.own)
    for module in ("class_pupil", "class_work"):
        monkeypatch.setattr(f"pages.parts.learn.{module}.now", lambda: found.clock)
    monkeypatch.setattr(class_work, "predictor", lambda made: box_answer)
    monkeypatch.setattr(exercise_subject, "_sample", lambda source: subject())

    def picture(self: Stage, name: str, image: object, *, on_touch=None, **_options) -> None:
        if on_touch is not None:
            st.button("touch", key=f"touch-{name}", on_click=lambda: on_touch(found.touches.pop(0)))

    monkeypatch.setattr(Stage, "picture", picture)
    return found


@pytest.fixture
def visit(room: Room) -> Open:
    """Open the page Learn in a browser of its own."""

    def start(number: int, **address: str) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=PATIENCE)
        at.session_state["browser-id"] = f"{number:032x}"
        for name, value in (address or {"part": "class"}).items():
            at.query_params[name] = value
        at.run()
        at.switch_page("pages/screens/learn.py").run()
        return at

    return start


def press(at: AppTest, label: str) -> AppTest:
    next(b for b in at.button if b.label == label).click().run()
    return at


def drag(at: AppTest, room: Room, box: tuple[int, int, int, int]) -> None:
    """Draw a box, in pixels of the exercise's picture; on the page it is twice as large."""
    room.touches.append(Touch("drag", *(2.0 * value for value in box), other=False))
    at.button(key="touch-picture-work").click().run()
    fine(at)


def html(at: AppTest) -> str:
    return "\n".join(item.proto.body for item in at.get("html"))


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def join(at: AppTest, name: str) -> None:
    at.text_input(key="learn-class-name").set_value(name)
    press(at, "Join")
    fine(at)


def test_from_the_maker_by_a_link_to_the_result(room: Room, visit: Open):
    teacher = visit(1)
    press(teacher, "Make an exercise")
    fine(teacher)
    # Two of the three roofs that are whole: the largest come first.
    teacher.slider(key="learn-maker-count").set_value(2).run()
    teacher.select_slider(key="learn-maker-seconds").set_value(60).run()
    fine(teacher)
    link = re.search(r"exercise=(\S+)", teacher.code[0].value)[1]

    pupil = visit(2, exercise=link)
    fine(pupil)
    assert "60 seconds" in texts(pupil)
    press(pupil, "Begin")
    drag(pupil, room, (50, 10, 80, 40))
    assert metrics(pupil) == {"Clicks": "1", "IoU": "100%"}
    room.clock += 7
    press(pupil, "Next object")
    # Ten pixels too wide: 200 of 300.
    drag(pupil, room, (10, 10, 40, 20))
    assert metrics(pupil)["IoU"] == "67%"
    press(pupil, "Undo")
    assert metrics(pupil) == {"Clicks": "1", "IoU": "0%"}
    drag(pupil, room, (10, 10, 40, 20))

    # A reload: the same browser, a new tab.
    again = visit(2, exercise=link)
    fine(again)
    assert metrics(again) == {"Clicks": "2", "IoU": "67%"}
    room.clock += 3
    press(again, "Done")
    fine(again)
    assert metrics(again) == {"Mean IoU": "83%", "Clicks": "3", "Seconds": "10"}
    assert "1 click, 7 s" in html(again)


def test_two_of_one_name_on_a_board_and_what_the_teacher_sees(room: Room, visit: Open):
    teacher = visit(1)
    press(teacher, "Make an exercise")
    teacher.slider(key="learn-maker-count").set_value(1).run()
    press(teacher, "Open a class board")
    fine(teacher)
    (code,) = room.boards.of(f"{1:032x}")
    assert code in html(teacher)

    pupils = []
    for number in (2, 3):
        # One by the address, one by typing the code.
        at = visit(number, **({"board": code} if number == 2 else {}))
        if number == 3:
            at.text_input(key="learn-class-code").set_value(code.lower())
            press(at, "Go to the board")
        join(at, "Anna")
        press(at, "Begin")
        drag(at, room, (50, 10, 80, 40))
        pupils.append(at)
    room.clock += 4
    press(pupils[0], "Done")
    fine(pupils[0])
    assert "Handed in" in pupils[0].success[0].value
    teacher.run()
    fine(teacher)
    shown = html(teacher)
    assert ">Anna</th><td>done</td>" in shown
    assert ">Anna (2)</th><td>working</td>" in shown
    assert "--share:100%" in shown

    # Nobody sees another's work before the teacher shows it.
    assert "shows the work" not in str([item.value for item in pupils[0].subheader])
    teacher.selectbox(key="learn-board-look").set_value(1).run()
    press(teacher, "Show to all")
    press(pupils[1], "Done")
    fine(pupils[1])
    assert "shows the work of Anna" in str([item.value for item in pupils[1].subheader])

    # A reload brings the same pupil back.
    back = visit(3, board=code)
    fine(back)
    assert metrics(back)["Mean IoU"] == "100%"

    press(teacher, "Close the board")
    fine(teacher)
    assert len(room.boards) == 0
    pupils[1].run()
    assert "perhaps your teacher has closed it" in pupils[1].error[0].value
    # What was done is still there.
    assert metrics(pupils[1])["Mean IoU"] == "100%"
    assert "Save the result" in [b.proto.label for b in pupils[1].get("download_button")]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ({"board": "CDFHJ"}, "no class board with the code CDFHJ"),
        ({"board": "<script>"}, "A code has 5 signs"),
        ({"exercise": "1garbage"}, "damaged"),
        ({"exercise": link_of(make_exercise(subject(), "town:gone", (7,)).exercise)}, "is gone"),
    ],
)
def test_wrong_addresses_are_one_message(
    room: Room, visit: Open, address: dict[str, str], words: str
):
    at = visit(2, **address)
    assert not at.exception
    assert [words in error.value for error in at.error] == [True]


def test_a_code_that_was_typed_wrong_keeps_the_page(room: Room, visit: Open):
    at = visit(2)
    at.text_input(key="learn-class-code").set_value("CDFHJ")
    press(at, "Go to the board")
    assert "no class board with the code CDFHJ" in at.error[0].value
    assert at.text_input(key="learn-class-code").value == "CDFHJ"


def test_an_exercise_and_results_as_files(room: Room, visit: Open):
    made = task((7,), prompts="box", shows_iou=False)
    at = visit(2)
    at.file_uploader(key="learn-class-file").upload(
        "roofs.rsam-exercise", write_exercise(made), "application/zip"
    ).run()
    fine(at)
    press(at, "Begin")
    drag(at, room, (50, 10, 80, 40))
    assert metrics(at) == {"Clicks": "1"}
    press(at, "Done")
    fine(at)
    assert metrics(at)["Mean IoU"] == "100%"
    result = class_state.Work(made, room.own.find(f"{2:032x}", made.key))
    from rsam_core.evaluate.learn.result import Result, write_result

    content = write_result(Result.of(made, result.attempt, "Bo"))
    assert read_result(content).iou == 1.0

    code = room.boards.open(f"{1:032x}", made)
    teacher = visit(1)
    press(teacher, f"{code} · Three roofs: roofs")
    teacher.file_uploader(key="learn-board-files").set_value(
        [("bo.rsam-result", content, "application/json"), ("bad.txt", b"no", "text/plain")]
    ).run()
    assert ">Bo</th><td>from a file</td>" in html(teacher)
    assert "“bad.txt”: This is not a result" in teacher.error[0].value


def test_time_that_is_up_ends_it(room: Room, visit: Open):
    code = room.boards.open(f"{1:032x}", task((7, 3), seconds=30))
    at = visit(2, board=code)
    join(at, "")
    press(at, "Begin")
    drag(at, room, (50, 10, 80, 40))
    room.clock += 31
    at.run()
    fine(at)
    assert metrics(at) == {"Mean IoU": "50%", "Clicks": "1", "Seconds": "30"}
    (row,) = room.boards.rows(code, f"{1:032x}")
    assert (row.name, row.state, row.iou) == ("Pupil 1", "done", 0.5)


def test_the_next_pupil_at_this_computer(room: Room, visit: Open):
    code = room.boards.open(f"{1:032x}", task((7,)))
    at = visit(2, board=code)
    join(at, "Anna")
    press(at, "Begin")
    press(at, "Done")
    press(at, "Somebody else's turn")
    join(at, "Bo")
    assert "You are Bo" in texts(at)
    assert [row.name for row in room.boards.rows(code, f"{1:032x}")] == ["Anna", "Bo"]


def test_targets_that_are_clicked(room: Room, visit: Open):
    teacher = visit(1)
    press(teacher, "Make an exercise")
    teacher.button_group(key="learn-maker-way").set_value("clicked")
    teacher.run()
    assert "at least one object" in teacher.info[0].value
    for x, y in ((65, 25), (15, 15), (65, 25), (1, 70)):
        room.touches.append(Touch("click", 2.0 * x, 2.0 * y, 0.0, 0.0, other=False))
        teacher.button(key="touch-picture-maker").click().run()
    fine(teacher)
    # The first was clicked twice, the last is no object.
    assert "1 of at most 20" in texts(teacher)
    press(teacher, "Open a class board")
    ((_, made),) = room.boards.of(f"{1:032x}").items()
    assert made.numbers == (3,)


def test_a_browser_that_says_no_part_stays_where_it_is(room: Room, visit: Open):
    code = room.boards.open(f"{1:032x}", task((7,)))
    at = visit(2, board=code)
    at.button_group(key="learn-part-choice").set_value(None)
    at.run()
    fine(at)
    assert at.query_params["board"] in (code, [code])
    assert at.button_group(key="learn-part-choice").value == "class"
    join(at, "Anna")


def test_a_teacher_who_reloads_is_back_at_the_board(room: Room, visit: Open):
    code = room.boards.open(f"{1:032x}", task((7,)))
    teacher = visit(1)
    press(teacher, f"{code} · Three roofs: roofs")
    address = {name: "".join(value) for name, value in teacher.query_params.items()}
    again = visit(1, **address)
    fine(again)
    assert f'class="board-code" aria-label="Code: {" ".join(code)}">{code}<' in html(again)
    # Somebody else with that address sees nothing of it.
    other = visit(2, **address)
    assert "not open in this browser" in other.error[0].value
    assert code not in html(other)


def test_an_exercise_on_the_open_image_and_its_truth(room: Room):
    drawn = subject()
    session = current_session.load(png(drawn.image), "mine.png")
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    at.session_state["browser-id"] = f"{1:032x}"
    put(at, arranged(session, truth=truth_from_labels(drawn.labels, "survey")))
    at.query_params["part"] = "class"
    at.run()
    at.switch_page("pages/screens/learn.py").run()
    press(at, "Make an exercise")
    at.selectbox(key="learn-maker-source").set_value("own").run()
    fine(at)
    assert "The truth is “survey”" in texts(at)
    # No link can name it; a board and a file hold its picture.
    assert len(at.code) == 0
    press(at, "Open a class board")
    fine(at)
    ((_, made),) = room.boards.of(f"{1:032x}").items()
    # The fourth is cut by the border, the fifth is a speck.
    assert sorted(made.exercise.areas) == [144, 200, 900]
    assert (made.subject.image == drawn.image).all()


def test_an_open_image_without_objects_says_what_to_do(room: Room):
    at = AppTest.from_file(str(APP), default_timeout=PATIENCE)
    put(at, current_session.load(png(subject().image), "mine.png"))
    at.query_params["part"] = "class"
    at.run()
    at.switch_page("pages/screens/learn.py").run()
    press(at, "Make an exercise")
    at.selectbox(key="learn-maker-source").set_value("own").run()
    assert not at.exception
    assert "no truth and no outlined objects" in at.error[0].value

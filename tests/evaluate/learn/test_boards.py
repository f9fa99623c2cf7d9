"""Class boards: codes, names, who comes back, who sees what, limits, and thirty at once."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable

import pytest

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn import boards as module
from rsam_core.evaluate.learn.attempt import Attempt, Dot
from rsam_core.evaluate.learn.board import DONE, FILE, MAX_PUPILS, WAITING, WORKING, table
from rsam_core.evaluate.learn.boards import MAX_BOARDS, MAX_EACH, SIGNS, Boards, clean_code
from rsam_core.evaluate.learn.own_work import MOST, OwnWork
from rsam_core.evaluate.learn.result import Result
from tests.helpers.exercises import box_answer, done, task
from tests.helpers.waiting import until

TEACHER = "t" * 32


class Clock:
    """Time that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def boards(clock: Clock) -> Boards:
    return Boards(clock)


def test_codes_are_not_confused(boards: Boards):
    assert not set(SIGNS) & set("01OILS52Z8BG6UVAEY")
    code = boards.open(TEACHER, task())
    assert len(code) == 5
    assert clean_code(f" {code[:2].lower()}-{code[2:]} ") == code


@pytest.mark.parametrize("code", ["", "ABCDE", "CDF", "CDFHJK", "CDF0H", "ÄÖÜßÉ", "<b>CD"])
def test_what_cannot_be_a_code(code: str):
    with pytest.raises(LearnError, match="5 signs"):
        clean_code(code)


def test_a_code_that_does_not_exist(boards: Boards):
    calls: list[Callable[[], object]] = [
        lambda: boards.assignment("CDFHJ"),
        lambda: boards.join("CDFHJ", "a", "Anna"),
        lambda: boards.pupil("CDFHJ", "a"),
        lambda: boards.shown("CDFHJ"),
        lambda: boards.rows("CDFHJ", TEACHER),
        lambda: boards.close("CDFHJ", TEACHER),
    ]
    for call in calls:
        with pytest.raises(LearnError, match="no class board with the code CDFHJ"):
            call()


def test_names_of_two_and_of_none(boards: Boards):
    code = boards.open(TEACHER, task())
    names = [boards.join(code, who, name).name for who, name in
             [("a", "Anna"), ("b", " anna "), ("c", ""), ("d", "Anna"), ("e", "")]]  # fmt: skip
    assert names == ["Anna", "anna (2)", "Pupil 3", "Anna (3)", "Pupil 5"]


def test_who_reloads_is_back_with_what_was_done(boards: Boards):
    made = task((7, 3))
    code = boards.open(TEACHER, made)
    pupil = boards.join(code, "a", "Anna")
    half = pupil.attempt.begin(0.0).go(made, 1, 4.0)
    boards.keep(code, "a", pupil.number, half)
    assert boards.pupil(code, "a").attempt is half
    again = boards.join(code, "a", "Somebody")
    assert (again.number, again.name, again.attempt) == (pupil.number, "Anna", half)
    assert boards.pupil(code, "b") is None


def test_the_next_pupil_at_the_same_computer(boards: Boards):
    made = task((7,))
    code = boards.open(TEACHER, made)
    first = boards.join(code, "a", "Anna")
    boards.keep(code, "a", first.number, done(made))
    second = boards.join(code, "a", "Bo", other=True)
    assert (second.number, second.attempt.started) == (2, None)
    # What comes late from the page before does not end up with the wrong pupil.
    with pytest.raises(LearnError, match="not on this board"):
        boards.keep(code, "a", first.number, done(made))
    assert [row.state for row in boards.rows(code, TEACHER)] == [DONE, WAITING]


def test_rows_say_how_far_everybody_is(boards: Boards):
    made = task((7, 3))
    code = boards.open(TEACHER, made)
    numbers = [boards.join(code, who, who).number for who in "abc"]
    boards.keep(code, "b", numbers[1], Attempt.of(made).begin(0.0).go(made, 1, 1.0))
    boards.keep(code, "c", numbers[2], done(made, seconds=9.0))
    waiting, working, finished = boards.rows(code, TEACHER)
    assert (waiting.state, waiting.at, waiting.iou) == (WAITING, 0, None)
    assert (working.state, working.at, working.iou) == (WORKING, 2, None)
    assert (finished.state, finished.iou, finished.clicks, finished.seconds) == (DONE, 1.0, 2, 9.0)


def test_what_was_handed_in_stays(boards: Boards):
    made = task((7,))
    code = boards.open(TEACHER, made)
    number = boards.join(code, "a", "Anna").number
    boards.keep(code, "a", number, done(made))
    boards.keep(code, "a", number, Attempt.of(made))
    assert boards.rows(code, TEACHER)[0].iou == 1.0


def test_only_the_teacher_sees_rows_and_pictures_and_closes(boards: Boards):
    code = boards.open(TEACHER, task())
    boards.join(code, "a", "Anna")
    for call in (
        lambda: boards.rows(code, "a"),
        lambda: boards.pupil_of(code, "a", 1),
        lambda: boards.show(code, "a", 1),
        lambda: boards.remove(code, "a", 1),
        lambda: boards.close(code, "a"),
    ):
        with pytest.raises(LearnError, match="Only the teacher"):
            call()
    assert boards.of("a") == {}
    assert list(boards.of(TEACHER)) == [code]


def test_nobody_sees_a_picture_unless_the_teacher_shows_it(boards: Boards):
    made = task((7,))
    code = boards.open(TEACHER, made)
    number = boards.join(code, "a", "Anna").number
    boards.keep(code, "a", number, done(made))
    assert boards.shown(code) is None
    boards.show(code, TEACHER, number)
    assert (boards.shown(code).name, boards.shown(code).attempt.iou) == ("Anna", 1.0)
    boards.show(code, TEACHER, number, named=False)
    assert boards.shown(code).name == ""
    boards.show(code, TEACHER, None)
    assert boards.shown(code) is None
    boards.show(code, TEACHER, number)
    boards.remove(code, TEACHER, number)
    assert boards.shown(code) is None


def test_who_was_removed_may_come_again(boards: Boards):
    made = task((7,))
    code = boards.open(TEACHER, made)
    first = boards.join(code, "a", "Rude")
    boards.remove(code, TEACHER, first.number)
    with pytest.raises(LearnError, match="not on this board"):
        boards.keep(code, "a", first.number, done(made))
    assert boards.join(code, "a", "Anna").number == 2


def test_words_of_browsers_are_not_kept(boards: Boards):
    code = boards.open(TEACHER, task())
    boards.join(code, "secret-of-anna", "Anna")
    board = boards._boards[code]
    assert "secret-of-anna" not in repr(vars(board))
    assert TEACHER not in repr(vars(board))


def test_results_from_files(boards: Boards):
    made, other = task((7, 3)), task((9,))
    code = boards.open(TEACHER, made)
    number = boards.join(code, "a", "Anna").number
    boards.keep(code, "a", number, done(made))
    live = boards.pupil(code, "a").result
    result = Result.of(made, done(made), "Anna")
    for _ in range(2):
        assert boards.collect(code, TEACHER, result).name == "Anna (2)"
    # Handed in live and as a file is one result.
    assert boards.collect(code, TEACHER, live).number == number
    assert [row.state for row in boards.rows(code, TEACHER)] == [DONE, FILE]
    with pytest.raises(LearnError, match="another exercise"):
        boards.collect(code, TEACHER, Result.of(other, done(other), "Bo"))


def test_a_file_of_somebody_whose_connection_was_lost(boards: Boards):
    made = task((7,))
    code = boards.open(TEACHER, made)
    pupil = boards.join(code, "a", "Anna")
    started = pupil.attempt.begin(0.0)
    boards.keep(code, "a", pupil.number, started)
    boards.collect(code, TEACHER, Result.of(made, started.finish(made, 8.0), "Anna"))
    assert [(row.number, row.state, row.seconds) for row in boards.rows(code, TEACHER)] == [
        (pupil.number, DONE, 8.0)
    ]


def test_limits(boards: Boards):
    code, *_ = [boards.open(TEACHER, task()) for _ in range(MAX_EACH)]
    with pytest.raises(LearnError, match="3 boards open already"):
        boards.open(TEACHER, task())
    for number in range(MAX_BOARDS - MAX_EACH):
        boards.open(f"teacher {number}", task())
    with pytest.raises(LearnError, match="This server has 20 boards"):
        boards.open("one more", task())
    for number in range(MAX_PUPILS):
        boards.join(code, f"pupil {number}", "")
    with pytest.raises(LearnError, match="full"):
        boards.join(code, "one more", "")
    boards.close(code, TEACHER)
    boards.open("one more", task())


def test_closing_forgets_everything(boards: Boards):
    code = boards.open(TEACHER, task())
    boards.join(code, "a", "Anna")
    boards.close(code, TEACHER)
    assert len(boards) == 0
    with pytest.raises(LearnError, match="perhaps your teacher has closed it"):
        boards.pupil(code, "a")


def test_a_board_ends_when_its_teacher_is_away_too_long(boards: Boards, clock: Clock):
    code = boards.open(TEACHER, task())
    clock.now = 3.9 * 3600
    boards.rows(code, TEACHER)
    clock.now = 7.8 * 3600
    assert boards.assignment(code) is not None
    # Pupils who look on do not keep it.
    clock.now = 8.1 * 3600
    with pytest.raises(LearnError):
        boards.assignment(code)
    assert len(boards) == 0


def test_a_board_ends_also_if_nobody_comes_any_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    boards = Boards(life=0.02)
    boards.open(TEACHER, task())
    until(lambda: len(boards) == 0)


def test_thirty_join_and_hand_in_at_once(boards: Boards):
    made = task((7, 3))
    code = boards.open(TEACHER, made)
    gate, errors = threading.Barrier(31), []

    def pupil(number: int) -> None:
        try:
            gate.wait()
            joined = boards.join(code, f"browser {number}", "Anna")
            attempt = joined.attempt.begin(0.0)
            for index in range(made.count):
                attempt = attempt.go(made, index, float(index))
                boards.keep(code, f"browser {number}", joined.number, attempt)
                boards.shown(code)
            boards.keep(code, f"browser {number}", joined.number, attempt.finish(made, number + 2))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=pupil, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    gate.wait()
    while any(thread.is_alive() for thread in threads):
        seen = boards.rows(code, TEACHER)
        assert len({row.name for row in seen}) == len(seen)
    assert errors == []
    rows = boards.rows(code, TEACHER)
    assert {row.name for row in rows} == {"Anna"} | {f"Anna ({n})" for n in range(2, 31)}
    assert {row.state for row in rows} == {DONE}
    # Each has the time of its own, whatever the order was.
    assert sorted(row.seconds for row in rows) == [n + 2.0 for n in range(30)]


def test_the_table_for_spreadsheets(boards: Boards):
    made = task((7, 3))
    code = boards.open(TEACHER, made)
    number = boards.join(code, "a", "=SUM(A1)").number
    boards.keep(code, "a", number, done(made))
    boards.join(code, "b", "")
    first, second = csv.DictReader(
        io.StringIO(table(boards.rows(code, TEACHER)).decode("utf-8-sig"))
    )
    assert first["name"] == "'=SUM(A1)"
    assert float(first["mean IoU"]) == 1.0
    assert float(first["IoU of object 2"]) == 1.0
    assert int(float(first["clicks on object 1"])) == 1
    assert (second["name"], second["mean IoU"]) == ("Pupil 2", "")


def test_work_without_a_board_is_found_again(clock: Clock):
    work, made = OwnWork(clock), task((7,))
    attempt = Attempt.of(made).begin(0.0).mark(made, Dot(50, 10, 80, 40, box=True), box_answer)
    work.keep("a", made.key, attempt)
    assert work.find("a", made.key) is attempt
    assert work.find("b", made.key) is None
    assert work.find("a", "other") is None
    clock.now = 4.1 * 3600
    assert work.find("a", made.key) is None
    for number in range(MOST + 5):
        work.keep(f"browser {number}", made.key, attempt)
    assert len(work) == MOST
    work.forget(f"browser {MOST}", made.key)
    assert work.find(f"browser {MOST}", made.key) is None

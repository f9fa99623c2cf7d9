"""All class boards of this server: opened by a teacher, joined by a code, forgotten when closed.

They live in memory alone. Whoever opens a board or joins it is known by a word of the browser's
own, of which only a fingerprint is kept here and nothing is ever shown.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.board import Board, Pupil, Row
from rsam_core.evaluate.learn.exercise import Assignment
from rsam_core.evaluate.learn.result import Result
from rsam_core.runtime.language import _

SIGNS = "3479CDFHJKMNPRTWX"
"""Signs of codes: none looks like another (0 O, 1 I L, 2 Z, 5 S, 6 G, 8 B, U V), and without
vowels they make no words."""
LENGTH = 5
MAX_BOARDS = 20
MAX_EACH = 3
"""Boards that one teacher has open."""
LIFE = 4 * 3600.0
"""Seconds for which a board is kept while its teacher is away."""
_PAUSE = 60.0


@dataclass(frozen=True)
class Shown:
    """What the teacher shows of a pupil, for all on the board; the name may be left out."""

    number: int
    name: str
    attempt: Attempt = field(repr=False)


def clean_code(code: str) -> str:
    """A code as somebody typed it, in the signs of codes.

    Raises
    ------
    LearnError
        If it cannot be one.
    """
    signs = "".join(sign for sign in code.upper() if sign.isalnum())
    if len(signs) != LENGTH or any(sign not in SIGNS for sign in signs):
        raise LearnError(
            _("A code has {length} signs out of {signs}. Look at the wall again, or ask your "
              "teacher.").format(length=LENGTH, signs=" ".join(SIGNS))
        )  # fmt: skip
    return signs


def fingerprint(word: str) -> str:
    """What is kept of a browser's own word."""
    return hashlib.sha256(b"rsam-board" + word.encode("utf-8", "replace")).hexdigest()


class Boards:
    """The boards of a server, safe between threads: one lock for all of them.

    Parameters
    ----------
    clock : callable
        Seconds; for tests.
    life : float
        See `LIFE`.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, life: float = LIFE) -> None:
        self._clock, self._life = clock, life
        self._lock = threading.Lock()
        self._boards: dict[str, Board] = {}
        self._watcher: threading.Thread | None = None

    def __len__(self) -> int:
        return len(self._boards)

    # ------------------------------------------------------------------ for the teacher

    def open(self, owner: str, task: Assignment) -> str:
        """Open a board.

        Parameters
        ----------
        owner : str
            The teacher's browser.
        task : Assignment

        Returns
        -------
        str
            Its code.

        Raises
        ------
        LearnError
            If there are too many.
        """
        whose = fingerprint(owner)
        with self._lock:
            self._tidy()
            if sum(board.owner == whose for board in self._boards.values()) >= MAX_EACH:
                raise LearnError(
                    _("You have {most} boards open already. Close one of them first.")
                    .format(most=MAX_EACH)
                )  # fmt: skip
            if len(self._boards) >= MAX_BOARDS:
                raise LearnError(
                    _("This server has {most} boards open already, which is all it can have. "
                      "Wait until one is closed, or collect the results as files.")
                    .format(most=MAX_BOARDS)
                )  # fmt: skip
            code = _new_code()
            while code in self._boards:
                code = _new_code()
            self._boards[code] = Board(task, whose, self._clock())
            if self._watcher is None:
                self._watcher = threading.Thread(target=self._watch, daemon=True)
                self._watcher.start()
        return code

    def of(self, owner: str) -> dict[str, Assignment]:
        """The boards of a teacher: code and exercise, in the order in which they were opened."""
        whose = fingerprint(owner)
        with self._lock:
            self._tidy()
            return {c: b.task for c, b in self._boards.items() if b.owner == whose}

    def rows(self, code: str, owner: str) -> list[Row]:
        """The lines of a board; the teacher is there, then.

        Raises
        ------
        LearnError
            If there is no such board of this teacher; so for all that teachers do.
        """
        with self._lock:
            return self._own(code, owner).rows()

    def collect(self, code: str, owner: str, result: Result) -> Pupil:
        """Put a result that came as a file on the board.

        Raises
        ------
        LearnError
            If it belongs to another exercise, or the board is full, too.
        """
        with self._lock:
            return self._own(code, owner).collect(result)

    def pupil_of(self, code: str, owner: str, number: int) -> Pupil | None:
        """One pupil with the work."""
        with self._lock:
            return self._own(code, owner).number(number)

    def show(self, code: str, owner: str, number: int | None, *, named: bool = True) -> None:
        """Show a pupil's picture to all on the board, with the name or without, or none."""
        with self._lock:
            board = self._own(code, owner)
            board.shown, board.named = number, named

    def remove(self, code: str, owner: str, number: int) -> None:
        """Take a pupil off the board."""
        with self._lock:
            self._own(code, owner).remove(number)

    def close(self, code: str, owner: str) -> None:
        """Close a board and forget all that was on it."""
        with self._lock:
            self._own(code, owner)
            del self._boards[code]

    # ------------------------------------------------------------------ for pupils

    def assignment(self, code: str) -> Assignment:
        """The exercise of a board.

        Raises
        ------
        LearnError
            If there is no such board; so for all that pupils do.
        """
        with self._lock:
            return self._find(code).task

    def join(self, code: str, who: str, name: str, *, other: bool = False) -> Pupil:
        """Come to a board, or come back to it.

        Parameters
        ----------
        code : str
        who : str
            The pupil's browser.
        name : str
            May be empty.
        other : bool
            Whether it is another pupil than the one before in this browser.

        Raises
        ------
        LearnError
            If the board is full, too.
        """
        with self._lock:
            return self._find(code).join(fingerprint(who), name, other)

    def pupil(self, code: str, who: str) -> Pupil | None:
        """The pupil who works in that browser; None if nobody joined there."""
        with self._lock:
            return self._find(code).pupil(fingerprint(who))

    def keep(self, code: str, who: str, number: int, attempt: Attempt) -> Pupil:
        """Note how far a pupil is; what is finished is handed in.

        Raises
        ------
        LearnError
            If the teacher took the pupil off the board, too.
        """
        with self._lock:
            board = self._find(code)
            pupil = board.number(number)
            kept = board.keep(
                fingerprint(who), number, attempt, "" if pupil is None else pupil.given
            )
        if kept is None:
            raise LearnError(
                _("You are not on this board any more. Join again, or save your result as a file.")
            )
        return kept

    def shown(self, code: str) -> Shown | None:
        """What the teacher shows of a pupil, if anything."""
        with self._lock:
            board = self._find(code)
            pupil = None if board.shown is None else board.number(board.shown)
            if pupil is None or pupil.attempt is None:
                return None
            return Shown(pupil.number, pupil.name if board.named else "", pupil.attempt)

    # ------------------------------------------------------------------ with the lock held

    def _find(self, code: str) -> Board:
        self._tidy()
        board = self._boards.get(code)
        if board is None:
            raise LearnError(
                _("There is no class board with the code {code}. Look at the wall again; perhaps "
                  "your teacher has closed it.").format(code=code[:LENGTH])
            )  # fmt: skip
        return board

    def _own(self, code: str, owner: str) -> Board:
        board = self._find(code)
        if board.owner != fingerprint(owner):
            raise LearnError(_("Only the teacher who opened this board can do that."))
        board.seen = self._clock()
        return board

    def _tidy(self) -> None:
        now = self._clock()
        for code in [c for c, b in self._boards.items() if now - b.seen > self._life]:
            del self._boards[code]

    def _watch(self) -> None:
        """Forget boards that were left, also if nobody comes any more."""
        while True:
            time.sleep(min(_PAUSE, self._life))
            with self._lock:
                self._tidy()
                if not self._boards:
                    self._watcher = None
                    return


def _new_code() -> str:
    return "".join(secrets.choice(SIGNS) for _sign in range(LENGTH))

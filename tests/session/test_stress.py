"""Three script threads a session, thirty sessions, random clicks: nothing is lost or left over."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest

from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import PromptHistory, Step
from rsam_core.runtime.acting import as_session
from rsam_core.runtime.presence import limit_malloc_arenas, trim_memory
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.finding import find
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit
from tests.helpers.boxes import HEIGHT, WIDTH, painter
from tests.helpers.stress import Shared, opened, person
from tests.helpers.waiting import PATIENCE, until

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

PEOPLE, THREADS, ACTIONS = 30, 3, 22
ROOT = Path(__file__).resolve().parents[2]


def judge(session: Session) -> Prompter:
    """The same model without queue and memory, for one who checks afterwards."""
    segmenter = Segmenter(painter())
    embedding = segmenter.embed(session.image.picture(session.image.overview))
    return Prompter(segmenter, lambda view: embedding, session.image.overview)


def objects_of(prompter: Prompter, book: PromptHistory) -> Instances:
    """The objects of a book, made from nothing but the book."""
    if book.extra is not None:
        book = book.numbered(key for key, _ in book.extra.distinct)
    found, problems = find(book, prompter, (HEIGHT, WIDTH), nullcontext)
    assert problems == {}
    return book.edits.apply(found)


def drawn(book: PromptHistory) -> list[str]:
    """Labels of the objects drawn by hand, each of which was given once."""
    return sorted(item.label or "" for item in book.edits.added)


def at(step: Step, book: PromptHistory) -> bool:
    """Whether a book stands at this very step."""
    names = ("entries", "edits", "extra")
    return all(getattr(step, name) is getattr(book, name) for name in names)


def check_step(before: PromptHistory, after: PromptHistory) -> str:
    """A change of the book is what it says and nothing else; returns what it was."""
    if before.past and after.past == before.past[:-1] and at(before.past[-1], after):
        assert after.future[:-1] == before.future
        return "undo"
    if before.future and after.future == before.future[:-1] and at(before.future[-1], after):
        assert after.past[:-1] == before.past
        return "redo"
    if after.past == before.past:
        # Numbers for automatic objects, or other thresholds: nothing that undo would take back.
        assert (after.entries, after.edits) == (before.entries, before.edits)
        assert before.numbers.items() <= after.numbers.items()
        return "no step"
    assert after.past[:-1] == before.past[-99:]
    assert after.future == ()
    last = after.past[-1]
    assert (last.entries, last.edits, last.extra) == (before.entries, before.edits, before.extra)
    old, new = {e.id for e in before.entries}, {e.id for e in after.entries}
    if last.what.startswith(("Box", "Click")):
        assert old <= new
        assert len(new - old) <= 1
        assert drawn(after) == drawn(before)
    elif last.what == "Draw":
        assert new == old
        assert len(drawn(after)) == len(drawn(before)) + 1
        assert set(drawn(before)) < set(drawn(after))
    elif last.what.startswith("Remove"):
        assert new <= old
        assert set(drawn(after)) <= set(drawn(before))
        found = after.edits.removed - before.edits.removed - old
        assert len(old - new) + len(drawn(before)) - len(drawn(after)) + len(found) == 1
    else:
        assert last.what == "Find everything"
        assert (new, drawn(after)) == (old, drawn(before))
    return last.what.split()[0]


def check(session: Session) -> dict[str, int]:
    """The history of a session is linear, and no object was lost or came twice on its way."""
    written = session.marks.written
    counts: dict[str, int] = {}
    book, prompter = written[0][0] if written else session.marks.book, judge(session)
    assert (book.entries, book.past) == ((), ())
    for before, after in written:
        assert before is book, "one change follows the other"
        what = check_step(before, after)
        counts[what] = counts.get(what, 0) + 1
        assert after.next_id >= before.next_id
        objects = objects_of(prompter, after)
        if what == "Remove":
            assert len(objects_of(prompter, before)) - len(objects) == 1, "one is gone and no other"
        elif what == "Draw":
            earlier = set(objects_of(prompter, before).ids.tolist())
            assert len(objects) == len(earlier) + 1
            assert earlier < set(objects.ids.tolist())
        book = after
    assert session.marks.book is book
    ids = [entry.id for entry in book.entries]
    uids = [mark.uid for entry in book.entries for mark in entry.marks]
    assert len(set(ids)) == len(ids)
    assert len(set(uids)) == len(uids)
    given = [*book.numbers.values(), *(item.id for item in book.edits.added), *ids]
    assert len(set(given)) == len(given), "no number was given twice"
    labels = [label for _, after in written for label in drawn(after)]
    assert len(set(drawn(book))) == len(drawn(book))
    assert "" not in labels
    return counts


def crowd(
    shared: Shared, seed: int, people: int = PEOPLE
) -> tuple[list[Visit], list[Session], list[BaseException]]:
    """People with three threads each, until all have done what they wanted."""
    visits, seen, failed = [], [], []
    for number in range(people):
        visit = Visit(f"{seed}-{number}")
        with as_session(visit.jobs.owner):
            visit.open(opened(shared, visit.jobs.owner))
        seen.append(visit.session)
        visits.append(visit)

    def run(visit: Visit, number: int) -> None:
        try:
            person(shared, visit, number, ACTIONS, seen)
        except BaseException as error:
            failed.append(error)

    threads = [
        threading.Thread(target=run, args=(visit, 1000 * seed + THREADS * k + thread))
        for k, visit in enumerate(visits)
        for thread in range(THREADS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads)
    return visits, seen, failed


def leave(shared: Shared, visits: list[Visit], seen: list[Session]) -> None:
    """All leave; whatever runs for them stops."""
    running = [job for s in seen for job in s.jobs.running]
    for visit in visits:
        visit.close()
        shared.cache.release(visit.jobs.owner)
    running += [job for s in seen for job in s.jobs.running]
    assert all(job.wait(PATIENCE) for job in running)
    assert not any(session.jobs.running for session in seen)


def test_thirty_sessions_of_three_threads():
    before = set(threading.enumerate())
    shared = Shared()
    visits, seen, failed = crowd(shared, seed=1)
    assert failed == []
    assert len(seen) > PEOPLE, "some have opened another image"
    leave(shared, visits, seen)
    # No job is left; those of other tests may end meanwhile.
    until(lambda: set(threading.enumerate()) <= before)
    assert (len(shared.queue), shared.queue.running) == (0, 0)
    assert shared.kept.nbytes == 0, "their answers are given back"
    assert shared.cache.nbytes == 0, "their views are given back"
    counts: dict[str, int] = {}
    for session in seen:
        for what, count in check(session).items():
            counts[what] = counts.get(what, 0) + count
    for what in ("Box", "Click", "Draw", "Remove", "undo", "redo", "Find"):
        assert counts[what] > 5, what


def test_memory_comes_back_when_all_have_left():
    shared = Shared()

    def visit(seed: int, people: int) -> int:
        visits, seen, failed = crowd(shared, seed, people)
        assert failed == []
        held = tracemalloc.get_traced_memory()[0]
        leave(shared, visits, seen)
        return held

    # What is made once for all, such as imported modules, is there after the first.
    visit(2, 2)
    gc.collect()
    tracemalloc.start()
    try:
        gc.collect()
        start = tracemalloc.get_traced_memory()[0]
        held = visit(3, PEOPLE) - start
        gc.collect()
        left = tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()
    assert held > 1_000_000
    assert left < 0.1 * held, f"{left:,} of {held:,} bytes are left"


def resident() -> float:
    """Memory of this process that the operating system counts, in pages."""
    return float(Path("/proc/self/statm").read_text().split()[1])


def rounds(count: int) -> list[tuple[float, float]]:
    """For each of several equal crowds: what was resident before they left, and afterwards.

    Memory is given back as the server does it: two arenas, trimmed when somebody has left.
    """
    limit_malloc_arenas(2)
    shared, seen = Shared(), []
    for seed in range(count):
        visits, sessions, failed = crowd(shared, seed)
        if failed:
            raise failed[0]
        before = resident()
        leave(shared, visits, sessions)
        del visits, sessions
        trim_memory()
        seen.append((before, resident()))
    return seen


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the C library of GNU")
def test_the_system_gets_memory_back_from_one_crowd_after_another():
    # In a process of its own: what other tests have freed would hide what is kept here.
    code = "from tests.session.test_stress import rounds; print(*(n for r in rounds(4) for n in r))"
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=5 * PATIENCE)
    assert done.returncode == 0, done.stderr
    numbers = list(map(float, done.stdout.split()))
    before, after = numbers[::2], numbers[1::2]
    # Imported modules and what is made once for all stay after the first crowd.
    held = before[1] - after[0]
    kept = min(after[1:]) - after[0]
    assert held > 1_000, "a crowd takes some megabytes"
    assert kept < 0.1 * held, f"{kept:,} of {held:,} pages are kept: {numbers}"

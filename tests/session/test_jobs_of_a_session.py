"""Whatever runs for a session stops with it, works under its name, and gives its place back."""

from __future__ import annotations

import threading
import time

import pytest

import rsam_core as rsam
from rsam_core.errors import Cancelled, QueueFull
from rsam_core.runtime.acting import acting, as_session
from rsam_core.runtime.fair_queue import FairQueue
from rsam_core.runtime.jobs import JobRegistry
from rsam_core.session.prefetch import Latest
from rsam_core.session.session import IMAGE_JOBS, Session
from rsam_core.session.visit import Visit
from tests.helpers.boxes import plain
from tests.helpers.session import fresh
from tests.helpers.waiting import PATIENCE, until

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

NAMES = (*IMAGE_JOBS, "prepare", "prefetch")


def endless(progress, cancelled) -> None:
    while not cancelled():
        time.sleep(0.002)
    raise Cancelled("stopped")


def ended(jobs) -> set[str]:
    assert all(job.wait(PATIENCE) for job in jobs)
    return {job.state for job in jobs}


@pytest.mark.parametrize("way", ["another image", "closing", "leaving"])
def test_every_kind_of_job_stops_with_the_image(way):
    visit, session = Visit("me"), fresh(owner="me")
    visit.open(session)
    jobs = [session.jobs.start(name, endless) for name in NAMES]
    elsewhere = visit.jobs.start("dataset", endless)
    {
        "another image": lambda: visit.open(fresh(owner="me")),
        "closing": lambda: visit.open(None),
        "leaving": visit.close,
    }[way]()
    assert ended(jobs) == {"cancelled"}
    if way == "leaving":
        assert elsewhere.wait(PATIENCE)
    else:
        assert not elsewhere.wait(0.05), "a data set does not need the image"
    visit.close()
    assert ended([elsewhere]) == {"cancelled"}
    assert session.jobs.running == ()
    assert session.jobs.start("everything", endless).state == "cancelled", "it comes too late"


def test_opening_the_same_session_again_stops_nothing():
    visit, session = Visit("me"), fresh()
    visit.open(session)
    job = session.jobs.start("everything", endless)
    visit.open(session)
    assert not job.wait(0.05)
    visit.close()
    assert ended([job]) == {"cancelled"}


def test_a_scene_of_another_size_stops_what_belongs_to_the_objects():
    session = fresh()
    jobs = {name: session.jobs.start(name, endless) for name in NAMES}
    assert session.change_scene(rsam.open_scene(plain(), name="brighter.png"))
    assert not any(job.wait(0.0) for job in jobs.values()), "the same size: all goes on"
    assert not session.change_scene(rsam.open_scene(plain(80, 60), name="smaller.png"))
    assert ended([jobs[name] for name in IMAGE_JOBS]) == {"cancelled"}
    assert session.search.job is None
    assert not session.search.collect(session.marks)
    assert not jobs["prepare"].wait(0.0)
    session.close()
    assert ended([jobs["prepare"], jobs["prefetch"]]) == {"cancelled"}


def test_a_result_is_handed_out_once():
    registry = JobRegistry()
    job = registry.start("sum", lambda progress, cancelled: 3)
    assert job.wait(PATIENCE)
    taken = [registry.take("sum") for _ in range(3)]
    assert [each and each.result for each in taken] == [3, None, None]
    running = registry.start("sum", endless)
    assert registry.take("sum") is None
    registry.drop("sum")
    assert registry.get("sum") is None
    assert running in registry.running or running.wait(PATIENCE)
    assert ended([running]) == {"cancelled"}


def test_thirty_jobs_of_thirty_sessions_have_places_of_their_own():
    """As one owner they would be refused from the sixteenth on."""
    queue, release = FairQueue(), threading.Event()
    names: list[object] = []

    def work(progress, cancelled) -> None:
        errand = acting()
        with queue.slot(errand.owner, cancelled=errand.cancelled):
            names.append(errand.owner)

    with queue.slot("somebody"):
        jobs = [JobRegistry(f"session {k}").start("everything", work) for k in range(30)]
        until(lambda: len(queue) == 30)
        release.set()
    assert ended(jobs) == {"done"}
    assert sorted(names) == sorted(f"session {k}" for k in range(30))


def test_a_stopped_job_gives_its_place_in_the_queue_back():
    queue, registry = FairQueue(), JobRegistry("me")

    def work(progress, cancelled) -> None:
        errand = acting()
        with queue.slot(errand.owner, cancelled=errand.cancelled):
            raise AssertionError("its turn never comes")

    with queue.slot("somebody"):
        job = registry.start("everything", work)
        until(lambda: len(queue))
        registry.close()
        assert job.wait(PATIENCE)
        assert (job.state, len(queue)) == ("cancelled", 0)


@pytest.mark.parametrize("wanted", [True, False])
def test_what_was_found_until_it_was_stopped_is_kept_as_long_as_somebody_wants_it(wanted):
    """Stopped by hand it takes its turn once more and ends well; on leaving it goes at once."""
    queue, registry = FairQueue(), JobRegistry("me")

    def work(progress, cancelled) -> str:
        errand = acting()
        with queue.slot(errand.owner, cancelled=errand.cancelled):
            return f"a part, stopped: {cancelled()}"

    with queue.slot("somebody"):
        job = registry.start("everything", work, partial=True)
        until(lambda: len(queue))
        if wanted:
            job.cancel()
        else:
            registry.drop("everything")
            assert job.wait(PATIENCE)
    assert job.wait(PATIENCE)
    assert job.state == ("done" if wanted else "cancelled")
    assert job.result == ("a part, stopped: True" if wanted else None)


def test_an_errand_ends_with_its_block():
    assert acting() is None
    with as_session("me"):
        with as_session("you", awaited=True):
            assert (acting().owner, acting().awaited) == ("you", True)
        assert (acting().owner, acting().awaited) == ("me", False)
    assert acting() is None


# ------------------------------------------------------------------ looking ahead


def test_of_thirty_views_the_first_and_the_last_are_encoded():
    registry, entered, go_on = JobRegistry("me"), threading.Event(), threading.Event()
    ahead, done, most = Latest(registry, "prefetch"), [], 0

    def encode(view: int) -> None:
        entered.set()
        assert go_on.wait(PATIENCE)
        done.append(view)

    for view in range(30):
        ahead.ask(lambda view=view: encode(view))
        if view == 0:
            assert entered.wait(PATIENCE)
        most = max(most, len(registry.running))
    go_on.set()
    job = registry.get("prefetch")
    assert job.wait(PATIENCE)
    assert (done, most) == ([0, 29], 1)


def test_a_view_that_waits_in_the_queue_gives_way_to_the_next():
    queue, registry = FairQueue(), JobRegistry("me")
    ahead, done = Latest(registry, "prefetch"), []

    def encode(view: int) -> None:
        errand = acting()
        with queue.slot(errand.owner, cancelled=errand.cancelled):
            if errand.cancelled():
                raise Cancelled("overtaken when the turn came")
            done.append((view, errand.awaited))

    with queue.slot("somebody"):
        for view in range(5):
            ahead.ask(lambda view=view: encode(view))
            until(lambda: len(queue))
            assert len(queue) <= 1
    assert registry.get("prefetch").wait(PATIENCE)
    assert done == [(4, True)]


def test_what_is_asked_after_the_end_or_an_error_is_done_too():
    registry, done = JobRegistry("me"), []
    ahead = Latest(registry, "prefetch")

    def full() -> None:
        raise QueueFull("full")

    for work in (lambda: done.append(1), full, lambda: done.append(2)):
        ahead.ask(work)
        assert registry.get("prefetch").wait(PATIENCE)
        assert registry.get("prefetch").state == "done", "its errors are not told"
    assert done == [1, 2]
    registry.close()
    ahead.ask(lambda: done.append(3))
    assert not registry.running
    assert done == [1, 2]


def test_panning_keeps_one_thread_and_leaving_ends_it():
    from rsam_core.scene.coordinates import Frame
    from tests.helpers.stress import Shared, opened

    shared = Shared()
    with as_session("me"):
        session: Session = opened(shared, "me")
    before = threading.active_count()
    with shared.queue.slot("others"), shared.queue.slot("others"):
        pass
    for x in range(30):
        session.image.view = Frame(x, 0, 80, 60, 80, 60)
        session.answers.look_ahead()
        assert threading.active_count() <= before + 1
    session.close()
    job = session.jobs.get("prefetch")
    assert job is None or job.wait(PATIENCE)
    assert len(shared.queue) == 0

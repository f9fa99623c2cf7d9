from __future__ import annotations

import threading

import pytest

from rsam_core.errors import Cancelled
from rsam_core.runtime.jobs import Job, JobRegistry
from tests.helpers.waiting import PATIENCE


def test_a_job_hands_over_arguments_and_result():
    def add(a, b, *, progress, cancelled):
        return a + b

    job = Job.start(add, 2, 3)
    assert job.wait(PATIENCE)
    assert (job.state, job.result, job.fraction, job.error) == ("done", 5, 1.0, None)
    assert job.finished


def test_progress_is_visible_while_it_runs_and_stays_within_0_and_1():
    reported, go_on = threading.Event(), threading.Event()

    def work(*, progress, cancelled):
        progress(0.25, "first quarter")
        reported.set()
        go_on.wait(PATIENCE)
        progress(7.0, "too much")
        return None

    job = Job.start(work)
    assert reported.wait(PATIENCE)
    assert (job.state, job.fraction, job.text) == ("running", 0.25, "first quarter")
    assert not job.finished
    go_on.set()
    assert job.wait(PATIENCE)
    assert job.fraction == 1.0


def test_cancel_reaches_the_function():
    def work(*, progress, cancelled):
        while not cancelled():
            threading.Event().wait(0.001)
        raise Cancelled("stopped")

    job = Job.start(work)
    job.cancel()
    assert job.wait(PATIENCE)
    assert (job.state, job.result, job.error) == ("cancelled", None, None)
    assert not job.cancelling


def test_a_job_that_finishes_although_cancelled_is_done():
    asked = threading.Event()

    def work(*, progress, cancelled):
        asked.wait(PATIENCE)
        return "complete"

    job = Job.start(work)
    job.cancel()
    assert job.cancelling
    asked.set()
    assert job.wait(PATIENCE)
    assert (job.state, job.result) == ("done", "complete")


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3)])
def test_an_exception_is_kept(error):
    def work(*, progress, cancelled):
        raise error

    job = Job.start(work)
    assert job.wait(PATIENCE)
    assert job.state == "failed"
    assert job.error is error
    assert job.fraction == 0.0


def test_wait_gives_up_in_time():
    release = threading.Event()
    job = Job.start(lambda *, progress, cancelled: release.wait(PATIENCE))
    assert not job.wait(0.01)
    release.set()
    assert job.wait(PATIENCE)


def test_registry_runs_one_job_a_key():
    registry, release, calls = JobRegistry(), threading.Event(), []

    def work(number, *, progress, cancelled):
        calls.append(number)
        release.wait(PATIENCE)

    first = registry.start("a", work, 1)
    assert registry.start("a", work, 2) is first
    other = registry.start("b", work, 3)
    assert other is not first
    assert registry.get("a") is first
    release.set()
    assert first.wait(PATIENCE)
    assert other.wait(PATIENCE)
    again = registry.start("a", work, 4)
    assert again is not first
    assert again.wait(PATIENCE)
    assert sorted(calls) == [1, 3, 4]


def test_registry_forgets():
    registry = JobRegistry()
    registry.start("a", lambda *, progress, cancelled: None).wait(PATIENCE)
    registry.clear()
    assert registry.get("a") is None

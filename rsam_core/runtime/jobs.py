"""Long work in the background, with progress and a way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Literal

from rsam_core.errors import Cancelled
from rsam_core.runtime.acting import as_session
from rsam_core.runtime.budgets import UNOWNED

JobState = Literal["running", "done", "failed", "cancelled"]
"""Where a job stands; all but ``"running"`` are final."""


class Job:
    """A function that runs in a thread of its own; see `Job.start`.

    Attributes
    ----------
    state : {"running", "done", "failed", "cancelled"}
        It changes once, after `result` and `error` have got their values.
    fraction : float
        How much is done, 0 to 1.
    text : str
        What the job is doing at the moment, in plain words.
    result : Any
        What the function returned; None before.
    error : BaseException or None
        What the function raised, if it failed.
    """

    def __init__(self) -> None:
        self.state: JobState = "running"
        self.fraction: float = 0.0
        self.text: str = ""
        self.result: Any = None
        self.error: BaseException | None = None
        self._cancel = threading.Event()
        self._abandoned = threading.Event()
        self._ended = threading.Event()

    @classmethod
    def start(cls, fn: Callable[..., Any], *args: Any) -> Job:
        """Run a function in the background.

        Parameters
        ----------
        fn : callable
            Called as ``fn(*args, progress=..., cancelled=...)``. It may call
            ``progress(fraction, text)`` at any time, should ask ``cancelled()`` often, and raises
            `rsam_core.errors.Cancelled` when it stops for that reason. If it finishes although
            it was asked to stop, the job counts as done.
        *args : Any
            Handed to `fn`.

        Returns
        -------
        Job
        """
        job = cls()
        job.begin(fn, *args)
        return job

    def begin(self, fn: Callable[..., Any], *args: Any) -> None:
        """Run the function of this job, once; see `Job.start`."""
        # A daemon: closing the program must not wait for a long job.
        threading.Thread(target=self._run, args=(fn, args), daemon=True).start()

    @classmethod
    def never(cls) -> Job:
        """A job that was cancelled before it began."""
        job = cls()
        job._cancel.set()
        job.state = "cancelled"
        job._ended.set()
        return job

    @property
    def finished(self) -> bool:
        """Whether the job has come to its end, good or bad."""
        return self.state != "running"

    def cancel(self) -> None:
        """Ask the function to stop; it does so when it next looks."""
        self._cancel.set()

    def abandon(self) -> None:
        """Ask the function to stop because nobody wants its result any more, not even a part."""
        self._abandoned.set()
        self._cancel.set()

    @property
    def cancelling(self) -> bool:
        """Whether the job was asked to stop and has not ended yet."""
        return self._cancel.is_set() and not self.finished

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended.

        Parameters
        ----------
        timeout : float, optional
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether it has ended.
        """
        return self._ended.wait(timeout)

    def _report(self, fraction: float, text: str = "") -> None:
        self.fraction = min(max(float(fraction), 0.0), 1.0)
        self.text = text

    def _run(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        outcome: JobState = "failed"
        try:
            self.result = fn(*args, progress=self._report, cancelled=self._cancel.is_set)
            self.fraction = 1.0
            outcome = "done"
        except Cancelled:
            outcome = "cancelled"
        except BaseException as error:  # a thread has nobody else to report to
            self.error = error
        finally:
            self.state = outcome
            self._ended.set()


class JobRegistry:
    """The latest job of each name, so that none is started twice and all can be stopped.

    Parameters
    ----------
    owner : hashable, optional
        Whom the jobs work for: their steps wait in the queue under this name, and what they
        encode counts for it.
    """

    def __init__(self, owner: Hashable = UNOWNED) -> None:
        self.owner = owner
        self._jobs: dict[str, Job] = {}
        # Jobs that another one has replaced and that have not stopped yet.
        self._replaced: list[Job] = []
        self._closed = False
        self._lock = threading.Lock()

    def start(
        self,
        key: str,
        fn: Callable[..., Any],
        *args: Any,
        latest: bool = False,
        partial: bool = False,
    ) -> Job:
        """Start a job unless one of this key is running.

        Parameters
        ----------
        key : str
            What the job is about.
        fn : callable
            See `Job.start`.
        *args : Any
            Handed to `fn`.
        latest : bool
            Whether a running job of this key is stopped in favour of this one.
        partial : bool
            Whether what it has found is kept when it is stopped. Then it leaves the queue at
            once only when nobody wants even that; otherwise it waits for its turn once more, to
            end in good order.

        Returns
        -------
        Job
            The new one, or the one that is running already. Once the registry is closed nothing
            is started: a job that counts as cancelled comes back.
        """
        with self._lock:
            if self._closed:
                return Job.never()
            job = self._jobs.get(key)
            if job is not None and not job.finished:
                if not latest:
                    return job
                job.abandon()
                self._replaced = [each for each in self._replaced if not each.finished] + [job]
            job = self._jobs[key] = Job()
            job.begin(self._errand(fn, job, partial), *args)
            return job

    def _errand(self, fn: Callable[..., Any], job: Job, partial: bool) -> Callable[..., Any]:
        unwanted = job._abandoned if partial else job._cancel

        @wraps(fn)
        def run(*args: Any, **control: Any) -> Any:
            with as_session(self.owner, unwanted.is_set):
                return fn(*args, **control)

        return run

    def get(self, key: str) -> Job | None:
        """The latest job of a key, running or finished; None if there was none."""
        with self._lock:
            return self._jobs.get(key)

    def take(self, key: str) -> Job | None:
        """The job of a key if it has ended, which is then forgotten: one thread alone gets it."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None or not job.finished:
                return None
            return self._jobs.pop(key)

    @property
    def running(self) -> tuple[Job, ...]:
        """The jobs that have not ended, those that were asked to stop among them."""
        with self._lock:
            everyone = [*self._jobs.values(), *self._replaced]
        return tuple(job for job in everyone if not job.finished)

    def drop(self, *keys: str) -> None:
        """Stop the jobs of these keys, or all, and forget them: nobody wants their results."""
        with self._lock:
            for key in keys or tuple(self._jobs):
                job = self._jobs.pop(key, None)
                if job is not None and not job.finished:
                    job.abandon()
                    self._replaced.append(job)

    def close(self) -> None:
        """Ask all jobs to stop, and start none from now on."""
        with self._lock:
            self._closed = True
        for job in self.running:
            job.abandon()

    def clear(self) -> None:
        """Forget all jobs that have ended."""
        with self._lock:
            self._jobs = {key: job for key, job in self._jobs.items() if not job.finished}

"""What was evaluated on this visit: results, open data sets, why something failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rsam_core.evaluate import Evaluation
from rsam_core.evaluate.datasets import Dataset
from rsam_core.evaluate.studies import StudyResult
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit

IMAGE, STUDY, DATASET = "image", "study", "dataset"
"""The kinds of work; the first two belong to the open image and stop with it."""


@dataclass
class Evaluations:
    """What a visit has evaluated; it outlives a change of the screen and of the image.

    Attributes
    ----------
    visit : Visit
    outcomes : dict of str to BaseException
        Why the latest work of a kind failed.
    image : Evaluation or None
        Methods compared on the open image.
    image_key : tuple
        Image and truth that it is for.
    studies : dict of str to StudyResult
    studies_key : tuple
        As `image_key`.
    runs : list of Evaluation
        Evaluations of data sets, the latest last.
    dataset : Dataset or None
        The open data set.
    dataset_file : str
        Number of the uploaded file it came from.
    pictures : dict
        Pictures of the worst objects of an evaluation.
    """

    visit: Visit
    outcomes: dict[str, BaseException] = field(default_factory=dict)
    image: Evaluation | None = None
    image_key: tuple = ()
    studies: dict[str, StudyResult] = field(default_factory=dict)
    studies_key: tuple = ()
    runs: list[Evaluation] = field(default_factory=list)
    dataset: Dataset | None = None
    dataset_file: str = ""
    pictures: dict[Evaluation, list[tuple[str, bytes]]] = field(default_factory=dict)

    def jobs(self, kind: str) -> JobRegistry:
        """Who owns work of a kind: the open image, or the visit."""
        session = self.visit.session
        return self.visit.jobs if kind == DATASET or session is None else session.jobs

    def start(self, kind: str, work: Callable[..., Any], key: tuple = ()) -> Job:
        """Start work in the background unless some of this kind is running.

        Parameters
        ----------
        kind : str
        work : callable
            See `Job.start`.
        key : tuple
            What the result will belong to, whatever the truth is when it comes.
        """
        self.outcomes.pop(kind, None)

        def run(progress: Callable[..., None], cancelled: Callable[[], bool]) -> tuple[tuple, Any]:
            return key, work(progress=progress, cancelled=cancelled)

        return self.jobs(kind).start(kind, run, partial=True)

    def job(self, kind: str) -> Job | None:
        """Work of a kind that runs, or was not taken over yet."""
        return self.jobs(kind).get(kind)

    def running(self, kind: str) -> bool:
        """Whether work of a kind has been started and not been collected."""
        return self.job(kind) is not None

    def collect(self, kind: str) -> bool:
        """Take over the result of work that has ended; whether there was some."""
        job = self.jobs(kind).take(kind)
        if job is None:
            return False
        if job.state == "failed":
            self.outcomes[kind] = job.error
        elif job.state == "done":
            key, result = job.result
            if kind == DATASET:
                self.runs.append(result)
            elif kind == IMAGE:
                self.image, self.image_key = result, key
            elif self.studies_key == key:
                self.studies[result.key] = result
        return True


def evaluations(visit: Visit) -> Evaluations:
    """What this visit has evaluated."""
    return visit.attached(Evaluations, lambda: Evaluations(visit))


def image_key(session: Session) -> tuple:
    """What the results for an image belong to: the scene, and the truth at that time."""
    return session.image.token, session.image.scene, session.truth.number

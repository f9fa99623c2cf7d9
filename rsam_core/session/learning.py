"""Classes by example: what one opened scene has learned, and the job that learns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from rsam_core.objects.classify.by_example import Prediction, Trained, train
from rsam_core.objects.classify.feature_table import Features
from rsam_core.objects.instances import Instances
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.segment.features.extraction import EmbeddedView, embedded_tiles, extract
from rsam_core.session.answers import Resources
from rsam_core.session.session import Session

JOB = "classify"


@dataclass
class Learning:
    """What one opened scene has learned.

    Attributes
    ----------
    jobs : JobRegistry
        Of the session.
    predicted : dict of int to str
        Labels that the classifier gave, by object number: these are no examples.
    key, features
        The objects that were described last, and how.
    error : BaseException or None
        Why the last learning failed.
    examples : dict of int to str
        What was learned from.
    trained, prediction
        Its result.
    """

    jobs: JobRegistry
    predicted: dict[int, str] = field(default_factory=dict)
    key: tuple = ()
    features: Features | None = None
    error: BaseException | None = None
    examples: dict[int, str] = field(default_factory=dict)
    trained: Trained | None = None
    prediction: Prediction | None = None

    @property
    def job(self) -> Job | None:
        """Learning that runs, or was not taken over yet."""
        return self.jobs.get(JOB)

    def confirm(self, ids: list[int]) -> None:
        """Take the labels of these objects as the user's own from now on."""
        gone = set(ids)
        self.predicted = {id: label for id, label in self.predicted.items() if id not in gone}

    def examples_of(self, objects: Instances) -> dict[int, str]:
        """Labels that the user gave, by object number."""
        predicted = self.predicted
        return {i.id: i.label for i in objects if i.label and predicted.get(i.id) != i.label}

    def collect(self) -> bool:
        """Take over what was learned; whether there was something."""
        job = self.jobs.take(JOB)
        if job is None:
            return False
        if job.state == "done":
            self.key, self.features, self.examples, self.trained, self.prediction = job.result
        elif job.state == "failed":
            self.error = job.error
        return True


def learning(session: Session) -> Learning:
    """What this session has learned about the open scene."""
    return session.attached(Learning, lambda: Learning(session.jobs))


def start(session: Session, known: Learning, model: str, resources: Resources) -> Job:
    """Describe the objects, learn from the examples, and classify, in the background."""
    image, objects = session.image, session.objects
    given, scene = known.examples_of(objects), image.scene
    whole, view = image.view == image.overview, image.overview
    segmenter = resources.segmenter(model)
    key = (scene, model, objects.ids.tobytes(), objects.bboxes.tobytes(), objects.areas.tobytes())

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> tuple:
        features = known.features if known.key == key else None
        if features is None:
            progress(0.0, "looking at the image")
            if whole:
                picture = image.picture(view, scene)
                embedding = resources.embed(picture, resources.embedding_key(picture, model))
                views = iter([EmbeddedView(embedding, view.x, view.y, view.scale[0])])
            else:
                views = embedded_tiles(
                    objects, scene, segmenter, progress=lambda f, t: progress(0.5 + 0.4 * f, t)
                )
            features = extract(
                objects,
                scene,
                views,
                cancelled=cancelled,
                progress=lambda f, t: progress(0.5 * f, t),
            )
        progress(0.92, "learning")
        labels = [given.get(item.id) for item in objects]
        trained = train(features, labels)
        return key, features, given, trained, trained.predict(features)

    known.error = None
    return session.jobs.start(JOB, run)

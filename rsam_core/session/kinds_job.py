"""The job that asks the model what objects are, and what the ground between them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from rsam_core.errors import SceneError
from rsam_core.objects.instances import Instances
from rsam_core.runtime.jobs import Job
from rsam_core.session.answers import Resources
from rsam_core.session.kinds import JOB, MODEL, Naming
from rsam_core.session.session import Session

if TYPE_CHECKING:
    from rsam_core.segment.kinds import Kinds


def can_name(resources: Resources) -> bool:
    """Whether the installed weights can say what objects are."""
    return resources.segmenter(MODEL).model.names


def start(
    session: Session,
    known: Naming,
    objects: Instances,
    resources: Resources,
    model: str = MODEL,
    *,
    ground: bool = False,
) -> Job:
    """Ask for the kinds of objects that are not known yet, or again for all, in the background.

    Another model than the last is asked for all.

    Parameters
    ----------
    session : Session
    known : Naming
        Of that session.
    objects : Instances
        All objects of the scene.
    resources : Resources
        Loaded models and encoded views.
    ground : bool
        Look at the ground between the objects, too; then objects whose kind is known are not
        asked about again.
    """
    from rsam_core.segment.features.pooling import EmbeddedView
    from rsam_core.segment.kinds import guess_kinds
    from rsam_core.segment.words.ground import find_kinds_and_ground

    image = session.image
    scene, view = image.scene, image.overview
    missing = known.missing(objects) if model == known.model or ground else objects
    wanted = missing if len(missing) or ground else objects
    segmenter = resources.segmenter(model)
    # One view at full resolution may be encoded already; else tiles are.
    whole = view.scale[0] == 1

    def run(progress: Callable[[float, str], None], cancelled: Callable[[], bool]) -> tuple:
        views = None
        if whole:
            progress(0.0, "looking at the image")
            picture = image.picture(view, scene)
            embedding = resources.embed(picture, resources.embedding_key(picture, model))
            views = [EmbeddedView(embedding, view.x, view.y)]
            progress(0.5, f"{len(wanted):,} objects")

        def named(some: Instances) -> Kinds:
            return guess_kinds(
                some, scene, segmenter, views=views, progress=progress, cancelled=cancelled
            )

        if not ground:
            return wanted, named(wanted), None
        kinds, around = find_kinds_and_ground(
            wanted, objects, scene, named, progress=progress, cancelled=cancelled
        )
        return wanted, kinds, around

    known.asked, known.error, known.model = objects, None, model
    return session.jobs.start(JOB, run)


def start_for_words(
    session: Session, known: Naming, objects: Instances, resources: Resources, *, ground: bool
) -> None:
    """Ask in the background for what a sentence needs and is not known yet, once for each list.

    Parameters
    ----------
    session, known, objects, resources
        As in :func:`start`.
    ground : bool
        Whether the sentence speaks of roads, water, fields or bare ground beside the objects.
        Where these spread too far, `known.ground_problem` says so.
    """
    from rsam_core.segment.words.ground import place_of

    if known.job is not None:
        return
    bare = objects.select([item.id for item in objects if not item.label])
    names = known.asked is not objects and len(known.missing(bare)) > 0
    around = ground and known.looked is not objects and known.ground_of(objects) is None
    if around:
        known.looked, known.ground_problem = objects, None
        try:
            place_of(objects)
        except SceneError as error:
            known.ground_problem, around = error, False
    if (names or around) and can_name(resources):
        start(session, known, objects, resources, ground=around)

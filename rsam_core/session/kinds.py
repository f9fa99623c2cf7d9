"""What the objects of one opened scene are, and the ground between them, as the model said.

Every project is saved and opened by way of this module, so what needs the model is imported only
where the model was asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import ProjectError, SceneError
from rsam_core.objects.classify.classes import ClassList
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.runtime.jobs import Job, JobRegistry
from rsam_core.session.session import Session

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.segment.kinds import Kinds
    from rsam_core.segment.words.ground import Ground

JOB = "kinds"
_SHARES = 1000
"""Probabilities are kept in thousandths."""
MODEL = "rsam-tiny"
"""The model that is asked unless another is chosen: it is always installed."""


class Naming:
    """Kinds of the objects of a scene; an object keeps its kind while others change.

    Parameters
    ----------
    jobs : JobRegistry
        Of the session.

    Attributes
    ----------
    asked : Instances or None
        The objects about which the model was asked last, even if that was stopped.
    error : BaseException or None
        Why the last asking failed.
    number : int
        Another one after each change.
    model : str
        The model that was asked last.
    looked : Instances or None
        The objects around which the ground was looked at last, even if that was stopped.
    ground_problem : SceneError or None
        Why the ground was not looked at.
    """

    owns = (JOB,)

    def __init__(self, jobs: JobRegistry) -> None:
        self.jobs = jobs
        self.asked: Instances | None = None
        self.error: BaseException | None = None
        self.number = 0
        self.model = MODEL
        self.looked: Instances | None = None
        self.ground_problem: SceneError | None = None
        self._ground: Ground | None = None
        self._rows: dict[tuple, NDArray[np.float32]] = {}
        self._sure = 0.5
        self._latest: tuple[Instances, Any, Kinds | None] | None = None

    @property
    def job(self) -> Job | None:
        """Asking that runs, or was not taken over yet."""
        return self.jobs.get(JOB)

    def missing(self, objects: Instances) -> Instances:
        """Those objects whose kind was not asked for."""
        rows = self._rows
        return objects.select([item.id for item in objects if _key(item) not in rows])

    def of(self, objects: Instances) -> Kinds | None:
        """Kinds of these objects, "not sure" where not asked for; None if nothing is known.

        The very same ones as long as neither the objects nor what is known of them changes.
        """
        from rsam_core.models.tiny.kinds import KINDS
        from rsam_core.segment.kinds import Kinds

        rows, latest = self._rows, self._latest
        if latest is None or latest[0] is not objects or latest[1] is not rows:
            unknown = np.full(len(KINDS), 1 / len(KINDS), np.float32)
            found = [rows.get(_key(item)) for item in objects]
            kinds = None
            if any(row is not None for row in found):
                shares = [unknown if row is None else row for row in found]
                kinds = Kinds(np.array(shares, np.float32), self._sure)
            latest = self._latest = (objects, rows, kinds)
        return latest[2]

    def ground_of(self, objects: Instances) -> Ground | None:
        """What the ground is where these objects are; None if that was not looked at."""
        ground = self._ground
        return ground if ground is not None and ground.covers(objects) else None

    def collect(self) -> bool:
        """Take over what the model said; whether there was something."""
        job = self.jobs.take(JOB)
        if job is None:
            return False
        if job.state == "done":
            objects, kinds, ground = job.result
            if len(objects):
                fresh = {_key(item): row for item, row in zip(objects, kinds.probabilities)}
                # A dictionary of its own, so that others see at once that something has changed.
                self._rows, self._sure = {**self._rows, **fresh}, kinds.sure
                self.number += 1
            self._ground = ground if ground is not None else self._ground
        elif job.state == "failed":
            self.error = job.error
        return True

    def record(self, objects: Instances) -> dict[str, Any] | None:
        """What is known of these objects as JSON data for a project; None if nothing is."""
        if not self._rows:
            return None
        from rsam_core.models.tiny.kinds import KINDS

        known = [(item.id, self._rows.get(_key(item))) for item in objects]
        rows = [
            [id, *(round(_SHARES * float(share)) for share in row)]
            for id, row in known
            if row is not None
        ]
        return {"kinds": list(KINDS), "sure": self._sure, "objects": rows} if rows else None

    def restore(self, record: Any, objects: Instances) -> None:
        """Take up what `record` gave, for the same objects.

        A record of other kinds, by another version, is left out: the model can be asked again.

        Raises
        ------
        ProjectError
            If it is not readable.
        """
        if record is None:
            return
        from rsam_core.models.tiny.kinds import KINDS

        try:
            if list(record["kinds"]) != list(KINDS):
                return
            sure, by_id = float(record["sure"]), {item.id: item for item in objects}
            fresh = {}
            for id, *shares in record["objects"]:
                row = np.array([int(share) for share in shares], np.float32) / _SHARES
                if len(row) != len(KINDS) or not 0 <= row.min() <= row.max() <= 1:
                    raise ValueError(shares)
                if id in by_id:
                    fresh[_key(by_id[id])] = row
            if not 0 <= sure <= 1:
                raise ValueError(sure)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ProjectError(
                "The project file is damaged: the kinds of its objects are not readable. Download "
                "or copy it again, or use an earlier save."
            ) from error
        self._rows, self._sure = {**self._rows, **fresh}, sure
        self.number += 1


def naming(session: Session) -> Naming:
    """What is known of the kinds of the open scene's objects."""
    return session.attached(Naming, lambda: Naming(session.jobs))


def kind_columns(objects: Instances, known: Naming) -> pd.DataFrame:
    """Columns for the table of objects: ``kind`` and ``kind_probability``.

    Both are empty for objects whose kind was not asked for.
    """
    import pandas as pd

    kinds = known.of(objects)
    asked = ~np.isin(objects.ids, known.missing(objects).ids)
    names = np.full(len(objects), None, object)
    shares = np.full(len(objects), np.nan)
    if kinds is not None:
        names[asked] = np.array(kinds.names, object)[asked]
        shares[asked] = kinds.highest[asked]
    return pd.DataFrame({"kind": names, "kind_probability": shares})


def suggested(objects: Instances, known: Naming, classes: ClassList) -> dict[int, str]:
    """Classes for the objects that have none, by number, from the kinds that the model is sure of.

    A kind becomes the class of the same meaning, such as "vehicle" for a car, or one of its own
    name. Objects that have a class, and those that are "not sure", are left out.
    """
    from rsam_core.segment.kinds import NOT_SURE
    from rsam_core.segment.words.vocabulary import kind_of_class

    kinds = known.of(objects)
    if kinds is None:
        return {}
    meaning: dict[str, str] = {}
    for name in reversed(classes.names):
        meaning[kind_of_class(name)] = name
    return {
        item.id: meaning.get(kind, kind)
        for item, kind in zip(objects, kinds.names)
        if not item.label and kind != NOT_SURE
    }


def _key(item: Instance) -> tuple:
    """What makes an object the same to look at, whatever its number and class."""
    return (item.x, item.y, *item.mask.shape, item.area)

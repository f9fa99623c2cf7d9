"""Kinds of objects are kept in project files."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import ProjectError
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instances import Instance, Instances
from rsam_core.segment.kinds import Kinds
from rsam_core.session.kinds import JOB, naming
from rsam_core.session.project import load_project, save_project
from rsam_core.session.project_state import from_state, to_state, version
from rsam_core.session.session import Session
from tests.helpers.boxes import HEIGHT, WIDTH, plain
from tests.helpers.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
SHAPE = (HEIGHT, WIDTH)


def work() -> Session:
    return Session(rsam.open_scene(plain(), name="plain.png"))


def objects() -> Instances:
    items = [
        Instance(np.ones((6, 8), bool), 5 + 15 * k, 10, 0.9, k + 1, "everything") for k in range(3)
    ]
    return Instances(items, SHAPE)


def named(session: Session, some: Instances) -> Kinds:
    """The model has named these objects: the first a car, the others hard to tell."""
    shares = np.full((len(some), len(KINDS)), 0.05, np.float32)
    shares[0, KINDS.index("car")] = 0.55
    shares[1:, KINDS.index("pool")] = 0.3
    shares /= shares.sum(1, keepdims=True)
    kinds = Kinds(shares, 0.5)
    job = session.jobs.start(JOB, lambda progress, cancelled: (some, kinds, None))
    assert job.wait(PATIENCE)
    assert naming(session).collect()
    return kinds


def saved(session: Session, some: Instances) -> bytes:
    state = replace(to_state(session), instances=some)
    return save_project(
        replace(state, settings={**state.settings, "kinds": naming(session).record(some)})
    )


def test_kinds_come_back_with_the_project():
    session, some = work(), objects()
    before = version(session)
    kinds = named(session, some.select([1, 2]))
    assert version(session) != before, "a copy against a lost tab must be written again"
    again = from_state(load_project(saved(session, some)), session.image.scene)
    known = naming(again)
    assert [item.id for item in known.missing(some)] == [3]
    found = known.of(some)
    assert found.names == ["car", "not sure", "not sure"]
    np.testing.assert_allclose(found.probabilities[:2], kinds.probabilities, atol=0.0006)
    assert found.sure == 0.5


def test_projects_of_before_open_and_know_no_kinds():
    session, some = work(), objects()
    state = replace(to_state(session), instances=some)
    settings = {name: value for name, value in state.settings.items() if name != "kinds"}
    again = from_state(
        load_project(save_project(replace(state, settings=settings))), session.image.scene
    )
    assert naming(again).of(some) is None
    assert naming(again).record(some) is None


def test_kinds_of_another_version_are_asked_for_again():
    known = naming(work())
    known.restore({"kinds": ["roof", "rest"], "sure": 0.5, "objects": [[1, 900, 100]]}, objects())
    assert len(known.missing(objects())) == 3


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"kinds": list(KINDS), "sure": 0.5},
        {"kinds": list(KINDS), "sure": 3, "objects": []},
        {"kinds": list(KINDS), "sure": 0.5, "objects": [[1, 5]]},
        {"kinds": list(KINDS), "sure": 0.5, "objects": [[1, *[5000] * len(KINDS)]]},
        {"kinds": list(KINDS), "sure": 0.5, "objects": [[1, *["much"] * len(KINDS)]]},
    ],
)
def test_damaged_kinds_are_refused(record):
    with pytest.raises(ProjectError, match="kinds"):
        naming(work()).restore(record, objects())


def test_saving_a_project_does_not_load_the_model():
    code = "import sys, rsam_core.session.project_state; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT)
    assert done.returncode == 0

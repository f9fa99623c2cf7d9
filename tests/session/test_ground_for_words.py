"""The ground is looked at in the background, once, where a sentence speaks of roads or water."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instances import Instances
from rsam_core.segment.segmenter import Segmenter
from rsam_core.segment.words import ground as ground_module
from rsam_core.session.kinds import MODEL, naming
from rsam_core.session.kinds_job import start, start_for_words
from rsam_core.session.session import Session
from rsam_core.session.words import WordsState
from tests.helpers.boxes import png
from tests.helpers.models import FakeModel
from tests.helpers.waiting import PATIENCE
from tests.segment.words.test_ground import COLOURS, drawn

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


class Namer(FakeModel):
    """Names an object by the drawn colour that most of its pixels have."""

    names, sure = True, 0.5

    def __init__(self) -> None:
        super().__init__(lambda prompt, multimask: ([], []))
        self.asked: list[int] = []

    def encode(self, image: np.ndarray) -> SimpleNamespace:
        self.encodings += 1
        return SimpleNamespace(nbytes=image.nbytes, image=image)

    def name_objects(self, features, objects) -> np.ndarray:
        self.asked.append(len(objects))
        shares = np.zeros((len(objects), len(KINDS)), np.float32)
        for row, one in zip(shares, objects):
            height, width = one.mask.shape
            pixels = features.image[one.y : one.y + height, one.x : one.x + width][one.mask]
            for kind, colour in COLOURS.items():
                row[KINDS.index(kind)] = (pixels == colour).all(axis=1).mean()
        return shares


class Shared:
    """The model, without a cache."""

    def __init__(self) -> None:
        self.model = Namer()

    def segmenter(self, name: str) -> Segmenter:
        return Segmenter(self.model)

    def embedding_key(self, image, name: str) -> tuple[str, str]:
        return "image", name

    def embed(self, image, key):
        return Segmenter(self.model).embed(image)


@pytest.fixture
def work() -> tuple[Session, Instances, Shared, WordsState]:
    """The drawn scene, its objects without classes, and a sentence about the road."""
    picture, objects = drawn()
    session = Session(rsam.open_scene(png(picture.image), name="drawn.png"))
    bare = Instances([replace(item, label=None) for item in objects], objects.shape)
    known = session.attached(WordsState)
    known.guesser, known.surroundings = naming(session).of, naming(session).ground_of
    known.ask("cars on the road")
    return session, bare, Shared(), known


def look(session: Session, objects: Instances, shared: Shared, ground: bool = True) -> bool:
    """Whether something was asked, and waits for it."""
    start_for_words(session, naming(session), objects, shared, ground=ground)
    job = naming(session).job
    if job is None:
        return False
    assert job.wait(PATIENCE)
    assert job.state == "done", job.error
    assert naming(session).collect()
    return True


def found(session: Session, known: WordsState, objects: Instances) -> list[int]:
    return known.found(known.describe(objects, session.image.scene)).ids.tolist()


def test_objects_and_ground_are_named_in_one_go_and_once(work):
    session, objects, shared, known = work
    assert known.asks_for_ground
    assert look(session, objects, shared)
    assert shared.model.encodings == 1
    assert found(session, known, objects) == [1, 2]
    assert not look(session, objects, shared), "nothing is missing"
    known.ask("trees within 20 pixels of water")
    assert found(session, known, objects) == [6]


def test_the_ground_is_added_where_the_kinds_are_known_and_outlives_edits(work):
    session, objects, shared, known = work
    assert look(session, objects, shared, ground=False)
    assert sum(shared.model.asked) == 6
    assert found(session, known, objects) == []
    shared.model.asked.clear()
    before = naming(session).of(objects)
    assert look(session, objects, shared)
    assert naming(session).of(objects) is before, "kinds that are known are not asked again"
    assert found(session, known, objects) == [1, 2]
    fewer = objects.select([2, 3, 4])
    assert not look(session, fewer, shared)
    assert found(session, known, fewer) == [2]


def test_where_objects_spread_too_far_it_is_said_and_their_kinds_are_named(work, monkeypatch):
    session, objects, shared, known = work
    monkeypatch.setattr(ground_module, "MAX_PIXELS", 70_000)
    assert look(session, objects, shared)
    assert "megapixels" in str(naming(session).ground_problem)
    assert found(session, known, objects) == []
    known.ask("cars")
    assert found(session, known, objects) == [1, 2, 3]
    assert not look(session, objects, shared), "it is not tried again for the same list"
    monkeypatch.undo()
    assert look(session, objects.select([1, 2, 3]), shared)
    assert naming(session).ground_problem is None


def test_stopping_leaves_what_is_known(work):
    session, objects, shared, _ = work
    shared.model.name_objects = lambda features, some: (
        naming(session).job.cancel() or np.full((len(some), len(KINDS)), 0.1, np.float32)
    )
    start_for_words(session, naming(session), objects, shared, ground=True)
    job = naming(session).job
    assert job.wait(PATIENCE)
    assert job.state == "cancelled"
    naming(session).collect()
    assert naming(session).error is None
    assert naming(session).ground_of(objects) is None
    start_for_words(session, naming(session), objects, shared, ground=True)
    assert naming(session).job is None, "who stopped it is not asked again"


def test_another_model_is_asked_itself_and_for_all(work):
    session, objects, shared, _ = work
    assert look(session, objects, shared, ground=False)
    other = Shared()
    asked = {MODEL: shared.model, "another": other.model}
    shared.segmenter = lambda name: Segmenter(asked[name])
    shared.embed = lambda image, key: Segmenter(asked[key[1]]).embed(image)
    job = start(session, naming(session), objects, shared, "another")
    assert job.wait(PATIENCE)
    assert job.state == "done", job.error
    assert sum(other.model.asked) == len(objects)


def test_the_python_way_looks_up_kinds_and_ground(work):
    session, objects, shared, _ = work
    scene = session.image.scene
    query = rsam.words("cars on the road")
    assert query.select(objects, scene, segmenter=Segmenter(shared.model)).ids.tolist() == [1, 2]
    some = rsam.words("trees").select(objects, scene, segmenter=Segmenter(shared.model))
    assert some.ids.tolist() == [4, 5, 6]
    classes = drawn()[1]
    assert len(query.select(classes, scene)) == 0, "all have a class: no model is asked"
    assert query.select(classes, scene, segmenter=Segmenter(shared.model)).ids.tolist() == [1, 2]

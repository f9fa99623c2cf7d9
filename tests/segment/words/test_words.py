"""Sentences as queries: on towns, on drawn scenes, and what cannot be understood."""

from __future__ import annotations

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import WordsError
from rsam_core.objects.classify.rules import Rule
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.words import describe, kinds_of, words
from tests.segment.words.towns import TownScene, cases, f1, town


class Picture(TownScene):
    """A drawn picture as a scene."""

    def __init__(self, image: np.ndarray, gsd: float | None = None) -> None:
        self.image, self.gsd, self.shape = image, gsd, image.shape[:2]
        self.height, self.width = self.shape


def drawn(gsd: float | None = 1.0) -> tuple[Picture, Instances]:
    """Four houses, red and grey, 10 to 40 pixels wide, and a lake right of the last one."""
    image = np.full((100, 300, 3), (120, 130, 100), np.uint8)
    items = []
    for index, (size, colour) in enumerate(
        [(10, (170, 60, 50)), (20, (150, 150, 150)), (30, (170, 60, 50)), (40, (150, 150, 150))]
    ):
        x = 10 + 55 * index
        image[20 : 20 + size, x : x + size] = colour
        items.append(Instance(np.ones((size, size), bool), x, 20, 1, index + 1, label="House"))
    image[20:80, 225:290] = (60, 80, 120)
    items.append(Instance(np.ones((60, 65), bool), 225, 20, 1, 5, label="water"))
    return Picture(image, gsd), Instances(items, (100, 300))


def ask(text: str, **options) -> list[int]:
    scene, objects = drawn(options.pop("gsd", 1.0))
    return rsam.words(text).select(objects, scene, **options).ids.tolist()


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("buildings", [1, 2, 3, 4]),
        ("red roofs", [1, 3]),
        ("houses that are not red", [2, 4]),
        ("buildings over 400 m²", [3, 4]),
        ("buildings of at least 400 m²", [2, 3, 4]),
        ("houses longer than 35 m", [4]),
        ("the two largest buildings", [3, 4]),
        ("the smallest red house", [1]),
        ("houses near water", [4]),
        ("houses within 10 m of water", [4]),
        ("houses within 9 m of water", []),
        ("houses more than 75 m from water", [1, 2]),
        ("houses except the red ones", [2, 4]),
        ("nhà mái đỏ", [1, 3]),
        ("maisons rouges de plus de 500 m²", [3]),
        ("water or small houses", [1, 5]),
        ("houses within 35 m of each other", [2, 3, 4]),
        ("houses within 30 m of one another", [3, 4]),
        ("houses touching each other", []),
    ],
)
def test_a_drawn_scene(text, ids):
    assert ask(text) == ids


def test_without_georeference_sizes_are_relative_and_metres_are_asked_for():
    assert ask("small houses", gsd=None) == [1]
    assert ask("houses over 500 pixels", gsd=None) == [3, 4]
    with pytest.raises(WordsError, match="size of a pixel"):
        ask("houses over 500 m²", gsd=None)
    with pytest.raises(rsam.RsamError, match="ground distance"):
        ask("houses within 5 m of water", gsd=None)


def test_a_place_narrows_it_and_the_largest_are_the_largest_there():
    assert ask("buildings", place=(25.0, 25.0)) == []
    assert ask("buildings", place=(75.0, 25.0)) == [2]
    assert ask("buildings here", place=(0, 0, 130, 100)) == [1, 2]
    assert ask("the largest building", place=(0, 0, 130, 100)) == [2]
    assert ask("here", place=(0, 0, 40, 40)) == [1]
    with pytest.raises(WordsError, match="place"):
        ask("buildings", place=(1, 2, 3))


def test_kinds_come_from_classes_then_from_the_model():
    _, objects = drawn()
    shares = np.zeros((5, 10))
    shares[:, 3] = [0.9, 0.9, 0.3, 0.9, 0.9]
    assert kinds_of(objects, shares).tolist() == ["building"] * 4 + ["water"]
    bare = Instances([Instance(i.mask, i.x, i.y, id=i.id) for i in objects], objects.shape)
    assert kinds_of(bare, shares).tolist() == ["tree", "tree", None, "tree", "tree"]
    assert words("trees").select(bare, None, probabilities=shares).ids.tolist() == [1, 2, 4, 5]
    with pytest.raises(WordsError, match="not known yet"):
        words("trees").select(bare, None)
    with pytest.raises(WordsError, match="10 probabilities"):
        kinds_of(bare, shares[:3])
    assert words("large things").select(bare, None).ids.tolist() == [4, 5]


def test_classes_that_a_person_made_are_kinds():
    _, objects = drawn()
    named = Instances(
        [
            Instance(i.mask, i.x, i.y, id=i.id, label="Solar farm" if i.id < 3 else i.label)
            for i in objects
        ],
        objects.shape,
    )
    query = words("solar farms near houses", classes=["Solar farm"])
    assert not query.unknown
    assert words("solar farms", classes=["Solar farm"]).select(named).ids.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("?!", "empty"),
        ("the", "empty"),
        (None, "empty"),
        ("houses " * 715, "long"),
        ("12 345,6", "numbers"),
        ("<img src=x onerror=alert(1)> houses", "markup"),
        ("здания", "script"),
        ("small large houses", "contradiction"),
        ("houses over 300 m² and under 200 m²", "contradiction"),
    ],
)
def test_what_cannot_be_read_is_answered_by_a_sentence(text, reason):
    with pytest.raises(WordsError) as caught:
        words(text)
    assert caught.value.reason == reason
    assert str(caught.value).endswith(".")


def test_unknown_words_are_told_with_the_nearest_known_ones():
    query = words("buildngs near a heliport")
    assert "building" in query.unknown["buildngs"]
    assert query.unknown["heliport"] == ()
    with pytest.raises(WordsError, match=r"“heliport”.*One-shot") as caught:
        words("heliport").select(*drawn()[::-1])
    assert caught.value.reason == "unknown"


def test_any_words_in_any_order_break_nothing():
    rng = np.random.default_rng(5)
    pieces = (  # noqa: SIM905
        "red large houses near within 50 m of between and or not except with without the 5 "
        "largest roads here over 200 m² L-shaped heliport , < > à moins de gần 100 cách trên "
        "más grandes que entre longer than"
    ).split()
    read = 0
    scene, objects = drawn()
    known = describe(objects, scene)
    for _ in range(600):
        text = " ".join(rng.choice(pieces, rng.integers(1, 12)))
        try:
            query = words(text)
            query.select(objects, scene, known=known)
        except rsam.RsamError:
            continue
        read += 1
        if query.conditions is not None:
            assert Rule.from_json(query.conditions.to_json()) == query.conditions
    assert read > 200


@pytest.mark.parametrize("number", [3, 5])
def test_sentences_find_what_they_mean_in_a_town(number):
    place = town(number)
    known = describe(place.objects, place.scene)
    scores = {
        row["text"]: f1(
            set(words(row["text"]).select(place.objects, known=known).ids.tolist()),
            set(row["ids"]),
        )
        for row in cases()[number]["sentences"]
    }
    assert np.mean(list(scores.values())) >= 0.8, scores

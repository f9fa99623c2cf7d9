"""Ground: a drawn road and a drawn lake that no object outlines, cars and trees on and off them."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import Cancelled, SceneError
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.kinds import Kinds
from rsam_core.segment.words import describe, words
from rsam_core.segment.words.ground import MAX_PIXELS, asks_for_ground, find_ground
from rsam_core.segment.words.ground_picture import TINTS, ground_picture
from tests.segment.words.test_words import Picture

GRASS, ROAD, LAKE, CAR, TREE = (
    (90, 140, 70), (120, 120, 125), (40, 70, 130), (200, 30, 30), (30, 80, 30),
)  # fmt: skip
COLOURS = {"grass or field": GRASS, "road": ROAD, "water": LAKE, "car": CAR, "tree": TREE}


def drawn() -> tuple[Picture, Instances]:
    """A road across the top, a lake at the lower right, and meadow; a pixel is half a metre.

    Cars 1 and 2 stand on the road and car 3 on the meadow, 35 m below the road; tree 4 is 4 m
    below the road, trees 5 and 6 are 75 and 50 m below it, 6 is 5 m left of the lake.
    """
    image = np.full((240, 320, 3), GRASS, np.uint8)
    image[20:50] = ROAD
    image[140:, 200:] = LAKE
    items = []
    for number, (x, y, size, kind) in enumerate(
        [(40, 30, 10, "car"), (200, 28, 12, "car"), (100, 120, 10, "car"),
         (30, 58, 14, "tree"), (20, 200, 16, "tree"), (174, 150, 16, "tree")], 1,
    ):  # fmt: skip
        image[y : y + size, x : x + size] = COLOURS[kind]
        items.append(Instance(np.ones((size, size), bool), x, y, 1, number, "drawn", kind))
    return Picture(image, 0.5), Instances(items, (240, 320))


def by_colour(image: np.ndarray):
    """Names regions by the drawn colour that most of their pixels have."""

    def name(regions: Instances) -> Kinds:
        shares = np.zeros((len(regions), len(KINDS)), np.float32)
        for row, item in zip(shares, regions):
            height, width = item.mask.shape
            pixels = image[item.y : item.y + height, item.x : item.x + width][item.mask]
            for kind, colour in COLOURS.items():
                row[KINDS.index(kind)] = (pixels == colour).all(axis=1).mean()
        return Kinds(shares, 0.5)

    return name


@pytest.fixture(scope="module")
def known():
    scene, objects = drawn()
    return describe(objects, scene, ground=find_ground(objects, scene, by_colour(scene.image)))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("cars on the road", [1, 2]),
        ("cars not on the road", [3]),
        ("xe trên đường", [1, 2]),
        ("cars on grass", [3]),
        ("trees next to a road", [4]),
        ("trees within 3 m of a road", []),
        ("trees within 60 m of a road", [4, 6]),
        ("trees more than 60 m from a road", [5]),
        ("trees near water", [6]),
        ("cars or trees near water", [6]),
        ("cars within 70 m of the water", [2, 3]),
        ("the largest tree within 60 m of a road", [6]),
        ("roads", []),
        ("the three largest things", [4, 5, 6]),
        ("trees near large things", []),
        ("trees not near anything", [5, 6]),
    ],
)
def test_objects_lie_on_and_near_what_none_of_them_outlines(known, text, ids):
    assert words(text).select(known.objects, known=known).ids.tolist() == ids


def test_a_tree_between_a_road_and_water_and_one_beyond_the_road():
    image = np.full((160, 100, 3), GRASS, np.uint8)
    image[40:60], image[120:] = ROAD, LAKE
    items = [
        Instance(np.ones((9, 9), bool), 50, y, 1, number, "drawn", "tree")
        for number, y in ((1, 10), (2, 85))
    ]
    scene, objects = Picture(image, 0.5), Instances(items, (160, 100))
    known = describe(objects, scene, ground=find_ground(objects, scene, by_colour(image)))
    query = words("trees between the road and water")
    assert query.select(objects, known=known).ids.tolist() == [2]


def test_the_ground_is_one_area_a_kind_and_leaves_the_objects_out(known):
    _, objects = drawn()
    areas = {item.label: item.area for item in known.ground}
    assert len(known.ground) == 4, "the meadow is above and below the road"
    assert areas["road"] == pytest.approx(30 * 320 - 100 - 144, rel=0.02)
    assert areas["water"] == pytest.approx(100 * 120, rel=0.03)
    covered = np.zeros(objects.shape, int)
    for item in (*objects, *known.ground):
        height, width = item.mask.shape
        covered[item.y : item.y + height, item.x : item.x + width] += item.mask
    assert covered.max() == 1
    assert len(known.table) == len(objects)


def test_without_ground_nothing_lies_on_a_road_that_is_not_outlined():
    scene, objects = drawn()
    assert len(words("cars on the road").select(objects, scene)) == 0


def test_ground_stays_true_when_an_object_is_removed_or_added():
    scene, objects = drawn()
    ground = find_ground(objects, scene, by_colour(scene.image))
    without = objects.select([1, 3, 4, 5, 6])
    assert ground.covers(without)
    road = next(item for item in ground.areas(without) if item.label == "road")
    assert road.area == pytest.approx(30 * 320 - 100, rel=0.02), "beneath the car there is road"
    pond = Instance(np.ones((100, 120), bool), 200, 140, 1, 9, "drawn", "pool")
    with_pond = Instances([*objects, pond], objects.shape)
    assert "water" not in {item.label for item in ground.areas(with_pond)}


def test_only_the_surroundings_of_objects_are_looked_at():
    image = np.full((900, 1000, 3), GRASS, np.uint8)
    image[:, 60:90] = ROAD
    scene = Picture(image, 0.5)
    objects = Instances([Instance(np.ones((9, 9), bool), 100, 100, 1, 1, "", "tree")], (900, 1000))
    ground = find_ground(objects, scene, by_colour(image))
    assert (ground.x, ground.y, *ground.kinds.shape) == (0, 0, 365, 365)
    known = describe(objects, scene, ground=ground)
    assert len(words("trees within 6 m of a road").select(objects, known=known)) == 1
    far = Instances([Instance(np.ones((9, 9), bool), 900, 800)], (900, 1000))
    assert ground.covers(objects)
    assert not ground.covers(far)


def test_a_place_that_is_too_large_is_refused_and_stopping_is_heard():
    side = int(MAX_PIXELS**0.5) + 1
    corners = [Instance(np.ones((1, 1), bool), x, x) for x in (0, side - 1)]
    with pytest.raises(SceneError, match="16 megapixels"):
        find_ground(Instances(corners, (side, side)), None, lambda _: None)
    scene, objects = drawn()
    with pytest.raises(Cancelled):
        find_ground(objects, scene, by_colour(scene.image), cancelled=lambda: True)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("cars on the road", True),
        ("trees not near water", True),
        ("houses between fields and trees", True),
        ("red cars or houses near the road", True),
        ("roads", False),
        ("large fields", False),
        ("trees near houses", False),
        ("houses with a pool", False),
    ],
)
def test_the_ground_is_looked_at_only_where_a_sentence_needs_it(text, asked):
    assert asks_for_ground(words(text).conditions) is asked


def test_what_counts_as_road_and_water_can_be_looked_at(known):
    scene, objects = drawn()
    ground = find_ground(objects, scene, by_colour(scene.image))
    image = ground_picture(ground, known, scene, {"road"}, side=320)
    assert image.shape == (240, 320, 3)
    np.testing.assert_array_equal(image[35, 150], np.round((np.array(ROAD) + TINTS["road"]) / 2))
    for y, x in ((35, 45), (200, 250), (100, 20)):
        np.testing.assert_array_equal(image[y, x], scene.image[y, x], "car, lake and meadow")
    pond = Instance(np.ones((40, 40), bool), 250, 190, 1, 9, "drawn", "water")
    outlined = describe(Instances([*objects, pond], objects.shape), scene)
    image = ground_picture(ground, outlined, scene, {"water"}, side=320)
    blue = np.round((np.array(LAKE) + TINTS["water"]) / 2)
    for y, x in ((200, 260), (160, 220)):
        np.testing.assert_array_equal(image[y, x], blue, "the outlined part of the lake, too")
    np.testing.assert_array_equal(image[35, 150], ROAD)

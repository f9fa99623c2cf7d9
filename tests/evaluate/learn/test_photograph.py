"""Lesson 4: the camera against geometry by hand, the pictures' numbers counted another way."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy.spatial import ConvexHull
from skimage.draw import polygon2mask

import rsam_core
from rsam_core.errors import SceneError
from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.lesson import Task
from rsam_core.evaluate.learn.lessons import photograph, photograph_ask, photograph_pair
from rsam_core.evaluate.learn.lessons import photograph_view as view
from rsam_core.evaluate.learn.lessons.photograph_camera import SKY, Camera, Place, shoot

GROUND, TOWER = 90, 200


def block(height: float = 12.0) -> Place:
    """Level ground of 100 × 100 m in pixels of 0.25 m, with a tower of 10 × 10 m in the middle."""
    heights = np.zeros((400, 400), np.float32)
    heights[180:220, 180:220] = height
    labels = (heights > 0).astype(np.int32)
    image = np.full((400, 400, 3), GROUND, np.uint8)
    image[labels == 1] = TOWER
    return Place(image, heights, labels, np.array([False, True]), 0.25)


def camera(tilt: float, x: float = 50, y: float = 50) -> Camera:
    return Camera(x, y, 60, tilt, 240, 160, 200)


def drawn(points: list[tuple[float, float, float]], by: Camera) -> np.ndarray:
    """Pixels whose middle lies within the hull of projected points."""
    hull = ConvexHull(pixels := by.project(np.array(points)))
    corners = pixels[hull.vertices] - 0.5
    return polygon2mask((by.height, by.width), corners[:, ::-1])


@pytest.fixture(scope="module")
def sheet() -> tuple[Task, ...]:
    return photograph.worksheet()


def numbers(text: str) -> list[float]:
    """The numbers in a text, in order."""
    found = re.findall(r"\d[\d,]*(?:\.\d+)?", text)
    return [float(value.rstrip(",").replace(",", "")) for value in found]


def test_points_are_projected_as_a_pinhole_does() -> None:
    # Straight down from 60 m with a focal length of 200: 10 m on the ground are 33.3 pixels.
    flat = camera(0).project(np.array([[50, 50, 0], [60, 50, 0], [50, 40, 0], [60, 50, 20]]))
    assert flat == pytest.approx(
        np.array([[120, 80], [120 + 200 / 6, 80], [120, 80 - 200 / 6], [120 + 200 / 4, 80]])
    )
    # Tilted by 60°, the camera stands 30 m high and 52 m back; its aim stays in the middle.
    tilted = camera(60)
    assert tilted.position == pytest.approx((50, 50 + 60 * 3**0.5 / 2, 30))
    assert tilted.project(np.array([[50, 50, 0]])) == pytest.approx(np.array([[120, 80]]))
    # Towards the top of the map it is farther away, so that things are smaller and higher up.
    (left, up), (right, _) = tilted.project(np.array([[45, 30, 0], [55, 30, 0]]))
    assert right - left == pytest.approx(200 * 10 / (60 + 20 * 3**0.5 / 2))
    assert up < 80


@pytest.mark.parametrize("tilt", [0, 20, 45, 60])
def test_the_roof_lies_where_its_corners_are_projected(tilt: int) -> None:
    place, camera_ = block(), camera(tilt)
    shot = shoot(place, camera_)
    roof = drawn([(x, y, 12.0) for x in (45, 55) for y in (45, 55)], camera_)
    # Walls are plaster with dark panes, darker than this roof.
    bright = np.all(shot.image > 180, axis=2) & (shot.labels == 1)
    # At 60° the roof is 12 pixels high: half a pixel at either rim.
    assert asking.jaccard(bright, roof) > 0.87


@pytest.mark.parametrize("tilt", [0, 20, 45, 60])
def test_roof_and_walls_fill_what_a_box_does(tilt: int) -> None:
    shot, camera_ = shoot(block(), camera(tilt)), camera(tilt)
    box = drawn([(x, y, z) for x in (45, 55) for y in (45, 55) for z in (0, 12)], camera_)
    assert asking.jaccard(shot.labels == 1, box) > 0.95


def test_what_is_hidden_behind_a_tower() -> None:
    bare = shoot(block(0.0), camera(50))
    assert bare.hidden == pytest.approx(0, abs=1e-6)
    hidden = [shoot(block(), camera(tilt)).hidden for tilt in (20, 40, 60)]
    assert hidden == sorted(hidden)
    # By hand, straight down from 60 m on the middle of a tower of 12 m: the shadow of its roof is
    # 10 · 60 / 48 = 12.5 m wide, of which the tower stands on 10 m; the picture shows 72 × 48 m.
    shown = shoot(block(), camera(0)).hidden
    assert shown == pytest.approx((12.5**2 - 100) / (72 * 48 - 100), rel=0.15)


def test_beyond_the_edge_there_is_sky() -> None:
    shot = shoot(block(), camera(75))
    assert (shot.labels[0] == SKY).all()
    assert (shot.labels[-1] != SKY).any()
    assert not (shoot(block(), camera(0)).labels == SKY).any()


def test_the_two_houses_are_alike_from_above_and_unlike_aslant() -> None:
    near, far = view.houses()["near"], view.houses()["far"]
    assert 0.75 < near.area / far.area < 1.33
    assert 0.6 < view.ratio(0) < 1.4
    tilts = (0, 15, 30, 45, view.STEEPEST)
    ratios = [view.ratio(tilt) for tilt in tilts]
    assert ratios == sorted(ratios)
    height, width = view.shot(0).labels.shape
    for tilt in tilts:
        for name, (x, y) in view.spots(tilt).items():
            assert 0 < x < width
            assert 0 < y < height
            around = view.shot(tilt).labels[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
            assert view.houses()[name].number in around
    image, spots, gsd = view.from_above()
    for name, (x, y) in spots.items():
        house = view.houses()[name]
        row, column = int(house.y / gsd), int(house.x / gsd)
        assert np.array_equal(image[int(y), int(x)], view.place().image[row, column])


def test_the_photograph_has_three_objects_drawn_by_hand() -> None:
    photo = photograph_pair.photo()
    tally = photograph_pair.tally(photo)
    assert (tally.objects, tally.kinds) == (3, 3)
    sizes = [int((photo.labels == n).sum()) for n in (1, 2, 3)]
    assert tally.largest == max(sizes) / (400 * 600)
    # Porcelain, varnish and steel: the inside of the cup is bright, the saucer red.
    assert photo.image[60, 290].mean() > 150
    assert photo.labels[60, 290] == photograph_pair.CUP
    red, green, blue = photo.image[photo.labels == photograph_pair.SAUCER].mean(0)
    assert red > 2 * max(green, blue)


def test_a_photograph_that_is_gone_is_told_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    import skimage

    monkeypatch.setattr(skimage, "__file__", str(tmp_path / "__init__.py"))
    photograph_pair.photo.cache_clear()
    try:
        with pytest.raises(SceneError, match="Install RSAM again"):
            photograph_pair.photo()
    finally:
        photograph_pair.photo.cache_clear()


def test_coarse_pixels_are_means_of_squares() -> None:
    image = np.random.default_rng(2).integers(0, 256, (32, 48, 3), dtype=np.uint8)
    expected = image.reshape(8, 4, 12, 4, 3).mean((1, 3))
    assert np.abs(photograph_pair.coarse(image, 4) - expected).max() <= 0.51
    above = photograph_pair.above()
    cars = [(above.labels == n).sum() for n, kind in above.kinds.items() if kind == "car"]
    assert photograph_pair.typical_pixels(above, "car", 4) == np.median(cars) / 16


def test_a_stretch_gives_up_the_asked_share() -> None:
    values = np.arange(1000, dtype=np.float32).reshape(20, 50, 1).repeat(3, 2)
    shown = photograph_pair.finished(values, 4095, 10)
    assert (shown == 0).mean() == pytest.approx(0.1, abs=0.003)
    assert (shown == 255).mean() == pytest.approx(0.1, abs=0.003)
    dark = photograph_pair.finished(values, 4095, -1)
    assert dark.max() == round(255 * 999 / 4095)
    assert photograph_pair.tones(shown).lost == pytest.approx(0.2, abs=0.006)
    assert photograph_pair.tones(dark).used == pytest.approx(0.98 * 999 / 4095, abs=0.01)
    stored = photograph_pair.stored(np.full((1, 1, 3), 100, np.uint8))
    assert stored.tolist() == [[[500, 550, 630]]]


def test_a_square_keeps_four_corners() -> None:
    truth = np.zeros((60, 60), bool)
    truth[10:50, 10:40] = True
    exact = photograph_pair.treated(truth, truth, 0)
    assert (exact.corners, exact.area, exact.agreement) == (4, 1200, 1.0)
    frayed = truth.copy()
    frayed[9, 12:38:4] = True
    frayed[15:45:4, 40] = True
    rough = photograph_pair.treated(frayed, truth, 0)
    assert rough.corners > 20
    smooth = photograph_pair.treated(frayed, truth, 2)
    assert smooth.corners == photograph_pair.treated(frayed, truth, 0, True).corners == 4
    assert smooth.agreement > 0.97


def test_the_sheet_counts_pixels(sheet: tuple[Task, ...]) -> None:
    photo, above = photograph_pair.photo(), photograph_pair.above()
    cup = (photo.labels == 1).sum()
    car = np.median([(above.labels == n).sum() for n, k in above.kinds.items() if k == "car"])
    assert numbers(sheet[0].question)[:2] == [cup, car]
    answer = numbers(sheet[0].answer)
    assert answer[5] == round(cup / 64)
    assert answer[8] == round(car / 64, 2)
    assert sheet[0].picture.shape == (320, 960, 3)


def test_the_sheet_compares_houses(sheet: tuple[Task, ...]) -> None:
    near, _, tilt, near_pixels, far_pixels = numbers(sheet[1].question)
    assert tilt == 45
    labels, houses = view.shot(45).labels, view.houses()
    assert near_pixels == (labels == houses["near"].number).sum()
    assert far_pixels == (labels == houses["far"].number).sum()
    assert near == round((view.place().labels == houses["near"].number).sum() * 0.45**2)
    looks, is_ = numbers(sheet[1].answer)
    assert looks == round(near_pixels / far_pixels, 1)
    counts = [(view.place().labels == houses[name].number).sum() for name in ("near", "far")]
    assert is_ == round(counts[0] / counts[1], 1)


def test_the_sheet_cuts_a_scene_and_measures_a_roof(sheet: tuple[Task, ...]) -> None:
    steps, used, *_, across, again, pieces = numbers(sheet[2].answer)
    assert (steps, across, again, pieces) == (4096, 11, 11, 121)
    above = photograph_pair.above()
    counts = np.array([200, 250, 330]) + 3.0 * above.image
    low, high = np.percentile(np.rint(counts / 4095 * 255).mean(2), (1, 99))
    assert used == pytest.approx((high - low) / 255 * 4096, abs=1)

    model = asking.segmenter()
    house = photograph_ask.treated_house()
    rows, columns = np.nonzero(house)
    box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    prompt = rsam_core.Prompt(box=box)
    mask = model.predict(model.embed(above.image), prompt).masks[0]
    assert numbers(sheet[3].question)[2] == mask.sum()
    assert numbers(sheet[3].answer)[:3] == [mask.sum(), 0.09, round(mask.sum() * 0.09, 1)]
    assert asking.jaccard(mask, house) > 0.9


def test_each_check_can_be_done_and_is_not_done_at_once() -> None:
    scope, perspective, after = photograph.CHECKS
    above = photograph_pair.above()
    done = {
        factor: scope.is_done(
            {"row": "scope", "car": photograph_pair.typical_pixels(above, "car", factor)}
        )
        for factor in photograph_pair.COARSER
    }
    assert done[8]
    assert not done[1]
    assert perspective.is_done({"row": "perspective", "ratio": view.ratio(45)})
    assert not perspective.is_done({"row": "perspective", "ratio": view.ratio(0)})
    assert not perspective.is_done({"row": "perspective", "ratio": float("inf")})
    model = asking.segmenter()
    mask = photograph_ask.outline_house(model, model.embed(above.image))
    reports = {}
    for tolerance in (0.0, 3.0):
        treated = photograph_pair.treated(mask, photograph_ask.treated_house(), tolerance)
        reports[tolerance] = {
            "row": "after", "corners": treated.corners, "agreement": treated.agreement,
        }  # fmt: skip
    assert after.is_done(reports[3.0])
    assert not after.is_done(reports[0.0])
    assert not after.is_done({"row": "scope", "car": 1})


def test_stretching_helps_the_model() -> None:
    above, model = photograph_pair.above(), asking.segmenter()
    raw = photograph_pair.stored(above.image)
    agreement = [
        photograph_ask.click_houses(
            model, model.embed(photograph_pair.finished(raw, 4095, cut)), above
        )
        for cut in (-1, 2)
    ]
    assert agreement[1] > agreement[0] + 0.02


def test_the_cover_shows_both() -> None:
    cover = photograph.cover()
    assert (cover.shape, cover.dtype) == ((240, 400, 3), np.uint8)
    red, green, _ = cover[:, :190].reshape(-1, 3).mean(0)
    assert red > 1.5 * green
    assert photograph.LESSON.plan.minutes == 45

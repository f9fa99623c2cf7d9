"""Searching a view, tiles, many images; and what a comparison makes of it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.errors import Cancelled, OneShotError, SceneError
from rsam_core.evaluate.methods.base import SharedImageWork
from rsam_core.evaluate.methods.one_shot import OneShotMethod
from rsam_core.evaluate.one_shot import compare_shots
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.everything import settings_for
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot import (
    OneShotSettings,
    estimate_search,
    heat_layer,
    make_example,
    rank,
    search,
    search_scenes,
    search_tiled,
    zero_shot,
)
from rsam_core.segment.one_shot.candidate_search import peaks
from tests.helpers.models import FakeModel
from tests.helpers.shots import (
    BLUES,
    REDS,
    SHAPE,
    SIZE,
    embedding,
    item_at,
    lawn,
    mask_at,
    overlap,
    red_example,
    red_search,
    roofs_hit,
    scene,
    segmenter,
    shown,
    view,
)


@pytest.fixture(scope="module")
def example():
    return red_example()


@pytest.fixture(scope="module")
def state():
    return red_search()


def test_the_state_describes_every_candidate(state):
    count = len(state.candidates)
    assert state.complete
    assert roofs_hit(state.candidates, (*REDS, *BLUES)) == 9
    assert len(state.descriptions) == len(state.stability) == len(state.quality) == count
    np.testing.assert_allclose(state.quality[:, 0], [i.score for i in state.candidates])
    assert state.similarity.shape == (24, 32)


def test_the_grid_is_not_looked_at_again_for_another_example(state):
    told: list[str] = []
    other = make_example(segmenter(), scene(), shown(), item_at(BLUES[0]))
    again = search(segmenter(), scene(), view(), embedding(), [other], earlier=state,
                   progress=lambda share, text: told.append(text))  # fmt: skip
    assert not any("points" in text for text in told)
    assert again.base is state.base
    assert roofs_hit(rank(again, [other]).objects, BLUES[1:]) == 2
    assert not np.array_equal(again.similarity, state.similarity)


def test_the_estimate_counts_all_points_and_leaves_time_to_describe(monkeypatch):
    """A clock that the model moves by 2 ms a point."""
    clock = [0.0]

    def answer(prompt, multimask):
        clock[0] += 0.002
        return [np.ones((96, 128), bool)], [0.9]

    model = rsam.Segmenter(FakeModel(answer))
    picture = model.embed(np.zeros((96, 128, 3), np.uint8))
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    # 8 × 6 points, 16 pixels apart, take nine tenths of the time.
    seconds = estimate_search(model, picture, OneShotSettings(spacing=16))
    assert seconds == pytest.approx(48 * 0.002 / 0.9)


GRID = OneShotSettings(propose=False)


def test_a_stopped_search_keeps_what_it_found(example):
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        return len(asked) > 3

    told: list[float] = []
    part = search(segmenter(), scene(), view(), embedding(), [example], GRID, cancelled=stop,
                  progress=lambda share, text: told.append(share))  # fmt: skip
    assert not part.complete
    assert 0 < len(part.candidates) < 200
    assert rank(part, [example]).objects is not None
    assert told == sorted(told)
    assert max(told) <= 1


def test_progress_reaches_its_end(example):
    told: list[float] = []
    search(segmenter(), scene(), view(), embedding(), [example], OneShotSettings(spacing=64),
           progress=lambda share, text: told.append(share))  # fmt: skip
    assert told == sorted(told)
    assert 0.95 < told[-1] <= 1


def test_places_most_like_the_example_are_local_maxima():
    cells = np.zeros((20, 30), np.float32)
    cells[4, 7], cells[4, 9], cells[15, 2], cells[10, 20] = 0.9, 0.8, 0.7, 0.6
    # The second one lies two cells beside the first.
    assert peaks(cells, 10)[:3].tolist() == [[4, 7], [15, 2], [10, 20]]
    assert peaks(cells, 2).tolist() == [[4, 7], [15, 2]]


def test_what_the_model_proposes_is_searched_without_a_grid(example):
    settings = OneShotSettings(spacing=128, peaks=0)
    found = search(segmenter(), scene(), view(), embedding(), [example], settings)
    assert roofs_hit(rank(found, [example], settings).choose(), REDS[1:]) >= 4


def test_guided_places_find_what_a_coarse_grid_misses(example):
    coarse = OneShotSettings(spacing=128, peaks=0, propose=False)
    guided = OneShotSettings(spacing=128, peaks=24, propose=False)
    counts = []
    for settings in (coarse, guided):
        found = search(segmenter(), scene(), view(), embedding(), [example], settings)
        counts.append(roofs_hit(rank(found, [example], settings).choose(), REDS[1:]))
    assert counts[1] >= 4 > counts[0]


def test_a_view_in_a_larger_scene_gives_scene_coordinates():
    large = np.full((300, 420, 3), (88, 112, 64), np.uint8)
    large[60 : 60 + SHAPE[0], 100 : 100 + SHAPE[1]] = lawn()
    frame = Frame(100, 60, SHAPE[1], SHAPE[0], SHAPE[1], SHAPE[0])
    place = EmbeddedView(embedding(), 100, 60)
    from rsam_core.segment.one_shot.descriptors import ArrayScene

    whole = ArrayScene(large)
    moved = Instance(np.ones((SIZE, SIZE), bool), REDS[0][0] + 100, REDS[0][1] + 60)
    example = make_example(segmenter(), whole, place, moved)
    found = search(segmenter(), whole, frame, embedding(), [example], OneShotSettings(spacing=32))
    kept = rank(found, [example]).choose()
    back = Instances([Instance(i.mask, i.x - 100, i.y - 60) for i in kept], SHAPE)
    assert roofs_hit(back, REDS[1:]) >= 4
    zero = zero_shot(found, settings_for("rsam-tiny"))
    back = Instances([Instance(i.mask, i.x - 100, i.y - 60) for i in zero], SHAPE)
    assert roofs_hit(back, (*REDS, *BLUES)) >= 7


def test_without_an_example_everything_is_kept(state):
    zero = zero_shot(state, settings_for("rsam-tiny"))
    assert roofs_hit(zero, REDS) + roofs_hit(zero, BLUES) == 9
    assert len(zero_shot(state.base, settings_for("rsam-tiny", min_quality=1.0))) == 0


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()


def test_a_scene_in_tiles_gives_the_same_roofs(example):
    whole = rsam.open_scene(png(lawn()), name="lawn.png")
    told: list[tuple[float, str]] = []
    found = search_tiled(
        segmenter(), whole, [example], OneShotSettings(spacing=32),
        progress=lambda share, text: told.append((share, text)),
    )  # fmt: skip
    assert found.complete
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[-1] == (pytest.approx(0.9), "part 1 of 1"), "the only tile is described"
    assert found.similarity is None
    kept = rank(found, [example]).choose()
    assert roofs_hit(kept, REDS[1:]) == 5


def test_one_example_serves_many_images_and_a_broken_one_stops_none(example):
    def broken():
        raise SceneError("This is no image.")

    turned = np.ascontiguousarray(lawn()[:, ::-1])
    scenes = [
        ("turned.png", lambda: rsam.open_scene(png(turned), name="turned.png")),
        ("broken.png", broken),
        ("lawn.png", lambda: rsam.open_scene(png(lawn()), name="lawn.png")),
    ]
    told: list[tuple[float, str]] = []
    outcomes = search_scenes(
        segmenter(), scenes, [example], OneShotSettings(spacing=40),
        progress=lambda share, text: told.append((share, text)),
    )  # fmt: skip
    assert [o.name for o in outcomes] == ["turned.png", "broken.png", "lawn.png"]
    assert [o.problem for o in outcomes] == ["", "This is no image.", ""]
    assert outcomes[1].choose() is None
    mirrored = tuple((SHAPE[1] - x - SIZE, y) for x, y in REDS)
    assert roofs_hit(outcomes[0].choose(), mirrored) >= 5
    # The example is from an image of another name: there, its own roof is a find.
    assert roofs_hit(outcomes[2].choose(), REDS) >= 5
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert told[-1][1].startswith("lawn.png")


def test_a_stopped_batch_returns_the_finished_images(example):
    scenes = [(f"{k}.png", lambda: rsam.open_scene(png(lawn()), name="lawn.png")) for k in range(3)]
    done: list[str] = []

    def stop() -> bool:
        return any(text.startswith("1.png") for text in done)

    outcomes = search_scenes(
        segmenter(), scenes, [example], OneShotSettings(spacing=64),
        progress=lambda share, text: done.append(text), cancelled=stop,
    )  # fmt: skip
    assert [o.name for o in outcomes] == ["0.png"]


def test_an_unsuited_example_is_told_before_anything_is_outlined(example):
    other = make_example(segmenter(), scene(10.0), shown(), item_at(REDS[0]))
    for call in (
        lambda: search(segmenter(), scene(0.3), view(), embedding(), [other]),
        lambda: search(segmenter(), scene(0.3), view(), embedding(), []),
    ):
        with pytest.raises(OneShotError):
            call()


def test_describing_can_be_stopped(example):
    outlined: list[str] = []

    def progress(share: float, text: str) -> None:
        # 4 × 3 points, 64 pixels apart.
        if text == "12 of 12 points":
            outlined.append(text)

    with pytest.raises(Cancelled):
        search(segmenter(), scene(), view(), embedding(), [example],
               OneShotSettings(spacing=64, propose=False), progress=progress,
               cancelled=lambda: bool(outlined))  # fmt: skip


def test_progress_goes_from_the_grid_to_the_places_most_like_the_example(example):
    told: list[tuple[float, str]] = []
    settings = OneShotSettings(spacing=64, peaks=5)
    search(segmenter(), scene(), view(), embedding(), [example], settings,
           progress=lambda *report: told.append(report))  # fmt: skip
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] < 1
    assert told[-1] == (pytest.approx(0.9 + 0.1 * 4 / 5), "4 of 5 places most like it")


def block(x: int, y: int, width: int, height: int) -> Instance:
    return Instance(np.ones((height, width), bool), x, y)


def test_shots_are_counted_without_the_examples():
    truth = Instances([block(0, 0, 10, 10), block(40, 0, 10, 10), block(80, 0, 10, 10)], SHAPE)
    found = Instances(
        [block(0, 0, 10, 10), block(40, 0, 10, 8), block(120, 0, 10, 10), block(160, 0, 4, 5)],
        SHAPE,
    )
    # Without the example two are wanted, three found, one of them right; of the pixels 80 are
    # shared, 100 and 20 only found, 20 + 100 only true.
    one = compare_shots(truth, found, [block(0, 0, 10, 10)])
    assert (one.found, one.wanted, one.right) == (3, 2, 1)
    assert (one.precision, one.recall) == pytest.approx((1 / 3, 1 / 2))
    assert one.f1 == pytest.approx(2 / 5)
    assert one.iou == pytest.approx(80 / (80 + 120 + 120))
    assert one.dice == pytest.approx(160 / (160 + 120 + 120))
    both = compare_shots(truth, found)
    assert (both.found, both.wanted, both.right) == (4, 3, 2)
    nothing = compare_shots(truth, Instances.empty(SHAPE))
    assert (nothing.precision, nothing.recall, nothing.f1, nothing.iou) == (0, 0, 0, 0)
    assert compare_shots(Instances.empty(SHAPE), Instances.empty(SHAPE)).iou == 1


def test_the_heat_is_yellow_where_it_is_most_alike():
    cells = np.linspace(-0.4, 0.9, 24 * 32, dtype=np.float32).reshape(24, 32)
    layer = heat_layer(cells, (96, 128))
    assert layer.shape == (96, 128, 4)
    assert layer.dtype == np.uint8
    cold, hot = layer[2, 2].astype(int), layer[-3, -3].astype(int)
    assert hot[0] > 200
    assert hot[1] > 200
    assert hot[3] > 160
    assert cold[:3].max() < 40
    assert cold[3] < 60
    flat = heat_layer(np.full((4, 4), 0.3, np.float32), (8, 8))
    assert flat.shape == (8, 8, 4)


def test_an_evaluation_shows_the_first_object_and_asks_for_the_others():
    labels = np.zeros(SHAPE, np.int32)
    for number, corner in enumerate(REDS, start=1):
        labels[mask_at(corner)] = number
    method = OneShotMethod(segmenter())
    bench = SharedImageWork(lawn())
    method.prepare(bench)
    for number, corner in enumerate(REDS, start=1):
        mask, score = method.mask(bench, labels == number)
        wanted = mask_at(corner)
        assert (mask & wanted).sum() / (mask | wanted).sum() > 0.6, number
        assert score is None or 0 <= score <= 1
    assert method.sees_truth
    assert "one example" in method.title
    assert overlap(item_at(REDS[0]), REDS[0]) == 1

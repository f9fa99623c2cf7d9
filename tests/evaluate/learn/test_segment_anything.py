"""Lesson 2: features, prompts as maps and numbers, times, SA-1B; its checks and worksheet."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity

import rsam_core.models.tiny as tiny_package
from rsam_core.errors import ModelError
from rsam_core.evaluate.learn import asking
from rsam_core.evaluate.learn.asking import Marks
from rsam_core.evaluate.learn.lessons import segment_anything as lesson
from rsam_core.evaluate.learn.lessons import segment_anything_inside as inside
from rsam_core.models.queued import QueuedModel
from rsam_core.prompts.prompt import Prompt
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, disc

CARD = Path(tiny_package.__file__).with_name("MODEL_CARD.md")
WEIGHTS = CARD.with_name("rsam_tiny.safetensors")


@pytest.fixture
def model(tiny, monkeypatch) -> Segmenter:
    """The embedded model, loaded once for all tests."""
    segmenter = Segmenter(tiny)
    monkeypatch.setattr(asking, "segmenter", lambda: segmenter)
    return segmenter


@pytest.fixture(scope="module")
def small(tiny):
    """A small picture with a bright square, as the model sees it."""
    image = np.full((64, 96, 3), 90, np.uint8)
    image[16:48, 32:64] = 200
    return Segmenter(tiny).embed(image)


def check(key: str):
    return next(check for check in lesson.CHECKS if check.key == key)


def test_colours_are_the_three_principal_components() -> None:
    rng = np.random.default_rng(0)
    cells = rng.normal(size=(6, 5, 7)).astype(np.float32)
    rows = cells.reshape(6, -1).T.astype(float)
    peer = PCA(3, svd_solver="full").fit(rows)
    # The largest weight of each direction is positive.
    weights = peer.components_
    signs = np.sign([row[np.abs(row).argmax()] for row in weights])
    values = peer.transform(rows) * signs
    low, high = np.percentile(values, [1, 99], axis=0)
    wanted = np.clip((values - low) / (high - low), 0, 1) * 255
    found = inside.as_colours(cells)
    assert found.shape == (5, 7, 3)
    assert np.abs(found.reshape(-1, 3) - wanted).max() <= 0.51


def test_even_features_have_one_colour() -> None:
    assert len(np.unique(inside.as_colours(np.ones((4, 3, 3), np.float32)).reshape(-1, 3))) == 1


def test_alike_is_cosine_similarity() -> None:
    cells = np.random.default_rng(1).normal(size=(8, 3, 4)).astype(np.float32)
    rows = cells.reshape(8, -1).T
    found = inside.alike(cells, 2, 1)
    assert found == pytest.approx(cosine_similarity(rows)[2 * 4 + 1].reshape(3, 4), abs=1e-5)
    assert found[2, 1] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("x", "y", "cell"),
    [(0, 0, (0, 0)), (8.1, 7.9, (0, 1)), (96, 64, (7, 11)), (-3, 99, (7, 0)), (47.9, 32, (4, 5))],
)
def test_the_cell_under_a_point(x: float, y: float, cell: tuple[int, int]) -> None:
    assert inside.cell_at(x, y, (64, 96), (8, 12)) == cell


def test_only_chosen_cells_keep_their_light() -> None:
    image = np.full((16, 24, 3), (200, 100, 40), np.uint8)
    chosen = np.zeros((2, 3), bool)
    chosen[1, 2] = True
    found = inside.lit(image, chosen)
    assert (found[8:, 16:] == image[8:, 16:]).all()
    dark = found[:8]
    assert (dark == dark[..., :1]).all()
    assert dark.max() < 60


def test_features_come_from_the_models_own_encoder(tiny, small) -> None:
    from contextlib import nullcontext

    queued = Segmenter(QueuedModel(tiny, lambda line: nullcontext()))
    found = inside.features(queued, small)
    assert found.shape == (128, 8, 12)
    assert (found == small.features.maps.features[0].numpy()).all()
    fake = Segmenter(FakeModel(lambda prompt, many: ([], [])))
    with pytest.raises(ModelError, match="Models page"):
        inside.features(fake, small)


def test_prompts_enter_as_discs_and_boxes(small) -> None:
    marks = Marks(((20.0, 36.0, 1), (84.0, 12.0, 0)), (16.0, 8.0, 52.0, 40.0))
    found = inside.prompt_maps(small, marks)
    y, x = np.mgrid[:8, :12] * 8 + 4.0
    here = (x - 20) ** 2 + (y - 36) ** 2
    away = (x - 84) ** 2 + (y - 12) ** 2
    assert found["near"] == pytest.approx(np.exp(-here / (2 * 6**2)), abs=1e-5)
    assert found["far"] == pytest.approx(np.exp(-here / (2 * 24**2)), abs=1e-5)
    assert found["not"] == pytest.approx(np.exp(-away / (2 * 24**2)), abs=1e-5)
    across = np.clip(np.minimum(x + 4, 52) - np.maximum(x - 4, 16), 0, 8) / 8
    down = np.clip(np.minimum(y + 4, 40) - np.maximum(y - 4, 8), 0, 8) / 8
    assert found["box"] == pytest.approx(across * down, abs=1e-6)


def test_what_looks_like_the_click_is_bright(small) -> None:
    # The middle of a cell, so that nothing is interpolated.
    found = inside.prompt_maps(small, Marks(((44.0, 28.0, 1),)))["alike"]
    key = small.features.maps.key[0].numpy().reshape(32, -1)
    assert found == pytest.approx(cosine_similarity(key.T)[3 * 12 + 5].reshape(8, 12), abs=1e-4)
    assert found.max() == pytest.approx(found[3, 5])
    nothing = inside.prompt_maps(small, Marks((), (1.0, 1.0, 30.0, 30.0)))
    assert not nothing["alike"].any()
    assert not nothing["near"].any()


def test_a_token_is_sines_and_cosines_of_the_place() -> None:
    values = inside.token(30, 10, (40, 60))
    assert values.shape == (256,)
    assert values[:128] ** 2 + values[128:] ** 2 == pytest.approx(np.ones(128))
    # The middle is the origin of all directions.
    middle = inside.token(30, 20, (40, 60))
    assert middle[:128] == pytest.approx(np.zeros(128), abs=1e-12)
    assert middle[128:] == pytest.approx(np.ones(128))
    # Opposite places differ in the sign of the sines alone.
    opposite = inside.token(30, 30, (40, 60))
    assert opposite[:128] == pytest.approx(-values[:128])
    assert opposite[128:] == pytest.approx(values[128:])


def test_bar_codes_go_from_black_to_white() -> None:
    found = inside.bar_code(np.array([-1.0, 0.0, 1.0]), height=4, wide=2)
    assert found.shape == (4, 6, 3)
    assert found[0, :, 0].tolist() == [0, 0, 128, 128, 255, 255]


def test_the_part_with_the_masks_is_shown_whole() -> None:
    shape = (256, 512)
    fake = FakeModel(lambda prompt, many: ([disc(shape, 480, 30, 20)] * 3, [0.9, 0.8, 0.7]))
    model = Segmenter(fake)
    found = model.predict(model.embed(np.zeros((*shape, 3), np.uint8)), Prompt(points=[(480, 30)]))
    rows, columns = inside.around(found)
    assert columns.stop - columns.start == 2 * (rows.stop - rows.start)
    assert rows.start >= 0
    assert columns.stop <= 512
    assert rows.start <= 10 < 50 <= rows.stop
    assert columns.start <= 460 < 500 <= columns.stop


def test_the_quickest_of_the_repeats_counts() -> None:
    fake = FakeModel(lambda prompt, many: ([disc((20, 20), 9, 9, 4)] * 3, [0.9, 0.8, 0.7]))
    ticks = iter([0.0, 5.0, 6.0, 10.0, 13.0, 15.0])
    image, marks = np.zeros((20, 20, 3), np.uint8), Marks(((9, 9, 1),))
    found = inside.measured(Segmenter(fake), image, marks, 2, lambda: next(ticks))
    assert found == inside.Times(3.0, 1.0)
    assert (fake.encodings, len(fake.calls)) == (2, 2)
    assert found.asked(10) == 13
    assert found.asked(10, looks=10) == 40


def test_drawing_the_prompt_is_measured_where_it_is_drawn(tiny) -> None:
    ticks = iter([0.0, 5.0, 9.0, 9.5])
    image, marks = np.zeros((32, 32, 3), np.uint8), Marks(((9, 9, 1),))
    found = inside.measured(Segmenter(tiny), image, marks, 1, lambda: next(ticks))
    assert found == inside.Times(5.0, 4.0, 0.5)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [((300, 700), (256, 512)), ((100, 45), (96, 40)), ((5, 7), (5, 7)), ((256, 512), (256, 512))],
)
def test_an_own_image_is_cut_to_whole_cells_in_its_middle(shape, wanted) -> None:
    image = np.zeros((*shape, 3), np.uint8)
    image[shape[0] // 2, shape[1] // 2] = 255
    found = lesson.middle(image)
    assert found.shape[:2] == wanted
    row, column = (int(v[0]) for v in np.nonzero(found[..., 0]))
    assert abs(row - wanted[0] / 2) <= 1
    assert abs(column - wanted[1] / 2) <= 1


def test_clicking_everywhere_asks_each_place_and_keeps_what_is_sure() -> None:
    def paint(prompt, many):
        x, y = prompt.points[0]
        return [disc((128, 256), x, y, 9)], [0.9 if x < 128 else 0.6]

    fake = FakeModel(paint, "sam-vit-b")
    model = Segmenter(fake)
    state = inside.click_everywhere(model, model.embed(np.zeros((128, 256, 3), np.uint8)), 32)
    assert sorted((*call.prompt.points[0],) for call in fake.calls) == [
        (16 + 32 * i, 16 + 32 * j) for i in range(8) for j in range(4)
    ]
    assert [len(inside.kept(state, sure)) for sure in (0.6, 0.7, 0.95)] == [32, 16, 0]


def test_sa_1b_by_hand() -> None:
    assert lesson.SA_1B.masks_each == 1_100_000_000 / 11_000_000
    # Fourteen seconds each, eight hours on 220 days.
    assert lesson.SA_1B.working_years(14) == pytest.approx(1.1e9 * 14 / 3600 / 8 / 220)
    assert round(lesson.SA_1B.working_years(14)) == 2431


def test_learned_numbers_are_those_of_the_files(model) -> None:
    with safe_open(WEIGHTS, "np") as file:
        names = list(file.keys())
        counted = sum(int(np.prod(file.get_slice(name).get_shape())) for name in names)
    assert lesson.weights_of_tiny() == pytest.approx(counted, rel=0.001)
    assert lesson.weights_of_sam() == pytest.approx(641e6, rel=0.01)


def test_pictures_to_learn_from_are_those_of_the_model_card() -> None:
    table = CARD.read_text(encoding="utf-8").split("## Training data")[1].split("##")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("|")]
    found = re.findall(r"(\d+) (?:satellite |drone |NAIP )?(?:tiles|photographs|towns)", str(rows))
    assert sum(map(int, found)) == lesson.TINY_PICTURES


def test_the_checks_can_be_done_on_the_campus(model, tiny) -> None:
    image = lesson.subject("campus").image
    embedding = model.embed(image)
    rows = embedding.features.maps.features[0].numpy().reshape(128, -1).T
    shares = (cosine_similarity(rows) >= 0.8).mean(axis=1)
    report = {"part": "look", "place": "campus", "from": 0.8}
    assert check("alike").is_done({**report, "alike": shares.max()})
    assert not check("alike").is_done({**report, "alike": np.median(shares)})
    assert not check("alike").is_done({**report, "alike": shares.max(), "from": 0.5})

    areas = model.predict(embedding, Prompt(points=[(320, 148)])).masks.sum((1, 2)).tolist()
    assert max(areas) >= 3 * min(areas)
    report = {"part": "answer", "points": 1, "box": False, "clicked": True}
    assert check("ambiguous").is_done({**report, "areas": areas})
    assert not check("ambiguous").is_done({**report, "areas": areas, "clicked": False})
    assert not check("ambiguous").is_done({**report, "areas": areas, "points": 2})
    # Nor where the lesson begins.
    areas = model.predict(embedding, lesson.START.prompt()).masks.sum((1, 2)).tolist()
    assert not check("ambiguous").is_done({**report, "areas": areas})


@pytest.mark.parametrize(
    ("everything", "left", "done"),
    [(129, 46, True), (129, 42, False), (90, 60, True), (90, 61, False), (0, 0, False)],
)
def test_a_third_to_two_thirds_are_left(everything: int, left: int, done: bool) -> None:
    report = {"part": "learn", "all": everything, "kept": left}
    assert check("half").is_done(report) is done


def test_the_worksheet_says_what_is_counted(model, monkeypatch) -> None:
    measured = iter([inside.Times(0.0604, 0.0353), inside.Times(1.0, 2.0)])
    monkeypatch.setattr(inside, "measured", lambda *_: next(measured))
    lesson.sheet_times.cache_clear()
    cells, masks, times, data = lesson.worksheet()
    # Whoever prints it again gets the same sheet.
    assert lesson.worksheet()[2].question == times.question
    lesson.sheet_times.cache_clear()
    # 512 by 256 pixels in cells of 8 by 8, with 128 features each.
    assert all(text in cells.question for text in ("512 × 256", "8 × 8", "128"))
    assert f"{64 * 32:,} cells" in cells.answer
    assert f"{64 * 32 * 128:,} numbers" in cells.answer
    assert f"{512 * 256 * 3:,}" in cells.answer

    embedding = model.embed(lesson.subject("campus").image)
    scores = model.predict(embedding, lesson.AMBIGUOUS.prompt()).scores
    assert all(f"{score:.0%}" in masks.question for score in scores)
    assert f"{scores.max():.0%}" in masks.answer

    assert "60 ms" in times.question
    assert "35 ms" in times.question
    assert f"{60 + 20 * 35:,} ms" in times.answer
    assert f"{20 * (60 + 35):,} ms" in times.answer
    assert "100 masks" in data.answer
    assert "2,431 years" in data.answer

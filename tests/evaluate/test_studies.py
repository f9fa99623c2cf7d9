"""Studies with models whose answers, and so the findings, are known."""

from __future__ import annotations

import json

import numpy as np
import pytest

from rsam_core.errors import Cancelled, DatasetError, EvaluationError
from rsam_core.evaluate.datasets import Dataset, Item, Sample
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.evaluate.studies import (
    STUDIES,
    ClicksSettings,
    HazeSettings,
    JitterSettings,
    NoiseSettings,
    PointOrBoxSettings,
    ResolutionSettings,
    SizeSettings,
    StudySettings,
    clicks_study,
    haze_study,
    jitter_study,
    noise_study,
    point_or_box_study,
    resolution_study,
    size_study,
)
from rsam_core.evaluate.studies.clicks import clicks_needed
from rsam_core.evaluate.studies.jitter import click_off_centre, loose_box, shifted_box
from rsam_core.evaluate.studies.size import claim
from rsam_core.models.base import PromptableModel
from rsam_core.objects.instances import Instances
from rsam_core.prompts.simulated import centre_click
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel, rectangle

SHAPE = (64, 96)
BOXES = ((8, 8, 40, 24), (56, 16, 88, 48))
"""Areas 512 and 1024."""


def sample(name="a"):
    labels = np.zeros(SHAPE, np.int32)
    for k, (x0, y0, x1, y1) in enumerate(BOXES, start=1):
        labels[y0:y1, x0:x1] = k
    image = np.full((*SHAPE, 3), 60, np.uint8)
    image[labels > 0] = (200, 120, 90)
    return Sample(name, image, Instances.from_label_map(labels))


class BoxFiller(PromptableModel):
    """Fills the box; for clicks, a square of `half` pixels around the last one."""

    name = "filler"

    def __init__(self, half=5):
        self.half, self.images, self.prompts = half, [], []

    def encode(self, image):
        self.images.append(image)
        return type("Features", (), {"nbytes": 1, "shape": image.shape[:2]})()

    def decode(self, features, prompt, multimask, previous=None):
        self.prompts.append(prompt)
        if prompt.box is not None:
            x0, y0, x1, y1 = (round(v) for v in prompt.box)
        else:
            x, y = (int(v) for v in prompt.points[-1])
            x0, y0 = max(x - self.half, 0), max(y - self.half, 0)
            x1, y1 = x + self.half, y + self.half
        mask = rectangle(features.shape, x0, y0, max(x1, x0 + 1), max(y1, y0 + 1))
        return FakeModel(lambda p, m: ([mask], [0.5])).decode(None, prompt, multimask)


def value(result, condition, prompt, column="mean"):
    table = result.table
    return table[(table["condition"] == condition) & (table["prompt"] == prompt)][column].item()


def test_resolution_of_a_perfect_box_stays_where_pixels_meet_the_edges():
    model = BoxFiller()
    result = resolution_study(sample(), Segmenter(model), ResolutionSettings(factors=(1, 2, 4)))
    assert [image.shape[:2] for image in model.images] == [(64, 96), (32, 48), (16, 24)]
    for factor in (1, 2, 4):
        best = value(result, factor, "best possible at this pixel size")
        # All edges are multiples of 4: what remains is the rounding of the corners.
        assert value(result, factor, "box") == pytest.approx(best)
        assert best > 0.97
    assert value(result, 1, "box") == 1
    assert "from" in result.answer.lower()
    assert "1.000 to" in result.answer


def test_resolution_can_show_the_image_enlarged_again():
    model = BoxFiller()
    settings = ResolutionSettings(factors=(1, 8), view="enlarged")
    result = resolution_study(sample(), Segmenter(model), settings)
    assert [image.shape[:2] for image in model.images] == [SHAPE, SHAPE]
    assert not np.array_equal(*model.images)
    assert value(result, 8, "box") == 1
    assert "enlarged again" in result.method


def test_small_images_leave_out_factors_they_cannot_bear():
    labels = np.zeros((12, 12), np.int32)
    labels[1:11, 1:11] = 1
    small = Sample("s", np.zeros((12, 12, 3), np.uint8), Instances.from_label_map(labels))
    settings = ResolutionSettings(factors=(1, 16), min_area=50)
    result = resolution_study(small, Segmenter(BoxFiller()), settings)
    assert set(result.table["condition"]) == {1}


def test_noise_and_haze_change_the_image_and_nothing_else():
    model = BoxFiller()
    result = noise_study(sample(), Segmenter(model), NoiseSettings(sigmas=(0, 30)))
    assert np.array_equal(model.images[0], sample().image)
    assert (model.images[1].astype(float) - model.images[0]).std() == pytest.approx(29, abs=2)
    assert value(result, 30, "box") == 1
    model = BoxFiller()
    haze_study(sample(), Segmenter(model), HazeSettings(transmissions=(1.0, 0.5)))
    assert model.images[1][0, 0].tolist() == [142, 145, 148]


def test_noise_depends_on_the_image_and_the_seed():
    def noise_of(name, seed):
        model = BoxFiller()
        noise_study(sample(name), Segmenter(model), NoiseSettings(sigmas=(20,), seed=seed))
        return model.images[0]

    assert np.array_equal(noise_of("a", 1), noise_of("a", 1))
    assert not np.array_equal(noise_of("a", 1), noise_of("b", 1))
    assert not np.array_equal(noise_of("a", 1), noise_of("a", 2))


def test_jitter_of_a_box_filler_is_geometry():
    settings = JitterSettings(margins=(0.0, 0.25), shifts=(0.0,), off_centre=())
    result = jitter_study(sample(), Segmenter(BoxFiller()), settings)
    assert value(result, 0.0, "box enlarged") == 1
    # Each side becomes half as long again: 1 / 1.5²; the upper edge of the first box allows it.
    assert value(result, 0.25, "box enlarged") == pytest.approx(1 / 2.25, rel=0.01)
    assert value(result, 0.0, "box shifted") == 1


def test_loose_and_shifted_boxes():
    assert loose_box((10, 20, 30, 60), 0.5) == (0, 0, 40, 80)
    assert loose_box((10, 20, 30, 60), -0.25) == (15, 30, 25, 50)
    assert shifted_box((10, 20, 30, 60), 0.5, np.pi / 2) == pytest.approx((10, 40, 30, 80))


def test_clicks_move_from_the_centre_to_the_border():
    truth = rectangle((60, 60), 5, 5, 56, 56)
    generator = np.random.default_rng(0)
    assert click_off_centre(truth, 0, generator) == centre_click(truth)
    for share in (0.25, 0.5, 0.75, 1.0):
        for _ in range(5):
            x, y = click_off_centre(truth, share, generator)
            assert truth[int(y), int(x)]
            border = min(x - 5, 56 - x, y - 5, 56 - y) + 0.5
            assert border == pytest.approx(max(1, (1 - share) * 26), abs=1)


class Painter(PromptableModel):
    """Finds a quarter more of the object with every click."""

    name = "painter"

    def encode(self, image):
        return type("Features", (), {"nbytes": 1})()

    def decode(self, features, prompt, multimask, previous=None):
        x0, y0, x1, y1 = next(
            b for b in BOXES if b[0] <= prompt.points[0][0] < b[2] and b[1] <= prompt.points[0][1]
        )
        quarters = min(len(prompt.points), 4)
        mask = rectangle(SHAPE, x0, y0, x0 + (x1 - x0) * quarters // 4, y1)
        return FakeModel(lambda p, m: ([mask], [0.5])).decode(None, prompt, multimask)


def test_clicks_are_counted_until_the_goal():
    settings = ClicksSettings(most_clicks=6, goals=(0.5, 0.85, 1.0))
    result = clicks_study(sample(), Segmenter(Painter()), settings)
    curve = [value(result, c, "clicks") for c in range(1, 7)]
    assert curve == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1])
    found = clicks_needed(result.rows, settings).set_index("goal")
    assert found["mean"].tolist() == [2, 4, 4]
    assert found["failed"].tolist() == [0, 0, 0]
    assert value(result, "clicks to IoU 0.85", "number of clicks (limit 6)") == 4
    assert "0.85 takes 4.0 clicks" in result.answer


def test_objects_that_never_get_there_count_as_the_limit():
    settings = ClicksSettings(most_clicks=3, goals=(0.85,))
    result = clicks_study(sample(), Segmenter(Painter()), settings)
    found = clicks_needed(result.rows, settings)
    assert found["mean"].item() == 3
    assert found["failed"].item() == 1
    assert "100 % of the objects never get there" in result.answer


def test_size_divides_objects_by_their_area():
    settings = SizeSettings(prompts=("box", "1"), edges=(600,))
    result = size_study(sample(), Segmenter(BoxFiller(8)), settings)
    assert result.table["condition"].tolist() == ["under 600", "600 and more"] * 2
    assert value(result, "under 600", "box") == 1
    # The click's square of 16 × 16 lies a row and a column outside the first object.
    assert value(result, "under 600", "1 point") == pytest.approx(225 / (512 + 256 - 225))
    assert value(result, "600 and more", "1 point") == pytest.approx(256 / 1024)
    assert value(result, "under 600", "box", "objects") == 1


def test_point_or_box_pairs_by_object():
    samples = [sample(str(k)) for k in range(8)]
    result = point_or_box_study(samples, Segmenter(BoxFiller(8)))
    assert value(result, "small", "1 point minus box") == pytest.approx(225 / 543 - 1)
    assert value(result, "large", "1 point minus box") == pytest.approx(-0.75)
    assert value(result, "small minus large", "1 point minus box") == pytest.approx(
        225 / 543 - 0.25
    )
    assert result.answer.startswith("No, the claim does not hold here")
    assert "under 768 pixels" in result.answer


@pytest.mark.parametrize(
    ("small", "large", "opening"),
    [
        ((0.1, 0.05, 0.2), (-0.1, -0.2, -0.05), "Yes"),
        ((-0.1, -0.2, -0.05), (-0.1, -0.2, -0.05), "No"),
        ((0.1, 0.05, 0.2), (0.1, 0.05, 0.2), "No"),
        ((0.1, -0.05, 0.2), (-0.1, -0.2, -0.05), "These objects do not decide it"),
        ((0.1, np.nan, np.nan), (-0.1, np.nan, np.nan), "These objects do not decide it"),
    ],
)
def test_the_claim_is_judged_by_the_intervals(small, large, opening):
    text = claim(Interval(*small, n=9), Interval(*large, n=9), 900)
    assert text.startswith(opening)
    assert "under 900 pixels" in text


SHORT = {
    "resolution": {"factors": (1, 4)},
    "noise": {"sigmas": (0, 9)},
    "haze": {"transmissions": (1.0, 0.5)},
    "jitter": {"margins": (0.0, 0.2), "shifts": (0.0, 0.2), "off_centre": (0.0, 0.5)},
    "clicks": {"most_clicks": 3},
    "size": {},
    "point_or_box": {},
}


@pytest.mark.parametrize("key", list(SHORT))
def test_every_study_reports_draws_repeats_and_stops(key):
    study = STUDIES[key]
    settings = study.settings(max_objects=3, seed=5, **SHORT[key])
    samples, told = [sample("a"), sample("b")], []
    result = study.run(
        samples, Segmenter(BoxFiller()), settings, progress=lambda f, t: told.append((f, t))
    )
    assert result.key == key
    assert result.model == "filler"
    assert len(result.rows[["image", "object"]].drop_duplicates()) == 3
    assert result.table["mean"].notna().all()
    assert told[0] == (0.0, "Counting the objects of image 1 of 2")
    assert told[2][1] in "ab"
    assert all(0 <= share < 1 for share, _ in told)
    figure = result.figure()
    assert figure.axes[0].has_data()
    again = study.run(samples, Segmenter(BoxFiller()), settings)
    assert again.table.equals(result.table)
    assert again.answer == result.answer
    json.dumps(result.to_dict(), default=float)
    with pytest.raises(Cancelled):
        study.run(samples, Segmenter(BoxFiller()), settings, cancelled=lambda: True)
    with pytest.raises(EvaluationError, match="no true object"):
        study.run(samples, Segmenter(BoxFiller()), study.settings(min_area=5000))


def test_images_that_cannot_be_read_are_left_out():
    def broken():
        raise DatasetError("b is broken")

    good = sample("a")
    items = (Item("a", "a", lambda: good), Item("b", "b", broken))
    result = size_study(Dataset("d", items), Segmenter(BoxFiller()))
    assert set(result.rows["image"]) == {"a"}
    with pytest.raises(DatasetError, match="b is broken"):
        size_study(Dataset("d", items[1:]), Segmenter(BoxFiller()))


def test_the_seed_draws_the_objects():
    samples = [sample(str(k)) for k in range(6)]

    def drawn(seed):
        rows = size_study(samples, Segmenter(BoxFiller()), SizeSettings(3, seed=seed)).rows
        return set(zip(rows["image"], rows["object"]))

    assert drawn(1) == drawn(1)
    assert len({frozenset(drawn(seed)) for seed in range(5)}) > 1


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (StudySettings, {"max_objects": 0}),
        (StudySettings, {"min_area": 0}),
        (ResolutionSettings, {"factors": (0.5,)}),
        (ResolutionSettings, {"factors": (17,)}),
        (ResolutionSettings, {"factors": ()}),
        (ResolutionSettings, {"view": "blurred"}),
        (ResolutionSettings, {"mtf": 1.5}),
        (NoiseSettings, {"sigmas": (-1,)}),
        (HazeSettings, {"transmissions": (0.0,)}),
        (JitterSettings, {"margins": (-0.5,)}),
        (JitterSettings, {"shifts": (2,)}),
        (JitterSettings, {"off_centre": (1.5,)}),
        (JitterSettings, {"margins": (), "shifts": (), "off_centre": ()}),
        (ClicksSettings, {"most_clicks": 21}),
        (ClicksSettings, {"goals": (1.2,)}),
        (SizeSettings, {"edges": (100, 50)}),
        (SizeSettings, {"prompts": ()}),
        (PointOrBoxSettings, {"small_below": 0}),
    ],
)
def test_settings_out_of_range_are_refused(settings, wrong):
    with pytest.raises(EvaluationError):
        settings(**wrong)

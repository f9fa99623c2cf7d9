"""Evaluation of truths that were spoiled by known amounts, with the counts worked by hand."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import Cancelled, DatasetError, EvaluationError
from rsam_core.evaluate import (
    EvaluationSettings,
    compare_methods,
    evaluate_dataset,
    evaluate_sample,
    pieces,
)
from rsam_core.evaluate.datasets import Dataset, Item, Sample
from rsam_core.evaluate.methods.base import Method
from rsam_core.objects.instances import Instance, Instances
from tests.helpers.models import rectangle

SHAPE = (60, 90)
SETTINGS = EvaluationSettings(methods=("filled-box",), prompts=())


class Spoiled(Method):
    """Answers with the truth, spoiled by a function."""

    prompt = "the truth itself"
    sees_truth = True

    def __init__(self, key, spoil, finds=None):
        self.key = self.title = key
        self.spoil, self.finds, self.asked = spoil, finds, 0

    def mask(self, bench, truth):
        self.asked += 1
        return self.spoil(truth), 0.5

    def find(self, bench):
        return self.finds(bench) if self.finds else None


def eroded(steps):
    return lambda truth: ndimage.binary_erosion(truth, np.ones((3, 3)), iterations=steps)


def shifted(by):
    return lambda truth: ndimage.shift(truth.astype(np.uint8), (0, by), order=0) > 0


def sample(name="a", count=3, shape=SHAPE):
    """`count` squares of 20 × 20 pixels in a row, on black."""
    labels = np.zeros(shape, np.int32)
    for k in range(count):
        labels[10:30, 5 + 28 * k : 25 + 28 * k] = k + 1
    image = np.zeros((*shape, 3), np.uint8)
    return Sample(name, image, Instances.from_label_map(labels))


def only(rows, **values):
    return [row for row in rows if all(row[k] == v for k, v in values.items())]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_an_eroded_truth_gives_exactly_the_expected_counts(steps):
    rows, _ = evaluate_sample(sample(), [Spoiled("eroded", eroded(steps))], SETTINGS)
    inside = (20 - 2 * steps) ** 2
    assert len(rows) == 3
    for row in rows:
        assert (row["tp"], row["fp"], row["fn"]) == (inside, 0, 400 - inside)
        assert row["tn"] == SHAPE[0] * SHAPE[1] - 400
        assert row["iou"] == row["recall"] == pytest.approx(inside / 400)
        assert row["dice"] == pytest.approx(2 * inside / (inside + 400))
        assert row["precision"] == 1
        assert row["fpr"] == 0
        # Corners move by the diagonal.
        assert steps <= row["hausdorff_95"] <= steps * 2**0.5
        assert row["area"] == 400
        assert row["predicted_iou"] == 0.5


@pytest.mark.parametrize("by", [1, 4, 8])
def test_a_shifted_truth_gives_exactly_the_expected_counts(by):
    rows, _ = evaluate_sample(sample(), [Spoiled("shifted", shifted(by))], SETTINGS)
    for row in rows:
        assert (row["tp"], row["fp"], row["fn"]) == (20 * (20 - by), 20 * by, 20 * by)
        assert row["iou"] == pytest.approx((20 - by) / (20 + by))
        assert row["fpr"] == pytest.approx(20 * by / (SHAPE[0] * SHAPE[1] - 400))


def test_dropped_objects_are_counted_and_zero():
    given = sample()

    def first_only(truth):
        return truth if truth[15, 10] else np.zeros_like(truth)

    def found(bench):
        return given.truth.select([1])

    rows, images = evaluate_sample(given, [Spoiled("dropped", first_only, found)], SETTINGS)
    assert [row["iou"] for row in rows] == [1, 0, 0]
    assert [row["recall"] for row in rows] == [1, 0, 0]
    assert rows[1]["hausdorff_95"] == np.inf
    scores = images[0]
    assert (scores["n_truth"], scores["n_predicted"], scores["count_error"]) == (3, 1, -2)
    assert scores["precision"] == 1
    assert scores["recall"] == pytest.approx(1 / 3)
    assert scores["panoptic_quality"] == pytest.approx(1 / (1 + 2 / 2))


def test_detection_adds_up_over_images():
    found = {"a": [1], "b": [1, 2], "c": []}
    samples = [sample("a", 3), sample("b", 2), sample("c", 0)]

    def finds(bench):
        name = next(s.name for s in samples if s.image is bench.image)
        given = next(s for s in samples if s.name == name).truth.select(found[name])
        if name != "c":
            return given
        # One object where there is none.
        return Instances([Instance.from_mask(rectangle(SHAPE, 0, 0, 9, 9), id=1)], SHAPE)

    method = Spoiled("finder", lambda t: t, finds)
    table = evaluate_dataset(samples, SETTINGS, methods=[method]).detection().iloc[0]
    # Three of five true objects, three of four predicted ones, all of them exactly.
    assert table["recall"] == pytest.approx(3 / 5)
    assert table["precision"] == pytest.approx(3 / 4)
    assert table["f1"] == table["f1_mean"] == pytest.approx(6 / 9)
    assert table["panoptic_quality"] == pytest.approx(3 / (3 + 0.5 * 1 + 0.5 * 2))
    assert table["mean_best_iou"] == pytest.approx(3 / 5)
    assert table["count_error"] == pytest.approx((-2 + 0 + 1) / 3)
    assert table["recall_low"] <= table["recall"] <= table["recall_high"]


def test_pieces_split_what_is_torn_and_leave_out_what_is_small():
    labels = np.zeros(SHAPE, np.int32)
    labels[5:15, 5:15] = 4
    labels[30:50, 30:50] = 4
    labels[15:18, 15:18] = 4  # touches by a corner only: nine pixels of its own
    found = pieces(Instances.from_label_map(labels), 10)
    assert [(name, item.area) for name, item in found] == [("4", 100), ("4.2", 400)]
    assert len(pieces(Instances.from_label_map(labels), 9)) == 3


def test_large_images_are_cut_into_tiles_that_cover_everything():
    labels = np.zeros((150, 230), np.int32)
    labels[40:140, 60:200] = 1
    given = Sample("big", np.zeros((150, 230, 3), np.uint8), Instances.from_label_map(labels))
    settings = replace(SETTINGS, max_side=100, min_area=1)
    rows, images = evaluate_sample(given, [Spoiled("same", lambda t: t)], settings)
    assert [i["image"] for i in images][:2] == ["big [0, 0]", "big [76, 0]"]
    assert len(images) == 6
    assert sum(row["area"] for row in rows) == 100 * 140
    assert all(row["tp"] + row["tn"] in (75 * 76, 75 * 77) for row in rows)


def test_the_table_has_means_bounds_and_times():
    data = Dataset.from_samples("two", [sample("a", 3), sample("b", 1)])
    methods = [Spoiled("good", eroded(1)), Spoiled("bad", eroded(5))]
    done = evaluate_dataset(data, SETTINGS, methods=methods)
    table = done.table().set_index("method")
    assert table.loc["good", "iou"] == pytest.approx(0.81)
    assert table.loc["bad", "iou"] == pytest.approx(0.25)
    assert table.loc["good", "iou_low"] <= table.loc["good", "iou"] <= table.loc["good", "iou_high"]
    assert table.loc["good", "iou_over_75"] == 1
    assert table.loc["bad", "iou_over_50"] == 0
    assert (table["objects"] == 4).all()
    assert (table["seconds"] > 0).all()
    assert done.complete
    assert done.by_size()["objects"].tolist() == [4, 4]
    assert done.measures[-1] == "hausdorff_95"
    with pytest.raises(EvaluationError, match="was not evaluated"):
        done.of("other")


def test_the_worst_image_comes_first():
    data = Dataset.from_samples("two", [sample("a", 2), sample("b", 3)])
    spoil = Spoiled("x", lambda t: t if t[15, 10] else eroded(5)(t))
    worst = evaluate_dataset(data, SETTINGS, methods=[spoil]).by_image("x")
    assert worst["image"].tolist() == ["b", "a"]
    assert worst["mean"].tolist() == pytest.approx([0.5, 0.625])
    assert worst["lowest"].tolist() == pytest.approx([0.25, 0.25])


def test_the_best_is_one_that_a_user_can_apply():
    methods = [Spoiled("a", eroded(3)), Spoiled("b", eroded(1)), Spoiled("c", lambda t: t)]
    for method in methods[:2]:
        method.sees_truth = False
    assert evaluate_dataset(sample(), SETTINGS, methods=methods).best() == "b"


def test_images_without_objects_give_empty_tables_and_no_error():
    empty = sample(count=0)
    done = evaluate_dataset(empty, SETTINGS)
    assert len(done.objects) == 0
    assert done.best() is None
    assert done.table()["objects"].tolist() == [0]
    assert done.by_image().empty
    assert done.by_size().empty


class Trap:
    """A data set whose items count how often they are read."""

    def __init__(self, broken=()):
        self.reads = []
        self.broken = broken

    def dataset(self, count=4, fingerprint="f"):
        def item(k):
            def read():
                self.reads.append(k)
                if k in self.broken:
                    raise DatasetError(f"i{k} is broken")
                return sample(f"i{k}", 1 + k % 3)

            return Item(f"i{k}", f"i{k}", read)

        return Dataset("set", tuple(item(k) for k in range(count)), (), fingerprint)


def test_a_run_goes_on_where_it_was_stopped(tmp_path):
    trap, file = Trap(), tmp_path / "deep" / "results.jsonl"
    method = Spoiled("m", eroded(1))
    stopped = evaluate_dataset(
        trap.dataset(),
        SETTINGS,
        methods=[method],
        results_file=file,
        cancelled=lambda: len(trap.reads) >= 2 and method.asked >= 2,
    )
    assert not stopped.complete
    assert (stopped.images_done, stopped.images_total) == (1, 4)
    first = list(trap.reads)
    whole = evaluate_dataset(trap.dataset(), SETTINGS, methods=[method], results_file=file)
    assert trap.reads[len(first) :] == [1, 2, 3]
    assert whole.complete
    assert len(whole.objects) == 1 + 2 + 3 + 1
    assert "1 image was evaluated in an earlier run." in " ".join(whole.notes)
    fresh = evaluate_dataset(trap.dataset(), SETTINGS, methods=[method])
    assert whole.objects.drop(columns="seconds").equals(fresh.objects.drop(columns="seconds"))


def test_a_torn_last_line_is_computed_again(tmp_path):
    trap, file = Trap(), tmp_path / "results.jsonl"
    method = [Spoiled("m", eroded(1))]
    evaluate_dataset(trap.dataset(), SETTINGS, methods=method, results_file=file)
    text = file.read_text()
    file.write_text(text[:-40])
    trap.reads.clear()
    done = evaluate_dataset(trap.dataset(), SETTINGS, methods=method, results_file=file)
    assert trap.reads == [3]
    assert done.complete
    assert len([json.loads(line) for line in file.read_text().splitlines()]) == 5


@pytest.mark.parametrize(
    ("settings", "fingerprint", "resume"),
    [
        (replace(SETTINGS, min_area=50), "f", True),
        (SETTINGS, "other", True),
        (SETTINGS, "f", False),
    ],
)
def test_other_settings_or_images_start_anew(tmp_path, settings, fingerprint, resume):
    trap, file = Trap(), tmp_path / "results.jsonl"
    method = [Spoiled("m", eroded(1))]
    evaluate_dataset(trap.dataset(), SETTINGS, methods=method, results_file=file)
    trap.reads.clear()
    done = evaluate_dataset(
        trap.dataset(fingerprint=fingerprint),
        settings,
        methods=method,
        results_file=file,
        resume=resume,
    )
    assert trap.reads == [0, 1, 2, 3]
    assert any("anew" in note for note in done.notes) == resume


def test_another_method_starts_anew(tmp_path):
    trap, file = Trap(), tmp_path / "results.jsonl"
    for key in ("m", "n"):
        trap.reads.clear()
        method = [Spoiled(key, eroded(1))]
        evaluate_dataset(trap.dataset(), SETTINGS, methods=method, results_file=file)
        assert trap.reads == [0, 1, 2, 3]


def test_a_broken_image_is_reported_and_the_others_count():
    trap = Trap(broken=(1,))
    done = evaluate_dataset(trap.dataset(), SETTINGS, methods=[Spoiled("m", eroded(1))])
    assert done.failures == (("i1", "i1 is broken"),)
    assert done.objects["image"].nunique() == 3
    with pytest.raises(EvaluationError, match=r"None of the 4 images.*i0 is broken"):
        evaluate_dataset(Trap(broken=range(4)).dataset(), SETTINGS)


def test_results_that_cannot_be_written_say_where(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(EvaluationError, match="cannot be written"):
        evaluate_dataset(sample(), SETTINGS, results_file=blocked / "results.jsonl")


def test_progress_grows_to_one_and_names_the_image():
    told = []
    evaluate_dataset(Trap().dataset(), SETTINGS, progress=lambda f, t: told.append((f, t)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[1] == (0, "Image 1 of 4: i0")
    assert told[2] == (0, "Image 1 of 4: i0, Filled box, object 1 of 1")
    # The second image has two objects: the second of them starts in the middle of its quarter.
    assert (1.5 / 4, "Image 2 of 4: i1, Filled box, object 2 of 2") in told
    with pytest.raises(Cancelled):
        evaluate_sample(sample(), [Spoiled("m", eroded(1))], SETTINGS, cancelled=lambda: True)


def test_the_limit_is_a_stated_random_sample():
    done = evaluate_dataset(Trap().dataset(), replace(SETTINGS, limit=2, seed=3))
    assert done.images_total == 2
    assert "2 of 4 images, drawn at random by seed 3." in done.notes


@pytest.mark.parametrize(
    "wrong",
    [
        {"prompts": ()},
        {"prompts": ("sphere",)},
        {"methods": ("magic",)},
        {"min_area": 0},
        {"max_side": 10},
        {"tolerance": 0},
        {"limit": 0},
    ],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(EvaluationError):
        EvaluationSettings(**wrong)


def test_settings_survive_json():
    settings = EvaluationSettings(prompts=("1", "box"), methods="otsu", limit=7, seed=2)
    again = EvaluationSettings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert again == settings
    assert settings.methods == ("otsu",)
    marks = {settings.fingerprint("a"), settings.fingerprint("b")}
    assert len(marks | {replace(settings, tolerance=3.0).fingerprint("a")}) == 3


def test_outlines_can_be_left_out():
    done = evaluate_dataset(sample(), replace(SETTINGS, outlines=False))
    assert "boundary_f" not in done.objects
    assert done.measures == ["iou", "dice", "precision", "recall", "fpr"]


def test_pictures_show_the_worst_objects_first():
    from rsam_core.evaluate.report.worst_objects import worst_objects

    data = Dataset.from_samples("two", [sample("a", 3), sample("b", 1)])
    method = Spoiled("x", lambda t: t if t[15, 10] else eroded(5)(t))
    method.sees_truth = False
    done = evaluate_dataset(data, SETTINGS, methods=[method])
    found = worst_objects(done, data, [method], count=3)
    assert [text for text, _ in found][:2] == [
        "a, object 2: IoU 0.25",
        "a, object 3: IoU 0.25",
    ]
    assert len(found) == 3
    assert all(picture.startswith(b"\x89PNG") for _, picture in found)


def test_keep_hands_over_each_mask():
    kept = []
    method = Spoiled("x", eroded(1))
    evaluate_sample(sample(), [method], SETTINGS, keep=lambda *given: kept.append(given))
    assert [(name, used.key) for name, used, _, _ in kept] == [("1", "x"), ("2", "x"), ("3", "x")]
    assert np.array_equal(kept[1][2], rectangle(SHAPE, 33, 10, 53, 30))
    assert np.array_equal(kept[1][3], rectangle(SHAPE, 34, 11, 52, 29))


def test_two_methods_are_compared_by_pairs():
    data = [sample(str(k), 3) for k in range(6)]
    done = evaluate_dataset(
        data, SETTINGS, methods=[Spoiled("good", eroded(1)), Spoiled("bad", eroded(2))]
    )
    found = compare_methods(done, "bad", "good")
    assert found.paired
    assert found.difference.value == pytest.approx(0.81 - 0.64)
    assert found.difference.n == 18
    assert found.share_better == 1
    assert "good (IoU 0.810) is better than bad (0.640)" in found.text
    # For an error rate the lower value is the better one.
    worse = compare_methods(done, "bad", "good", "hausdorff_95")
    assert worse.share_better == 1
    assert "is better than" in worse.text
    same = compare_methods(done, "bad", "bad")
    assert "No clear difference" in same.text
    with pytest.raises(EvaluationError, match="was not computed"):
        compare_methods(done, "bad", "good", "beauty")


def test_two_data_sets_are_compared_unpaired_and_two_runs_of_one_by_pairs():
    one = evaluate_dataset(
        Dataset.from_samples("one", [sample(f"a{k}") for k in range(5)]),
        SETTINGS,
        methods=[Spoiled("m", eroded(1))],
    )
    other = evaluate_dataset(
        Dataset.from_samples("other", [sample(f"b{k}") for k in range(4)]),
        SETTINGS,
        methods=[Spoiled("m", eroded(2))],
    )
    found = compare_methods(one, "m", "m", other=other)
    assert not found.paired
    assert (found.first, found.second) == ("one", "other")
    assert found.difference.value == pytest.approx(0.64 - 0.81)
    assert np.isnan(found.share_better)
    assert "not paired" in found.text
    again = evaluate_dataset(
        Dataset.from_samples("one", [sample(f"a{k}") for k in range(5)]),
        SETTINGS,
        methods=[Spoiled("n", eroded(2))],
    )
    assert compare_methods(one, "m", "n", other=again).paired


def test_an_object_may_fill_the_image():
    full = Sample(
        "full",
        np.zeros((*SHAPE, 3), np.uint8),
        Instances([Instance.from_mask(np.ones(SHAPE, bool), id=1)], SHAPE),
    )
    rows, _ = evaluate_sample(full, [Spoiled("m", lambda t: t)], SETTINGS)
    assert only(rows, iou=1.0, fpr=0.0, tn=0)


def test_whatever_goes_wrong_with_one_image_the_others_count(tmp_path):
    class Breaking(Spoiled):
        def mask(self, bench, truth):
            if bench.image.shape[0] != SHAPE[0]:
                raise ZeroDivisionError("deep inside another library")
            return super().mask(bench, truth)

    odd = sample("odd", shape=(SHAPE[0] + 3, SHAPE[1]))
    found = evaluate_dataset([sample("a"), odd, sample("b")], methods=[Breaking("x", lambda m: m)])
    assert found.images_done == 3
    ((name, why),) = found.failures
    assert name == "odd"
    assert "nobody foresaw (ZeroDivisionError)" in why
    assert set(found.objects["image"]) == {"a", "b"}

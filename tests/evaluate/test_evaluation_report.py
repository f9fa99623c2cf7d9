"""The report: complete, self-contained, well-formed, true to the results."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.errors import ExportError
from rsam_core.evaluate import EvaluationSettings, MethodInfo, compare_methods, evaluate_dataset
from rsam_core.evaluate.datasets import Dataset, Sample
from rsam_core.evaluate.methods.base import Method
from rsam_core.evaluate.methods.prompted import BASELINES
from rsam_core.evaluate.report.files import report_html, results_csv, results_json, write_report
from rsam_core.evaluate.report.method_sources import classical_methods
from rsam_core.evaluate.report.sentences import abstract
from rsam_core.evaluate.studies import SizeSettings, size_study
from rsam_core.objects.instances import Instances
from rsam_core.runtime.durations import duration
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel


class Eroded(Method):
    prompt = "the truth itself"

    def __init__(self, key, steps, sees_truth=False, finds=False):
        self.key = self.title = key
        self.steps, self.sees_truth, self.finds = steps, sees_truth, finds

    def mask(self, bench, truth):
        return ndimage.binary_erosion(truth, np.ones((3, 3)), iterations=self.steps), None

    def find(self, bench):
        return Instances.empty(bench.image.shape[:2]) if self.finds else None


def sample(name):
    labels = np.zeros((60, 160), np.int32)
    labels[10:30, 5:25], labels[10:50, 40:80], labels[2:58, 90:150] = 1, 2, 3
    return Sample(name, np.zeros((60, 160, 3), np.uint8), Instances.from_label_map(labels))


METHODS = [Eroded("good", 1), Eroded("bad <b>", 3), Eroded("bound", 0, True, True)]


@pytest.fixture(scope="module")
def evaluation():
    data = Dataset.from_samples("town & <country>", [sample(f"i{k}") for k in range(4)])
    return evaluate_dataset(data, EvaluationSettings(methods=("otsu",)), methods=METHODS)


@pytest.fixture(scope="module")
def page(evaluation):
    return report_html(evaluation, command="python -m rsam_core.evaluate 'a b'")


class Checker(HTMLParser):
    """Collects tags and text; every tag that is opened has to be closed."""

    VOID = ("meta", "img", "br")

    def __init__(self):
        super().__init__()
        self.open, self.images, self.texts, self.tags = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attributes)["src"])
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def checked(page):
    checker = Checker()
    checker.feed(page)
    assert checker.open == []
    return checker


def test_the_page_is_well_formed_and_needs_nothing_else(page):
    found = checked(page)
    assert "script" not in found.tags
    assert "link" not in found.tags
    assert len(found.images) >= 3
    for source in found.images:
        head, _, data = source.partition(",")
        assert head == "data:image/svg+xml;base64"
        ElementTree.fromstring(base64.b64decode(data))
    assert not re.search(r'(?:src|href)\s*=\s*"(?!data:)', page)
    assert "@import" not in page
    assert "url(" not in page


def test_names_from_outside_are_text_and_never_tags(page):
    found = checked(page)
    assert "town & <country>" in "".join(found.texts)
    assert "bad <b>" in found.texts
    assert "country" not in found.tags
    assert "<country>" not in page


def test_the_numbers_are_those_of_the_results(page, evaluation):
    text = " ".join(checked(page).texts)
    row = evaluation.table().set_index("method").loc["good"]
    expected = np.mean([18**2 / 20**2, 38**2 / 40**2, 54 * 58 / (56 * 60)])
    assert row["iou"] == pytest.approx(expected)
    assert f"{expected:.3f}" in text
    assert f"mean IoU of {expected:.3f}" in abstract(evaluation)
    assert "12 objects in 4 images" in text
    assert "seed 0" in text
    for part in ("Summary.", "Material and methods", "Results", "Limits", "Definitions"):
        assert part in text
    for metric in ("FP / (FP + TN)", "Boundary IoU", "Panoptic quality"):
        assert metric in text
    assert "python -m rsam_core.evaluate 'a b'" in text
    assert evaluation.environment["numpy"] in text


def test_upper_bounds_are_marked_and_never_called_the_best(page, evaluation):
    assert evaluation.best() == "good"
    assert "bound †" in page
    assert "the highest of the 2 methods" in abstract(evaluation)
    assert re.search(r'<tr class="best"><td>1</td><td class="text">good<', page)


def test_few_images_are_admitted(page):
    assert "With only 4 images with objects, the intervals are rough." in page


def test_classes_get_a_table_of_their_own(page, evaluation):
    assert "by class of the object" not in page
    assert evaluation.by_label().empty
    given = sample("classes")
    named = [
        replace(item, label=label) for item, label in zip(given.truth, ("hut", "hut", "<hall>"))
    ]
    given = Sample("classes", given.image, Instances(named, given.truth.shape))
    done = evaluate_dataset(given, EvaluationSettings(methods=("otsu",)), methods=METHODS)
    table = done.by_label().set_index(["method", "label"])
    assert table.loc[("good", "hut"), "mean"] == pytest.approx((0.81 + 0.9025) / 2)
    assert table.loc[("good", "<hall>"), "objects"] == 1
    text = " ".join(checked(report_html(done)).texts)
    assert "by class of the object" in text
    assert "hut, n = 2" in text
    assert "<hall>, n = 1" in text


def test_one_image_tells_that_objects_were_drawn():
    done = evaluate_dataset(sample("only"), EvaluationSettings(methods=("otsu",)), methods=METHODS)
    assert "not of other images" in report_html(done)


def test_every_classical_method_is_described_with_its_source():
    infos = [MethodInfo.of(method) for method in BASELINES.values()]
    for info in infos:
        assert len(classical_methods([info])) > 40, info.key
    everything = classical_methods(infos)
    for source in ("Rother et al. 2004", "Achanta et al. 2012", "Grady 2006", "Meyer and Beucher"):
        assert everything.count(source) == 1
    assert classical_methods([MethodInfo("m:box", "m, box", "box", "m", False)]) == ""


def test_json_is_strict_and_complete(evaluation):
    text = results_json(evaluation)
    data = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert data["dataset"] == "town & <country>"
    assert data["settings"]["min_area"] == 100
    assert len(data["objects"]) == 12 * 3
    assert {row["method"] for row in data["table"]} == {m.key for m in METHODS}
    assert data["comparisons"][0]["paired"] is True
    assert data["detection"][0]["recall"] == 0
    assert data["summary"] == abstract(evaluation)


def test_csv_has_one_line_an_object_and_method(evaluation):
    rows = list(csv.DictReader(io.StringIO(results_csv(evaluation))))
    assert len(rows) == 36
    assert float(rows[0]["iou"]) == pytest.approx(18**2 / 20**2)
    assert rows[0]["image"] == "i0"
    assert rows[-1]["method"] == "bound"


def test_files_are_written_and_bad_folders_named(evaluation, tmp_path):
    paths = write_report(evaluation, tmp_path / "new" / "report")
    assert sorted(path.name for path in paths.values()) == [
        "report.html",
        "results.csv",
        "results.json",
    ]
    assert all(path.stat().st_size > 1000 for path in paths.values())
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ExportError, match="cannot be written"):
        write_report(evaluation, blocked)


def test_shortfalls_are_told(evaluation):
    partly = replace(
        evaluation, images_total=9, failures=(("x.png", "is <broken>"),), notes=("A note.",)
    )
    text = " ".join(checked(report_html(partly)).texts)
    assert "stopped after 4 of 9 images" in text
    assert "x.png could not be evaluated: is <broken>" in text
    assert "A note." in text


def test_other_data_sets_studies_and_pictures_are_included(evaluation):
    other = evaluate_dataset(
        Dataset.from_samples("other", [sample("x"), sample("y")]),
        EvaluationSettings(methods=("otsu",)),
        methods=METHODS,
    )
    others = [compare_methods(other, "good", "good", other=evaluation)]
    model = FakeModel(lambda prompt, multimask: ([np.ones((60, 160), bool)], [0.5]))
    study = size_study([sample("x")], Segmenter(model), SizeSettings(prompts=("box",)))
    worst = [("i0, object 1", b"\x89PNG")]
    found = checked(report_html(evaluation, studies=[study], others=others, worst=worst))
    text = " ".join(found.texts)
    assert "not paired" in text
    assert "Study: Accuracy against object size" in text
    assert study.answer in text
    assert "i0, object 1" in text
    assert any(source.startswith("data:image/png") for source in found.images)


def test_nothing_to_judge_is_a_report_too():
    empty = Sample("e", np.zeros((50, 50, 3), np.uint8), Instances.empty((50, 50)))
    done = evaluate_dataset(empty, EvaluationSettings(methods=("otsu",), prompts=()))
    text = " ".join(checked(report_html(done)).texts)
    assert "nothing could be measured" in text
    json.loads(results_json(done))


def test_figures_are_the_same_each_time(page, evaluation):
    again = report_html(evaluation, command="python -m rsam_core.evaluate 'a b'")
    assert again == page


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0123, "12 ms"), (0.00045, "0.45 ms"), (1.26, "1.3 s"), (0.1, "0.1 s"), (73.4, "73 s")],
)
def test_durations_have_fitting_units(seconds, text):
    assert duration(seconds) == text

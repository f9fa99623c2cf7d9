"""Every report with one name in all of its texts that come from outside."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
from PIL import Image
from scipy import ndimage

from rsam_core.evaluate import Evaluation, EvaluationSettings, evaluate_dataset
from rsam_core.evaluate.datasets import Dataset, Sample
from rsam_core.evaluate.methods.base import Method
from rsam_core.evaluate.metrics.scene import SceneComparison, compare_scene
from rsam_core.evaluate.report.files import report_html
from rsam_core.evaluate.report.scene import scene_report
from rsam_core.evaluate.report.sentences import comparisons
from rsam_core.evaluate.studies import SizeSettings, StudyResult, size_study
from rsam_core.formats.truth import Truth
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.render.session_report import html_report
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel

SHAPE = (60, 160)


class Eroded(Method):
    """The truth, made smaller by some pixels."""

    prompt = "the truth itself"

    def __init__(self, key: str, steps: int, sees_truth: bool = False) -> None:
        self.key = self.title = key
        self.steps, self.sees_truth = steps, sees_truth

    def mask(self, bench, truth):
        return ndimage.binary_erosion(truth, np.ones((3, 3)), iterations=self.steps), None

    def find(self, bench):
        return Instances.empty(SHAPE) if self.sees_truth else None


def _labels() -> np.ndarray:
    labels = np.zeros(SHAPE, np.int32)
    labels[10:30, 5:25], labels[10:50, 40:80], labels[2:58, 90:150] = 1, 2, 3
    return labels


def _objects(name: str) -> Instances:
    found = Instances.from_label_map(_labels())
    return Instances([replace(item, label=name) for item in found], SHAPE)


@lru_cache
def _evaluated() -> tuple[Evaluation, StudyResult]:
    image = np.zeros((*SHAPE, 3), np.uint8)
    samples = [Sample(f"i{k}", image, _objects("class")) for k in range(3)]
    methods = [Eroded("good", 1), Eroded("bad", 3), Eroded("bound", 0, sees_truth=True)]
    settings = EvaluationSettings(methods=("otsu",))
    done = evaluate_dataset(Dataset.from_samples("set", samples), settings, methods=methods)
    model = FakeModel(lambda prompt, multimask: ([np.ones(SHAPE, bool)], [0.5]))
    return done, size_study(samples[:1], Segmenter(model), SizeSettings(prompts=("box",)))


@lru_cache
def _compared() -> SceneComparison:
    found = Instances.from_label_map(np.roll(_labels(), 2, axis=1))
    return compare_scene(Truth(_objects("class")), found)


def session_page(name: str) -> str:
    """The report of a session."""
    scene = SimpleNamespace(
        name=name, width=160, height=60, gsd=1.0, pixel_area_m2=1.0, crs=name[:30], transform=None
    )
    return html_report(
        np.zeros((*SHAPE, 3), np.uint8),
        measure(_objects(name), None).assign(**{name: name}),
        scene,
        title=name,
        legend=[(name, "#ff0000")],
        class_areas=pd.DataFrame({"class": [name, "b"], "share": [0.5, 0.5], "area": [1, 2]}),
        settings={name: name},
        columns=["id", "label", name],
        when=datetime(2026, 3, 4, 5, 6),
    ).decode()


def scene_page(name: str) -> str:
    """The comparison of one image with its truth."""
    truth = Truth(_objects(name), name=name, notes=(name,), warnings=(name,))
    image = np.zeros((*SHAPE, 3), np.uint8)
    return scene_report(_compared(), truth, image, name=name, facts={name: name})


def evaluation_page(name: str) -> str:
    """The evaluation of a data set."""
    done, study = _evaluated()
    keys = {"good": f"{name}1", "bad": f"{name}2", "bound": f"{name}3"}
    named = replace(
        done,
        name=name,
        settings=replace(done.settings, models=(name,)),
        methods=tuple(
            replace(info, key=keys[info.key], title=name, prompt=name, model=name)
            for info in done.methods
        ),
        objects=done.objects.assign(
            method=done.objects["method"].map(keys), image=name, label=name
        ),
        images=done.images.assign(method=done.images["method"].map(keys), image=name),
        failures=((name, name),),
        notes=(name,),
        environment={**done.environment, "RSAM": name, "date": name, name: name,
                     "load of the computer at the end": name},
        images_total=4,
    )  # fmt: skip
    asked = replace(
        study,
        title=name, question=name, answer=name, method=name, model=name,
        table=study.table.assign(condition=name, prompt=name),
        draw=lambda result: study.draw(replace(result, table=study.table)),
    )  # fmt: skip
    others = [replace(one, first=name, second=name) for one in comparisons(named)]
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, "png")
    return report_html(
        named, studies=[asked], others=others, worst=[(name, png.getvalue())], command=name
    )


PAGES = {"session": session_page, "scene": scene_page, "evaluation": evaluation_page}

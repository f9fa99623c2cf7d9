"""What a notebook sees: the names, the promised lines as they stand, and a quick import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rsam_core as rsam
from rsam_core.samples import truth_mask, write_geotiff

ROOT = Path(__file__).resolve().parents[2]

PROMISED = """
import rsam_core as rsam
scene = rsam.open_scene("town.tif")
image = scene.read_rgb()
model = rsam.load_model("rsam-tiny")
segmenter = rsam.Segmenter(model)
embedding = segmenter.embed(image)
candidates = segmenter.predict(
    embedding, rsam.Prompt(points=[(412, 230)], labels=[1], box=None)
)
masks, scores = candidates.masks, candidates.scores
objects = segmenter.everything(embedding)
table = rsam.measure(objects, scene)
"""

COMPARED = """
counts = rsam.confusion(truth, prediction)
figures = (
    rsam.iou(counts), rsam.dice(counts), rsam.pixel_accuracy(counts),
    rsam.tpr(counts), rsam.fpr(counts),
)
"""


@pytest.fixture(scope="module")
def notebook(town, tmp_path_factory) -> dict:
    """The names that the promised lines leave behind, run beside a rendered GeoTIFF."""
    folder = tmp_path_factory.mktemp("notebook")
    write_geotiff(town, folder / "town.tif")
    names: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(PROMISED, names)
    return names


def test_scene_is_read_as_it_was_rendered(notebook, town):
    assert np.array_equal(notebook["image"], town.image)
    assert notebook["image"].dtype == np.uint8
    assert notebook["scene"].gsd == pytest.approx(0.3)
    assert notebook["scene"].crs == town.crs


def test_candidates_come_best_first_at_the_size_of_the_image(notebook):
    masks, scores = notebook["masks"], notebook["scores"]
    assert masks.shape[1:] == (320, 448)
    assert masks.dtype == bool
    # Three, or fewer where two of them came out alike or cut off.
    assert 1 <= len(masks) == len(scores) <= 3
    assert (np.diff(scores) <= 0).all()
    assert masks[0][229:231, 411:413].any()


def test_everything_and_its_table(notebook):
    objects, table = notebook["objects"], notebook["table"]
    assert isinstance(objects, rsam.Instances)
    assert objects.shape == (320, 448)
    assert isinstance(table, pd.DataFrame)
    assert len(table) == len(objects) > 0
    for item, row in zip(objects, table.to_dict("records")):
        assert row["id"] == item.id
        assert row["area"] == item.mask.sum()
        # 0.3 m a pixel: 0.09 m² each.
        assert row["area_m2"] == pytest.approx(0.09 * item.mask.sum(), rel=0.01)


def test_counts_and_their_formulas(notebook, town):
    truth = truth_mask(town, "roof")
    prediction = notebook["objects"].union_mask()
    names = {"rsam": rsam, "truth": truth, "prediction": prediction}
    exec(COMPARED, names)
    tp, fp = int((truth & prediction).sum()), int((~truth & prediction).sum())
    fn, tn = int((truth & ~prediction).sum()), int((~truth & ~prediction).sum())
    assert names["figures"] == pytest.approx(
        (
            tp / (tp + fp + fn),
            2 * tp / (2 * tp + fp + fn),
            (tp + tn) / (320 * 448),
            tp / (tp + fn),
            fp / (fp + tn),
        )
    )
    assert tp > 0


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"points": [(900, 230)], "labels": [1]}, "outside the image"),
        ({"box": (500, 10, 600, 60)}, "outside the image"),
        ({}, "Nothing is marked"),
        ({"points": [(float("nan"), 3)]}, "not a number"),
        ({"box": (10, 10, 10, 60)}, "no area"),
    ],
)
def test_bad_prompts_say_so(notebook, fields, words):
    with pytest.raises(rsam.RsamError, match=words):
        notebook["segmenter"].predict(notebook["embedding"], rsam.Prompt(**fields))


def test_prompts_decoded_together(notebook):
    prompts = [rsam.Prompt(points=[(412, 230)]), rsam.Prompt(box=(20, 20, 90, 80))]
    segmenter, embedding = notebook["segmenter"], notebook["embedding"]
    together = segmenter.predict(embedding, prompts)
    alone = [segmenter.predict(embedding, prompt) for prompt in prompts]
    assert len(together) == 2
    assert len(together[1]) == 1
    for one, other in zip(together, alone):
        assert np.array_equal(one.masks, other.masks)
    assert all(len(c) <= 3 for c in segmenter.predict(embedding, prompts, multimask=True))
    assert [len(c) for c in segmenter.predict(embedding, prompts, multimask=False)] == [1, 1]


def test_every_public_name_resolves_and_has_documentation():
    assert {"open_scene", "Segmenter", "Prompt", "measure", "confusion"} <= set(rsam.__all__)
    for name in rsam.__all__:
        assert getattr(rsam, name).__doc__
        assert name in dir(rsam)


def test_submodule_does_not_hide_the_name_it_shares():
    code = """
import rsam_core as rsam
rsam.summary
print(rsam.measure.__name__, rsam.measure.__module__)
from rsam_core.objects.measurements import measure
import rsam_core.objects.measurements
print(rsam.measure is measure, rsam.iou is rsam_core.evaluate.metrics.iou)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["measure", "rsam_core.objects.measurements", "True", "True"]


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="segment_all"):
        _ = rsam.segment_all
    assert not hasattr(rsam, "segment_all")


def test_import_loads_nothing_heavy():
    heavy = ("torch", "rasterio", "streamlit", "cv2", "pandas", "shapely")
    code = f"import sys, rsam_core; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_core_never_imports_the_interface():
    files = sorted((ROOT / "rsam_core").rglob("*.py"))
    assert len(files) > 30
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"streamlit", "streamlit_drawable_canvas", "pages", "training"}

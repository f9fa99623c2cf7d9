"""Segment, comparison with truth: the numbers are those counted by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import resources
from rsam_core.prompts.history import PromptHistory
from rsam_core.samples import TownSample
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.pages import HEIGHT, TWO_BOXES, WIDTH, fine, opened, painter, png, table, texts

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

Start = Callable[..., AppTest]
TRUTH = np.zeros((HEIGHT, WIDTH), np.uint8)
TRUTH[10:40, 30:70] = 255
"""40 × 30 pixels, ten to the right of the first of TWO_BOXES."""


def metrics(at: AppTest) -> dict[str, float]:
    frame = next(frame.value for frame in at.dataframe if "Metric" in frame.value)
    return dict(zip(frame["Metric"], frame["Value"]))


def give_truth(at: AppTest, name: str, content: bytes) -> AppTest:
    token = opened(at).image.token
    return at.file_uploader(key=f"truth-{token}").upload(name, content).run()


def test_metrics_are_those_counted_by_hand(segment: Start):
    at = segment(book=PromptHistory().add_box(20, 10, 60, 40))
    give_truth(at, "truth.png", png(TRUTH))
    fine(at)
    tp, fp, fn = 30 * 30, 10 * 30, 10 * 30
    tn = HEIGHT * WIDTH - tp - fp - fn
    assert f"{tp:,} right (TP) · {fp:,} too much (FP) · {fn:,} missed (FN)" in texts(at)
    assert "Truth: 1 object" in texts(at)
    values = {name.split(" (")[0].lower(): value for name, value in metrics(at).items()}
    expected = {
        "iou": 900 / 1500,
        "dice": 1800 / 2400,
        "pixel accuracy": (900 + tn) / (HEIGHT * WIDTH),
        "precision": 900 / 1200,
        "fpr": 300 / (300 + tn),
        "tpr": 900 / 1200,
    }
    for name, value in expected.items():
        found = next(v for key, v in values.items() if name in key)
        assert found == pytest.approx(value, abs=1e-9), name
    # They follow the objects.
    work = opened(at)
    work.update(lambda book: PromptHistory().add_box(30, 10, 70, 40))
    at.run()
    assert next(iter(metrics(at).values())) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("small.png", png(TRUTH[:100]), "160 × 100"),
        ("notes.png", b"no mask at all", "not an image"),
        ("empty.tif", b"", "empty"),
    ],
    ids=["size", "text", "empty"],
)
def test_a_bad_mask_is_one_message_and_the_session_goes_on(
    segment: Start, name: str, content: bytes, message: str
):
    at = segment(book=TWO_BOXES)
    give_truth(at, name, content)
    assert not at.exception
    assert len(at.error) == 1
    assert message in at.error[0].value
    assert table(at)["id"].tolist() == [1, 2]
    token = opened(at).image.token
    at.file_uploader(key=f"truth-{token}").set_value(("good.png", png(TRUTH), "image/png")).run()
    fine(at)
    assert metrics(at)


def test_a_sample_brings_its_own_truth(app: AppTest, town: TownSample, monkeypatch):
    segmenter = Segmenter(painter(town.labels.shape))
    monkeypatch.setattr(resources, "segmenter", lambda name: segmenter)
    monkeypatch.setattr(resources, "embed", lambda image, key: segmenter.embed(image))
    app.run()
    app.button(key="sample-suburb").click().run()
    app.selectbox(key="truth-class").select("roof")
    app.button(key="use-truth").click().run()
    fine(app)
    roofs = [label for label, kind in town.classes.items() if kind == "roof"]
    covered = int(np.isin(town.labels, roofs).sum())
    assert f"Truth: {len(roofs):,} objects" in texts(app)
    assert f"{covered:,} missed (FN)" in texts(app), "nothing was outlined yet"

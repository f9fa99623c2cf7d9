"""A rendered scene, its truth disturbed by a known amount, and exactly the expected numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from rsam_core.evaluate.metrics import Counts, all_metrics, confusion
from rsam_core.evaluate.metrics.boundary import hausdorff_distance, instance_boundary
from rsam_core.evaluate.metrics.objects import object_scores, object_table
from rsam_core.formats.truth import truth_from_labels
from rsam_core.objects.instances import Instance, Instances
from rsam_core.objects.matching import match
from rsam_core.samples import TownSample


@pytest.fixture(scope="module")
def roofs(town: TownSample) -> Instances:
    """The roofs of a rendered town that survive an erosion by three pixels."""
    kept = np.zeros_like(town.labels)
    for number, kind in town.classes.items():
        mask = town.labels == number
        if kind == "roof" and ndimage.binary_erosion(mask, np.ones((7, 7))).any():
            kept[mask] = number
    return truth_from_labels(kept).objects


@pytest.mark.parametrize("k", [1, 2, 3])
def test_eroded_by_k_pixels(roofs: Instances, k: int):
    kernel = np.ones((2 * k + 1, 2 * k + 1))
    full = roofs.label_map()
    eroded = np.zeros_like(full)
    left = {}
    for number in roofs.ids:
        inner = ndimage.binary_erosion(full == number, kernel)
        eroded[inner] = number
        left[int(number)] = int(inner.sum())
    area, kept = int((full > 0).sum()), sum(left.values())
    counts = confusion(full, eroded)
    assert counts == Counts(tp=kept, fp=0, fn=area - kept, tn=full.size - area)
    values = all_metrics(counts)
    assert values["iou"] == values["tpr"] == pytest.approx(kept / area)
    assert (values["precision"], values["fpr"], values["specificity"]) == (1, 0, 1)
    assert values["dice"] == pytest.approx(2 * kept / (area + kept))

    predicted = Instances.from_label_map(eroded)
    table = object_table(roofs, predicted, outlines=False).set_index("id")
    for number, item in zip(roofs.ids, roofs):
        assert table.loc[number, "iou"] == pytest.approx(left[int(number)] / item.area)
        assert table.loc[number, "predicted"] == number
    scores = object_scores(roofs, predicted)
    found = sum(left[int(item.id)] / item.area >= 0.5 for item in roofs)
    assert scores.precision == scores.recall == pytest.approx(found / len(roofs))
    assert scores.count_error == 0
    assert scores.area_error_percent == pytest.approx(100 * (kept - area) / area)


def test_an_eroded_rectangle_by_formula():
    # 20 × 30 eroded by k is (20 − 2k) × (30 − 2k); its outline moves by k.
    truth = np.zeros((60, 60), bool)
    truth[10:30, 10:40] = True
    for k in (1, 3, 5):
        inner = ndimage.binary_erosion(truth, np.ones((2 * k + 1, 2 * k + 1)))
        counts = confusion(truth, inner)
        assert counts.tp == (20 - 2 * k) * (30 - 2 * k)
        found = instance_boundary(*(Instance.from_mask(m) for m in (truth, inner)), k)
        assert hausdorff_distance(truth, inner, 100) == pytest.approx(k * 2**0.5)
        # At tolerance k all inner boundary pixels lie within k of the outer ones; of the outer
        # ones only those less than k from a corner of the rectangle do not.
        outer = 2 * (20 + 30) - 4
        far = sum(
            min(np.hypot(*np.subtract(p, q)) for q in np.argwhere(inner)) > k
            for p in np.argwhere(truth & ~ndimage.binary_erosion(truth))
        )
        recall = 1 - far / outer
        assert found["boundary_f"] == pytest.approx(2 * recall / (1 + recall))


@pytest.mark.parametrize("n", [1, 4])
def test_n_objects_dropped(roofs: Instances, n: int):
    gone = {int(number) for number in roofs.ids[:n]}
    rest = roofs.remove(gone)
    lost = sum(item.area for item in roofs if item.id in gone)
    total, area = len(roofs), int(roofs.areas.sum())
    found = match(roofs, rest)
    assert (found.tp, found.fp, found.fn) == (total - n, 0, n)
    scores = object_scores(roofs, rest)
    assert scores.precision == scores.precision_mean == 1
    assert [scores.recall, scores.recall_mean] == pytest.approx([(total - n) / total] * 2)
    assert scores.segmentation_quality == 1
    assert scores.panoptic_quality == pytest.approx((total - n) / (total - n / 2))
    assert (scores.count_error, scores.count_error_percent) == (-n, pytest.approx(-100 * n / total))
    assert scores.area_error_percent == pytest.approx(-100 * lost / area)
    counts = confusion(roofs.union_mask(), rest.union_mask())
    assert (counts.tp, counts.fp, counts.fn) == (area - lost, 0, lost)
    missed = object_table(roofs, rest, outlines=False)
    assert set(missed.loc[~missed["found"], "id"]) == gone
    # The other way round they are false alarms.
    extra = object_scores(rest, roofs)
    assert (extra.recall, extra.precision) == (1, pytest.approx((total - n) / total))


@pytest.mark.parametrize("d", [1, 3, 8])
def test_shifted_by_d_pixels(roofs: Instances, d: int):
    full = roofs.union_mask()
    moved = np.zeros_like(full)
    moved[:, d:] = full[:, :-d]
    tp = int((full[:, d:] & full[:, :-d]).sum())
    assert confusion(full, moved) == Counts(
        tp, int(full[:, :-d].sum()) - tp, int(full.sum()) - tp,
        full.size - int(full.sum()) - int(full[:, :-d].sum()) + tp,
    )  # fmt: skip


@pytest.mark.parametrize(("d", "found"), [(4, True), (5, True), (6, True), (7, False)])
def test_shifted_squares_by_formula(d: int, found: bool):
    # Squares of side s moved by d: IoU = (s − d) / (s + d); 0.5 is passed at d = s / 3.
    side = 18
    corners = [(10, 10), (60, 10), (10, 60), (60, 60)]
    truth, moved = (
        Instances([Instance(np.ones((side, side), bool), x + s, y) for x, y in corners], (100, 110))
        for s in (0, d)
    )
    scores = object_scores(truth, moved)
    assert scores.mean_best_iou == pytest.approx((side - d) / (side + d))
    assert scores.f1 == float(found)
    levels = sum((side - d) / (side + d) >= 0.5 + 0.05 * step - 1e-12 for step in range(10))
    assert scores.f1_mean == pytest.approx(levels / 10)
    assert scores.area_error_percent == 0
    table = object_table(truth, moved)
    assert table["hausdorff_95"].tolist() == pytest.approx([d] * 4)

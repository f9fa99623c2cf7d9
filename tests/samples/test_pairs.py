"""Rendered pairs of dates: the truth must be what the pictures show."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from rsam_core.errors import SceneError
from rsam_core.samples import CHANGES, PairSample, render_pair
from rsam_core.samples.pair_records import paste

STILL = {"season": 0.0, "light": 0.0, "haze": 0.0, "noise": 0.0, "shift": (0.0, 0.0)}


@cache
def pair(*changes: str, seed: int = 5, **options) -> PairSample:
    return render_pair(seed, changes, width=320, height=256, style="suburb", **options)


def still(*changes: str, seed: int = 5) -> PairSample:
    return render_pair(seed, changes, width=320, height=256, style="suburb", **STILL)


def difference(sample: PairSample) -> np.ndarray:
    before, after = sample.before.image.astype(int), sample.after.image.astype(int)
    return np.abs(before - after).max(axis=2)


def test_same_seed_gives_the_same_pair():
    first, second = render_pair(9, width=128, height=128), render_pair(9, width=128, height=128)
    assert np.array_equal(first.after.image, second.after.image)
    assert np.array_equal(first.before.image, second.before.image)
    assert np.array_equal(first.matrix, second.matrix)
    assert [r.kind for r in first.records] == [r.kind for r in second.records]


def test_without_changes_nothing_is_recorded_and_only_light_differs():
    sample = pair()
    assert sample.records == ()
    assert len(sample.unchanged) > 5
    assert not sample.changed().any()
    assert difference(sample).mean() > 5
    quiet = still()
    assert not difference(quiet).any()


@pytest.mark.parametrize("kind", CHANGES)
def test_pictures_differ_where_the_record_says_and_nowhere_else(kind):
    sample = still(kind)
    assert {record.kind for record in sample.records} == {kind}
    apart = difference(sample)
    inside = sample.changed()
    assert inside.any()
    # Shadows and bare ground around belong to the change; far from it all is the same.
    import cv2

    far = cv2.dilate(inside.astype(np.uint8), np.ones((91, 91))) == 0
    if far.any():
        assert np.median(apart[far]) < 2
    assert np.median(apart[inside]) > 8 + np.median(apart[~inside])


def test_built_and_demolished_stand_at_one_date_only():
    sample = pair("built", "demolished", "extended")
    for record in sample.records:
        if record.kind == "built":
            assert record.before is None
            assert record.after is not None
        elif record.kind == "demolished":
            assert record.after is None
            assert record.before is not None
        else:
            first, second = paste(record.before, sample.shape), paste(record.after, sample.shape)
            assert second.sum() > 1.15 * first.sum()
            # What stood there still stands.
            assert (first & second).sum() > 0.95 * first.sum()


def test_damage_carries_its_grade():
    grades = {r.grade for r in pair("damaged", seed=3).records}
    assert grades == {"possibly damaged", "damaged", "destroyed"}
    assert {r.grade for r in pair("built").records} == {"no visible damage"}


def test_second_date_lies_where_the_matrix_says():
    options = {"turn": 4.0, "scale": 1.2, "seed": 7}
    moved = pair(shift=(12.0, -7.5), **options)
    centre = np.array([moved.shape[1] / 2, moved.shape[0] / 2, 1.0])
    assert moved.matrix @ centre == pytest.approx(np.add(centre, (12.0, -7.5, 0.0)))
    # The largest roofs of the first date are found again by the matrix in the second one's labels.
    hits = []
    for record in moved.unchanged:
        mask = paste(record.before, moved.shape)
        rows, columns = np.nonzero(mask)
        x, y, _ = moved.matrix @ [columns.mean() + 0.5, rows.mean() + 0.5, 1.0]
        if 0 <= x < moved.shape[1] and 0 <= y < moved.shape[0] and mask.sum() > 300:
            label = moved.after.labels[int(y), int(x)]
            hits.append(moved.after.classes.get(int(label)) == "roof")
            # It grows by the square of the scale.
            if hits[-1] and 40 < x < 280 and 40 < y < 216:
                area = (moved.after.labels == label).sum()
                assert area == pytest.approx(mask.sum() * 1.44, rel=0.15)
    assert len(hits) > 3
    assert np.mean(hits) > 0.7


def test_clouds_hide_the_asked_share():
    sample = pair(clouds=0.3)
    assert sample.clouds.mean() == pytest.approx(0.3, abs=0.08)
    assert sample.after.image[sample.clouds].mean() > 190
    assert not pair().clouds.any()


def test_errors_say_what_to_choose():
    with pytest.raises(SceneError, match="reroofed"):
        render_pair(0, ("painted",))
    with pytest.raises(SceneError, match="seed"):
        render_pair(-1)
    with pytest.raises(SceneError, match="style"):
        render_pair(0, style="moon")

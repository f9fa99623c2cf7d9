"""Pairs from which the judge learns hold every kind of change."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rsam_core.change.judge import CLASSES, changed
from rsam_core.objects.instance import Instance
from rsam_core.samples import render_pair
from training import change


@pytest.mark.parametrize("made", [change.drawn, change.crowded])
def test_no_kind_of_change_starves(made, monkeypatch):
    # Changes are made kind by kind as long as there are buildings: asked for all at once, the last
    # ones never find any left.
    asked = []
    monkeypatch.setattr(change, "render_pair", lambda seed, kinds, **_: asked.append(kinds))
    for seed in range(2001, 2101):
        made(seed)
    pairs = [[kind for kind in kinds if kind in change.BUILT] for kinds in asked]
    often = Counter(kind for kinds in pairs for kind in kinds)
    assert max(map(len, pairs)) == change.KINDS_A_PAIR
    assert min(often[kind] for kind in change.BUILT) >= 20
    assert often["damaged"] == max(often.values())


def test_an_outline_that_changed_in_part_is_no_change_of_the_whole():
    sample = render_pair(5, ("built",), width=160, height=160, style="suburb", counts={"built": 2})
    end = next(record.after for record in sample.records if record.kind == "built")
    exact = Instance(end.mask, end.x, end.y)
    wide = np.zeros(sample.shape, bool)
    wide[max(end.y - 8, 0) : end.y + 40, max(end.x - 20, 0) : end.x + 70] = True
    wide &= ~sample.changed()
    wide[end.y : end.y + 8][:, end.x : end.x + end.mask.shape[1]] |= end.mask[:8]
    said = change.targets(sample, [exact, Instance(wide)], 1)
    assert said.tolist() == [change.LEFT, change.PARTLY]
    chances = np.eye(len(CLASSES), dtype=np.float32)[said]
    assert changed(chances).tolist() == [1, 0]

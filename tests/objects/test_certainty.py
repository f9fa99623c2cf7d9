"""Words for the expected quality of outlines."""

from __future__ import annotations

import numpy as np

from rsam_core.objects.certainty import ABOUT, certainties, certainty


def test_words_by_the_limits_that_the_explanation_names():
    assert certainties([1.0, 0.7, 0.69, 0.5, 0.49, 0.0]) == [
        "sure", "sure", "fair", "fair", "unsure", "unsure",
    ]  # fmt: skip
    assert certainty(np.float32(0.7)) == "sure"
    assert "from 0.7 on" in ABOUT
    assert "from 0.5 on" in ABOUT

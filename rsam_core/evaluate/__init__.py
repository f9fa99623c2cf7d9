"""Evaluation: methods, models and data sets side by side.

>>> from rsam_core.datasets import open_dataset
>>> from rsam_core.evaluate import EvaluationSettings, evaluate_dataset
>>> settings = EvaluationSettings(prompts=("box", "1"), methods=("grabcut",))  # doctest: +SKIP
>>> result = evaluate_dataset(open_dataset("tiles/"), settings)                # doctest: +SKIP
>>> result.table()                                                            # doctest: +SKIP

From a shell: ``python -m rsam_core.evaluate FOLDER --prompts box,1,3 --output report/``.
"""

from __future__ import annotations

from rsam_core.evaluate.compare import Comparison, compare_methods
from rsam_core.evaluate.intervals import clustered_interval, unpaired_difference
from rsam_core.evaluate.objects import evaluate_sample, full_mask, pieces
from rsam_core.evaluate.results import MEASURES, SIZES, Evaluation, MethodInfo
from rsam_core.evaluate.run import evaluate_dataset
from rsam_core.evaluate.settings import EvaluationSettings

__all__ = [
    "MEASURES",
    "SIZES",
    "Comparison",
    "Evaluation",
    "EvaluationSettings",
    "MethodInfo",
    "clustered_interval",
    "compare_methods",
    "evaluate_dataset",
    "evaluate_sample",
    "full_mask",
    "pieces",
    "unpaired_difference",
]

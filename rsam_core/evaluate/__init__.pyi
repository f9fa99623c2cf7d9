from .datasets import Dataset, Sample, open_dataset
from .results import MEASURES, SIZES, Evaluation, MethodInfo
from .run import evaluate_dataset
from .sample import evaluate_sample, full_mask, pieces
from .settings import EvaluationSettings
from .statistics.clustered import clustered_interval, unpaired_difference
from .statistics.compare import Comparison, compare_methods

__all__ = [
    "MEASURES",
    "SIZES",
    "Comparison",
    "Dataset",
    "Evaluation",
    "EvaluationSettings",
    "MethodInfo",
    "Sample",
    "clustered_interval",
    "compare_methods",
    "evaluate_dataset",
    "evaluate_sample",
    "full_mask",
    "open_dataset",
    "pieces",
    "unpaired_difference",
]

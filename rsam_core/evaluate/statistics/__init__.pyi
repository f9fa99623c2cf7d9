from .bootstrap import Interval, interval
from .clustered import clustered_interval
from .compare import Comparison, compare_methods

__all__ = [
    "Comparison",
    "Interval",
    "clustered_interval",
    "compare_methods",
    "interval",
]

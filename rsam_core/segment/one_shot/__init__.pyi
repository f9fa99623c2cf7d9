from .candidate_search import (
    SearchCandidates,
    estimate_search,
    search,
    search_tiled,
    zero_shot,
)
from .examples import Example, in_view, make_example
from .heat_map import heat_layer
from .many_scenes import Outcome, search_scenes
from .persam import (
    Learned,
    PersamSettings,
    learn,
    repeat,
    segment,
)
from .ranking import OneShotResult, best_threshold, rank
from .settings import OneShotSettings

__all__ = [
    "Example",
    "Learned",
    "OneShotResult",
    "OneShotSettings",
    "Outcome",
    "PersamSettings",
    "SearchCandidates",
    "best_threshold",
    "estimate_search",
    "heat_layer",
    "in_view",
    "learn",
    "make_example",
    "rank",
    "repeat",
    "search",
    "search_scenes",
    "search_tiled",
    "segment",
    "zero_shot",
]

"""One example is enough: find all objects like it.

`PerSAM and PerSAM-F <persam>` find one object a pass, as published. `search` and `rank` find many
at once: candidates are outlined once, then compared with the examples; accepting, rejecting and
another threshold answer at once.

>>> view = view_frame(scene.width, scene.height)                                # doctest: +SKIP
>>> shown = EmbeddedView(embedding, view.x, view.y, view.scale[0])              # doctest: +SKIP
>>> example = make_example(segmenter, scene, shown, house)                      # doctest: +SKIP
>>> state = search(segmenter, scene, view, embedding, [example])                # doctest: +SKIP
>>> houses = rank(state, [example]).choose()                                    # doctest: +SKIP

Importing it loads neither torch nor the weights of the comparison.
"""

from rsam_core._pooling import EmbeddedView
from rsam_core.one_shot.comparing import Shots, compare_shots
from rsam_core.one_shot.examples import Example, in_view, make_example
from rsam_core.one_shot.heat import heat_layer
from rsam_core.one_shot.many import Outcome, search_scenes
from rsam_core.one_shot.method import OneShotMethod, evaluation_method
from rsam_core.one_shot.persam import Learned, PersamSettings, learn, repeat, segment
from rsam_core.one_shot.ranking import OneShotResult, best_threshold, rank
from rsam_core.one_shot.search import (
    OneShotState,
    estimate_search,
    search,
    search_tiled,
    zero_shot,
)
from rsam_core.one_shot.settings import OneShotSettings

__all__ = [
    "EmbeddedView",
    "Example",
    "Learned",
    "OneShotMethod",
    "OneShotResult",
    "OneShotSettings",
    "OneShotState",
    "Outcome",
    "PersamSettings",
    "Shots",
    "best_threshold",
    "compare_shots",
    "estimate_search",
    "evaluation_method",
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

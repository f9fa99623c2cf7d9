from .grid import TileSource
from .run import Elsewhere, estimate_tiled, initialize_tiled, make_plan
from .state import Plan, TiledState
from .worker import TileResult, look_at_tile

__all__ = [
    "Elsewhere",
    "Plan",
    "TileResult",
    "TileSource",
    "TiledState",
    "estimate_tiled",
    "initialize_tiled",
    "look_at_tile",
    "make_plan",
]

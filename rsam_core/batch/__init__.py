"""A folder of scenes through one saved recipe: prepare, segment, refine, classify, export.

``python -m rsam_core.batch`` is its command line. A run that was stopped goes on where it ended;
a scene that cannot be used stops no other. For those who outgrow one computer, the tiles of the
scenes go to an existing Dask cluster.
"""

from rsam_core.batch.recipe import EXPORTS, ClassRule, Recipe
from rsam_core.batch.run import BatchRow, find_scenes, run_batch

__all__ = ["EXPORTS", "BatchRow", "ClassRule", "Recipe", "find_scenes", "run_batch"]

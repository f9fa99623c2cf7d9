from .crops import shared_pixels
from .edits import Edits
from .instance import Instance
from .instances import Instances
from .matching import Matching, match, match_all, overlaps
from .measurements import histogram, measure, summary
from .neighbours import neighbour_table
from .packed_masks import PackedMasks
from .semantic import class_areas, class_map
from .suppression import suppress

__all__ = [
    "Edits",
    "Instance",
    "Instances",
    "Matching",
    "PackedMasks",
    "class_areas",
    "class_map",
    "histogram",
    "match",
    "match_all",
    "measure",
    "neighbour_table",
    "overlaps",
    "shared_pixels",
    "summary",
    "suppress",
]

from .aligned import Alignment, AlignSettings
from .alignment import align
from .compared import CompareSettings, Comparison
from .comparison import compare
from .findings import KINDS, Change
from .following import Track, follow
from .frames import Frames, read_frames
from .picture import ArrayPicture, date_in_name

__all__ = [
    "KINDS",
    "AlignSettings",
    "Alignment",
    "ArrayPicture",
    "Change",
    "CompareSettings",
    "Comparison",
    "Frames",
    "Track",
    "align",
    "compare",
    "date_in_name",
    "follow",
    "read_frames",
]

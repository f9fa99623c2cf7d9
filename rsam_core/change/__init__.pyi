from .alignment import Alignment, AlignSettings, align
from .comparison import CompareSettings, Comparison, compare
from .decide import KINDS, Change
from .picture import ArrayPicture, date_in_name

__all__ = [
    "KINDS",
    "AlignSettings",
    "Alignment",
    "ArrayPicture",
    "Change",
    "CompareSettings",
    "Comparison",
    "align",
    "compare",
    "date_in_name",
]

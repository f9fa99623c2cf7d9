from .alignment import Alignment, AlignSettings, align
from .picture import ArrayPicture, date_in_name

__all__ = ["AlignSettings", "Alignment", "ArrayPicture", "align", "date_in_name"]

from .reading import CocoFile, is_coco, may_be_coco
from .writing import categories, to_coco

__all__ = [
    "CocoFile",
    "categories",
    "is_coco",
    "may_be_coco",
    "to_coco",
]

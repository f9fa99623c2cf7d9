"""The COCO format: written for training other models, and read as truth.

The masks in it are polygons or run lengths.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Prepare an image before it is segmented: steps, and the list of them that can be replayed.

Each step is a pure function `Raster` → `Raster` with settings of physical meaning. A `Pipeline`
lists steps in order, is saved as JSON and runs on any scene, tile by tile where it can.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Everything mode over a scene too large for one view.

`run` plans tiles and searches them, `stitching` joins what a seam cut, `worker` does one tile
wherever it is asked to.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

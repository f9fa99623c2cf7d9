"""What objects look like to the model: features pooled under their masks.

`extraction` makes the table that classes are learned from, `pooling` reads the maps of an
embedding.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

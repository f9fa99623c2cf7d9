"""From a file to pixels, bands, a view, a place on the map and metres.

`open_scene` checks a file and gives a `Scene`, which reads windows of any size. The one module of
coordinates is `coordinates`; how an image is improved before it is segmented is `prepare`'s.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

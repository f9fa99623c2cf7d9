"""RSAM's core: segment satellite, aerial and drone images with promptable models.

>>> import rsam_core as rsam
>>> scene = rsam.open_scene("town.tif")                       # doctest: +SKIP
>>> segmenter = rsam.Segmenter(rsam.load_model())             # doctest: +SKIP
>>> embedding = segmenter.embed(scene.read_rgb())             # doctest: +SKIP
>>> objects = segmenter.everything(embedding)                 # doctest: +SKIP
>>> table = rsam.measure(objects, scene)                      # doctest: +SKIP

Fourteen packages, imported in one direction (see ARCHITECTURE.md). Names are loaded when first
used, so that importing the package is quick.
"""

import lazy_loader as lazy

from rsam_core.runtime.former_names import install as _install_former_names

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

_install_former_names()

"""Models that the package transformers loads: SAM 2.1 and its relatives, and models of words.

Nothing here imports transformers before such a model is used, and everything else works without
it. A model is a folder of safetensors and JSON files: one that the user has, or a download.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

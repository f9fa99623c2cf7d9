"""From a picture to objects: embeddings, prompts, everything mode, tiles, one example.

A click becomes a mask in `prompter` (which `Segmenter` serves); `everything` and `proposals` find
all objects of a view, `tiles` those of a large scene, `one_shot` those like an example. What the
objects are like afterwards is `objects`' business.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

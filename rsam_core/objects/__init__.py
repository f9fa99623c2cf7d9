"""Objects as cropped masks, and all that can be done with them without a model.

`Instance` and `Instances` hold them; they are combined, matched, measured, refined (`refine`) and
classified (`classify`) here. What finds objects is in `segment`, what draws them in `render`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

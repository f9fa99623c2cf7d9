"""Classes of objects: given by hand, by a rule, or learned from a few examples.

Takes tables of measurements and features as they come; where features are computed from an
image is `segment.features`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

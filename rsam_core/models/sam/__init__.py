"""The official Segment Anything models (ViT-B, L, H) behind RSAM's interface."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

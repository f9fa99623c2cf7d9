"""The embedded model ``rsam-tiny``; see MODEL_CARD.md beside this file."""

import lazy_loader as lazy

# PyTorch takes seconds to load, which whoever only wants a name need not wait for.
__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

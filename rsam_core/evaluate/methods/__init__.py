"""What can be evaluated: prompted models, classical methods, one example.

`base` has what a method is, `prompted` the list by name.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

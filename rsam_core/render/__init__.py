"""Pictures for people: objects over an image, legends, figures, HTML and the report.

Everything here takes finished objects and numbers; nothing is computed about them.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

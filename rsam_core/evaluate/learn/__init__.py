"""Learn: lessons in which a thing is seen to happen, exercises, worksheets and the class board.

Whatever a lesson says in numbers is computed here, on a sample or on the image that is open; the
page shows it. Texts are messages of `rsam_core.runtime.language`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

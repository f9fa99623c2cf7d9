"""An open scene with all that was done to it, without Streamlit.

Saved and opened as a project file, kept safe in the background, offered again after a crash. The
pages only show it.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""What the program needs to run, whatever it computes.

Jobs that can be stopped, the fair queue at the model, memory budgets and caches, progress, the
frame of command lines, archives. Nothing here knows what an image is; what depends on Streamlit
is in the pages.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

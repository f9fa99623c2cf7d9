"""What a person says to the model, as data: prompts, their history, clicks on the canvas.

A `Prompt` holds points, boxes and a mask; `history` keeps all of them with undo; `simulated`
clicks as a person would. No model is called here: that is `segment`'s.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

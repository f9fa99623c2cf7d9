"""From what changed to answers: one module a question that planners and relief workers ask.

Every question takes `Features` on the ground of a `Site` (a plane in metres) and gives an `Answer`:
findings with outlines and a table, figures, and all that stands behind them. `layers` brings files,
objects and comparisons there, `maps` and `reports` write answers down.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Two dates and series: what changed between them, and an object followed through time.

`align` brings two dates onto a common grid, `compare` says what became of each object, `follow`
carries an outline through frames. What the changes mean for a question of planning or relief is
in `change.apply`; how well a method does is measured by `change.metrics`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

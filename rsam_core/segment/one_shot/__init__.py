"""One example is enough: find all objects like it.

`PerSAM and PerSAM-F <persam>` find one object a pass, as published. `search` and `rank` find many
at once: candidates are outlined once, then compared with the examples; accepting, rejecting and
another threshold answer at once.

>>> view = view_frame(scene.width, scene.height)                                # doctest: +SKIP
>>> shown = EmbeddedView(embedding, view.x, view.y, view.scale[0])              # doctest: +SKIP
>>> example = make_example(segmenter, scene, shown, house)                      # doctest: +SKIP
>>> state = search(segmenter, scene, view, embedding, [example])                # doctest: +SKIP
>>> houses = rank(state, [example]).choose()                                    # doctest: +SKIP

Importing it loads neither torch nor the weights of the comparison.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

"""Words: from a sentence in everyday language to rules that choose objects.

No language model: a small grammar over vocabularies that are data files, so that what was
understood can be seen and changed, and what was not is said. The rules are those of
`rsam_core.objects.classify`.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

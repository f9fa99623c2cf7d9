"""Evaluation: methods, models and data sets side by side.

>>> from rsam_core.evaluate import EvaluationSettings, evaluate_dataset, open_dataset
>>> settings = EvaluationSettings(prompts=("box", "1"), methods=("grabcut",))  # doctest: +SKIP
>>> result = evaluate_dataset(open_dataset("tiles/"), settings)                # doctest: +SKIP
>>> result.table()                                                            # doctest: +SKIP

From a shell: ``python -m rsam_core.evaluate FOLDER --prompts box,1,3 --output report/``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)

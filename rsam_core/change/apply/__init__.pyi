from .answer import Answer, Check, Checks, Figure
from .features import Features, before_and_after
from .layers import LAYER_TYPES, read_layer
from .needs import Need, Setting
from .question import Inputs, Missing, Question
from .questions import QUESTIONS
from .site import Site

__all__ = [
    "LAYER_TYPES",
    "QUESTIONS",
    "Answer",
    "Check",
    "Checks",
    "Features",
    "Figure",
    "Inputs",
    "Missing",
    "Need",
    "Question",
    "Setting",
    "Site",
    "before_and_after",
    "read_layer",
]

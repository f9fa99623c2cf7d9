from .by_example import (
    Prediction,
    Trained,
    TrainSettings,
    apply,
    most_uncertain,
    train,
)
from .classes import ClassList, ObjectClass, relabel, set_label
from .rules import Condition, Rule

__all__ = [
    "ClassList",
    "Condition",
    "ObjectClass",
    "Prediction",
    "Rule",
    "TrainSettings",
    "Trained",
    "apply",
    "most_uncertain",
    "relabel",
    "set_label",
    "train",
]

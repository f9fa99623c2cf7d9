"""All questions, in the order in which they are offered."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from rsam_core.change.apply import (
    cost,
    damage,
    density,
    deterioration,
    forest,
    growth,
    permits,
    sensitive,
    services,
    vacant,
)
from rsam_core.change.apply.question import Question

QUESTIONS: Mapping[str, Question] = MappingProxyType(
    {
        module.QUESTION.key: module.QUESTION
        for module in (
            growth, permits, damage, cost, sensitive, forest, services, deterioration, vacant,
            density,
        )
    }
)  # fmt: skip
"""Questions by key."""

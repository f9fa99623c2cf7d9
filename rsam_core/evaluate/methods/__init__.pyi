from .base import Method
from .prompted import BASELINES, PROMPTS, build_methods

__all__ = [
    "BASELINES",
    "PROMPTS",
    "Method",
    "build_methods",
]

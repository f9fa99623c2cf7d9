"""One place in a pipeline, and what its errors are called by."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rsam_core.errors import PrepareError
from rsam_core.prepare.step import Step

SAMPLE_SIDE = 1024
"""Statistics of the whole image come from a copy reduced to this longest side, in pixels."""


@dataclass(frozen=True)
class Stage:
    """A step in a pipeline, and whether it is switched on."""

    step: Step
    on: bool = True


@contextmanager
def naming(step: Step) -> Iterator[None]:
    """Put the title of a step in front of what goes wrong in it."""
    try:
        yield
    except PrepareError as error:
        if str(error).startswith(f"{step.title}: "):
            raise
        raise PrepareError(f"{step.title}: {error}") from error
    except MemoryError as error:
        raise PrepareError(
            f"{step.title}: there is not enough memory for this image. Crop it or reduce its "
            "resolution first, or switch this step off."
        ) from error

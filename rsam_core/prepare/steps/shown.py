"""What the steps for tones and colours share: values between black and white, and statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare import radiometric
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step


def shown(raster: Raster) -> NDArray[np.float32]:
    """The bands in shown units: 0 black, 1 white."""
    return radiometric.to_shown(raster.values, raster.shown)


def as_shown(raster: Raster, values: NDArray[np.float32]) -> Raster:
    """The raster with new values in shown units."""
    return raster.with_values(radiometric.from_shown(values, raster.shown))


def samples(raster: Raster) -> NDArray[np.float32]:
    """Valid pixels in shown units, (N, C)."""
    if not raster.valid.any():
        raise PrepareError("The image holds no data here, so nothing can be learned from it.")
    return radiometric.to_shown(raster.values[raster.valid], raster.shown)


class FittedStep(Step):
    """A step whose statistics are taken from the image itself when none are given."""

    def fitted(self, raster: Raster, fitted: Any) -> Any:
        return self.fit(raster) if fitted is None else fitted

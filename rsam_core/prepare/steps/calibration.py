"""The step that turns a sensor's numbers into physical units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PrepareError
from rsam_core.prepare import radiometric
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step, choice, register, text


@register
@dataclass(frozen=True)
class Calibrate(Step):
    """Gain and offset for each band."""

    key: ClassVar = "calibrate"
    title: ClassVar = "Calibrate the sensor"
    help: ClassVar = (
        "Gain × value + offset for each band, as the sensor's data sheet or the file's metadata "
        "give them, for example to get reflectance."
    )
    halo: ClassVar = 0

    gains: str = text("Gain", "1", "One number for all bands, or one each: 0.98, 1, 1.03")
    offsets: str = text("Offset", "0", "One number for all bands, or one each, in file units.")
    output: str = choice(
        "Result",
        "same",
        (("same", "As the image shows now"), ("units", "Physical units (decimal numbers)")),
        "With physical units the picture looks the same, and the values are those of the formula.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _numbers(self.gains, "Gain")
        _numbers(self.offsets, "Offset")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        gains = _numbers(self.gains, "Gain", raster.count)
        offsets = _numbers(self.offsets, "Offset", raster.count)
        values = radiometric.calibrate(raster.values, gains, offsets)
        if self.output == "same":
            return raster.with_values(values)
        ends = np.asarray(raster.shown) * gains[:, None] + offsets[:, None]
        display = tuple((float(min(pair)), float(max(pair))) for pair in ends)
        limits = (min(low for low, _ in display), max(high for _, high in display))
        return raster.with_values(values, display=display, limits=limits, dtype="float32")


def _numbers(written: str, title: str, count: int | None = None) -> NDArray[np.float64]:
    """Read "0.98, 1, 1.03"; one number stands for all bands."""
    try:
        parsed = [float(part) for part in written.replace(";", ",").split(",")]
    except ValueError as error:
        raise PrepareError(
            f"{title} “{written}” is not a list of numbers. Write one number, or one for each "
            "band separated by commas, such as 0.98, 1, 1.03."
        ) from error
    numbers = np.asarray(parsed)
    if not np.isfinite(numbers).all() or (title == "Gain" and (numbers == 0).any()):
        raise PrepareError(f"{title} “{written}” holds a number that cannot be used.")
    if count is None:
        return numbers
    if len(numbers) not in (1, count):
        raise PrepareError(
            f"{title} has {len(numbers)} numbers and the image {count} bands. Write one number, "
            "or one for each band."
        )
    return np.broadcast_to(numbers, (count,))

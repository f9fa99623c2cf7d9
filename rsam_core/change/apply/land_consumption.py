"""SDG indicator 11.3.1: how fast land is consumed, in proportion to the population.

References
----------
.. [1] UN-Habitat, "SDG indicator metadata 11.3.1: Ratio of land consumption rate to population
   growth rate", 2021.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rsam_core.errors import ApplyError


@dataclass(frozen=True)
class LandConsumption:
    """SDG indicator 11.3.1 between two dates.

    Attributes
    ----------
    land_rate : float or None
        Land consumption rate a year: (V2 − V1) / V1 / years.
    population_rate : float or None
        Population growth rate a year: ln(P2 / P1) / years.
    ratio : float or None
        Of the two; None without population, or where it did not change.
    """

    land_rate: float | None
    population_rate: float | None
    ratio: float | None


def land_consumption(
    first_area: float,
    second_area: float,
    years: float,
    first_population: float | None = None,
    second_population: float | None = None,
) -> LandConsumption:
    """Rates of SDG indicator 11.3.1.

    Parameters
    ----------
    first_area, second_area : float
        Built-up area at both dates, in any unit.
    years : float
        Between them, above 0.
    first_population, second_population : float, optional

    Raises
    ------
    ApplyError
        A number makes no sense.
    """
    if not years > 0:
        raise ApplyError("The second date has to be after the first one.")
    people = (first_population, second_population)
    if any(number is not None and not number > 0 for number in people):
        raise ApplyError("A population has to be more than 0.")
    land = (second_area - first_area) / first_area / years if first_area > 0 else None
    growth = None
    if first_population is not None and second_population is not None:
        growth = math.log(second_population / first_population) / years
    ratio = land / growth if land is not None and growth else None
    return LandConsumption(land, growth, ratio)

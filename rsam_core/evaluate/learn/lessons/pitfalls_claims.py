"""What follows from a picture, what it only hints at, and what must not be concluded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rsam_core.evaluate.learn.lessons.pitfalls_borders import share_of_area
from rsam_core.evaluate.learn.lessons.pitfalls_hiding import houses, place
from rsam_core.runtime.language import _, ngettext, number, percent

VERDICTS = ("shown", "hint", "never")
"""The picture shows it; an indication, no proof; must not be concluded."""


@dataclass(frozen=True)
class Claim:
    """Something that somebody says after seeing the picture.

    Attributes
    ----------
    key : str
    verdict : str
        Of `VERDICTS`.
    text, reason : callable
        Make what is said, and why the verdict is so, in the language in use.
    """

    key: str
    verdict: str
    text: Callable[[], str]
    reason: Callable[[], str]


def roof_area() -> float:
    """Square metres of all that is roof in the picture."""
    subject = place()
    numbers = subject.numbers("roof")
    return sum(float(subject.mask(n).sum()) for n in numbers) * subject.gsd**2


def cars() -> int:
    """How many cars are wholly or partly in the picture."""
    return len(place().numbers("car"))


def house_area() -> float:
    """Square metres of the largest house."""
    return float(houses()[0].truth.sum()) * place().gsd ** 2


def permitted_area() -> float:
    """Square metres that its permit allows in the story: 5 % less, to whole ones."""
    return float(round(0.95 * house_area()))


def half_pixel() -> float:
    """By which share a house's area changes if its border is half a pixel off."""
    return share_of_area("roof", place().gsd / 2) - 1


CLAIMS = (
    Claim(
        "roofs", "shown",
        lambda: _("“When the picture was taken, about {area} m² of this ground lay under roofs.”")
        .format(area=number(round(roof_area(), -1))),
        lambda: _("Roofs can be seen and measured, as “about”: each border is a little off."),
    ),
    Claim(
        "cars", "shown",
        lambda: ngettext(
            "“{count} car could be seen here at that moment.”",
            "“{count} cars could be seen here at that moment.”", cars(),
        ).format(count=number(cars())),
        lambda: _("It says “could be seen” and “at that moment”. Cars under trees or in garages "
                  "are not counted."),
    ),
    Claim(
        "permit", "hint",
        lambda: _("“The house with the ring has {area} m² and a permit for {permit} m²: it was "
                  "enlarged without permission.”").format(
                      area=number(house_area()), permit=number(permitted_area())),
        lambda: _("A border half a pixel off already changes a house's area by {share}, and a roof "
                  "is wider than its walls. Someone has to measure on the spot.").format(
                      share=percent(half_pixel(), 1)),
    ),
    Claim(
        "plot", "hint",
        lambda: _("“The brown plot in the middle is a building site.”"),
        lambda: _("Bare ground can also be a dry garden or a field. Ask, or look again at another "
                  "date."),
    ),
    Claim(
        "away", "never",
        lambda: _("“No car stands at this house, so nobody is at home.”"),
        lambda: _("The picture shows ground, not people, and one moment of one day. It is also "
                  "nobody's business: that is privacy."),
    ),
    Claim(
        "rich", "never",
        lambda: _("“One garden has a pool: rich people live there.”"),
        lambda: _("Nothing about a person follows from a roof or a pool. Such sentences hurt "
                  "people whom nobody asked."),
    ),
)  # fmt: skip


def right(answers: dict[str, str]) -> int:
    """How many claims were sorted rightly."""
    return sum(answers.get(claim.key) == claim.verdict for claim in CLAIMS)

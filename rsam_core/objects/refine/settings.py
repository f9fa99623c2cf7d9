"""What to do to outlines: one validated bundle of settings."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Literal

from rsam_core.errors import RefineError
from rsam_core.runtime.given import given
from rsam_core.runtime.language import N_

Unit = Literal["px", "m"]

SUGGESTED: dict[str, float] = {
    "speck_area": 30.0,
    "hole_area": 30.0,
    "opening": 1.0,
    "closing": 1.0,
    "smooth": 1.0,
    "simplify": 1.5,
}
"""Strength, in pixels or square pixels, at which each step starts when it is switched on."""

TITLES: dict[str, str] = {
    "speck_area": N_("Remove specks"),
    "hole_area": N_("Fill holes"),
    "opening": N_("Cut thin bridges (opening)"),
    "closing": N_("Close thin gaps (closing)"),
    "smooth": N_("Smooth the outline"),
    "simplify": N_("Simplify the outline"),
    "regularise": N_("Straighten buildings"),
    "smallest": N_("Remove small objects"),
}
"""Names of the steps for people, in the order in which :func:`refine` takes them."""

_AREAS = ("speck_area", "hole_area", "smallest")
_LENGTHS = ("opening", "closing", "smooth", "simplify")
_MAX = {"opening": 50.0, "closing": 50.0, "smooth": 50.0, "simplify": 1000.0}


@dataclass(frozen=True)
class RefineSettings:
    """Which steps to take, in this order, and how strong; 0 leaves a step out.

    Parameters
    ----------
    speck_area : float
        Pieces of an object smaller than this are removed; its largest piece always stays.
    hole_area : float
        Holes smaller than this are filled.
    opening : float
        Radius of the disc of a morphological opening: thinner parts are cut off.
    closing : float
        Radius of the disc of a morphological closing: narrower gaps are closed.
    smooth : float
        Standard deviation of the boundary smoothing, which keeps the area.
    simplify : float
        Largest distance by which simplifying may move the outline.
    regularise : bool
        Give outlines right angles along their dominant direction, where they fit.
    min_agreement : float
        Least IoU, 0 to 1, of a right-angled outline with the object it replaces; the object is
        kept as it is where none agrees as well.
    smallest : float
        Objects smaller than this after all steps are dropped.
    unit : {"px", "m"}
        Unit of the lengths; areas are in its square.

    Raises
    ------
    RefineError
        If a value is not a number in its range.
    """

    speck_area: float = SUGGESTED["speck_area"]
    hole_area: float = SUGGESTED["hole_area"]
    opening: float = 0.0
    closing: float = 0.0
    smooth: float = SUGGESTED["smooth"]
    simplify: float = 0.0
    regularise: bool = False
    min_agreement: float = 0.93
    smallest: float = 0.0
    unit: Unit = "px"

    def __post_init__(self) -> None:
        for name in _AREAS + _LENGTHS:
            value = getattr(self, name)
            if not (_is_number(value) and value >= 0):
                raise RefineError(
                    f"“{TITLES[name]}” needs a number of 0 or more, not {given(value)}. "
                    "0 leaves the step out."
                )
        if self.unit not in ("px", "m"):
            raise RefineError(f"Sizes are in “px” or “m”, not in {given(self.unit)}.")
        for name, most in _MAX.items():
            if self.unit == "px" and getattr(self, name) > most:
                raise RefineError(
                    f"“{TITLES[name]}” takes at most {most:g} pixels, not {getattr(self, name):g}. "
                    "Choose a smaller value."
                )
        if not (_is_number(self.min_agreement) and 0 <= self.min_agreement <= 1):
            raise RefineError(
                f"The least agreement must lie between 0 and 1, not {given(self.min_agreement)}."
            )

    @classmethod
    def none(cls, **changes: float | bool | str) -> RefineSettings:
        """Return settings that leave every step out, but for those given."""
        return cls(**{"speck_area": 0.0, "hole_area": 0.0, "smooth": 0.0, **changes})

    @classmethod
    def suggested(cls, step: str) -> RefineSettings:
        """Return settings that take one step alone, at the strength it starts with.

        Parameters
        ----------
        step : str
            A key of :data:`SUGGESTED`, or ``"regularise"``.
        """
        if step == "regularise":
            return cls.none(regularise=True)
        if step not in SUGGESTED:
            raise RefineError(
                f"There is no step {given(step)}. Choose one of: {', '.join(SUGGESTED)}."
            )
        return cls.none(**{step: SUGGESTED[step]})

    @property
    def steps(self) -> tuple[str, ...]:
        """Names of the fields whose step is taken, in order."""
        return tuple(name for name in TITLES if getattr(self, name))

    def in_pixels(self, gsd: float | None) -> RefineSettings:
        """Return the same settings in pixels.

        Parameters
        ----------
        gsd : float or None
            Metres a pixel; only needed for settings in metres.

        Raises
        ------
        RefineError
            If the settings are in metres and the size of a pixel is not known.
        """
        if self.unit == "px":
            return self
        if not gsd:
            raise RefineError(
                "These settings are in metres, but the size of a pixel on the ground is not "
                "known. Type it in the sidebar, or choose settings in pixels."
            )
        changes = {name: getattr(self, name) / gsd**2 for name in _AREAS}
        # A radius of 30 m is 300 pixels at 10 cm: more than any outline's noise, and slow.
        changes |= {name: min(getattr(self, name) / gsd, _MAX[name]) for name in _LENGTHS}
        return replace(self, unit="px", **changes)

    def describe(self) -> str:
        """Return the steps in words, for histories and reports."""
        unit = "px" if self.unit == "px" else "m"
        square = "px" if self.unit == "px" else "m²"
        words = []
        for name in self.steps:
            size = f" {getattr(self, name):g} {square if name in _AREAS else unit}"
            words.append(TITLES[name].lower() + ("" if name == "regularise" else size))
        return ", ".join(words) or "nothing"

    def to_dict(self) -> dict[str, float | bool | str]:
        """Return the settings by name, for a project file."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _is_number(value: object) -> bool:
    # Not `isfinite`: whole numbers of 400 digits are too long for it.
    return isinstance(value, (int, float)) and -1e300 < value < 1e300


PRESETS: dict[str, RefineSettings] = {
    N_("Clean and smooth"): RefineSettings(),
    N_("Buildings: straight walls"): RefineSettings(regularise=True),
    N_("Trees, water, fields: soft outlines"): RefineSettings(
        speck_area=60.0, hole_area=60.0, smooth=2.0
    ),
    N_("Few corners, for a map"): RefineSettings(simplify=SUGGESTED["simplify"]),
}
"""Settings to start from, by a name for people; in pixels."""

"""Which bands a view shows and how: settings, presets, and what each band measures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from rsam_core.errors import SceneError
from rsam_core.runtime.given import given
from rsam_core.scene.indices import INDICES

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

MIN_GAMMA, MAX_GAMMA = 0.2, 5.0
TRUE_COLOUR, COLOUR_INFRARED = "True colour", "Colour infrared"
FIRST_BANDS, FILE_COLOURS = "First three bands", "Colours of the file"

_COLOURS = ("red", "green", "blue")
# Parts of the spectrum that share a word with a role and are none of them.
_OTHERS = ("edge", "swir", "shortwave", "thermal", "tir", "lwir", "mwir", "coastal", "yellow")
# Colour tags that say nothing: GDAL gives them to bands it knows nothing about.
_SILENT_TAGS = ("undefined", "gray", "alpha")
_SENTINEL_2 = {"b2": "blue", "b3": "green", "b4": "red", "b8": "nir"}


@dataclass(frozen=True)
class ViewSettings:
    """How bands become the picture that people and models see.

    Parameters
    ----------
    bands : tuple of int
        Bands counted from 1: three for red, green and blue, one for grey; with `index` the two
        that it needs. Empty: those the scene chooses itself.
    index : str, optional
        "ndvi" or "ndwi" to show a spectral index in colours.
    percentiles : (float, float), optional
        Percentiles of each band, from 0 to 100, that become black and white. By default colours
        of 8 bits stay unchanged and all else is stretched from 2 to 98.
    limits : tuple of (float, float) or None, optional
        Values of each band shown that become black and white, in place of percentiles; one entry
        a band (a single one with `index`), None for a band that keeps its percentiles.
    gamma : float
        From 0.2 to 5; above 1 brightens the middle tones, 1 leaves them.

    Raises
    ------
    SceneError
        A value is impossible.
    """

    bands: tuple[int, ...] = ()
    index: str | None = None
    percentiles: tuple[float, float] | None = None
    limits: tuple[tuple[float, float] | None, ...] | None = None
    gamma: float = 1.0

    def __post_init__(self) -> None:
        self._check_bands()
        if self.percentiles is not None:
            low, high = self._pair("percentiles", self.percentiles)
            if not 0 <= low < high <= 100:
                raise SceneError(
                    f"A stretch from percentile {low:g} to {high:g} is not possible. Both lie "
                    "between 0 and 100, the first below the second."
                )
        if self.limits is not None:
            self._check_limits()
        gamma = _number(self.gamma)
        if not MIN_GAMMA <= gamma <= MAX_GAMMA:
            raise SceneError(
                f"A gamma of {given(self.gamma)} is not possible. Choose a number from "
                f"{MIN_GAMMA:g} to {MAX_GAMMA:g}; 1 changes nothing."
            )
        object.__setattr__(self, "gamma", gamma)

    def _check_bands(self) -> None:
        try:
            bands = tuple(int(band) for band in self.bands)
            whole = all(band == told for band, told in zip(bands, self.bands))
        except (TypeError, ValueError):
            bands, whole = (), False
        if not whole or any(band < 1 for band in bands):
            raise SceneError(f"Bands are whole numbers from 1, not {given(self.bands)}.")
        object.__setattr__(self, "bands", bands)
        if self.index is not None and not (isinstance(self.index, str) and self.index in INDICES):
            raise SceneError(
                f"There is no spectral index {given(self.index)}. Choose one of "
                f"{', '.join(INDICES)}."
            )
        allowed = (0, 2) if self.index else (0, 1, 3)
        if len(bands) not in allowed:
            wanted = "two bands" if self.index else "one band (grey) or three (red, green, blue)"
            raise SceneError(f"{len(bands)} bands cannot be shown this way. Choose {wanted}.")

    def _check_limits(self) -> None:
        try:
            limits = tuple(self.limits)
        except TypeError as error:
            raise SceneError("Limits are one pair of numbers for each band shown.") from error
        expected = 1 if self.index else len(self.bands)
        if expected and len(limits) != expected:
            raise SceneError(f"{len(limits)} pairs of limits do not fit {expected} bands shown.")
        pairs = tuple(None if pair is None else self._pair("limits", pair) for pair in limits)
        for pair in pairs:
            if pair is not None and not pair[0] < pair[1]:
                raise SceneError(
                    f"Limits from {pair[0]:g} to {pair[1]:g} are not possible. The first must be "
                    "below the second."
                )
        object.__setattr__(self, "limits", pairs)

    def _pair(self, name: str, value: Any) -> tuple[float, float]:
        """Return two finite numbers, and keep them as such under `name` unless it is limits."""
        try:
            low, high = (_number(item) for item in value)
        except (TypeError, ValueError):
            low = high = math.nan
        if not (math.isfinite(low) and math.isfinite(high)):
            raise SceneError(f"The {name} of a view are two numbers, not {given(value)}.")
        if name == "percentiles":
            object.__setattr__(self, name, (low, high))
        return low, high

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, ready for JSON."""
        values = asdict(self)
        values["bands"] = list(self.bands)
        values["percentiles"] = None if self.percentiles is None else list(self.percentiles)
        if self.limits is not None:
            values["limits"] = [None if pair is None else list(pair) for pair in self.limits]
        return values

    @classmethod
    def from_dict(cls, values: Any) -> ViewSettings:
        """Return the settings behind `to_dict`; names that are missing keep their default.

        Raises
        ------
        SceneError
            These are no view settings, or a value is impossible.
        """
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not set(values) <= known:
            raise SceneError(
                "These are no view settings. Choose a file that RSAM saved, of the same version."
            )
        return cls(**{name: value for name, value in values.items() if value is not None})


@dataclass(frozen=True)
class BandRoles:
    """Which band measures red, green, blue and near infrared, counted from 1.

    Attributes
    ----------
    red, green, blue, nir : int or None
        None where unknown.
    presumed : tuple of str
        Roles that follow from a convention only, not from the file.
    """

    red: int | None = None
    green: int | None = None
    blue: int | None = None
    nir: int | None = None
    presumed: tuple[str, ...] = ()

    def bands(self, roles: Iterable[str]) -> tuple[int, ...] | None:
        """Return the bands of these roles, or None if one is unknown."""
        found = tuple(getattr(self, role) for role in roles)
        return None if None in found else found


def find_roles(
    names: tuple[str, ...], colours: tuple[str, ...], data: tuple[int, ...]
) -> BandRoles:
    """Tell what the bands measure, from names and colour tags, else by convention.

    Parameters
    ----------
    names : tuple of str
        Name of each band as the file gives it; empty where it gives none.
    colours : tuple of str
        Colour tag of each band ("red", "nir", "undefined", ...).
    data : tuple of int
        Bands that hold measurements, from 1; those of transparency are left out.

    Returns
    -------
    BandRoles
        Tags count only for bands without a name, since software tags any first three bands as
        colours. Names such as B2, B3, B4 and B8 are read as those of Sentinel-2 if B8 is among
        them (Landsat numbers its bands otherwise, and differently from mission to mission). Four
        bands of which nothing says otherwise are taken for red, green, blue and near infrared, as
        is usual for aerial images.
    """
    found: dict[str, int] = {}
    for band in data:
        role = _role(names[band - 1])
        if role is not None:
            found.setdefault(role, band)
    codes = {_code(names[band - 1]): band for band in data}
    if not found and ("b8" in codes or "b8a" in codes):
        found = {role: codes[code] for code, role in _SENTINEL_2.items() if code in codes}
        found.setdefault("nir", codes.get("b8a", 0))
        return BandRoles(**found, presumed=tuple(found))
    for band in data:
        tag = colours[band - 1]
        if not names[band - 1] and tag in (*_COLOURS, "nir"):
            found.setdefault(tag, band)
    if len(data) != 4:
        return BandRoles(**found)
    rest = [band for band in data if band not in found.values()]
    if any(names[band - 1] or colours[band - 1] not in _SILENT_TAGS for band in rest):
        return BandRoles(**found)
    if not found:
        usual = dict(zip((*_COLOURS, "nir"), data))
        return BandRoles(**usual, presumed=tuple(usual))
    if set(found) == set(_COLOURS):
        return BandRoles(**found, nir=rest[0], presumed=("nir",))
    return BandRoles(**found)


def presets(scene: Scene) -> dict[str, ViewSettings]:
    """Return the views worth offering for a scene, by title, the most usual first.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    dict of str to ViewSettings
        "True colour" and "Colour infrared" where the bands are known or presumed, the spectral
        indices where near infrared is, and "Single band: NAME" for each.
    """
    roles, data = scene.roles, scene.data_bands
    if scene.has_palette:
        return {FILE_COLOURS: ViewSettings((1,))}
    found: dict[str, ViewSettings] = {}
    colour = roles.bands(_COLOURS)
    if colour is not None:
        found[TRUE_COLOUR] = ViewSettings(colour)
    elif len(data) >= 3:
        found[FIRST_BANDS] = ViewSettings(data[:3])
    infrared = roles.bands(("nir", "red", "green"))
    if infrared is not None:
        found[COLOUR_INFRARED] = ViewSettings(infrared)
    for name, index in INDICES.items():
        if roles.bands(index.roles) is not None:
            found[index.title] = ViewSettings(roles.bands(index.roles), index=name)
    for band, title in band_titles(scene).items():
        found[f"Single band: {title}"] = ViewSettings((band,))
    return found


def band_titles(scene: Scene) -> dict[int, str]:
    """Return a name for each band that holds measurements, each of them different."""
    names = scene.band_names
    return {
        band: names[band - 1]
        if names.count(names[band - 1]) == 1
        else f"{names[band - 1]} (band {band})"
        for band in scene.data_bands
    }


def _role(name: str) -> str | None:
    """Return the role that a band's name tells."""
    words = re.findall(r"[a-z]+", name.lower())
    text = " ".join(words)
    if any(other in text for other in _OTHERS):
        return None
    if "nir" in words or "nearinfrared" in words or "near infrared" in text or "near ir" in text:
        return "nir"
    # A single letter counts only alone: B is blue, B2 is a number.
    whole = name.strip().lower()
    if text == "infrared" or whole in ("ir", "n"):
        return "nir"
    return next((c for c in _COLOURS if c in words or whole == c[0]), None)


def _code(name: str) -> str:
    """Return a band code such as "b8", whether it was written B08, Band 8 or b8."""
    match = re.fullmatch(r"b(?:and)?[ _-]*0*(\d+a?)", name.strip().lower())
    return f"b{match[1]}" if match else ""


def _number(value: Any) -> float:
    if isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan

"""What there is to know about a scene, as short texts for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rsam_core.runtime.language import N_
from rsam_core.scene.ground_distance import ground_pixel_size
from rsam_core.scene.longitudes import wrap_longitudes_near

if TYPE_CHECKING:
    from rsam_core.scene.scene import Scene

_TYPES = {
    "uint8": "8 bits",
    "int8": "8 bits, signed",
    "uint16": "16 bits",
    "int16": "16 bits, signed",
    "uint32": "32 bits",
    "int32": "32 bits, signed",
    "float32": "32-bit decimals",
    "float64": "64-bit decimals",
}
_MAX_NAMES = 6
# Sides of a pixel that differ by less are called square.
_SQUARE = 0.02


def facts(scene: Scene) -> list[tuple[str, str]]:
    """Describe a scene.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    list of (str, str)
        Name and text of each fact, the most wanted first: "Size", "Bands", "Values",
        "Coordinates", "Pixel on the ground", "Extent", "Centre", "Without data" and "Source".
        Those that are unknown are left out, except for coordinates and pixel size, which say so.
    """
    rows = [
        (N_("Size"), f"{scene.width:,} × {scene.height:,} pixels"),
        (N_("Bands"), _bands(scene)),
        (N_("Values"), _TYPES.get(scene.dtype, scene.dtype)),
        (N_("Coordinates"), crs_title(scene)),
        (N_("Pixel on the ground"), _pixel(scene)),
    ]
    if scene.gsd:
        across, down = _sides(scene)
        rows.append((N_("Extent"), _extent(scene.width * across, scene.height * down)))
    centre = centre_of(scene)
    if centre is not None:
        rows.append((N_("Centre"), _degrees(*centre)))
    if scene.nodata_share > 0:
        rows.append((N_("Without data"), share_text(scene.nodata_share)))
    if scene.attribution:
        rows.append((N_("Source"), scene.attribution))
    return rows


def crs_title(scene: Scene) -> str:
    """Return the name of the coordinate system, or what is missing."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if scene.transform is None:
        return "none: a plain image"
    if scene.crs is None:
        return "not named in the file"
    try:
        crs = CRS.from_user_input(scene.crs)
    except CRSError:
        return scene.crs[:40]
    return f"{crs.name} ({scene.crs})" if scene.crs.startswith("EPSG:") else crs.name


def centre_of(scene: Scene) -> tuple[float, float] | None:
    """Return longitude and latitude (WGS 84, degrees) of the centre; None where unknown."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    if scene.transform is None or scene.crs is None:
        return None
    x, y = scene.pixel_to_map(scene.width / 2, scene.height / 2)
    try:
        lon, lat = Transformer.from_crs(scene.crs, "EPSG:4326", always_xy=True).transform(x, y)
    except ProjError:
        return None
    known = math.isfinite(lon) and math.isfinite(lat) and abs(lat) <= 90
    return (float(wrap_longitudes_near(lon, 0)), lat) if known else None


def share_text(share: float) -> str:
    """Return a share from 0 to 1 as a percentage that is never rounded to nothing or to all."""
    if 0 < share < 0.01:
        return "under 1 %"
    if 0.99 < share < 1:
        return "over 99 %"
    return f"about {share:.0%}".replace("%", " %")


def _bands(scene: Scene) -> str:
    names = list(scene.band_names)
    numbered = [f"band {number}" for number in range(1, scene.count + 1)]
    if names == numbered:
        return f"{scene.count}, not named" if scene.count > 1 else "1"
    if len(names) > _MAX_NAMES:
        names = [*names[: _MAX_NAMES - 1], "…"]
    return f"{scene.count}: {', '.join(names)}"


def _pixel(scene: Scene) -> str:
    if not scene.gsd:
        return "unknown"
    across, down = _sides(scene)
    if abs(across - down) > _SQUARE * scene.gsd:
        if min(across, down) < 0.1:
            return f"{across * 100:.3g} × {down * 100:.3g} cm"
        return f"{across:.3g} × {down:.3g} m"
    return _metres(scene.gsd)


def _sides(scene: Scene) -> tuple[float, float]:
    """Return the sides of a pixel in metres; both the same where only one number is known."""
    if scene.transform is None or scene.crs is None:
        return scene.gsd, scene.gsd
    size = ground_pixel_size(scene.transform, scene.crs, scene.width, scene.height)
    if size is None:
        return scene.gsd, scene.gsd
    # Scaled to the ground distance in force, which the user may have typed, or which is nominal.
    factor = scene.gsd / math.sqrt(size[0] * size[1])
    return size[0] * factor, size[1] * factor


def _extent(width: float, height: float) -> str:
    if max(width, height) < 2000:
        return f"{width:,.0f} × {height:,.0f} m"
    digits = 1 if max(width, height) < 100_000 else 0
    return f"{width / 1000:,.{digits}f} × {height / 1000:,.{digits}f} km"


def _metres(value: float) -> str:
    if value < 0.1:
        return f"{value * 100:.2g} cm"
    return f"{value:.3g} m" if value < 1000 else f"{value:,.0f} m"


def _degrees(lon: float, lat: float) -> str:
    north = "N" if lat >= 0 else "S"
    east = "E" if lon >= 0 else "W"
    return f"{abs(lat):.5f}° {north}, {abs(lon):.5f}° {east}"

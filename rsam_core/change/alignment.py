"""Two dates of one place brought onto a common grid, and how well that went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from rsam_core.change._light import light_and_clouds
from rsam_core.change._registering import registered
from rsam_core.change.aligned import Alignment, AlignSettings
from rsam_core.change.grid import Layer, choose_reference, is_placed
from rsam_core.change.picture import Picture, as_picture, date_in_name, same_content
from rsam_core.errors import AlignError, Cancelled, ChangeError
from rsam_core.runtime.progress import Progress


def align(
    before: Any,
    after: Any,
    settings: AlignSettings | None = None,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Alignment:
    """Bring two dates of one place onto a common grid.

    The grid is that of the first date, or of the second where that is clearly coarser. By the
    georeference where both have one, else from the pictures; what is still displaced is measured
    by phase correlation in tiles, outliers are left out, and it is corrected.

    Parameters
    ----------
    before, after : Scene or ndarray of uint8, shape (H, W, 3)
    settings : AlignSettings, optional
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between tiles; True ends the work.

    Returns
    -------
    Alignment

    Raises
    ------
    AlignError
        The scenes do not overlap (the message says how far apart they are), or nothing in the
        pictures agrees.
    ChangeError
        Both are the same file.
    Cancelled
        If `cancelled` said so.
    """
    settings = settings or AlignSettings()
    first, second = as_picture(before), as_picture(after)
    if same_content(first, second):
        raise ChangeError(
            f"Both dates are the same picture (“{second.name}”). Choose another file for the "
            "second date."
        )
    notes: list[str] = []
    dates = date_in_name(first.name), date_in_name(second.name)
    if all(dates) and dates[0] > dates[1]:
        notes.append(
            f"By their names the first picture ({dates[0]}) is newer than the second "
            f"({dates[1]}). If that is so, swap them: “new” and “gone” would be exchanged."
        )
    by_map = is_placed(first) and is_placed(second)
    if by_map:
        check_overlap(first, second)
    elif is_placed(first) != is_placed(second):
        lost = second if is_placed(first) else first
        notes.append(
            f"Nothing says where “{lost.name}” lies, so it was fitted by what the pictures show."
        )
    reference = choose_reference(first, second)
    result = Alignment(Layer(first, reference, np.eye(3)), Layer(second, reference, np.eye(3)))

    def tell(share: float, text: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None:
            progress(share, text)

    tell(0.0, "looking where the pictures fit")
    if settings.register or not by_map:
        result, told = registered(result, settings, by_map, tell)
        notes += told
    tell(0.85, "light and clouds")
    result, told = light_and_clouds(result, settings)
    notes += told
    tell(1.0, "aligned")
    return replace(result, notes=tuple(notes))


def check_overlap(first: Picture, second: Picture) -> None:
    """Raise an error that tells the distance if two placed scenes do not overlap."""
    from pyproj import Geod
    from rasterio.errors import CRSError
    from rasterio.warp import transform_bounds

    bounds = []
    for picture in (first, second):
        corners = np.array(
            [picture.transform @ (x, y) for x in (0, picture.width) for y in (0, picture.height)]
        )
        try:
            bounds.append(
                transform_bounds(picture.crs, "EPSG:4326", *corners.min(0), *corners.max(0))
            )
        except (CRSError, ValueError) as error:
            raise AlignError(
                f"The place of “{picture.name}” on the Earth cannot be computed. Check its "
                "coordinate system."
            ) from error
    (w1, s1, e1, n1), (w2, s2, e2, n2) = bounds
    if w1 < e2 and w2 < e1 and s1 < n2 and s2 < n1:
        return
    lon = (e1, w2) if e1 < w2 else (w1, e2) if e2 < w1 else (max(w1, w2),) * 2
    lat = (n1, s2) if n1 < s2 else (s1, n2) if n2 < s1 else (max(s1, s2),) * 2
    metres = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])[2]
    apart = f"{metres / 1000:,.0f} km" if metres >= 10_000 else f"{metres:,.0f} m"
    raise AlignError(
        f"“{first.name}” and “{second.name}” do not show the same place: they lie {apart} apart. "
        "Choose two pictures of one place, or check their coordinate systems."
    )

"""Two dates of one place brought onto a common grid, and how well that went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.clouds import cloudy
from rsam_core.change.grid import Layer, choose_reference, is_placed, tiles
from rsam_core.change.picture import Picture, as_picture, date_in_name, same_content
from rsam_core.change.radiometry import ToneCurve
from rsam_core.change.registration import MODELS, Fit, coarse, edges, fit, measure
from rsam_core.errors import AlignError, Cancelled, ChangeError
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window

WARN_FROM = 2.0
"""Pixels of residual displacement from which on people are warned."""

_OVERVIEW = 1024
"""Longest side of the reduced pictures for the coarse search, histograms and clouds."""

_MOST_TILES = 64
_TURNS = tuple(np.arange(-6.0, 6.01, 1.0))
_SCALES = tuple(1.0 * 1.035 ** np.arange(-8, 9))


@dataclass(frozen=True)
class AlignSettings:
    """How two dates are aligned.

    Parameters
    ----------
    register : bool
        Whether to measure and correct what the georeference leaves; without a georeference it is
        always measured.
    model : str
        "shift", "similarity", "affine", or "auto" for the simplest that explains the pictures.
    radiometry : str
        "histogram": the second date gets the histogram of the first; "none".
    clouds : bool
        Whether to leave out clouds.
    reach : float
        Largest shift in pixels that is searched.
    """

    register: bool = True
    model: str = "auto"
    radiometry: str = "histogram"
    clouds: bool = True
    reach: float = 64.0

    def __post_init__(self) -> None:
        if self.model not in (*MODELS, "auto"):
            raise ChangeError(f"Choose {', '.join(MODELS)} or auto, not “{self.model}”.")
        if self.radiometry not in ("histogram", "none"):
            raise ChangeError(f"Choose histogram or none for the light, not “{self.radiometry}”.")
        if not 1 <= self.reach <= 1000:
            raise ChangeError("The largest shift lies between 1 and 1000 pixels.")


@dataclass(frozen=True, eq=False)
class Alignment:
    """Both dates on one grid; pixels are read in windows.

    Attributes
    ----------
    before, after : Layer
        Each date on the grid.
    reference : Picture
        The picture whose pixels are those of the grid.
    shift : tuple of float
        Displacement (x, y) at the middle of the grid that was found and is corrected, pixels: how
        far the second date lay to the right and below.
    turn, scale : float
        Likewise in degrees, and as a factor.
    model : str
        "shift", "similarity", "affine", or "none" where nothing was measured.
    residual_px : float
        What is left after the correction: root mean square over the tiles, pixels of the grid;
        nan where it could not be measured.
    tiles_used, tiles_measured : int
        Tiles that agree, and all.
    tone : ToneCurve
        What makes the second date look like the first.
    overlap : float
        Share of the grid that both dates show.
    cloud_share : tuple of float
        Share of the grid under clouds at each date.
    notes : tuple of str
        What people should know.
    """

    before: Layer
    after: Layer
    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    scale: float = 1.0
    model: str = "none"
    residual_px: float = float("nan")
    tiles_used: int = 0
    tiles_measured: int = 0
    tone: ToneCurve = field(default_factory=ToneCurve.unchanged, repr=False)
    overlap: float = 1.0
    cloud_share: tuple[float, float] = (0.0, 0.0)
    notes: tuple[str, ...] = ()
    _clouds: NDArray[np.bool_] | None = field(default=None, repr=False)

    @property
    def reference(self) -> Picture:
        """The picture whose pixels are those of the grid."""
        return self.before.reference

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the grid."""
        return self.reference.height, self.reference.width

    @property
    def gsd(self) -> float | None:
        """Metres a pixel of the grid, if known."""
        return self.reference.gsd

    @property
    def residual_m(self) -> float | None:
        """`residual_px` in metres; None without a ground sample distance."""
        return None if self.gsd is None else self.residual_px * self.gsd

    @property
    def matrix(self) -> NDArray[np.float64]:
        """From pixels of the grid to what shows the same place, corrected minus nominal, (3, 3).

        Without a georeference it leads to pixels of the picture that does not give the grid.
        """
        moving = self.after if self.after.picture is not self.reference else self.before
        return moving.matrix

    def read(
        self, window: Window | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
        """Both dates on a window of the grid.

        Parameters
        ----------
        window : Window, optional
            The whole grid by default.

        Returns
        -------
        before, after : ndarray of uint8, shape (h, w, 3)
            The second date with the light of the first, if that was asked for. Where one date
            shows nothing it holds the other's pixels, so that no edge appears there.
        valid : ndarray of bool, shape (h, w)
            Where both show the ground.
        """
        window = Window(0, 0, self.shape[1], self.shape[0]).part(window)
        first, seen_first = self.before.read(window)
        second, seen_second = self.after.read(window)
        second = self.tone(second)
        first[~seen_first] = second[~seen_first]
        second[~seen_second] = first[~seen_second]
        neither = ~(seen_first | seen_second)
        first[neither], second[neither] = 0, 0
        return first, second, seen_first & seen_second & ~self.clouded(window)

    def clouded(self, window: Window | None = None) -> NDArray[np.bool_]:
        """Where clouds hide the ground at either date, (h, w) bool."""
        window = Window(0, 0, self.shape[1], self.shape[0]).part(window)
        if self._clouds is None:
            return np.zeros((window.height, window.width), bool)
        fy, fx = np.array(self._clouds.shape) / self.shape
        rows = ((np.arange(window.height) + window.y + 0.5) * fy).astype(int)
        columns = ((np.arange(window.width) + window.x + 0.5) * fx).astype(int)
        rows = np.minimum(rows, self._clouds.shape[0] - 1)
        columns = np.minimum(columns, self._clouds.shape[1] - 1)
        return self._clouds[np.ix_(rows, columns)]

    @cached_property
    def dates(self) -> tuple[str | None, str | None]:
        """Dates that the file names tell."""
        return date_in_name(self.before.picture.name), date_in_name(self.after.picture.name)


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
        result, told = _registered(result, settings, by_map, tell)
        notes += told
    tell(0.85, "light and clouds")
    result, told = _light_and_clouds(result, settings)
    notes += told
    tell(1.0, "aligned")
    return replace(result, notes=tuple(notes))


# --- where the scenes lie ------------------------------------------------------------------


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


# --- measuring ------------------------------------------------------------------------------


def _tile_windows(shape: tuple[int, int]) -> list[Window]:
    """Up to `_MOST_TILES` tiles, evenly over the grid."""
    side = 64 if min(shape) < 320 else 128 if min(shape) < 900 else 256
    side = min(side, *shape)
    windows = tiles(shape, side, side // 2)
    if len(windows) > _MOST_TILES:
        columns = len({w.x for w in windows})
        rows = len(windows) // columns
        across = np.unique(np.linspace(0, columns - 1, min(columns, 8)).round().astype(int))
        down = np.unique(np.linspace(0, rows - 1, min(rows, 8)).round().astype(int))
        keep = [r * columns + c for r in down for c in across]
        windows = [windows[i] for i in keep]
    return windows


def _moved(alignment: Alignment, matrix: NDArray[np.float64]) -> Alignment:
    """The same with a correction for the picture that does not give the grid."""
    if alignment.after.picture is alignment.reference:
        return replace(alignment, before=replace(alignment.before, matrix=matrix))
    return replace(alignment, after=replace(alignment.after, matrix=matrix))


def _moving(alignment: Alignment) -> Layer:
    at_reference = alignment.after.picture is alignment.reference
    return alignment.before if at_reference else alignment.after


def _registered(
    start: Alignment, settings: AlignSettings, by_map: bool, tell: Progress
) -> tuple[Alignment, list[str]]:
    windows = _tile_windows(start.shape)
    best: tuple[Alignment, Fit, int] | None = None
    for attempt in range(3):
        if attempt == 0:
            trial = [np.eye(3)] if by_map or _alike(start) else []
        elif attempt == 1:
            trial = [_coarse(start, by_map, (0.0,), (1.0,))]
        else:
            trial = [_coarse(start, by_map, _TURNS, _SCALES)]
        for guess in trial:
            tell(0.1 + 0.2 * attempt, "measuring the displacement")
            found = _refined(_moved(start, guess), windows, settings, tell)
            if found is not None and (best is None or _better(found[1], best[1])):
                best = found
        if best is not None and best[1].inliers.mean() > 0.5 and best[1].rms < 1.0:
            break
    if best is None or not best[1].credible:
        if not by_map:
            raise AlignError(
                f"Nothing in “{start.after.picture.name}” could be found again in "
                f"“{start.before.picture.name}”. Check that both show the same place, at similar "
                "size and direction (up to 5° turned, 0.8 to 1.25 times as large), or use files "
                "with a georeference."
            )
        note = (
            "How far the pictures are displaced could not be measured, because too little in "
            "them is alike; they lie as their georeference says."
        )
        return start, [note]
    aligned, last, measured = best
    return _described(aligned, last, measured)


def _alike(start: Alignment) -> bool:
    """Whether two pictures without a place have about the same size."""
    ratio = np.array(start.before.picture.shape) / start.after.picture.shape
    return bool((ratio > 0.9).all() and (ratio < 1.1).all())


def _better(first: Fit, second: Fit) -> bool:
    return first.inliers.sum() / (1 + first.rms) > second.inliers.sum() / (1 + second.rms)


def _overviews(alignment: Alignment) -> tuple[NDArray, NDArray, NDArray[np.bool_], float]:
    """Both dates on the grid reduced, where both are valid, and the factor of reduction."""
    height, width = alignment.shape
    factor = min(1.0, _OVERVIEW / max(height, width))
    rows, columns = max(1, round(height * factor)), max(1, round(width * factor))
    pictures = []
    for layer in (alignment.before, alignment.after):
        small = _Reduced(layer, rows, columns)
        pictures.append(small.read())
    (first, seen), (second, known) = pictures
    return first, second, seen & known, factor


class _Reduced:
    """A layer read on a reduced grid, in strips, so that memory stays small."""

    def __init__(self, layer: Layer, rows: int, columns: int) -> None:
        self.layer, self.rows, self.columns = layer, rows, columns

    def read(self) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """RGB (rows, columns, 3) and where there is a measurement."""
        import cv2

        reference = self.layer.reference
        height, width = reference.height, reference.width
        if (self.rows, self.columns) == (height, width):
            return self.layer.read()
        image = np.zeros((self.rows, self.columns, 3), np.uint8)
        valid = np.zeros((self.rows, self.columns), bool)
        step = max(1, 4_000_000 // width * self.rows // height)
        for top in range(0, self.rows, step):
            bottom = min(top + step, self.rows)
            y0, y1 = round(top * height / self.rows), round(bottom * height / self.rows)
            rgb, seen = self.layer.read(Window(0, y0, width, y1 - y0))
            size = self.columns, bottom - top
            image[top:bottom] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
            share = cv2.resize(seen.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            valid[top:bottom] = share > 0.99
        return image, valid


def _coarse(
    start: Alignment, by_map: bool, turns: tuple[float, ...], scales: tuple[float, ...]
) -> NDArray[np.float64]:
    """A first guess of the correction from the reduced pictures."""
    if by_map:
        first, second, valid, factor = _overviews(start)
        if start.after.picture is start.reference:
            first, second = second, first
        found, _ = coarse(edges(first, valid), edges(second, valid), turns, scales)
        size = np.diag([factor, factor, 1.0])
        return np.linalg.inv(size) @ found @ size
    moving = _moving(start)
    pictures, factors = [], []
    longest = max(*start.shape, *moving.picture.shape)
    for picture in (start.reference, moving.picture):
        side = max(1, round(max(picture.shape) * min(1.0, _OVERVIEW / longest)))
        rgb = picture.read_rgb(max_size=side)
        pictures.append(edges(rgb))
        factors.append(rgb.shape[1] / picture.width)
    found, _ = coarse(*pictures, turns, scales)
    to_small = np.diag([factors[0], factors[0], 1.0])
    return np.linalg.inv(np.diag([factors[1], factors[1], 1.0])) @ found @ to_small


def _refined(
    guess: Alignment, windows: list[Window], settings: AlignSettings, tell: Progress
) -> tuple[Alignment, Fit, int] | None:
    """Measure, correct, and measure again what is left."""
    current, result = guess, None
    for turn, (tolerance, reach) in enumerate(((4.0, settings.reach), (2.0, 8.0), (1.5, 4.0))):
        at = current

        def read(
            window: Window, at: Alignment = at, share: float = 0.15 + 0.2 * turn
        ) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
            tell(share, "measuring the displacement")
            first, seen = at.before.read(window)
            second, known = at.after.read(window)
            if at.after.picture is at.reference:
                first, second = second, first
            return first, second, seen & known

        found = measure(read, windows, reach)
        model = settings.model
        step = fit(found, model, tolerance)
        if step is None or not step.credible:
            return result
        # What the tiles see is on the corrected grid: it comes before the correction so far.
        matrix = _moving(current).matrix @ step.matrix
        current = _moved(current, matrix)
        result = current, step, len(found.places)
    return result


def _described(aligned: Alignment, last: Fit, measured: int) -> tuple[Alignment, list[str]]:
    layer = _moving(aligned)
    matrix = layer.matrix
    centre = np.array([aligned.shape[1] / 2, aligned.shape[0] / 2, 1.0])
    target = (matrix @ centre)[:2]
    if not layer.by_map:
        # Two pictures without a place are compared centre to centre.
        own = np.array([layer.picture.width / 2, layer.picture.height / 2])
        shift = target - own
    else:
        shift = target - centre[:2]
    sign = -1.0 if aligned.after.picture is aligned.reference else 1.0
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    turn = float(np.rad2deg(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1])))
    linear = np.abs(matrix[:2, :2] - np.eye(2)).max()
    model = "shift" if linear < 1e-9 else last.model if last.model != "shift" else "similarity"
    result = replace(
        aligned,
        shift=(float(sign * shift[0]), float(sign * shift[1])),
        turn=sign * turn,
        scale=scale**sign,
        model=model,
        residual_px=last.rms,
        tiles_used=int(last.inliers.sum()),
        tiles_measured=measured,
    )
    notes = []
    moved = float(np.hypot(*result.shift))
    unit = f" ({moved * result.gsd:.1f} m)" if result.gsd else ""
    if layer.by_map and moved > WARN_FROM:
        notes.append(
            f"The second picture lay {moved:.1f} pixels{unit} off, by its georeference; that was "
            "corrected."
        )
    if result.residual_px > WARN_FROM:
        left = f" ({result.residual_m:.1f} m)" if result.residual_m else ""
        notes.append(
            f"After alignment the pictures are still {result.residual_px:.1f} pixels{left} "
            "apart on average. Changes narrower than that are not reliable."
        )
    if result.tiles_used < 0.4 * max(measured, 1):
        notes.append(
            f"Only {result.tiles_used} of {measured} parts of the pictures agree on how they fit "
            "together. Check the alignment with the swipe handle."
        )
    return result, notes


# --- light, clouds --------------------------------------------------------------------------


def _light_and_clouds(alignment: Alignment, settings: AlignSettings) -> tuple[Alignment, list[str]]:
    first, second, valid, _ = _overviews(alignment)
    notes: list[str] = []
    overlap = float(valid.mean())
    if overlap == 0:
        raise AlignError(
            f"“{alignment.before.picture.name}” and “{alignment.after.picture.name}” have no "
            "pixel in common: where one shows the ground, the other is empty. Choose pictures "
            "that overlap."
        )
    if overlap < 0.98:
        notes.append(
            f"Only {overlap:.0%} of the area is shown at both dates. Nothing is said about the "
            "rest."
        )
    clouds = None
    shares = (0.0, 0.0)
    if settings.clouds:
        found = [cloudy(first, second, valid), cloudy(second, first, valid)]
        shares = tuple(float(f.mean()) for f in found)
        for which, share in zip(("first", "second"), shares):
            if share:
                notes.append(
                    f"About {share:.0%} of the {which} picture lies under clouds. Nothing is said "
                    "about that part."
                )
        joined = found[0] | found[1]
        clouds = joined if joined.any() else None
        valid = valid & ~joined
    tone = ToneCurve.unchanged()
    if settings.radiometry == "histogram":
        tone = ToneCurve.matching(second, first, valid)
    return (
        replace(alignment, tone=tone, overlap=overlap, cloud_share=shares, _clouds=clouds),
        notes,
    )

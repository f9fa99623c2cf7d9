"""Two dates on one grid: how they were aligned, and both to be read there."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.grid import Layer
from rsam_core.change.picture import Picture, date_in_name
from rsam_core.change.radiometry import ToneCurve
from rsam_core.change.registration import MODELS
from rsam_core.errors import ChangeError
from rsam_core.scene.window import Window

WARN_FROM = 2.0
"""Pixels of residual displacement from which on people are warned."""

FEW = 0.4
"""Share of the tiles below which too few agree."""


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
    def doubtful(self) -> bool:
        """Whether the pictures may not lie on each other: more than `WARN_FROM` pixels are left,
        or few parts of them agree."""
        few = self.tiles_used < FEW * self.tiles_measured
        return self.residual_px > WARN_FROM or few

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

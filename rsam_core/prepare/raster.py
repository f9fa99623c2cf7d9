"""`Raster`: the bands of an image in memory, with what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import PrepareError

if TYPE_CHECKING:
    from affine import Affine


Limits = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Raster:
    """The bands of an image, or of a part or a reduced copy of it.

    Attributes
    ----------
    values : ndarray of float32, shape (H, W, C)
        The bands in the units of the file, an alpha band excluded. Finite everywhere. Steps may
        leave values beyond the range of `dtype`; they are clipped when a scene is made.
    valid : ndarray of bool, shape (H, W)
        Where something was measured. Other pixels hold any value and stay as they are.
    limits : tuple of float
        Black and white: (0, 255) for uint8, otherwise the range that the view of the file spans.
        "Brightness +10 %" means a tenth of it.
    band_names : tuple of str
        One a band.
    transform : affine.Affine or None
        Pixels of *this* raster to map coordinates.
    crs : str or None
        As in `Scene`.
    gsd : float or None
        Metres per pixel of *this* raster.
    dtype : str
        Data type in which a scene is written ("uint8", "uint16", "float32", ...).
    scale : float
        Pixels of the full image along one pixel of this raster: 1, or more in a reduced copy for
        a preview. Steps divide lengths and coordinates given in pixels by it.
    display : tuple of (float, float) or None
        For each band the values shown as black and white; None stands for `limits`.
    view_bands : tuple of int
        Bands shown, from 0: one (grey) or three (red, green, blue).
    view_gamma : float
        Gamma of the view, as chosen for the scene; it is no part of the values.
    """

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    limits: Limits
    band_names: tuple[str, ...]
    transform: Affine | None = None
    crs: str | None = None
    gsd: float | None = None
    dtype: str = "float32"
    scale: float = 1.0
    display: tuple[Limits, ...] | None = None
    view_bands: tuple[int, ...] = ()
    view_gamma: float = 1.0

    def __post_init__(self) -> None:
        values = np.asarray(self.values, np.float32)
        if values.ndim == 2:
            values = values[..., None]
        if values.ndim != 3 or 0 in values.shape:
            raise PrepareError(
                f"An image to prepare needs rows, columns and bands; its shape is {values.shape}."
            )
        valid = np.asarray(self.valid, bool)
        if valid.shape != values.shape[:2]:
            raise PrepareError(
                f"The mask of valid pixels is {valid.shape} and the image {values.shape[:2]}. "
                "They must have the same rows and columns."
            )
        count = values.shape[2]
        if len(self.band_names) != count:
            raise PrepareError(f"{count} bands need as many names, not {len(self.band_names)}.")
        shown = self.view_bands
        if len(shown) not in (1, 3) or max(shown) >= count:
            shown = (0, 1, 2) if count >= 3 else (0,)
        for name, value in (("values", values), ("valid", valid), ("view_bands", shown)):
            object.__setattr__(self, name, value)

    @property
    def height(self) -> int:
        """Rows."""
        return self.values.shape[0]

    @property
    def width(self) -> int:
        """Columns."""
        return self.values.shape[1]

    @property
    def count(self) -> int:
        """Bands."""
        return self.values.shape[2]

    @property
    def span(self) -> float:
        """White minus black."""
        return self.limits[1] - self.limits[0]

    @property
    def shown(self) -> tuple[Limits, ...]:
        """Values shown as black and white, for each band."""
        return self.display or (self.limits,) * self.count

    @classmethod
    def of_array(cls, values: ArrayLike, valid: ArrayLike | None = None, **fields: Any) -> Raster:
        """Wrap an array.

        Parameters
        ----------
        values : array_like, shape (H, W) or (H, W, C)
            Any real data type; it decides `dtype` and `limits` unless `fields` do. Pixels that
            are not finite become invalid.
        valid : array_like of bool, shape (H, W), optional
            Where something was measured; everywhere by default.
        **fields : Any
            Further attributes.

        Returns
        -------
        Raster
        """
        array = np.asarray(values)
        array = array[..., None] if array.ndim == 2 else array
        if array.ndim != 3:
            raise PrepareError(
                f"An image to prepare needs rows, columns and bands; its shape is {array.shape}."
            )
        finite = np.isfinite(array)
        measured = finite.all(axis=-1)
        if valid is not None:
            measured = measured & np.asarray(valid, bool)
        if "limits" not in fields:
            if array.dtype == np.uint8:
                fields["limits"] = (0.0, 255.0)
            else:
                inside = array[measured] if measured.any() else np.array([0.0, 1.0])
                low, high = (float(v) for v in np.percentile(inside, (2, 98)))
                fields["limits"] = (low, high if high > low else low + 1.0)
        fields.setdefault("band_names", tuple(f"band {i + 1}" for i in range(array.shape[2])))
        fields.setdefault("dtype", storage_type(array.dtype))
        return cls(np.where(finite, array, 0).astype(np.float32), measured, **fields)

    def changed(self, **fields: Any) -> Raster:
        """A copy with some attributes replaced.

        Where the number of bands changes, `band_names` must be given; `display` and `view_bands`
        return to their defaults unless given. If only the size changes, `valid` must be given.
        """
        values = fields.get("values")
        if values is not None and (np.ndim(values) != 3 or np.shape(values)[2] != self.count):
            fields.setdefault("display", None)
            fields.setdefault("view_bands", ())
        return replace(self, **fields)

    def with_values(self, values: NDArray, **fields: Any) -> Raster:
        """A copy of the same size and bands with new values; invalid pixels keep their old ones.

        Parameters
        ----------
        values : ndarray, shape (H, W, C)
        **fields : Any
            Further attributes to replace.
        """
        if not self.valid.all():
            values = np.where(self.valid[..., None], values, self.values)
        return replace(self, values=values.astype(np.float32, copy=False), **fields)

    def cropped(self, x: int, y: int, width: int, height: int) -> Raster:
        """A part of the raster, in its own pixels."""
        rows, columns = slice(y, y + height), slice(x, x + width)
        return replace(
            self,
            values=np.ascontiguousarray(self.values[rows, columns]),
            valid=np.ascontiguousarray(self.valid[rows, columns]),
            transform=placed(self.transform, x, y),
        )

    def rgb(self) -> NDArray[np.uint8]:
        """The picture that people and models see, (H, W, 3); invalid pixels are black."""
        from rsam_core.scene.rendering import stretched

        bands = [
            stretched(self.values[..., i], *self.shown[i], gamma=self.view_gamma)
            for i in self.view_bands
        ]
        picture = np.stack([bands[min(i, len(bands) - 1)] for i in range(3)], axis=-1)
        picture[~self.valid] = 0
        return picture


def storage_type(dtype: Any) -> str:
    """Data type in which values of a data type are written again after preparation."""
    dtype = np.dtype(dtype)
    return dtype.name if dtype.name in ("uint8", "uint16", "int16") else "float32"


def placed(
    transform: Affine | None, x: float, y: float, across: float = 1.0, down: float = 1.0
) -> Affine | None:
    """Transform of a part that starts at pixel (`x`, `y`) and has pixels of another size.

    Parameters
    ----------
    transform : Affine or None
        Of the whole.
    x, y : float
        Top-left corner of the part, in pixels of the whole.
    across, down : float
        Pixels of the whole in one pixel of the part.
    """
    if transform is None:
        return None
    a, b, c, d, e, f = transform[:6]
    corner = a * x + b * y + c, d * x + e * y + f
    return type(transform)(a * across, b * down, corner[0], d * across, e * down, corner[1])

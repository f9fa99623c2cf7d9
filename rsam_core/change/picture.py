"""What is compared: an opened scene, or an array that behaves like one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from affine import Affine
from numpy.typing import NDArray

from rsam_core.errors import ChangeError
from rsam_core.scene.window import Window


class Picture(Protocol):
    """The part of a scene that is read here; see `rsam_core.scene.scene.Scene`."""

    name: str
    width: int
    height: int
    crs: str | None
    transform: Affine | None
    gsd: float | None

    @property
    def shape(self) -> tuple[int, int]: ...
    def read_rgb(
        self, window: Window | None = None, max_size: int | None = None
    ) -> NDArray[np.uint8]: ...
    def valid_mask(self, window: Window | None = None) -> NDArray[np.bool_]: ...


@dataclass(frozen=True, eq=False)
class ArrayPicture:
    """An RGB array, with a place on the map if that is known.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)
    name : str
    crs, transform, gsd
        As in `rsam_core.scene.scene.Scene`.
    valid : ndarray of bool, shape (H, W), optional
        Where there is a measurement.
    """

    image: NDArray[np.uint8]
    name: str = "picture"
    crs: str | None = None
    transform: Affine | None = None
    gsd: float | None = None
    valid: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        image = np.asarray(self.image)
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ChangeError(
                f"A picture must be (H, W, 3) and uint8; got shape {image.shape}, type "
                f"{image.dtype}. Open a file with open_scene instead."
            )

    @property
    def width(self) -> int:
        """Columns."""
        return self.image.shape[1]

    @property
    def height(self) -> int:
        """Rows."""
        return self.image.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.image.shape[:2]

    @property
    def pixel_area_m2(self) -> float | None:
        """Ground area of a pixel; None without a ground sample distance."""
        return None if self.gsd is None else self.gsd**2

    def read_rgb(
        self, window: Window | None = None, max_size: int | None = None
    ) -> NDArray[np.uint8]:
        """See `rsam_core.scene.scene.Scene.read_rgb`."""
        part = Window(0, 0, self.width, self.height).part(window)
        image, shape = self.image[part.slices], part.reduced_shape(max_size)
        if shape != image.shape[:2]:
            image = cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)
        return image

    def valid_mask(self, window: Window | None = None) -> NDArray[np.bool_]:
        """See `rsam_core.scene.scene.Scene.valid_mask`."""
        part = Window(0, 0, self.width, self.height).part(window)
        if self.valid is None:
            return np.ones((part.height, part.width), bool)
        return self.valid[part.slices]


def as_picture(source: Any) -> Picture:
    """A scene as it is, an array (H, W, 3) of uint8 as a picture.

    Raises
    ------
    ChangeError
        It is neither.
    """
    if hasattr(source, "read_rgb") and hasattr(source, "valid_mask"):
        return source
    if isinstance(source, np.ndarray):
        return ArrayPicture(source)
    raise ChangeError(
        f"A date must be a scene or an array of pixels, not {type(source).__name__}. Open the "
        "file with open_scene first."
    )


_DATE = re.compile(
    r"(?<!\d)((?:19|20)\d\d)(?:[-_.]?(0[1-9]|1[0-2])(?:[-_.]?(0[1-9]|[12]\d|3[01]))?)?(?!\d)"
)


def date_in_name(name: str) -> str | None:
    """The date that a file name tells, as "2016", "2016-05" or "2016-05-31"; None without one.

    The last one counts: what stands before it often names the place or the product.
    """
    found = list(_DATE.finditer(name))
    return "-".join(part for part in found[-1].groups() if part) if found else None


def same_content(first: Picture, second: Picture) -> bool:
    """Whether both dates are one and the same file or array."""
    hashes = [getattr(picture, "content_hash", None) for picture in (first, second)]
    if all(hashes):
        return hashes[0] == hashes[1]
    images = [getattr(picture, "image", None) for picture in (first, second)]
    if any(image is None for image in images):
        return False
    return images[0].shape == images[1].shape and bool(np.array_equal(*images))

"""`Window`: a rectangle of whole scene pixels."""

from __future__ import annotations

import operator
from dataclasses import dataclass

from rsam_core.errors import SceneError


@dataclass(frozen=True, slots=True)
class Window:
    """A rectangle of whole scene pixels.

    Parameters
    ----------
    x, y : int
        Column and row of the top-left pixel.
    width, height : int
        Size in pixels, at least 1.

    Raises
    ------
    SceneError
        A value is not a whole number, or the window has no area.
    """

    x: int
    y: int
    width: int
    height: int

    def __post_init__(self) -> None:
        for name in ("x", "y", "width", "height"):
            try:
                object.__setattr__(self, name, operator.index(getattr(self, name)))
            except TypeError as error:
                raise SceneError(
                    f"A window needs whole pixels, and its {name} is {getattr(self, name)!r}. "
                    "Round it first."
                ) from error
        if self.width < 1 or self.height < 1:
            raise SceneError(
                f"A window of {self.width} × {self.height} pixels is empty. "
                "Its width and height must be at least 1."
            )

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns, to index an (H, W) or (H, W, C) array of the whole scene."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def part(self, window: Window | None) -> Window:
        """Return a window after checking that it lies inside this one, or this one for None.

        Raises
        ------
        SceneError
            It reaches beyond this one.
        """
        if window is None:
            return self
        right, bottom = window.x + window.width, window.y + window.height
        inside = (
            window.x >= self.x
            and window.y >= self.y
            and right <= self.x + self.width
            and bottom <= self.y + self.height
        )
        if not inside:
            raise SceneError(
                f"The window from ({window.x}, {window.y}) to ({right}, {bottom}) reaches beyond "
                f"the image of {self.width} × {self.height} pixels. Choose one inside."
            )
        return window

    def reduced_shape(self, max_size: int | None) -> tuple[int, int]:
        """Return (height, width) once the longest side is at most `max_size` pixels.

        Raises
        ------
        SceneError
            `max_size` is below 1.
        """
        if max_size is None:
            return self.height, self.width
        if max_size < 1:
            raise SceneError(f"A view cannot be {max_size} pixels large. max_size is at least 1.")
        scale = min(1.0, max_size / max(self.width, self.height))
        return max(1, round(self.height * scale)), max(1, round(self.width * scale))

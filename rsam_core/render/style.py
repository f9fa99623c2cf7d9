"""How objects are drawn: a validated bundle of settings, and the legend that belongs to it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from rsam_core.errors import RsamError
from rsam_core.objects import palette
from rsam_core.objects.instances import Instances

Fill = Literal["random", "single", "none", "class"]
LargeMode = Literal["fill", "contour"]
Others = Literal["show", "fade", "hide"]

_CHOICES: dict[str, tuple[str | None, ...]] = {
    "fill": ("random", "single", "none", "class"),
    "large_mode": (None, "fill", "contour"),
    "others": ("show", "fade", "hide"),
}


@dataclass(frozen=True)
class OverlayStyle:
    """Settings of an overlay.

    Parameters
    ----------
    fill : {"random", "single", "none", "class"}
        Colour of the objects: one for each object, `color` for all, no filling, or one for each
        class.
    color : str
        Colour for ``"single"``, and of the contours where nothing is filled; ``"#RRGGBB"``.
    opacity : float
        Opacity of the filling, from 0 (invisible) to 1 (hides the image).
    contour : bool
        Whether to outline objects.
    contour_color : str
        ``"match"`` for the object's own colour, or ``"#RRGGBB"``.
    contour_width : int
        Width of the outlines in display pixels, 1 to 20.
    large_area : float, optional
        Objects of at least this many scene pixels are "large".
    large_mode : {"fill", "contour"}, optional
        Draw large objects in `large_color`: filled, or as an outline without a filling. None
        leaves them as they are.
    large_color : str
        Colour of large objects, red by default.
    others : {"show", "fade", "hide"}
        What becomes of the objects that are not large, where `large_area` is given.
    class_colors : tuple of (str, str)
        Classes and their colours for ``"class"``; others have the colours of the palette.
    highlight : tuple of int
        Numbers of the objects that are selected. They get a bright outline on top of all
        others, and are outlined even when hidden.
    highlight_color : str
        Colour of that outline.

    Raises
    ------
    RsamError
        If a value is not one of those above.
    """

    fill: Fill = "random"
    color: str = palette.SINGLE
    opacity: float = 0.45
    contour: bool = True
    contour_color: str = "match"
    contour_width: int = 3
    large_area: float | None = None
    large_mode: LargeMode | None = None
    large_color: str = palette.LARGE
    others: Others = "show"
    class_colors: tuple[tuple[str, str], ...] = ()
    highlight: tuple[int, ...] = field(default=())
    highlight_color: str = palette.HIGHLIGHT

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                words = ", ".join(str(choice).lower() for choice in choices)
                raise RsamError(f"{name} must be one of: {words}; not {getattr(self, name)!r}.")
        if not (_is_number(self.opacity) and 0 <= self.opacity <= 1):
            raise RsamError(f"The opacity must be between 0 and 1, not {self.opacity!r}.")
        if not (_is_number(self.contour_width) and 1 <= self.contour_width <= 20):
            raise RsamError(
                f"The line width must be between 1 and 20 pixels, not {self.contour_width!r}."
            )
        large = 0 if self.large_area is None else self.large_area
        if not (_is_number(large) and large >= 0):
            raise RsamError(
                f"The area of large objects must be 0 or more pixels, not {self.large_area!r}."
            )
        for name in ("color", "large_color", "highlight_color"):
            palette.to_rgb(getattr(self, name))
        for _, color in self.class_colors:
            palette.to_rgb(color)
        if self.contour_color != "match":
            palette.to_rgb(self.contour_color)
        object.__setattr__(self, "contour_width", int(self.contour_width))
        object.__setattr__(self, "highlight", tuple(int(id) for id in self.highlight))


def legend(
    style: OverlayStyle, instances: Instances | None = None, *, gsd: float | None = None
) -> list[tuple[str, str]]:
    """Return the entries of the legend of an overlay.

    Parameters
    ----------
    style : OverlayStyle
    instances : Instances, optional
        What is drawn; needed to list the classes.
    gsd : float, optional
        Metres a pixel, to state the area of large objects in square metres.

    Returns
    -------
    list of (str, str)
        Label and colour ``"#RRGGBB"``, in display order.
    """
    entries: list[tuple[str, str]] = []
    if style.large_area is not None and style.large_mode is not None:
        limit = _area_text(style.large_area, gsd)
        entries.append((f"large object, {limit} or more", style.large_color))
    if style.large_area is None or style.others != "hide":
        word = "other object" if entries else "object"
        entries += _object_entries(style, instances, word)
    if style.highlight:
        entries.append(("selected", style.highlight_color))
    return entries


def _object_entries(
    style: OverlayStyle, instances: Instances | None, word: str
) -> list[tuple[str, str]]:
    if style.fill == "class":
        labels = {item.label or None for item in instances or ()}
        names = sorted(label for label in labels if label)
        own = dict(style.class_colors)
        entries = [(n, own.get(n) or palette.to_hex(palette.class_color(n))) for n in names]
        if None in labels or not entries:
            entries.append(("no class yet", palette.UNLABELLED))
        return entries
    if style.fill == "random":
        return [(f"{word}, each in its own colour", palette.to_hex(palette.random_color(1)))]
    if style.fill == "none" and style.contour_color != "match":
        return [(word, style.contour_color)]
    return [(word, style.color)]


def _area_text(area: float, gsd: float | None) -> str:
    if gsd:
        return f"{area * gsd**2:,.4g} m²"
    return f"{area:,.4g} px" if area < 1000 else f"{area:,.0f} px"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)

"""Steps that turn, cut, straighten and place an image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rsam_core.errors import PrepareError
from rsam_core.prepare import geometric, ground_control, rectify
from rsam_core.prepare import reproject as reprojection
from rsam_core.prepare.geometric import Moved
from rsam_core.prepare.raster import Raster
from rsam_core.prepare.step import Step, choice, integer, number, points, register, switch, text

_READING = (
    ("bicubic", "Bicubic (smooth, sharp)"),
    ("bilinear", "Bilinear (softer)"),
    ("nearest", "Nearest pixel (values unchanged)"),
)
OUT_OF_SCOPE = (
    "It assumes flat ground: hills, leaning buildings and the curvature of the Earth in very wide "
    "or high images are not corrected. That is orthorectification, which needs a terrain model, "
    "the camera's position, direction and lens (or RPC coefficients); RSAM does not do it."
)


@register
@dataclass(frozen=True)
class Rotate(Step):
    """Turn by any angle."""

    key = "rotate"
    title = "Rotate"
    group = "Geometric"
    help = (
        "Turns the image, for example so that streets run level. Corners that come into view "
        "hold no data. Quarter turns change no pixel."
    )

    degrees: float = number(
        "Angle", 0, -180, 180, 0.5, "°", "Clockwise; negative values turn to the left."
    )
    expand: bool = switch("Keep the corners", True, "Enlarges the image so that nothing is lost.")
    kernel: str = choice("Reading between pixels", "bicubic", _READING)

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Turn the raster and its georeference."""
        if self.degrees == 0:
            return raster
        moved = geometric.rotate(
            raster.values, raster.valid, self.degrees, expand=self.expand, kernel=self.kernel
        )
        return _follow(raster, moved)


@register
@dataclass(frozen=True)
class Flip(Step):
    """Mirror."""

    key = "flip"
    title = "Mirror"
    group = "Geometric"
    help = (
        "Mirrors the image, for scans and slides that are the wrong way round. The georeference "
        "follows, so objects stay where they are on the map."
    )

    axis: str = choice(
        "Direction",
        "left-right",
        (("left-right", "Left to right"), ("top-bottom", "Top to bottom")),
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Mirror the raster and its georeference."""
        return _follow(raster, geometric.flip(raster.values, raster.valid, self.axis))


@register
@dataclass(frozen=True)
class Crop(Step):
    """Cut out a rectangle."""

    key = "crop"
    title = "Crop"
    group = "Geometric"
    help = (
        "Keeps a rectangle and drops the rest: frames and legends of scanned maps, or all but the "
        "area of interest of a large image."
    )

    x: int = integer("Left edge", 0, 0, None, 1, "px")
    y: int = integer("Top edge", 0, 0, None, 1, "px")
    width: int = integer("Width", 0, 0, None, 1, "px", "0 reaches to the right edge.")
    height: int = integer("Height", 0, 0, None, 1, "px", "0 reaches to the lower edge.")

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Cut the raster."""
        scale = raster.scale
        x, y = (int(v / scale) for v in (self.x, self.y))
        # What is wanted stays at least one pixel in a reduced copy.
        width, height = (v and max(1, round(v / scale)) for v in (self.width, self.height))
        return _follow(raster, geometric.crop(raster.values, raster.valid, x, y, width, height))

    def summary(self) -> str:
        """Size and place of what is kept."""
        width, height = (v or "all" for v in (self.width, self.height))
        return f"{width} × {height} px from ({self.x}, {self.y})"

    def window(self, width: int, height: int) -> tuple[int, int, int, int]:
        """What is kept of a picture of a width and height: x, y, width, height.

        It lets the caller read no more of a large file than that.

        Raises
        ------
        PrepareError
            The rectangle lies outside the picture.
        """
        x0, y0, x1, y1 = geometric.crop_box(
            (height, width), self.x, self.y, self.width, self.height
        )
        return x0, y0, x1 - x0, y1 - y0


@register
@dataclass(frozen=True)
class GroundDistance(Step):
    """Resample to a ground sample distance."""

    key = "ground-distance"
    title = "Resample to a pixel size"
    group = "Geometric"
    help = (
        "Gives every pixel a chosen size on the ground, so that images of different dates or "
        "sensors can be compared. Larger pixels are the mean of what they cover; smaller ones "
        "are interpolated and show nothing new."
    )

    gsd: float = number(
        "Pixel size",
        0,
        0,
        1000,
        0.05,
        "m",
        "Ground sample distance wanted; 0 leaves the image as it is.",
    )
    kernel: str = choice(
        "For smaller pixels", "bicubic", (*_READING, ("lanczos", "Lanczos (sharpest)"))
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Resample the raster."""
        if self.gsd == 0:
            return raster
        if raster.gsd is None:
            raise PrepareError(
                "It is not known how large a pixel of this image is on the ground. Type its "
                "ground sample distance where the image is opened, or give control points first."
            )
        target = self.gsd * raster.scale
        moved = geometric.to_ground_distance(
            raster.values, raster.valid, raster.gsd, target, kernel=self.kernel
        )
        return _follow(raster, moved, gsd=target)


@register
@dataclass(frozen=True)
class Straighten(Step):
    """Keystone correction from four corners."""

    key = "straighten"
    title = "Straighten perspective (keystone)"
    group = "Geometric"
    help = (
        "For pictures taken at an angle: mark the four corners of something that is rectangular "
        "on the ground, and the picture is seen from above. A georeference does not survive this; "
        f"use control points if the map coordinates of places are known. {OUT_OF_SCOPE}"
    )

    corners: tuple = points(
        "Corners of a rectangle",
        low=4,
        high=4,
        help="x and y in pixels of four corners, in any order. Without any, nothing is done.",
    )
    width: float = number(
        "Real length of its upper side", 0, 0, 100_000, 1, "m", "0 if it is not known."
    )
    height: float = number(
        "Real length of its left side", 0, 0, 100_000, 1, "m", "0 if it is not known."
    )
    keep_all: bool = switch(
        "Keep the whole picture", True, "Off: keep what lies within the four corners only."
    )
    kernel: str = choice("Reading between pixels", "bicubic", _READING)

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Straighten the raster; its pixel size is known afterwards if a length was typed."""
        if not self.corners:
            return raster
        corners = np.array([corner[:2] for corner in self.corners], float) / raster.scale
        aspect = self.width / self.height if self.width and self.height else None
        moved = geometric.straighten(
            raster.values,
            raster.valid,
            corners,
            aspect=aspect,
            keep_all=self.keep_all,
            kernel=self.kernel,
        )
        gsd = None
        upright = moved.to_result(geometric.order_corners(corners))
        if self.width:
            gsd = self.width / float(np.linalg.norm(upright[1] - upright[0]))
        elif self.height:
            gsd = self.height / float(np.linalg.norm(upright[3] - upright[0]))
        elif moved.affine is not None:
            gsd = raster.gsd
        return _follow(raster, moved, gsd=gsd)


@register
@dataclass(frozen=True)
class GroundControlPoints(Step):
    """Georeference by control points."""

    key = "ground-control"
    title = "Georeference with control points"
    group = "Geometric"
    help = (
        "Places the image on the map: pair places in the picture with their map coordinates, and "
        "the image is laid on the map, north up. Objects found afterwards have map coordinates. "
        "Take more points than needed, spread to the corners, and watch the errors: those "
        f"of points left out are honest, the residuals are always too small. {OUT_OF_SCOPE}"
    )

    control: tuple = points(
        "Control points",
        help="Four numbers each: x and y in pixels, then x and y on the map (easting and "
        "northing, or longitude and latitude). Without any, nothing is done.",
    )
    crs: str = text(
        "CRS of the map coordinates",
        "EPSG:4326",
        "EPSG:4326 is longitude and latitude, as GPS and web maps give them.",
    )
    model: str = choice(
        "Model",
        "affine",
        tuple(
            (kind, f"{ground_control.TITLES[kind]}, {need} points or more")
            for kind, need in ground_control.NEEDED.items()
        ),
        "Affine suits scans and straight-down images, projective flat ground seen at an angle, "
        "polynomials other distortions.",
    )
    resample: bool = switch(
        "Lay on the map, north up",
        True,
        "Off: pixels stay as they are and get a transform only (affine model).",
    )
    gsd: float = number("Pixel size", 0, 0, 1000, 0.05, "m", "0: as fine as the image is.")
    kernel: str = choice("Reading between pixels", "bicubic", _READING)

    def fitted_points(self, scale: float = 1.0) -> ground_control.GroundControl:
        """Fit the model to the control points, in pixels of a copy reduced by `scale`."""
        if any(len(point) != 4 for point in self.control):
            raise PrepareError(
                "A control point needs four numbers: x and y in the picture, x and y on the map."
            )
        rows = np.array(self.control, float).reshape(-1, 4)
        crs = self.crs.strip()
        if not crs:
            raise PrepareError(
                "The CRS of the map coordinates is missing. Type EPSG:4326 for longitude and "
                "latitude, or the code of the map the coordinates were read from."
            )
        code = f"EPSG:{crs}" if crs.isdigit() else crs
        return ground_control.fit_ground_control(
            rows[:, :2] / scale, rows[:, 2:], self.model, crs=code
        )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Place the raster on the map."""
        if not self.control:
            return raster
        fit = self.fitted_points(raster.scale)
        if not self.resample:
            if fit.transform is None:
                raise PrepareError(
                    "Without resampling only the affine model can be stored in an image. Choose "
                    "it, or lay the image on the map."
                )
            rectify.check_model(fit, raster.valid.shape)
            return _placed(raster, fit.transform, fit.crs)
        gsd = self.gsd * raster.scale or None
        grid = rectify.plan_grid(fit, raster.valid.shape, gsd, raster.count)
        values, valid, grid = rectify.rectify(
            raster.values, raster.valid, fit, grid, kernel=self.kernel
        )
        return _placed(replace(raster, values=values, valid=valid), grid.transform, fit.crs)

    def summary(self) -> str:
        """Number of points, model and CRS."""
        count = len(self.control)
        kind = ground_control.TITLES[self.model].lower()
        return f"{count} point{'' if count == 1 else 's'}, {kind}, {self.crs}"


@register
@dataclass(frozen=True)
class Reproject(Step):
    """Another coordinate reference system."""

    key = "reproject"
    title = "Change the map projection"
    group = "Geometric"
    help = (
        "Moves a georeferenced image to another coordinate reference system, for example from "
        "longitude and latitude to the local UTM zone, in which pixels are square on the ground."
    )

    target: str = text(
        "New CRS", "UTM", "UTM for the local zone, or a code such as EPSG:4326 or EPSG:3857."
    )
    gsd: float = number("Pixel size", 0, 0, 1000, 0.05, "m", "0: about as fine as it is now.")
    resampling: str = choice(
        "Reading between pixels",
        "cubic",
        (
            ("cubic", "Bicubic (smooth, sharp)"),
            ("bilinear", "Bilinear (softer)"),
            ("lanczos", "Lanczos (sharpest)"),
            ("average", "Mean (for larger pixels)"),
            ("nearest", "Nearest pixel (values unchanged)"),
        ),
    )

    def apply(self, raster: Raster, fitted: Any = None) -> Raster:
        """Warp the raster."""
        if raster.transform is None or raster.crs is None:
            raise PrepareError(
                "This image has no place on the map yet, so it cannot change its projection. "
                "Give it control points first, or open it with its world file."
            )
        shape = raster.valid.shape
        target = reprojection.known_crs(self.target, raster.transform, raster.crs, shape)
        values, valid, grid = reprojection.reproject(
            raster.values,
            raster.valid,
            raster.transform,
            raster.crs,
            target,
            gsd=self.gsd * raster.scale or None,
            resampling=self.resampling,
        )
        return _placed(replace(raster, values=values, valid=valid), grid.transform, target)


def _follow(raster: Raster, moved: Moved, gsd: float | None = -1.0) -> Raster:
    """The moved raster with the georeference that belongs to it; a `gsd` of -1 keeps it."""
    affine = moved.affine
    keeps = affine is not None and raster.transform is not None
    return raster.changed(
        values=moved.values,
        valid=moved.valid,
        transform=raster.transform * affine if keeps else None,
        crs=raster.crs if keeps else None,
        gsd=raster.gsd if gsd == -1.0 else gsd,
    )


def _placed(raster: Raster, transform: Any, crs: str | None) -> Raster:
    """The raster at another place; its ground sample distance is measured there."""
    from rsam_core.scene.ground_distance import ground_sample_distance

    gsd = None
    if crs is not None:
        gsd = ground_sample_distance(transform, crs, raster.width, raster.height)
    return raster.changed(transform=transform, crs=crs, gsd=gsd)

"""From a style and a seed to a georeferenced picture with exact instance truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from affine import Affine
from shapely.geometry import box

from rsam_core.errors import SceneError
from rsam_core.samples.builder import Builder
from rsam_core.samples.ground import draw_patch
from rsam_core.samples.harbour import harbour
from rsam_core.samples.light import Sun, expose, illuminate
from rsam_core.samples.raster import Canvas
from rsam_core.samples.roofs import draw_roof
from rsam_core.samples.rural_styles import farmland, village
from rsam_core.samples.suburb import suburb
from rsam_core.samples.town_styles import estate, informal, old_town
from rsam_core.samples.trees import draw_tree
from rsam_core.samples.vehicles import draw_vehicle
from rsam_core.samples.works_styles import industrial
from rsam_core.samples.world import Patch, World

STYLES: Mapping[str, Callable[[Builder], None]] = {
    "suburb": suburb,
    "estate": estate,
    "town": old_town,
    "informal": informal,
    "village": village,
    "farmland": farmland,
    "industrial": industrial,
    "harbour": harbour,
}
"""Every style that :func:`render_town` draws."""


@dataclass(frozen=True)
class TownSample:
    """A rendered place.

    Attributes
    ----------
    image : numpy.ndarray
        (H, W, 3) uint8 RGB.
    labels : numpy.ndarray
        (H, W) int32, 0 = unlabelled ground, 1..N = the instance on top at each pixel.
    classes : dict of int to str
        Class of every instance that is visible in `labels`.
    gsd : float
        Metres per pixel.
    crs : str
        Projected coordinate reference system, such as "EPSG:32637".
    transform : affine.Affine
        From (column, row) pixel edges to map coordinates in metres.
    title : str
    seed, date : int
        What it was rendered from.
    style : str
    """

    image: np.ndarray = field(repr=False)
    labels: np.ndarray = field(repr=False)
    classes: dict[int, str] = field(repr=False)
    gsd: float
    crs: str
    transform: Affine
    title: str
    seed: int
    date: int
    style: str


def build_world(
    width: float, height: float, *, seed: int, date: int, style: str, region: str | None = None
) -> tuple[World, Builder]:
    """Lay out a place of `width` by `height` metres."""
    builder = Builder(width, height, seed, date, region)
    STYLES[style](builder)
    builder.furnish_roads()
    return builder.finish(), builder


def render_town(
    width: int = 1270,
    height: int = 768,
    *,
    gsd: float = 0.3,
    seed: int = 0,
    date: int = 0,
    style: str = "suburb",
    region: str | None = None,
    haze: float = 0.0,
    noise: float = 1.8,
    quality: int = 92,
    title: str | None = None,
) -> TownSample:
    """Draw an invented place as an aerial photograph.

    The place is laid out in metres and then drawn, so the same `seed`, `style` and ground extent
    give the same place at any ground sample distance.

    Parameters
    ----------
    width, height : int
        Size in pixels.
    gsd : float
        Ground sample distance, metres per pixel, 0.05 to 2.
    seed : int
        Which place.
    date : int
        0, or 1 for the same place some years later: some buildings new, gone or extended, other
        cars, another sun and season.
    style : str
        A key of :data:`STYLES`.
    region : str, optional
        Palette of the world's region (a key of ``regions.REGIONS``); chosen by the seed when
        omitted.
    haze : float
        0 (clear) to 1 (thick).
    noise : float
        Sensor noise, standard deviation in 8-bit steps.
    quality : int
        JPEG quality of the camera; 100 leaves the picture uncompressed.
    title : str, optional

    Returns
    -------
    TownSample

    Raises
    ------
    SceneError
        If a size, the ground sample distance or the style makes no sense.
    """
    return _rendered(
        width, height, gsd, seed, date, style, region, haze, noise, quality, title
    )[0]  # fmt: skip


def render_relief(
    width: int, height: int, *, gsd: float = 0.3, seed: int = 0, style: str = "suburb"
) -> tuple[TownSample, np.ndarray]:
    """Draw a place as `render_town` does, and say how high everything stands in it.

    Returns
    -------
    TownSample
    numpy.ndarray
        (height, width) float32, metres above the ground of what is on top at each pixel.

    Raises
    ------
    SceneError
        As for `render_town`.
    """
    return _rendered(width, height, gsd, seed, 0, style, None, 0.0, 1.8, 92, None)


def _rendered(
    width: int, height: int, gsd: float, seed: int, date: int, style: str, region: str | None,
    haze: float, noise: float, quality: int, title: str | None,
) -> tuple[TownSample, np.ndarray]:  # fmt: skip
    if width < 16 or height < 16 or width * height > 40_000_000:
        raise SceneError(
            "A sample needs between 16 pixels a side and 40 million pixels in all. "
            "Choose another size."
        )
    if seed < 0 or date not in (0, 1):
        raise SceneError("Choose a seed of 0 or more, and 0 or 1 for the date.")
    if not 0.05 <= gsd <= 2.0:
        raise SceneError("Choose a ground sample distance between 0.05 and 2 metres per pixel.")
    if style not in STYLES:
        raise SceneError(f"There is no style “{style}”. Choose one of: {', '.join(STYLES)}.")
    extent = round(width * gsd, 6), round(height * gsd, 6)
    world, builder = build_world(*extent, seed=seed, date=date, style=style, region=region)
    sun, rng, place = light_of(seed, date)
    canvas = Canvas(width, height, gsd, seed)
    draw_world(canvas, world, builder, sun)
    picture = illuminate(canvas.colour, canvas.sun, canvas.height, sun, gsd)
    if date:
        season = np.array([1.035, 0.995, 0.95], np.float32)
        picture *= season * np.float32(rng.uniform(0.95, 1.03))
    image = expose(picture, rng, haze=haze, noise=noise, quality=quality,
                   warmth=float(rng.normal(0.0, 0.012)))  # fmt: skip
    labels, classes = compact(canvas.labels, canvas.classes)
    crs, transform = _georeference(place, gsd)
    town = TownSample(
        image=image,
        labels=labels,
        classes=classes,
        gsd=float(gsd),
        crs=crs,
        transform=transform,
        title=title or f"{style.capitalize()} {seed}",
        seed=seed,
        date=date,
        style=style,
    )
    return town, canvas.height


def light_of(seed: int, date: int) -> tuple[Sun, np.random.Generator, np.random.Generator]:
    """The sun over the place of a seed, and the chances of its camera and of where it lies."""
    rng = np.random.default_rng([seed, 31, date])
    place = np.random.default_rng([seed, 32])
    morning = float(place.uniform(-2.6, -0.5))  # the sun stands in the upper half of the picture
    sun = Sun(
        morning + (0.0 if date == 0 else float(rng.uniform(0.35, 0.8))),
        np.deg2rad(float(rng.uniform(36.0, 58.0))),
    )
    return sun, rng, place


def georeference_of(seed: int, gsd: float) -> tuple[str, Affine]:
    """CRS and transform of the place of a seed."""
    place = np.random.default_rng([seed, 32])
    place.uniform(-2.6, -0.5)  # the sun's
    return _georeference(place, gsd)


def _georeference(place: np.random.Generator, gsd: float) -> tuple[str, Affine]:
    zone = 31 + int(place.integers(0, 12))
    east = 1000.0 * float(place.integers(350, 650)) + 0.5
    north = 1000.0 * float(place.integers(1000, 5500)) + 0.5
    return f"EPSG:{32600 + zone}", Affine(gsd, 0.0, east, 0.0, -gsd, north)


def draw_world(canvas: Canvas, world: World, builder: Builder, sun: Sun) -> None:
    """Draw all that a place holds, ground first, before any light falls on it."""
    whole = box(-5, -5, world.width + 5, world.height + 5)
    draw_patch(canvas, Patch(whole, "rough", builder.region.wild))
    for patch in (*world.patches, *world.roads):
        draw_patch(canvas, patch)
    for patch in world.marks:
        draw_patch(canvas, patch, strength=0.75, keep_owner=True)
    for patch in world.overlays:
        draw_patch(canvas, patch)
    for vehicle in world.vehicles:
        draw_vehicle(canvas, vehicle, sun)
    for roof in world.roofs:
        draw_roof(canvas, roof, sun)
    for tree in world.trees:
        draw_tree(canvas, tree, sun)


def compact(labels: np.ndarray, classes: dict[int, str]) -> tuple[np.ndarray, dict[int, str]]:
    """Number the visible instances 1..N."""
    seen = np.bincount(labels.ravel(), minlength=len(classes) + 1) > 0
    seen[0] = False
    table = np.zeros(len(seen), np.int32)
    table[seen] = np.arange(1, int(seen.sum()) + 1)
    kept = {int(table[old]): cls for old, cls in classes.items() if seen[old]}
    return table[labels], kept


def truth_mask(sample: TownSample, cls: str) -> np.ndarray:
    """All pixels of one class, (H, W) bool; nothing where the class does not occur."""
    ids = [label for label, name in sample.classes.items() if name == cls]
    table = np.zeros(max(sample.classes, default=0) + 1, bool)
    table[ids] = True
    return table[sample.labels]


def write_geotiff(
    sample: TownSample, path: str | Path | None = None, *, compress: str = "lzw"
) -> bytes:
    """Write the picture as a georeferenced RGB GeoTIFF.

    Parameters
    ----------
    sample : TownSample
    path : str or Path, optional
        Also saved here when given.
    compress : str
        "lzw" (lossless) or "jpeg" (small).

    Returns
    -------
    bytes
        The file's content.
    """
    import rasterio
    from rasterio.io import MemoryFile

    height, width = sample.labels.shape
    options: dict[str, object] = {"compress": compress.lower(), "photometric": "RGB"}
    if compress.lower() == "jpeg":
        options.update(photometric="YCBCR", jpeg_quality=90)
    if min(height, width) >= 256:
        options.update(tiled=True, blockxsize=256, blockysize=256)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=width, height=height, count=3, dtype="uint8",
            crs=rasterio.CRS.from_string(sample.crs), transform=sample.transform, **options,
        ) as target:  # fmt: skip
            target.write(np.moveaxis(sample.image, 2, 0))
        data = bytes(memory.read())
    if path is not None:
        Path(path).write_bytes(data)
    return data

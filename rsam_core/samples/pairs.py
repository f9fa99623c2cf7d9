"""One invented place at two dates, with the exact truth of everything that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from shapely.geometry import box

from rsam_core.errors import SceneError
from rsam_core.samples.ground import draw_patch
from rsam_core.samples.light import Sun, expose, illuminate
from rsam_core.samples.noise import smooth_noise
from rsam_core.samples.pair_edits import Edited, Editor
from rsam_core.samples.pair_records import (
    CHANGES,
    ChangeRecord,
    PairSample,
    footprint_of,
)
from rsam_core.samples.raster import Canvas
from rsam_core.samples.regions import Region
from rsam_core.samples.roofs import draw_roof
from rsam_core.samples.town import STYLES, TownSample, build_world, compact, georeference_of
from rsam_core.samples.trees import draw_tree
from rsam_core.samples.vehicles import draw_vehicle
from rsam_core.samples.world import Patch, World

COUNTS: Mapping[str, int] = {
    "built": 3,
    "demolished": 3,
    "extended": 3,
    "reduced": 1,
    "reroofed": 3,
    "damaged": 3,
    "flooded": 1,
    "cleared": 1,
}
"""How often each kind of change is made in a pair, if the place has room for it."""

_SEASONAL = ("grass", "rough", "crop", "rows", "pitch", "hedge")
_VISIBLE = 25
"""Pixels that an object must show at a date to count as there."""

_STYLES = ("suburb", "suburb", "estate", "town", "village", "industrial", "informal")


@dataclass(frozen=True)
class _Look:
    """Light and season of one date."""

    sun: Sun
    plants: tuple[float, float, float] = (1.0, 1.0, 1.0)
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    crown: float = 1.0


def render_pair(
    seed: int,
    changes: Sequence[str] = CHANGES,
    *,
    width: int = 512,
    height: int = 512,
    gsd: float = 0.3,
    style: str | None = None,
    region: str | None = None,
    counts: Mapping[str, int] | None = None,
    season: float = 1.0,
    light: float = 1.0,
    haze: float | None = None,
    noise: float = 1.8,
    shift: tuple[float, float] | None = None,
    turn: float = 0.0,
    scale: float = 1.0,
    clouds: float = 0.0,
) -> PairSample:
    """Draw an invented place at two dates.

    Sun, season, haze and noise always differ, as between two real flights; everything else is
    the same but for the changes asked for. Without changes it is a pair on which nothing may be
    found.

    Parameters
    ----------
    seed : int
        Which place, and which changes.
    changes : sequence of str
        Some of :data:`CHANGES`.
    width, height : int
        Size of each picture in pixels.
    gsd : float
        Metres per pixel.
    style, region : str, optional
        As for :func:`render_town`; chosen by the seed when omitted.
    counts : mapping of str to int, optional
        How many changes of a kind to make, in place of :data:`COUNTS`.
    season, light : float
        How much season and sun differ, 0 (not at all) to 1.
    haze : float, optional
        Haze of the second date, 0 to 1; by the seed up to 0.35 when omitted.
    noise : float
        Sensor noise of both dates, 8-bit steps.
    shift : tuple of float, optional
        How far (x, y) the second picture is off in pixels; by the seed up to 2 when omitted.
    turn : float
        By how many degrees the second picture is turned about its centre.
    scale : float
        By how much it is enlarged.
    clouds : float
        Share of the second picture under clouds, 0 to 0.5.

    Returns
    -------
    PairSample

    Raises
    ------
    SceneError
        A kind of change, a style or a number makes no sense.
    """
    _check(seed, changes, width, height, gsd, style, clouds, scale)
    rng = np.random.default_rng([seed, 41])
    chosen = style or _STYLES[int(rng.integers(len(_STYLES)))]
    if shift is None:
        length, way = 2.0 * np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        shift = float(length * np.cos(way)), float(length * np.sin(way))
    matrix = _misplacement(width, height, shift, turn, scale)
    margin = _margin(matrix, width, height)
    size = width + 2 * margin, height + 2 * margin
    extent = round(size[0] * gsd, 6), round(size[1] * gsd, 6)
    world, builder = build_world(*extent, seed=seed, date=0, style=chosen, region=region)
    inner = tuple(v * gsd for v in (margin, margin, margin + width, margin + height))
    editor = Editor(world, builder.region, inner, np.random.default_rng([seed, 42]))
    wanted = {**COUNTS, **(counts or {})}
    for kind in CHANGES:
        if kind in changes and kind != "cars":
            editor.apply(kind, wanted[kind])
    if "cars" in changes:
        other, _ = build_world(*extent, seed=seed, date=1, style=chosen, region=region)
        editor.swap_cars(other.vehicles)
    looks = _looks(np.random.default_rng([seed, 43]), season, light)
    views = [
        _draw(world, builder.region, editor.edited, date, looks[date], size, gsd, seed)
        for date in (0, 1)
    ]
    inside = slice(margin, margin + height), slice(margin, margin + width)
    records, unchanged = _records(editor.edited, views, inside)
    crs, transform = georeference_of(seed, gsd)
    veil = float(rng.uniform(0.0, 0.35)) if haze is None else haze
    samples = []
    hidden = np.zeros((height, width), bool)
    for date, (picture, labels, classes, _) in enumerate(views):
        if date == 0:
            picture, labels = picture[inside], labels[inside]
        else:
            offset = np.array([[1.0, 0, margin], [0, 1.0, margin], [0, 0, 1]])
            back = offset @ np.linalg.inv(matrix)
            picture = _warp(picture, back, (width, height), cv2.INTER_CUBIC)
            labels = _warp(labels.astype(np.float32), back, (width, height), cv2.INTER_NEAREST)
            labels = labels.astype(np.int32)
            if clouds:
                picture, hidden = _overcast(picture, clouds, np.random.default_rng([seed, 44]))
        # With season and light switched off both dates have one camera, too.
        camera = np.random.default_rng([seed, 45, date if season or light else 0])
        image = expose(picture, camera, haze=veil if date else 0.0, noise=noise,
                       warmth=float(camera.normal(0, 0.012)))  # fmt: skip
        labels, classes = compact(np.ascontiguousarray(labels), classes)
        samples.append(
            TownSample(image, labels, classes, float(gsd), crs, transform,
                       f"{chosen.capitalize()} {seed}, {('first', 'second')[date]} date", seed,
                       date, chosen)
        )  # fmt: skip
    return PairSample(*samples, records, unchanged, matrix, hidden)


def _check(seed: int, changes: Sequence[str], width: int, height: int, gsd: float,
           style: str | None, clouds: float, scale: float) -> None:  # fmt: skip
    unknown = [kind for kind in changes if kind not in CHANGES]
    if unknown:
        raise SceneError(f"There is no change “{unknown[0]}”. Choose from: {', '.join(CHANGES)}.")
    if seed < 0 or min(width, height) < 64 or width * height > 20_000_000:
        raise SceneError(
            "A pair needs a seed of 0 or more and between 64 pixels a side and 20 million pixels."
        )
    if not 0.05 <= gsd <= 2.0:
        raise SceneError("Choose a ground sample distance between 0.05 and 2 metres per pixel.")
    if style is not None and style not in STYLES:
        raise SceneError(f"There is no style “{style}”. Choose one of: {', '.join(STYLES)}.")
    if not 0 <= clouds <= 0.5 or not 0.5 <= scale <= 2:
        raise SceneError("Clouds cover 0 to half of a picture, and it is enlarged 0.5 to 2 times.")


def _misplacement(
    width: int, height: int, shift: tuple[float, float], turn: float, scale: float
) -> NDArray[np.float64]:
    """From pixels of the first to those of the second date, (3, 3)."""
    cx, cy = width / 2, height / 2
    c, s = scale * np.cos(np.deg2rad(turn)), scale * np.sin(np.deg2rad(turn))
    return np.array([
        [c, -s, cx - c * cx + s * cy + shift[0]],
        [s, c, cy - s * cx - c * cy + shift[1]],
        [0, 0, 1],
    ])  # fmt: skip


def _margin(matrix: NDArray[np.float64], width: int, height: int) -> int:
    """Pixels that the second picture reaches beyond the first."""
    corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]).T
    x, y = (np.linalg.inv(matrix) @ corners)[:2]
    return int(np.ceil(max(-x.min(), -y.min(), x.max() - width, y.max() - height, 0.0))) + 4


def _looks(rng: np.random.Generator, season: float, light: float) -> tuple[_Look, _Look]:
    morning = float(rng.uniform(-2.6, -0.5))
    noon = np.deg2rad(float(rng.uniform(38.0, 58.0)))
    side = 1.0 if morning < -1.55 else -1.0
    azimuth = morning + light * side * float(rng.uniform(0.2, 1.2))
    other = float(np.clip(noon + light * rng.uniform(-0.25, 0.25), 0.55, 1.1))
    dry = season * float(rng.uniform(-0.6, 1.0))
    plants = 1 + 0.22 * dry, 1 + 0.05 * dry, 1 - 0.12 * dry
    cast = 1 + season * rng.normal(0, 0.02, 3)
    level = 1 + season * float(rng.uniform(-0.10, 0.10))
    crown = 1 + season * float(rng.uniform(-0.06, 0.05))
    later = _Look(Sun(azimuth, other), plants, tuple(float(level * v) for v in cast), crown)
    return _Look(Sun(morning, noon)), later


def _tinted(colour: tuple[float, ...], factor: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(np.clip(c * f, 4, 250)) for c, f in zip(colour, factor))


def _draw(
    world: World,
    region: Region,
    edited: Edited,
    date: int,
    look: _Look,
    size: tuple[int, int],
    gsd: float,
    seed: int,
) -> tuple[NDArray[np.float32], NDArray[np.int32], dict[int, str], dict[tuple[str, int], int]]:
    """Picture, labels, classes, and the label of each numbered thing."""
    canvas = Canvas(*size, gsd, seed)
    owners: dict[tuple[str, int], int] = {}

    def seasonal(patch: Patch) -> Patch:
        if patch.material not in _SEASONAL:
            return patch
        return replace(patch, colour=_tinted(patch.colour, look.plants))

    def noted(what: str, number: int, known: int) -> None:
        if len(canvas.classes) > known:
            owners[what, number] = len(canvas.classes)

    whole = box(-5, -5, world.width + 5, world.height + 5)
    draw_patch(canvas, seasonal(Patch(whole, "rough", region.wild)))
    for patch in (*world.patches, *world.roads):
        draw_patch(canvas, seasonal(patch))
    for patch in world.marks:
        draw_patch(canvas, patch, strength=0.75, keep_owner=True)
    for patch in world.overlays:
        draw_patch(canvas, seasonal(patch))
    for patch in edited.ground[date]:
        draw_patch(canvas, patch)
    if date:
        for number, patch in enumerate(edited.floods):
            known = len(canvas.classes)
            draw_patch(canvas, patch)
            noted("flood", number, known)
        for _, patch in edited.cleared:
            draw_patch(canvas, patch)
    for number, vehicle in edited.vehicles[date].items():
        known = len(canvas.classes)
        draw_vehicle(canvas, vehicle, look.sun)
        noted("vehicle", number, known)
    for number, roof in edited.roofs[date].items():
        known = len(canvas.classes)
        draw_roof(canvas, roof, look.sun)
        noted("roof", number, known)
        for patch in edited.rubble[date].get(number, ()):
            draw_patch(canvas, patch, keep_owner=True)
    for number, tree in sorted(edited.trees[date].items(), key=lambda item: item[1].height):
        known = len(canvas.classes)
        colour = _tinted(tree.colour, look.plants if tree.kind != "conifer" else (1, 1, 1))
        draw_tree(canvas, replace(tree, colour=colour, radius=tree.radius * look.crown), look.sun)
        noted("tree", number, known)
    picture = illuminate(canvas.colour, canvas.sun, canvas.height, look.sun, gsd)
    picture *= np.asarray(look.tint, np.float32)
    return picture, canvas.labels, canvas.classes, owners


def _records(
    edited: Edited, views: list, inside: tuple[slice, slice]
) -> tuple[tuple[ChangeRecord, ...], tuple[ChangeRecord, ...]]:
    """What changed and what did not, from the labels of both dates before any displacement."""
    labels = [view[1][inside] for view in views]
    classes = [view[2] for view in views]
    owners = [view[3] for view in views]

    def seen(date: int, what: str, number: int):
        label = owners[date].get((what, number))
        if label is None:
            return None
        found = footprint_of(labels[date] == label)
        return found if found is not None and found.area >= _VISIBLE else None

    records: list[ChangeRecord] = []
    same: list[ChangeRecord] = []
    for number in sorted({*edited.roofs[0], *edited.roofs[1]}):
        kind, grade = edited.fates.get(number, ("unchanged", "no visible damage"))
        before, after = seen(0, "roof", number), seen(1, "roof", number)
        if kind == "unchanged":
            if before is not None and after is not None:
                same.append(ChangeRecord(kind, "roof", before, after))
        elif before is not None or after is not None:
            records.append(ChangeRecord(kind, "roof", before, after, grade))
    for number in range(len(edited.floods)):
        after = seen(1, "flood", number)
        if after is not None:
            records.append(ChangeRecord("flooded", "water", None, after))
    for trees, _ in edited.cleared:
        crowns = [owners[0][key] for key in owners[0] if key[0] == "tree" and key[1] in trees]
        before = footprint_of(np.isin(labels[0], crowns))
        if before is not None:
            records.append(ChangeRecord("cleared", "tree", before, None))
    if edited.vehicles[0] != edited.vehicles[1]:
        records += _moved(edited, labels, classes, owners, seen)
    return tuple(records), tuple(same)


def _moved(edited: Edited, labels: list, classes: list, owners: list, seen) -> list[ChangeRecord]:
    """Vehicles that left and vehicles that came; one in another's place is no change."""
    result = []
    cars = []
    for date in (0, 1):
        ids = [label for key, label in owners[date].items() if key[0] == "vehicle"]
        cars.append(np.isin(labels[date], ids))
    for date in (0, 1):
        for number in edited.vehicles[date]:
            found = seen(date, "vehicle", number)
            if found is None or number in edited.vehicles[1 - date]:
                continue
            h, w = found.mask.shape
            other = cars[1 - date][found.y : found.y + h, found.x : found.x + w]
            if np.count_nonzero(other & found.mask) > 0.2 * found.area:
                continue
            cls = classes[date][owners[date]["vehicle", number]]
            pair = (found, None) if date == 0 else (None, found)
            result.append(ChangeRecord("cars", cls, *pair))
    return result


def _warp(image: NDArray, back: NDArray[np.float64], size: tuple[int, int], flags: int) -> NDArray:
    """Sample an image where `back` (continuous pixels of the result to those of it) says."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    centred = np.linalg.inv(half) @ back @ half
    return cv2.warpAffine(image, centred[:2], size, flags=flags | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REFLECT)  # fmt: skip


def _overcast(
    picture: NDArray[np.float32], share: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Clouds over a share of the picture, and where they hide the ground."""
    rows, columns = picture.shape[:2]
    period = max(rows, columns) / 3.5
    field = smooth_noise(rng, (rows, columns), period)
    field = field + 0.3 * smooth_noise(rng, (rows, columns), period / 4)
    level = float(np.quantile(field, 1 - share))
    thick = np.clip(0.5 + (field - level) / 0.25, 0, 1)[..., None]
    white = np.float32(1.0) + np.float32(0.03) * smooth_noise(rng, (rows, columns), 9)[..., None]
    return picture + thick * (white - picture), thick[..., 0] > 0.3

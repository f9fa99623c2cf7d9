"""What is still displaced between two dates: measured, corrected, and told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.change._overviews import OVERVIEW, overviews
from rsam_core.change.aligned import FEW, WARN_FROM, Alignment, AlignSettings
from rsam_core.change.grid import Layer, tiles
from rsam_core.change.registration import Fit, coarse, edges, fit, measure
from rsam_core.errors import AlignError
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window

_MAX_TILES = 64
_TURNS = tuple(np.arange(-6.0, 6.01, 1.0))
_SCALES = tuple(1.0 * 1.035 ** np.arange(-8, 9))


def _tile_windows(shape: tuple[int, int]) -> list[Window]:
    """Up to `_MAX_TILES` tiles, evenly over the grid."""
    side = 64 if min(shape) < 320 else 128 if min(shape) < 900 else 256
    side = min(side, *shape)
    windows = tiles(shape, side, side // 2)
    if len(windows) > _MAX_TILES:
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


def registered(
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


def _coarse(
    start: Alignment, by_map: bool, turns: tuple[float, ...], scales: tuple[float, ...]
) -> NDArray[np.float64]:
    """A first guess of the correction from the reduced pictures."""
    if by_map:
        first, second, valid, factor = overviews(start)
        if start.after.picture is start.reference:
            first, second = second, first
        found, _ = coarse(edges(first, valid), edges(second, valid), turns, scales)
        size = np.diag([factor, factor, 1.0])
        return np.linalg.inv(size) @ found @ size
    moving = _moving(start)
    pictures, factors = [], []
    longest = max(*start.shape, *moving.picture.shape)
    for picture in (start.reference, moving.picture):
        side = max(1, round(max(picture.shape) * min(1.0, OVERVIEW / longest)))
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
    if result.tiles_used < FEW * max(measured, 1):
        notes.append(
            f"Only {result.tiles_used} of {measured} parts of the pictures agree on how they fit "
            "together. Check the alignment with the swipe handle."
        )
    return result, notes

"""Stripes of line scanners: lines (rows or columns) that are lighter or darker than they should be.

Three ways: levelling adds up the typical jumps between neighbouring lines; moment matching gives
each line the mean and spread of its surroundings; the Fourier filter takes out what repeats along
a line. All leave slow changes across the image alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

# A jump between two lines is the median over at least so many pixels.
MIN_PIXELS = 16


def level_lines(
    values: Values, valid: NDArray[np.bool_], *, columns: bool, reach: float = 10.0
) -> Values:
    """Shift each line by the jumps against its neighbours.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W)
        Pixels that count; lines without any are taken for no different from their neighbours.
    columns : bool
        Whether the stripes run down the columns, otherwise along the rows.
    reach : float
        Changes over more than about this many lines are the scene's own and stay.

    Notes
    -----
    The median, over a line, of the difference from the next line is near 0 in any natural scene,
    whatever objects it crosses, because few edges follow one line from end to end. What remains
    is the jump from one stripe to the next; the sum of the jumps is the pattern of the stripes.
    """
    work, counted = _across(values, valid, columns)
    jumps = np.nan_to_num(_jumps(work, counted))
    pattern = np.concatenate([np.zeros((1, work.shape[2])), np.cumsum(jumps, axis=0)])
    pattern -= _smooth(pattern, np.ones(len(pattern)), reach)
    return _back((work - pattern).astype(np.float32), columns)


def match_moments(
    values: Values,
    valid: NDArray[np.bool_],
    *,
    columns: bool,
    reach: float = 5.0,
) -> Values:
    """Give each line the mean and the standard deviation that its neighbours suggest.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W)
        Pixels that count; lines without any stay as they are.
    columns : bool
        As in `level_lines`.
    reach : float
        Lines over which the scene's own brightness changes: means and deviations are compared with
        those smoothed by a Gaussian of this standard deviation.

    Notes
    -----
    Moment matching after Gadallah, Csillag and Smith (International Journal of Remote Sensing 21,
    2000), with local instead of global moments, so that a lake on one side of the scene does not
    make stripes of its own.
    """
    work, counted = _across(values, valid, columns)
    weights = counted.sum(axis=0).astype(np.float64)
    safe = np.maximum(weights, 1)[:, None]
    mask = counted[..., None]
    mean = np.where(mask, work, 0).sum(axis=0, dtype=np.float64) / safe
    spread = np.sqrt(np.where(mask, (work - mean) ** 2, 0).sum(axis=0, dtype=np.float64) / safe)
    mean_goal, spread_goal = _smooth(mean, weights, reach), _smooth(spread, weights, reach)
    known = spread > 1e-3 * np.maximum(spread_goal, 1e-12)
    factor = np.where(known, spread_goal / np.where(known, spread, 1), 1)
    # A line through a lake is flat for a reason; stripes rarely change contrast by half.
    factor = np.where((factor > 0.5) & (factor < 2), factor, 1)
    result = (work - mean) * factor + mean_goal
    result[:, weights == 0] = work[:, weights == 0]
    return _back(result.astype(np.float32), columns)


def filter_stripes(
    values: Values, *, columns: bool, reach: float = 5.0, width: float = 1.0
) -> Values:
    """Take out of the spectrum what is constant, or nearly so, along the lines.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
        Pixels without data filled.
    columns : bool
        As in `level_lines`.
    reach : float
        Changes across more than about this many lines are the scene's own and stay.
    width : float
        How many waves a stripe may have along its line and still count as one.
    """
    from scipy import fft

    work = values if columns else values.swapaxes(0, 1)
    rows, lines = work.shape[:2]
    # Mirrored, because a spectrum takes the image for periodic and its edges for stripes.
    pad = min(rows - 1, lines - 1, max(8, int(2 * reach)))
    padded = np.pad(work, ((pad, pad), (pad, pad), (0, 0)), mode="reflect") if pad else work
    spectrum = fft.rfft2(padded, axes=(0, 1))
    along = fft.fftfreq(padded.shape[0]) * padded.shape[0]
    across = fft.rfftfreq(padded.shape[1])
    stripe = np.exp(-0.5 * (along / max(width, 1e-6)) ** 2)[:, None]
    fast = 1 - np.exp(-0.5 * (2 * np.pi * across * reach) ** 2)
    spectrum *= (1 - stripe * fast[None, :])[..., None]
    done = fft.irfft2(spectrum, s=padded.shape[:2], axes=(0, 1))
    done = done[pad : pad + rows, pad : pad + lines].astype(np.float32)
    return done if columns else done.swapaxes(0, 1)


def stripe_level(values: Values, valid: NDArray[np.bool_], *, columns: bool) -> float:
    """How strongly lines jump against their neighbours.

    Parameters
    ----------
    values : ndarray, shape (H, W, C)
    valid : ndarray of bool, shape (H, W)
    columns : bool
        Direction, as in `level_lines`.

    Returns
    -------
    float
        Root mean square of the jumps of line medians, in units of the values; 0 if there are
        fewer than 16 lines with data.
    """
    work, counted = _across(values, valid, columns)
    jumps = _jumps(work, counted)
    known = jumps[np.isfinite(jumps[:, 0])]
    return float(np.sqrt(np.mean(known**2, axis=0) / 2).mean()) if len(known) >= 16 else 0.0


def _jumps(work: Values, counted: NDArray[np.bool_]) -> NDArray:
    """Median difference of each line from the next, (lines − 1, C); NaN with too few pixels."""
    both = counted[:, 1:] & counted[:, :-1]
    enough = both.sum(axis=0) >= MIN_PIXELS
    jumps = np.full((work.shape[1] - 1, work.shape[2]), np.nan)
    for band in range(work.shape[2]):
        steps = np.diff(work[:, :, band], axis=1)
        if both.all():
            jumps[:, band] = np.median(steps, axis=0)
        elif enough.any():
            gaps = np.where(both[:, enough], steps[:, enough], np.nan)
            jumps[enough, band] = np.nanmedian(gaps, axis=0)
    jumps[~enough] = np.nan
    return jumps


def _across(
    values: Values, valid: NDArray[np.bool_], columns: bool
) -> tuple[Values, NDArray[np.bool_]]:
    """Turn the image so that stripes run down the columns."""
    return (values, valid) if columns else (values.swapaxes(0, 1), valid.T)


def _back(values: Values, columns: bool) -> Values:
    return values if columns else values.swapaxes(0, 1)


def _smooth(levels: NDArray, weights: NDArray, reach: float) -> NDArray:
    """Gaussian mean over neighbouring lines, weighted by their pixels."""
    from scipy.ndimage import gaussian_filter1d

    total = gaussian_filter1d(weights, reach, mode="nearest")[:, None]
    summed = gaussian_filter1d(levels * weights[:, None], reach, axis=0, mode="nearest")
    return summed / np.maximum(total, 1e-12)

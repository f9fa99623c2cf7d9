"""How far two pictures of one grid are apart: phase correlation, coarse and in tiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.scene.window import Window

MODELS = ("shift", "similarity", "affine")
"""What a displacement may be, in order of freedom."""

_FREE = {"shift": 2, "similarity": 4, "affine": 6}
_COARSE = 256
"""Longest side of the reduced pictures in which turn and scale are searched."""

_UPSAMPLE = 20
"""Steps a pixel in which a tile's displacement is measured."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Displacements:
    """What the tiles say.

    Attributes
    ----------
    places : ndarray of float64, shape (N, 2)
        Centres of the tiles, pixels of the grid.
    offsets : ndarray of float64, shape (N, 2)
        Where the second picture shows what the first shows there, minus that place.
    """

    places: NDArray[np.float64]
    offsets: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """A displacement that most tiles agree on.

    Attributes
    ----------
    matrix : ndarray of float64, shape (3, 3)
        From pixels of the first to pixels of the second picture.
    model : str
        One of :data:`MODELS`.
    inliers : ndarray of bool, shape (N,)
        Tiles that agree.
    rms : float
        Root of the mean squared distance that is left in them, pixels.
    """

    matrix: Matrix
    model: str
    inliers: NDArray[np.bool_]
    rms: float

    @property
    def credible(self) -> bool:
        """Whether so many tiles agree that it cannot be chance."""
        count, total = int(self.inliers.sum()), len(self.inliers)
        return count >= max(_FREE[self.model] / 2 + 4, 0.25 * total)


def edges(image: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Strength of the edges of what is bright: what stays when light and season change, (H, W).

    The darker half of the pixels is made even first, since the edges of shadows, which move with
    the sun, are the strongest of all. On rendered pairs this halves the error.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    level = np.float32(np.median(grey if valid is None or not valid.any() else grey[valid]))
    grey = cv2.GaussianBlur(np.maximum(grey, level), (0, 0), 1.0)
    strength = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    if valid is not None and not valid.all():
        # The rim of what is missing is no edge of the ground.
        known = cv2.erode(valid.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        level = float(strength[known].mean()) if known.any() else 0.0
        strength = np.where(known, strength, np.float32(level))
    return strength - strength.mean()


def coarse(
    first: NDArray[np.float32],
    second: NDArray[np.float32],
    turns: Sequence[float],
    scales: Sequence[float],
) -> tuple[Matrix, float]:
    """The turn, scale and shift under which two edge pictures agree best.

    Parameters
    ----------
    first, second : ndarray of float32
        From :func:`edges`; they may differ in size.
    turns : sequence of float
        Degrees to try.
    scales : sequence of float
        Pixels of the second picture for one of the first, to try.

    Returns
    -------
    matrix : ndarray of float64, shape (3, 3)
        From pixels of the first to pixels of the second picture.
    peak : float
        Height of the correlation's peak over its spread.
    """
    factor = min(1.0, _COARSE / max(*first.shape, *second.shape))
    small = [_reduced(image, factor) for image in (first, second)]
    side = 1 << int(np.ceil(np.log2(max(*small[0].shape, *small[1].shape) * 1.25)))
    spectrum = np.conj(np.fft.rfft2(_framed(small[0], side)))
    centre = np.array(small[0].shape[::-1]) / 2
    other = np.array(small[1].shape[::-1]) / 2
    low_pass = _low_pass(side)
    best: tuple[float, Matrix] = (-np.inf, np.eye(3))
    for scale in scales:
        for turn in turns:
            c, s = scale * np.cos(np.deg2rad(turn)), scale * np.sin(np.deg2rad(turn))
            linear = np.array([[c, -s], [s, c]])
            matrix = np.eye(3)
            matrix[:2, :2], matrix[:2, 2] = linear, other - linear @ centre
            shape = small[0].shape
            moved = _window(warp(small[1], matrix, shape[::-1]))
            product = np.fft.rfft2(_framed(moved, side)) * spectrum
            surface = np.fft.irfft2(
                product / np.maximum(np.abs(product), 1e-9) * low_pass, (side, side)
            )
            row, column = np.unravel_index(int(surface.argmax()), surface.shape)
            peak = float(surface[row, column] / (surface.std() + 1e-12))
            if peak > best[0]:
                step = np.array([column, row], float)
                step[step > side / 2] -= side
                found = matrix.copy()
                found[:2, 2] += linear @ step
                best = peak, found
    # Back from the reduced pictures.
    size = np.diag([factor, factor, 1.0])
    return np.linalg.inv(size) @ best[1] @ size, best[0]


def _reduced(image: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    if factor == 1:
        return image
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def _window(image: NDArray[np.float32]) -> NDArray[np.float32]:
    window = np.hanning(image.shape[0] + 2)[1:-1, None] * np.hanning(image.shape[1] + 2)[None, 1:-1]
    return ((image - image.mean()) * window**0.5).astype(np.float32)


def _framed(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    frame = np.zeros((side, side), np.float32)
    frame[: image.shape[0], : image.shape[1]] = _window(image)
    return frame


def _low_pass(side: int) -> NDArray[np.float32]:
    """Fine detail says nothing about pictures that are still turned against each other."""
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    return np.exp(-(x**2 + y**2) / (2 * 0.12**2)).astype(np.float32)


def warp(image: NDArray, matrix: Matrix, size: tuple[int, int]) -> NDArray:
    """Sample an image at ``matrix @ pixel`` (continuous coordinates) for each pixel of a result."""
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])
    centred = np.linalg.inv(half) @ matrix @ half
    return cv2.warpAffine(image, centred[:2], size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip


def measure(
    read: Callable[[Window], tuple[NDArray, NDArray, NDArray[np.bool_]]],
    windows: Sequence[Window],
    reach: float,
    cancelled: Callable[[], bool] | None = None,
) -> Displacements:
    """Displacement of each tile by phase correlation.

    Parameters
    ----------
    read : callable
        Both dates' RGB and where both are valid, on a window of the grid, the second as far
        corrected as is known.
    windows : sequence of Window
        The tiles.
    reach : float
        Largest displacement in pixels that counts.
    cancelled : callable, optional
        True ends it with what was measured.
    """
    from skimage.registration import phase_cross_correlation

    places, offsets = [], []
    for window in windows:
        if cancelled is not None and cancelled():
            break
        first, second, valid = read(window)
        if valid.mean() < 0.7:
            continue
        pair = [_window(edges(image, valid)) for image in (first, second)]
        if min(float(image.std()) for image in pair) < 0.3:
            continue
        shift, _, _ = phase_cross_correlation(
            pair[0], pair[1], upsample_factor=_UPSAMPLE, normalization=None
        )
        offset = -np.array(shift[::-1], float)
        if np.hypot(*offset) > reach:
            continue
        places.append((window.x + window.width / 2, window.y + window.height / 2))
        offsets.append(offset)
    return Displacements(np.array(places).reshape(-1, 2), np.array(offsets).reshape(-1, 2))


def fit(found: Displacements, model: str, tolerance: float) -> Fit | None:
    """The displacement that most tiles agree on; None with too few tiles.

    Parameters
    ----------
    found : Displacements
    model : str
        One of :data:`MODELS`, or "auto" for the simplest that explains the tiles.
    tolerance : float
        Pixels by which a tile that agrees may be off.
    """
    if len(found.places) < 3:
        return None
    names = MODELS if model == "auto" else (model,)
    fits = [f for name in names if (f := _fit(found, name, tolerance)) is not None]
    if not fits:
        return None
    # By the Bayesian criterion, outliers counted at the tolerance: more freedom must pay.
    n = len(found.places)

    def cost(one: Fit) -> float:
        left = _left(one.matrix, found)
        squares = np.where(one.inliers, left**2, tolerance**2)
        return n * np.log(squares.mean() + 1e-4) + _FREE[one.model] * np.log(n)

    return min(fits, key=cost)


def _left(matrix: Matrix, found: Displacements) -> NDArray[np.float64]:
    expected = found.places @ matrix[:2, :2].T + matrix[:2, 2]
    return np.hypot(*(found.places + found.offsets - expected).T)


def _fit(found: Displacements, model: str, tolerance: float) -> Fit | None:
    source, target = found.places, found.places + found.offsets
    if len(source) < _FREE[model] // 2 + 1:
        return None
    matrix = np.eye(3)
    if model == "shift":
        # The mode: the tile with which most agree.
        apart = np.linalg.norm(found.offsets[:, None] - found.offsets[None], axis=2)
        seed = int((apart < tolerance).sum(1).argmax())
        inliers = apart[seed] < tolerance
    else:
        estimate = cv2.estimateAffinePartial2D if model == "similarity" else cv2.estimateAffine2D
        found_matrix, flags = estimate(
            source, target, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=5000,
            confidence=0.999,
        )  # fmt: skip
        if found_matrix is None:
            return None
        matrix[:2] = found_matrix
        inliers = flags.ravel().astype(bool)
    for _ in range(4):
        if inliers.sum() < _FREE[model] / 2:
            return None
        matrix = _least_squares(source[inliers], target[inliers], model)
        inliers = _left(matrix, found) < tolerance
    left = _left(matrix, found)[inliers]
    rms = float(np.sqrt(np.mean(left**2))) if len(left) else np.inf
    return Fit(matrix, model, inliers, rms)


def _least_squares(source: NDArray, target: NDArray, model: str) -> Matrix:
    matrix = np.eye(3)
    if model == "shift":
        matrix[:2, 2] = (target - source).mean(0)
        return matrix
    centre = source.mean(0)
    p = source - centre
    if model == "affine":
        design = np.column_stack([p, np.ones(len(p))])
        solved = np.linalg.lstsq(design, target, rcond=None)[0]
        matrix[:2, :2] = solved[:2].T
        offset = solved[2]
    else:
        q = target - target.mean(0)
        norm = float((p**2).sum()) + 1e-12
        a = float((p * q).sum()) / norm
        b = float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()) / norm
        matrix[:2, :2] = [[a, -b], [b, a]]
        offset = target.mean(0)
    matrix[:2, 2] = offset - matrix[:2, :2] @ centre
    return matrix

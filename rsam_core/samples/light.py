"""Sunlight, cast shadows, air and sensor: from surfaces to a photograph."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from rsam_core.samples.noise import smooth_noise


@dataclass(frozen=True)
class Sun:
    """Direction of the sun: azimuth in the image plane (radians, towards the sun) and elevation.

    ``toward`` is the unit vector from the ground to the sun as (x right, y down, z up).
    """

    azimuth: float
    elevation: float

    @property
    def toward(self) -> tuple[float, float, float]:
        level = float(np.cos(self.elevation))
        return (
            level * float(np.cos(self.azimuth)),
            level * float(np.sin(self.azimuth)),
            float(np.sin(self.elevation)),
        )

    def on_plane(self, slope_x: np.ndarray | float, slope_y: np.ndarray | float) -> np.ndarray:
        """Direct light on a surface of the given height slopes, 1 on level ground."""
        sx, sy, sz = self.toward
        dot = sz - sx * np.asarray(slope_x) - sy * np.asarray(slope_y)
        norm = np.sqrt(1.0 + np.square(slope_x) + np.square(slope_y))
        return (np.maximum(dot, 0.0) / (norm * sz)).astype(np.float32)


def cast_shadow(height: np.ndarray, sun: Sun, gsd: float) -> np.ndarray:
    """Depth of every pixel below the shadow line, metres (0 in the sun).

    The shadow line is the running maximum of the height along the sun ray, each step lowered by
    the ray's descent. Doubling the step makes it logarithmic in the length of the shadow.

    Parameters
    ----------
    height : numpy.ndarray
        (H, W) metres.
    sun : Sun
    gsd : float
        Metres per pixel.

    Returns
    -------
    numpy.ndarray
        (H, W) float32.
    """
    descent = float(np.tan(sun.elevation)) * gsd
    dx, dy = float(np.cos(sun.azimuth)), float(np.sin(sun.azimuth))
    line = height.astype(np.float32)
    reach = float(height.max()) / max(descent, 1e-6)
    step = 1.0
    size = (height.shape[1], height.shape[0])
    while step < 2.0 * max(reach, 1.0):
        matrix = np.array([[1, 0, step * dx], [0, 1, step * dy]], np.float32)
        moved = cv2.warpAffine(line, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        np.maximum(line, moved - np.float32(step * descent), out=line)
        step *= 2.0
    return line - height


def illuminate(
    colour: np.ndarray, direct: np.ndarray, height: np.ndarray, sun: Sun, gsd: float
) -> np.ndarray:
    """Light the surfaces: sun with cast shadows, and blue light from the sky.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) float32 display values.
    """
    depth = cast_shadow(height, sun, gsd)
    shadow = np.clip((depth - 0.08) / 0.35, 0.0, 1.0)
    shadow = cv2.GaussianBlur(shadow, (0, 0), max(0.12 / gsd, 0.5))
    direct = direct * (1.0 - shadow)
    # Walls and crowns hide part of the sky from the ground close to them.
    spread = cv2.GaussianBlur(height, (0, 0), max(1.6 / gsd, 1.0))
    hidden = np.clip((spread - height) * 0.10, 0.0, 0.35)
    sky = (1.0 - hidden)[..., None] * np.array([0.335, 0.375, 0.43], np.float32)
    light = direct[..., None] * np.array([0.70, 0.655, 0.58], np.float32) + sky
    return colour * light


def expose(
    picture: np.ndarray,
    rng: np.random.Generator,
    *,
    haze: float,
    noise: float,
    warmth: float = 0.0,
    quality: int = 92,
) -> np.ndarray:
    """What the camera makes of it: haze, blur, sharpening, noise and JPEG.

    Parameters
    ----------
    picture : numpy.ndarray
        (H, W, 3) float32 display values.
    rng : numpy.random.Generator
    haze : float
        0 (clear) to 1 (thick).
    noise : float
        Standard deviation of the sensor noise at mid-grey, 8-bit steps.
    warmth : float
        Colour cast, positive towards yellow.
    quality : int
        JPEG quality.

    Returns
    -------
    numpy.ndarray
        (H, W, 3) uint8.
    """
    rows, columns = picture.shape[:2]
    period = max(rows, columns) / 3.0
    drift = smooth_noise(rng, (rows, columns), period)
    picture = picture * (1.0 + 0.02 * drift)[..., None]
    picture = picture * np.array([1 + warmth, 1.0, 1 - 1.4 * warmth], np.float32)
    veil = 0.05 + 0.45 * haze
    thickness = veil * (1.0 + 0.25 * haze * smooth_noise(rng, (rows, columns), period))
    air = np.array([0.66, 0.70, 0.74], np.float32)
    picture = picture + thickness[..., None] * (air - picture)
    grey = picture @ np.array([0.3, 0.6, 0.1], np.float32)
    picture = grey[..., None] + np.float32(0.86) * (picture - grey[..., None])
    picture = picture * np.float32(1.10)
    # Soft shoulder: bright roofs keep their texture instead of clipping.
    bright = np.maximum(picture - 0.72, 0.0)
    picture = np.minimum(picture, 0.72) + bright / (1.0 + 1.6 * bright)
    soft = cv2.GaussianBlur(picture, (0, 0), 0.66)
    wide = cv2.GaussianBlur(soft, (0, 0), 1.3)
    picture = soft + 0.38 * (soft - wide)
    if noise > 0:
        luma = rng.standard_normal((rows, columns), dtype=np.float32)
        luma = 0.75 * luma + cv2.GaussianBlur(luma, (0, 0), 0.8)
        chroma = rng.standard_normal((rows // 2 + 1, columns // 2 + 1, 3), dtype=np.float32)
        chroma = cv2.resize(chroma, (columns, rows), interpolation=cv2.INTER_LINEAR)
        strength = np.float32(noise / 255.0) * np.sqrt(np.clip(picture, 0.05, 1.0) / 0.5)
        picture = picture + strength * (0.8 * luma[..., None] + 0.5 * chroma)
    image = np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8)
    if quality >= 100:
        return image
    ok, data = cv2.imencode(
        ".jpg", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]) if ok else image

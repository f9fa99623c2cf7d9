"""Super-resolution: twice as many pixels per side, sharper than interpolation can be.

Model card
----------
What it is: a residual network of 75,680 parameters over bicubic interpolation (see
`super_resolution_network`), applied to each band on its own, in any unit. The float16 weights
(0.15 MB) are part of RSAM.

Trained on: drone and aerial tiles of Zanzibar (394, north and south-west) and Nairobi (120), from
OpenAerialMap or similar, with no redistribution licence stated by the source, so that they were
used for training only and are not shipped; and 200 photographs of BSDS500 (research and education
use). Check these terms before commercial use. Each was halved in size with a random blur, some
with slight noise, JPEG compression or rounding; see ``training/super_resolution.py``. One run of
32 minutes on one core shared with other work, 12,764 steps, averaged weights; nothing was tuned
on the tiles below.

Measured by ``benchmarks/super_resolution.py`` on 8-bit tiles that were halved and enlarged again,
PSNR in dB (and SSIM), with the mean paired gain over bicubic interpolation and its 95 % bootstrap
interval over places:

- Banepa, Nepal (168 tiles at 32 places; bicubic, Lanczos, this network, gain):
  halved by bicubic: 31.19 (0.877), 31.62 (0.889), 33.01 (0.914), +1.81 [+1.68, +1.95];
  by means of 2 × 2: 31.40 (0.885), 31.71 (0.893), 32.66 (0.911), +1.25 [+1.14, +1.37];
  by a Gaussian of 0.7: 30.24 (0.847), 30.66 (0.860), 32.25 (0.893), +2.01 [+1.88, +2.14].
- Zanzibar, south-east, held back (73 tiles at 16 places):
  halved by bicubic: 35.90 (0.943), 36.90 (0.953), 38.58 (0.966), +2.67 [+2.58, +2.76];
  by means of 2 × 2: 36.16 (0.948), 37.17 (0.956), 38.04 (0.964), +1.87 [+1.80, +1.94];
  by a Gaussian of 0.7: 34.14 (0.919), 34.98 (0.932), 37.81 (0.956), +3.64 [+3.48, +3.83].

It was better than bicubic interpolation on every tile. Averaged back over 2 × 2 pixels, its
result differs from the input by 0.4 to 0.5 of 255.

Limits: it restores the sharpness that a typical sensor and resampling take away. It cannot show
what is smaller than a pixel: do not count, measure or read anything that is not in the original.
The figures hold for images that were blurred as in training; one that is softer than its pixels
allow stays soft. Noise and strong JPEG blocks are sharpened along with the picture. It was trained
on daylight images with ground distances of 0.07 to 0.3 m and on photographs; on coarser images it
is plausible but unmeasured, on radar or thermal ones untested.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, PrepareError
from rsam_core.prepare.nodata import filled
from rsam_core.prepare.resampling import check_result

if TYPE_CHECKING:
    from rsam_core.prepare.super_resolution_network import UpscalerNetwork

FACTOR = 2
WEIGHTS = Path(__file__).with_name("super_resolution.safetensors")
TILE = 192


def super_resolve(
    values: NDArray[np.float32],
    valid: NDArray[np.bool_],
    *,
    tile: int = TILE,
    weights: Path = WEIGHTS,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Double the number of pixels per side with the embedded network.

    Parameters
    ----------
    values : (H, W, C) array of float32
        Bands in any unit; each is enlarged on its own.
    valid : (H, W) array of bool
    tile : int
        Side of the pieces that are worked on one after the other; it bounds the memory and does
        not change the result.
    weights : Path
        A safetensors file for `UpscalerNetwork`.
    progress : callable, optional
        Called as ``progress(fraction, text)`` after each piece.
    cancelled : callable, optional
        Asked before each piece whether to stop.

    Returns
    -------
    values : (2 H, 2 W, C) array of float32
        Zero where not valid. Sharp edges may overshoot the range of the source a little.
    valid : (2 H, 2 W) array of bool

    Raises
    ------
    PrepareError
        The result would be too large, or the weights are missing or damaged.
    Cancelled
        `cancelled` said so.
    """
    import torch

    from rsam_core.prepare.super_resolution_network import REACH

    height, width, bands = values.shape
    check_result(width * FACTOR, height * FACTOR, bands, "Super-resolution")
    network = _network(weights)
    source = filled(values, valid)
    # The network follows any offset; without it, large numbers keep their last digits.
    offset = source.mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    layers = np.moveaxis(source - offset, 2, 0)[:, None]
    layers = np.pad(layers, ((0, 0), (0, 0), (REACH, REACH), (REACH, REACH)), mode="edge")
    out = np.empty((bands, height * FACTOR, width * FACTOR), np.float32)
    corners = [(y, x) for y in range(0, height, tile) for x in range(0, width, tile)]
    margin = REACH * FACTOR
    for done, (y, x) in enumerate(corners):
        if cancelled is not None and cancelled():
            raise Cancelled("Super-resolution was stopped; the image is as it was.")
        rows, columns = min(tile, height - y), min(tile, width - x)
        part = layers[:, :, y : y + rows + 2 * REACH, x : x + columns + 2 * REACH]
        target = out[:, y * FACTOR : (y + rows) * FACTOR, x * FACTOR : (x + columns) * FACTOR]
        # One band at a time stays in the processor's cache.
        for band in range(bands):
            one = torch.from_numpy(np.ascontiguousarray(part[band : band + 1]))
            with torch.inference_mode():
                piece = network(one.to(memory_format=torch.channels_last))
            target[band] = piece[0, 0, margin:-margin, margin:-margin].numpy()
        if progress is not None:
            progress((done + 1) / len(corners), f"Piece {done + 1} of {len(corners)}")
    result = np.ascontiguousarray(np.moveaxis(out, 0, 2)) + offset
    result_valid = valid.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    result[~result_valid] = 0
    return result, result_valid


@lru_cache(maxsize=2)
def _network(path: Path) -> UpscalerNetwork:
    """Load the network once."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from rsam_core.prepare.super_resolution_network import UpscalerNetwork

    network = UpscalerNetwork()
    try:
        network.load_state_dict({k: v.float() for k, v in load_file(str(path)).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise PrepareError(
            "The weights of the super-resolution step are missing or damaged. Install RSAM again."
        ) from error
    return network.eval().to(memory_format=torch.channels_last)

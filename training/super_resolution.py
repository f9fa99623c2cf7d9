"""Train the super-resolution step: ``python -m training.super_resolution --data DIR --out FILE``.

Pairs are made from real pictures: the picture is the truth, and a copy reduced to half its size
is the input. How a sensor blurs is not known to whoever opens a file, so the blur is drawn anew
for each patch: bicubic with anti-aliasing, the mean of 2 × 2 pixels, or a Gaussian (sigma 0.3 to
1 pixel of the truth) before that mean. Some inputs get slight noise, JPEG compression or rounding.

The learning rate follows the share of the time budget that has passed, so that a run ends on
time on any machine.
"""

from __future__ import annotations

import argparse
import copy
import math
import time
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from rsam_core.prepare.super_resolution_network import UpscalerNetwork

PATCH = 48
"""Side of an input patch; the truth is twice as large."""
BATCH = 16
RATE = 1e-3
LAST_RATE = 1e-5
EMA_DECAY = 0.999
MARGIN = 4
"""Outputs this near to a patch's border are left out of the loss: they lack context."""
_CONTEXT = 4
_GREY = np.array([0.299, 0.587, 0.114], np.float32)

HELD_BACK = "south of Zanzibar, zoom-19 columns 319298 and 319299 (rows 270995 and 270996)"


def held_back(path: Path) -> str:
    """Tell which part of the Zanzibar tiles a tile belongs to.

    Parts are places: the three zoom levels show the same ground.

    Returns
    -------
    str
        ``"train"``, ``"test"`` or ``"gap"`` (a strip between the two that neither uses).
    """
    x, y, zoom = (int(v) for v in path.stem.split("-")[1:4])
    scale = 2 ** (zoom - 19)
    column, row = x // scale, y // scale
    if row < 270995 or column < 319297:
        return "train"
    return "gap" if column == 319297 else "test"


def read_pictures(data: Path) -> list[tuple[float, list[np.ndarray]]]:
    """Read the training pictures, with the share of each source."""
    zanzibar = sorted((data / "buildings/zanzibar_tz/images").glob("*.png"))
    nairobi = sorted((data / "buildings/nairobi_ke/images").glob("*.png"))
    photographs = sorted((data / "segments/bsds500/train/images").glob("*.jpg"))
    sources = [
        (0.5, [p for p in zanzibar if held_back(p) == "train"]),
        (0.15, nairobi),
        (0.35, photographs),
    ]
    return [(share, [cv2.imread(str(p))[..., ::-1] for p in paths]) for share, paths in sources]


def shrink(truth: np.ndarray, kind: str, sigma: float = 0.0) -> np.ndarray:
    """Halve the size of a band without aliasing; both keep the same corners.

    Parameters
    ----------
    truth : (2 H, 2 W) array of float32
    kind : str
        ``"bicubic"`` (widened cubic convolution, a = -1/2), ``"area"`` (mean of 2 × 2 pixels) or
        ``"gaussian"`` (Gaussian of ``sigma`` pixels, then the mean of 2 × 2).

    Returns
    -------
    (H, W) array of float32
    """
    height, width = truth.shape
    if kind == "bicubic":
        small = Image.fromarray(truth, mode="F").resize((width // 2, height // 2), Image.BICUBIC)
        return np.array(small, np.float32)
    if kind == "gaussian":
        truth = cv2.GaussianBlur(truth, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    elif kind != "area":
        raise ValueError(f"unknown reduction {kind!r}")
    return truth.reshape(height // 2, 2, width // 2, 2).mean((1, 3), dtype=np.float32)


def spoil(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add what real files carry: noise, compression, rounding, each only sometimes."""
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(0.3, 2.0), small.shape)
        small = small + noise.astype(np.float32)
    if rng.random() < 0.2:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(75, 98))]
        coded = cv2.imencode(".jpg", np.clip(np.rint(small), 0, 255).astype(np.uint8), quality)[1]
        return cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    return np.rint(small) if rng.random() < 0.7 else small


def draw_pair(picture: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Cut one pair of (PATCH, PATCH) input and (2 PATCH, 2 PATCH) truth, values 0 to 255."""
    # Halved pictures are sharper pixel by pixel than the tiles, many of which were enlarged.
    reduction = 2 if rng.random() < 0.4 else 1
    side = 2 * (PATCH + 2 * _CONTEXT) * reduction
    height, width = picture.shape[:2]
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    patch = picture[top : top + side, left : left + side].astype(np.float32)
    band = patch @ _GREY if rng.random() < 0.4 else patch[..., rng.integers(3)]
    if reduction == 2:
        band = shrink(np.ascontiguousarray(band), "area")
    band = np.rot90(band, rng.integers(4))
    truth = np.ascontiguousarray(band[:, ::-1] if rng.random() < 0.5 else band)
    kind = rng.choice(["bicubic", "area", "gaussian"], p=[0.35, 0.25, 0.4])
    small = spoil(shrink(truth, kind, rng.uniform(0.3, 1.0)), rng)
    near, far = _CONTEXT, 2 * _CONTEXT
    return small[near:-near, near:-near], truth[far:-far, far:-far]


def draw_batch(
    sources: list[tuple[float, list[np.ndarray]]], rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw inputs (BATCH, 1, PATCH, PATCH) and truths of twice the size, values 0 to 1."""
    pairs = []
    for index in rng.choice(len(sources), size=BATCH, p=[share for share, _ in sources]):
        pictures = sources[index][1]
        pairs.append(draw_pair(pictures[rng.integers(len(pictures))], rng))
    small, truth = (np.stack(side)[:, None] / 255 for side in zip(*pairs))
    return torch.from_numpy(small.astype(np.float32)), torch.from_numpy(truth.astype(np.float32))


def loss_of(guess: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Charbonnier loss away from the border of the patches."""
    inner = slice(2 * MARGIN, -2 * MARGIN)
    difference = guess[..., inner, inner] - truth[..., inner, inner]
    return torch.sqrt(difference.square() + 1e-6).mean()


def enlarge(network: UpscalerNetwork, small: torch.Tensor) -> torch.Tensor:
    """Run the network with most of its work in bfloat16, which is 2.5 times as fast."""
    features = network.features(small)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        residual = network.residual(features)
    return F.pixel_shuffle(network.plain(small) + residual.float(), 2)


def train(data: Path, target: Path, minutes: float, seed: int = 0) -> None:
    """Train for a time, then write averaged weights as float16 safetensors."""
    from safetensors.torch import save_file

    torch.manual_seed(seed)
    torch.set_flush_denormal(True)
    rng = np.random.default_rng(seed)
    sources = read_pictures(data)
    network = UpscalerNetwork().to(memory_format=torch.channels_last)
    # The residual starts at zero: the network is bicubic interpolation until it knows better.
    torch.nn.init.zeros_(network.tail.weight)
    for block in network.body:
        block.second.weight.data *= 0.1
    averaged = copy.deepcopy(network)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    start, step, recent = time.monotonic(), 0, []
    while (share := (time.monotonic() - start) / (60 * minutes)) < 1:
        wave = 0.5 * (1 + math.cos(math.pi * share))
        for group in optimiser.param_groups:
            group["lr"] = min(1, (step + 1) / 100) * (LAST_RATE + (RATE - LAST_RATE) * wave)
        small, truth = draw_batch(sources, rng)
        loss = loss_of(enlarge(network, small), truth)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        decay = min(EMA_DECAY, (step + 1) / (step + 10))
        with torch.no_grad():
            for mean, value in zip(averaged.parameters(), network.parameters()):
                mean.lerp_(value, 1 - decay)
            plain = F.interpolate(small, scale_factor=2, mode="bicubic")
            recent.append(loss.item() / loss_of(plain, truth).item())
        step += 1
        if step % 200 == 0:
            spent = (time.monotonic() - start) / 60
            print(
                f"{spent:5.1f} min, step {step}: loss {np.mean(recent):.4f} of bicubic's",
                flush=True,
            )
            recent.clear()
            _write(averaged, target, save_file)
    _write(averaged, target, save_file)
    print(f"{step} steps, {target.stat().st_size:,} bytes")


def _write(network: UpscalerNetwork, target: Path, save_file) -> None:
    state = {k: v.half().contiguous() for k, v in network.state_dict().items()}
    save_file(state, str(target))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder train/")
    parser.add_argument("--out", type=Path, required=True, help="the safetensors file to write")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    train(options.data, options.out, options.minutes, options.seed)

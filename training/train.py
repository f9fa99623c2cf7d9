"""Train the embedded model: ``python -m training.train --data DIR --out DIR --hours H``.

Workers share one set of weights and update it without waiting for each other (Hogwild: Recht
et al., NeurIPS 2011). Each runs on one thread, so a busy core slows one worker only, where
data-parallel training would stall at every step. The learning rate follows the share of the
time budget that has passed, so that a run ends on time on any machine.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.prompt_maps import PromptBatch

from .backbone import load_imagenet
from .data import Mixture, read_photographs, read_rendered, read_tiles
from .losses import mask_loss, true_iou
from .simulate import (
    centre_click,
    draw_objects,
    loose_box,
    noisy_corrective_click,
    random_click,
)

MAX_POINTS = 4
IMAGES_A_STEP = 2
OBJECTS_AN_IMAGE = 4
WARM_UP_STEPS = 200
BACKBONE_RATE = 0.3
COARSE_SHARE = 0.25
SMALLEST_COARSE = 400
EMA_DECAY = 0.998
CHECKPOINT_SECONDS = 180


def sources(data: Path, rendered: Path | None) -> Mixture:
    """The training mixture of building tiles, photographs and rendered towns."""
    photographs = read_photographs(data / "segments/bsds500/train")
    photographs += read_photographs(data / "segments/bsds500/val")
    return Mixture(
        [
            (0.45, read_tiles(data / "buildings/zanzibar_tz")),
            (0.06, read_tiles(data / "buildings/nairobi_ke")),
            (0.22, photographs),
            (0.27, read_rendered(rendered) if rendered else []),
        ]
    )


class Prompts:
    """Growing prompts of the objects of one step."""

    def __init__(self, masks: list[np.ndarray], rng: np.random.Generator) -> None:
        n, size = len(masks), masks[0].shape[0]
        self.masks, self.rng, self.size = masks, rng, size
        self.points = np.zeros((n, MAX_POINTS, 2), np.float32)
        self.labels = np.full((n, MAX_POINTS), -1, np.int64)
        self.boxes = np.zeros((n, 4), np.float32)
        self.has_box = np.zeros(n, np.float32)
        self.previous = torch.zeros(n, 1, size // 4, size // 4)
        self.has_previous = np.zeros(n, np.float32)
        for i, mask in enumerate(masks):
            kind = rng.random()
            if kind < 0.45:
                self.boxes[i], self.has_box[i] = loose_box(mask, rng), 1
            if kind > 0.40:
                click = centre_click(mask) if rng.random() < 0.5 else random_click(mask, rng)
                self.points[i, 0], self.labels[i, 0] = click, 1

    def batch(self) -> PromptBatch:
        """The prompts as tensors."""
        used = max(1, int((self.labels >= 0).sum(1).max()))
        return PromptBatch(
            torch.from_numpy(self.points[:, :used].copy()),
            torch.from_numpy(self.labels[:, :used].copy()),
            torch.from_numpy(self.boxes.copy()),
            torch.from_numpy(self.has_box.copy()),
            self.previous,
            torch.from_numpy(self.has_previous.copy()),
        )

    def single_click(self) -> torch.Tensor:
        """(N,) True where the prompt is one click and nothing else: ambiguous."""
        one = (self.labels >= 0).sum(1) == 1
        return torch.from_numpy(one & (self.has_box == 0) & (self.has_previous == 0))

    def correct(self, logits: torch.Tensor) -> None:
        """Add a corrective click to each object, and its (N, h, w) logits as previous mask."""
        full = F.interpolate(
            logits[:, None], scale_factor=4.0, mode="bilinear", align_corners=False
        )[:, 0]
        for i, mask in enumerate(self.masks):
            predicted = (full[i] > 0).numpy()
            click = noisy_corrective_click(mask, predicted, self.rng)
            slot = int((self.labels[i] >= 0).sum())
            if click is not None and slot < MAX_POINTS:
                self.points[i, slot] = click[:2]
                self.labels[i, slot] = click[2]
            if self.rng.random() < 0.7:
                hard = torch.from_numpy(predicted.astype(np.float32))[None, None]
                self.previous[i] = F.avg_pool2d(hard, 4)[0]
            else:
                self.previous[i] = torch.sigmoid(logits[i])[None]
            self.has_previous[i] = 1


def step_loss(
    network: TinyNetwork, mixture: Mixture, rng: np.random.Generator, level: int = 1
) -> tuple[torch.Tensor, dict[str, float]] | None:
    """Loss of one step, or None where the crops held no object.

    ``level`` 2 draws crops twice as large and decodes them at twice the stride, as large objects
    are decoded in use.
    """
    images, masks, owners = [], [], []
    for i in range(IMAGES_A_STEP if level == 1 else 1):
        image, labels = mixture.draw(rng, 256 * level)
        images.append(image)
        found = draw_objects(labels, OBJECTS_AN_IMAGE * (1 if level == 1 else 2), rng)
        if level > 1:
            found = [m[::level, ::level] for m in found if m.sum() >= SMALLEST_COARSE]
        masks += found
        owners += [i] * len(found)
    if not masks:
        return None
    rgb = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float()
    maps = network.encode(rgb.contiguous(memory_format=torch.channels_last))
    image, key, skip = maps.image, maps.key, maps.skip
    if level > 1:
        image, key, skip = (F.avg_pool2d(m, level) for m in (image, key, skip))
        key = F.normalize(key, dim=1)
    image, key, skip = image[owners], key[owners], skip[owners]
    target = F.avg_pool2d(torch.from_numpy(np.stack(masks)).float()[:, None], 4)
    prompts = Prompts(masks, rng)
    rounds = 2 if rng.random() < 0.65 else 3
    total, report = torch.zeros(()), {}
    for r in range(rounds):
        ambiguous = prompts.single_click()
        logits, quality = network.decoder(image, key, skip, prompts.batch())
        losses = mask_loss(logits, target)
        truth = true_iou(logits.detach(), target)
        best = losses[:, :3].min(1)
        three = best.values + 0.1 * losses[:, :3].mean(1)
        weight_three = torch.where(ambiguous, 1.0, 0.3)
        weight_one = torch.where(ambiguous, 0.3, 1.0)
        loss = (weight_three * three + weight_one * losses[:, 3]).mean()
        loss = loss + 2 * F.mse_loss(quality, truth)
        total = total + loss * (1.0 if r == 0 else 0.7)
        rows = torch.arange(len(masks))
        guess = quality[:, :3].argmax(1)
        pick = torch.where(ambiguous, guess, torch.full_like(guess, 3))
        if r == 0:
            boxed = torch.from_numpy(prompts.has_box > 0)
            if boxed.any():
                report["box"] = float(truth[boxed, 3].mean())
            if ambiguous.any():
                report["click"] = float(truth[rows, pick][ambiguous].mean())
                report["best"] = float(truth[:, :3].max(1).values[ambiguous].mean())
        else:
            report[f"round{r}"] = float(truth[rows, pick].mean())
        if r < rounds - 1:
            prompts.correct(logits[rows, pick].detach())
    report["loss"] = float(total.detach())
    return total, report


def parameter_groups(network: TinyNetwork) -> list[dict]:
    """Backbone at a lower rate; no weight decay on biases and norms."""
    groups: dict[tuple[bool, bool], list] = {}
    for name, parameter in network.named_parameters():
        backbone = name.startswith("encoder.backbone")
        groups.setdefault((backbone, parameter.ndim < 2), []).append(parameter)
    return [
        {
            "params": parameters,
            "scale": BACKBONE_RATE if backbone else 1.0,
            "weight_decay": 0.0 if plain else 0.01,
        }
        for (backbone, plain), parameters in groups.items()
    ]


def learning_rate(peak: float, step: int, share: float) -> float:
    """Warm up over steps, then cosine decay over the share of time that has passed."""
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    return peak * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))


def _atomic_save(value: object, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(value, part)
    os.replace(part, path)


def work(rank: int, network: TinyNetwork, ema: TinyNetwork, args: argparse.Namespace) -> None:
    """One worker: draws, learns, and (the first one) averages, logs and saves."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    os.nice(args.nice + 3 * rank if args.nice + 3 * rank < 20 else 19 - args.nice)
    mixture = sources(Path(args.data), Path(args.rendered) if args.rendered else None)
    rng = np.random.default_rng([args.seed, rank, int(time.time()) if args.resume else 0])
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=args.rate, betas=(0.9, 0.99))
    state_file = Path(args.out) / f"worker{rank}.pt"
    step, spent, fresh_from = 0, 0.0, 0
    if args.resume and state_file.exists():
        state = torch.load(state_file, weights_only=True)
        step, spent = state["step"], state["spent"]
        if len(state["optimizer"]["state"]) == sum(1 for _ in network.parameters()):
            optimizer.load_state_dict(state["optimizer"])
        else:
            # The network has grown: the optimizer starts anew, and so must the warm-up.
            fresh_from = step
    began = last_save = time.time()
    history: list[dict[str, float]] = []
    budget = args.hours * 3600
    while True:
        now = spent + time.time() - began
        if now >= budget:
            break
        rate = learning_rate(args.rate, step - fresh_from, now / budget)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        result = step_loss(network, mixture, rng, 2 if rng.random() < COARSE_SHARE else 1)
        if result is None:
            continue
        loss, report = result
        if not torch.isfinite(loss):
            continue
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        step += 1
        history.append(report)
        if rank == 0:
            decay = min(EMA_DECAY, (step + 1) / (step + 10))
            with torch.no_grad():
                for slow, fast in zip(ema.parameters(), network.parameters()):
                    slow.lerp_(fast, 1 - decay)
        if step % 100 == 0:
            means = {
                k: np.mean([h[k] for h in history if k in h])
                for k in sorted({k for h in history for k in h})
            }
            text = " ".join(f"{k} {v:.3f}" for k, v in means.items())
            print(f"[{rank}] step {step} {now / 60:.1f} min lr {rate:.1e} {text}", flush=True)
            history.clear()
        if time.time() - last_save > CHECKPOINT_SECONDS:
            last_save = time.time()
            save(rank, network, ema, optimizer, step, now, args)
    save(rank, network, ema, optimizer, step, budget, args)


def save(rank, network, ema, optimizer, step, spent, args) -> None:
    """Write this worker's state, and from the first worker the shared weights."""
    out = Path(args.out)
    _atomic_save(
        {"optimizer": optimizer.state_dict(), "step": step, "spent": spent},
        out / f"worker{rank}.pt",
    )
    if rank == 0:
        _atomic_save({"network": network.state_dict(), "ema": ema.state_dict()}, out / "weights.pt")


def main() -> None:
    """Parse the command line and run the workers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with buildings/ and segments/")
    parser.add_argument("--rendered", help="folder of rendered towns (.npz)")
    parser.add_argument("--out", required=True, help="folder for checkpoints")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    # Batch-norm statistics stay frozen: evaluation mode throughout.
    network = TinyNetwork().eval().to(memory_format=torch.channels_last)
    load_imagenet(network.encoder.backbone)
    ema = TinyNetwork().eval()
    ema.load_state_dict(network.state_dict())
    weights = Path(args.out) / "weights.pt"
    if args.resume and weights.exists():
        state = torch.load(weights, weights_only=True)
        # Layers that are newer than the checkpoint start as they are: from nothing.
        network.load_state_dict(state["network"], strict=False)
        ema.load_state_dict(state["ema"], strict=False)
    network.share_memory()
    ema.share_memory()
    if args.workers == 1:
        work(0, network, ema, args)
    else:
        mp.spawn(work, (network, ema, args), nprocs=args.workers)


if __name__ == "__main__":
    main()

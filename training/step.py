"""One step of training: crops, growing prompts, and the loss of masks, ranking and proposals."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.prompt_maps import PromptBatch
from rsam_core.prompts.simulated import tight_box

from .clicks import exclude_click, inner_click, next_click, proposal_box
from .data import CROP, Crop, Mixture
from .losses import mask_loss, ranking_loss, true_iou
from .proposals import Target, proposal_loss, targets, to_device
from .simulate import draw_objects, loose_box

MAX_POINTS = 4
OBJECTS_AN_IMAGE = 3
MIN_COARSE = 400
PROPOSAL_WEIGHT = 0.5
RANKING_WEIGHT = 0.5


@dataclass
class Draw:
    """What a step learns from, before any prompt.

    Attributes
    ----------
    rgb : ndarray
        (N, S, S, 3) uint8.
    masks, others : list of ndarray
        The chosen objects and everything else that is labelled, bool, at the decoder's scale.
    owners : list of int
        Image of each mask.
    wanted : tuple of Target
        For the proposal head.
    level : int
        2 where crops are twice as large and decoded at twice the stride.
    """

    rgb: np.ndarray
    masks: list[np.ndarray]
    others: list[np.ndarray]
    owners: list[int]
    wanted: tuple[Target, Target]
    level: int


def draw(
    mixture: Mixture,
    rng: np.random.Generator,
    level: int = 1,
    images: int = 2,
    prompted: int | None = None,
) -> Draw | None:
    """Draw crops, and objects in the first ``prompted`` of them; None without any object."""
    crops: list[Crop] = [mixture.draw_crop(rng, CROP * level) for _ in range(images)]
    masks, others, owners = [], [], []
    for i, crop in enumerate(crops[:prompted]):
        found = draw_objects(crop.labels, OBJECTS_AN_IMAGE * level, rng)
        if level > 1:
            found = [m for m in found if m.sum() >= MIN_COARSE]
        rest = crop.labels[::level, ::level] > 0
        for mask in found:
            masks.append(mask[::level, ::level])
            others.append(rest & ~masks[-1])
        owners += [i] * len(found)
    if not masks:
        return None
    rgb = np.stack([crop.image for crop in crops])
    return Draw(rgb, masks, others, owners, targets(crops), level)


class Prompts:
    """Growing prompts of the objects of one step.

    Parameters
    ----------
    masks : list of ndarray of bool
        (S, S) each.
    rng : numpy.random.Generator
    others : list of ndarray of bool, optional
        Everything else that is labelled, for clicks on neighbours.
    device : torch.device or str
        Where `batch` puts the prompts.
    """

    def __init__(
        self,
        masks: list[np.ndarray],
        rng: np.random.Generator,
        others: list[np.ndarray] | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        n, size = len(masks), masks[0].shape[0]
        self.masks, self.rng, self.size, self.device = masks, rng, size, device
        self.others = others or [None] * n
        self.points = np.zeros((n, MAX_POINTS, 2), np.float32)
        self.labels = np.full((n, MAX_POINTS), -1, np.int64)
        self.boxes = np.zeros((n, 4), np.float32)
        self.has_box = np.zeros(n, np.float32)
        self.previous = torch.zeros(n, 1, size // 4, size // 4)
        self.has_previous = np.zeros(n, np.float32)
        for i, mask in enumerate(masks):
            kind = rng.random()
            if kind < 0.45:
                draw_box = loose_box if rng.random() < 0.5 else proposal_box
                self.boxes[i], self.has_box[i] = draw_box(mask, rng), 1
            if kind > 0.40:
                self._add(i, (*inner_click(mask, rng), 1))
            if rng.random() < 0.06:
                place = exclude_click(mask, self.others[i], rng)
                self._add(i, place and (*place, 0))

    def _add(self, i: int, click: tuple[float, float, int] | None) -> None:
        slot = int((self.labels[i] >= 0).sum())
        if click is not None and slot < MAX_POINTS:
            self.points[i, slot], self.labels[i, slot] = click[:2], click[2]

    def batch(self) -> PromptBatch:
        """The prompts as tensors."""
        used = max(1, int((self.labels >= 0).sum(1).max()))
        parts = (
            torch.from_numpy(self.points[:, :used].copy()),
            torch.from_numpy(self.labels[:, :used].copy()),
            torch.from_numpy(self.boxes.copy()),
            torch.from_numpy(self.has_box.copy()),
            self.previous.clone(),
            torch.from_numpy(self.has_previous.copy()),
        )
        return PromptBatch(*(part.to(self.device) for part in parts))

    def single_click(self) -> torch.Tensor:
        """(N,) True where the prompt is one click and nothing else: ambiguous."""
        one = (self.labels >= 0).sum(1) == 1
        return torch.from_numpy(one & (self.has_box == 0) & (self.has_previous == 0))

    def correct(self, logits: torch.Tensor, pool: ThreadPoolExecutor | None = None) -> None:
        """Go on from (N, h, w) logits: mostly a corrective click, now and then a second pass.

        A second pass repeats the prompt with the mask as the previous one, and with the box of
        the mask in place of a poor one or of none; that is how proposals are decoded.
        """
        logits = logits.float().cpu()
        full = F.interpolate(
            logits[:, None], scale_factor=4.0, mode="bilinear", align_corners=False
        )[:, 0]
        predicted = (full > 0).numpy()
        hard = F.avg_pool2d(torch.from_numpy(predicted.astype(np.float32))[:, None], 4)
        # Each object has its own generator, so that threads do not share one.
        seeds = self.rng.integers(2**63, size=len(self.masks))

        def go_on(i: int) -> None:
            rng = np.random.default_rng(seeds[i])
            mask, guess = self.masks[i], predicted[i]
            union = np.count_nonzero(mask | guess)
            good = np.count_nonzero(mask & guess) > 0.4 * union
            if guess.any() and good and rng.random() < (0.35 if self.has_box[i] else 0.12):
                if rng.random() < 0.6:
                    self.boxes[i], self.has_box[i] = tight_box(guess), 1
            elif guess.any():
                self._add(i, next_click(mask, guess, self.others[i], rng))
            else:
                self._add(i, (*inner_click(mask, rng), 1))
            self.previous[i] = hard[i] if rng.random() < 0.7 else torch.sigmoid(logits[i])[None]
            self.has_previous[i] = 1

        list((pool.map if pool else map)(go_on, range(len(self.masks))))


def _learns(part: torch.nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in part.parameters())


def step_loss(
    network: TinyNetwork,
    drawn: Draw,
    rng: np.random.Generator,
    device: torch.device | str = "cpu",
    pool: ThreadPoolExecutor | None = None,
) -> tuple[torch.Tensor, dict[str, float]]:
    """Loss of one step and figures for the log.

    Parameters
    ----------
    network : TinyNetwork
    drawn : Draw
    rng : numpy.random.Generator
        For the prompts.
    device : torch.device or str
        Of the network.
    pool : ThreadPoolExecutor, optional
        For the simulated users of a large batch.
    """
    device, level, masks = torch.device(device), drawn.level, drawn.masks
    rgb = torch.from_numpy(drawn.rgb).to(device).permute(0, 3, 1, 2).float()
    with torch.set_grad_enabled(torch.is_grad_enabled() and _learns(network.encoder)):
        maps = network.encode(rgb.contiguous(memory_format=torch.channels_last))
    total, report = torch.zeros((), device=device), {}
    if network.proposals is not None and _learns(network.proposals):
        wanted = to_device(drawn.wanted, device)
        found, report = proposal_loss(network.propose(maps), wanted)
        total = total + PROPOSAL_WEIGHT * found
    image, key, skip = maps.image, maps.key, maps.skip
    if level > 1:
        image, key, skip = (F.avg_pool2d(m, level) for m in (image, key, skip))
        key = F.normalize(key, dim=1)
    image, key, skip = image[drawn.owners], key[drawn.owners], skip[drawn.owners]
    target = F.avg_pool2d(torch.from_numpy(np.stack(masks)).to(device).float()[:, None], 4)
    prompts = Prompts(masks, rng, drawn.others, device)
    rounds = 2 if rng.random() < 0.65 else 3
    for r in range(rounds):
        ambiguous = prompts.single_click().to(device)
        logits, quality = network.decoder(image, key, skip, prompts.batch())
        losses = mask_loss(logits, target)
        truth = true_iou(logits.detach(), target)
        best = losses[:, :3].min(1)
        three = best.values + 0.1 * losses[:, :3].mean(1)
        weight_three = torch.where(ambiguous, 1.0, 0.3)
        weight_one = torch.where(ambiguous, 0.3, 1.0)
        loss = (weight_three * three + weight_one * losses[:, 3]).mean()
        loss = loss + 2 * F.mse_loss(quality, truth)
        loss = loss + RANKING_WEIGHT * ranking_loss(quality[:, :3], truth[:, :3])
        total = total + loss * (1.0 if r == 0 else 0.7)
        rows = torch.arange(len(masks), device=device)
        guess = quality[:, :3].argmax(1)
        pick = torch.where(ambiguous, guess, torch.full_like(guess, 3))
        if r == 0:
            boxed = torch.from_numpy(prompts.has_box > 0).to(device)
            if boxed.any():
                report["box"] = float(truth[boxed, 3].mean())
            if ambiguous.any():
                report["click"] = float(truth[rows, pick][ambiguous].mean())
                report["best"] = float(truth[:, :3].max(1).values[ambiguous].mean())
        else:
            report[f"round{r}"] = float(truth[rows, pick].mean())
        if r < rounds - 1:
            prompts.correct(logits[rows, pick].detach(), pool)
    report["loss"] = float(total.detach())
    return total, report

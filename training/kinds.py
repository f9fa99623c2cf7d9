"""Train the kind head on frozen features: ``python -m training.kinds --data DIR --out FILE``.

Objects come from the sets whose labels say what they are; a share of the masks is roughened, as
the model's own masks are. Places that the encoder's training holds out tell how often the head is
right, set its temperature, and the probability below which it should say "not sure".
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from rsam_core.models.tiny.kind_head import KindHead, describe
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.models.tiny.model import WEIGHTS, TinyModel, load_tiny

from .data import CROP, Crop, Picture, jitter_colour, random_crop
from .simulate import SMALLEST
from .sources import SOURCES, read_folder, read_sources

OBJECTS_A_CROP = 16
PRECISION = 0.9
"""Share of right answers among those that are not "not sure", on held-out places."""

_GROUND = "land"
"""Class of bare ground, which is no instance in its set: patches of it stand for objects."""


@dataclass
class Examples:
    """Inputs (N, INPUTS) and kinds (N,) of objects."""

    inputs: Tensor
    kinds: Tensor

    def __add__(self, other: Examples) -> Examples:
        return Examples(
            torch.cat([self.inputs, other.inputs]), torch.cat([self.kinds, other.kinds])
        )


def roughen(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mask as a model outlines it: grown, shrunk or smoothed by a pixel or two."""
    size = int(rng.integers(2, 5))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    operation = (cv2.MORPH_ERODE, cv2.MORPH_DILATE, cv2.MORPH_OPEN)[rng.integers(3)]
    rough = cv2.morphologyEx(mask.astype(np.uint8), operation, kernel) > 0
    return rough if rough.sum() >= SMALLEST else mask


def examples_of(model: TinyModel, crop: Crop, rng: np.random.Generator) -> Examples | None:
    """Objects of known kind of a crop, rare kinds first; None without any."""
    labels, areas = np.unique(crop.labels[crop.labels > 0], return_counts=True)
    kinds = crop.kinds[labels] if len(labels) else np.zeros(0, int)
    usable = (areas >= SMALLEST) & (kinds >= 0)
    labels, kinds = labels[usable], kinds[usable]
    if not len(labels):
        return None
    counts = np.bincount(kinds, minlength=len(KINDS))
    order = np.lexsort((rng.random(len(labels)), counts[kinds]))[:OBJECTS_A_CROP]
    objects = []
    for label in labels[order]:
        mask = crop.labels == label
        objects.append((roughen(mask, rng) if rng.random() < 0.5 else mask, 0, 0))
    maps = model.encode(crop.image).maps
    return Examples(describe(maps, objects), torch.from_numpy(kinds[order].astype(np.int64)))


def ground_patches(picture: Picture, ground: np.ndarray, rng: np.random.Generator) -> Picture:
    """The picture with a few patches of its bare ground as objects, and no others.

    Parameters
    ----------
    picture : Picture
    ground : ndarray of bool, shape (H, W)
    rng : numpy.random.Generator
    """
    labels = np.zeros(ground.shape, np.int32)
    for number in range(1, 7):
        size = rng.integers(10, 50, 2)
        centre = (int(rng.integers(ground.shape[1])), int(rng.integers(ground.shape[0])))
        patch = np.zeros(ground.shape, np.uint8)
        axes = (int(size[0]), int(size[1]))
        cv2.ellipse(patch, centre, axes, float(rng.uniform(0, 180)), 0, 360, 1, -1)
        inside = (patch > 0) & ground
        if inside.sum() > 0.7 * patch.sum():
            labels[inside] = number
    kinds = np.full(8, KINDS.index("bare ground"), np.int8)
    return Picture(picture.image, [labels], None, kinds, picture.labelled)


def ground_pictures(data: Path, rng: np.random.Generator, held_out: bool) -> list[Picture]:
    """Pictures whose objects are patches of bare ground."""
    found = []
    for source in SOURCES:
        index = data / source.folder / "classes.json"
        names = json.loads(index.read_text()) if index.exists() else {}
        numbers = [int(number) for number, name in names.items() if name == _GROUND]
        if not numbers:
            continue
        for path in sorted((data / source.folder / "classes").glob("*.png")):
            if source.held_out(path.stem) == held_out:
                classes = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
                for picture in read_folder(data, source, [path.stem]):
                    found.append(ground_patches(picture, classes == numbers[0], rng))
    return found


def place_of(picture: Picture, kind: int, rng: np.random.Generator) -> tuple[float, float] | None:
    """x and y of a pixel of an object of a kind; None if the picture shows none."""
    labels = picture.labels[0]
    shown = np.unique(labels)
    wanted = shown[picture.kinds[shown] == kind]
    if not len(wanted):
        return None
    pixels = np.flatnonzero(labels == wanted[rng.integers(len(wanted))])
    row, column = divmod(int(pixels[rng.integers(len(pixels))]), labels.shape[1])
    return column + 0.5, row + 0.5


def collect(
    model: TinyModel, groups: list[list[Picture]], crops: int, rng: np.random.Generator
) -> Examples:
    """Objects of so many crops: half anywhere, the groups in turn, half where a rare kind is."""
    found: Examples | None = None
    groups = [
        [p for p in group if p.kinds is not None and (p.kinds >= 0).any()] for group in groups
    ]
    groups = [group for group in groups if group]
    having = {
        kind: [p for group in groups for p in group if (p.kinds == kind).any()]
        for kind in range(len(KINDS))
    }
    having = {kind: pictures for kind, pictures in having.items() if pictures}
    for i in range(crops):
        place = None
        if i % 2 and found is not None:
            # Pools are a thousand times rarer than roofs: random crops hardly show one.
            counts = torch.bincount(found.kinds, minlength=len(KINDS))
            kind = min(having, key=lambda k: int(counts[k]))
            picture = having[kind][rng.integers(len(having[kind]))]
            place = place_of(picture, kind, rng)
        else:
            group = groups[i // 2 % len(groups)]
            picture = group[rng.integers(len(group))]
        image, labels = random_crop(picture, rng, CROP, at=place)
        crop = Crop(jitter_colour(image, rng), labels, picture.kinds, picture.labelled)
        new = examples_of(model, crop, rng)
        if new is not None:
            found = new if found is None else found + new
    if found is None:
        raise ValueError("no object of a known kind was found")
    return found


def fit(head: KindHead, train: Examples, steps: int = 1500, seed: int = 0) -> None:
    """Teach the head; kinds weigh by the inverse square root of how often they occur."""
    generator = torch.Generator().manual_seed(seed)
    head.centre.copy_(train.inputs.mean(0))
    head.scale.copy_(train.inputs.std(0).clamp_min(1e-2))
    counts = torch.bincount(train.kinds, minlength=len(KINDS)).float()
    weight = torch.where(counts > 0, counts.clamp_min(1).rsqrt(), torch.zeros(()))
    weight = weight / weight[counts > 0].mean()
    optimizer = torch.optim.AdamW(head.parameters(), lr=2e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    head.train()
    for _ in range(steps):
        chosen = torch.randint(len(train.kinds), (256,), generator=generator)
        loss = F.cross_entropy(
            head(train.inputs[chosen]), train.kinds[chosen], weight, label_smoothing=0.05
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    head.eval()


@torch.no_grad()
def calibrate(head: KindHead, held_out: Examples) -> None:
    """Set the temperature of least surprise, then the lowest threshold precise enough.

    It is at least one half: what is more likely something else is not worth saying.
    """
    head.temperature.fill_(1)
    logits = head(held_out.inputs)
    grid = torch.linspace(0.5, 4, 71)
    losses = torch.stack([F.cross_entropy(logits / t, held_out.kinds) for t in grid])
    head.temperature.copy_(grid[losses.argmin()])
    best, guess = head.probabilities(held_out.inputs).max(1)
    right = guess == held_out.kinds
    for threshold in np.arange(0.5, 0.96, 0.05):
        chosen = best >= threshold
        head.sure.fill_(float(threshold))
        if chosen.any() and right[chosen].float().mean() >= PRECISION:
            break


@torch.no_grad()
def report(head: KindHead, examples: Examples) -> dict[str, dict[str, float]]:
    """For each kind: how many, share recognised, share of right answers, share not sure."""
    best, guess = head.probabilities(examples.inputs).max(1)
    guess = torch.where(best >= head.sure, guess, torch.full_like(guess, -1))
    table = {}
    for number, name in enumerate(KINDS):
        true, said = examples.kinds == number, guess == number
        if true.any():
            table[name] = {
                "objects": int(true.sum()),
                "recall": float(said[true].float().mean()),
                "precision": float(true[said].float().mean()) if said.any() else float("nan"),
                "not sure": float((guess[true] < 0).float().mean()),
            }
    sure = guess >= 0
    right = (guess == examples.kinds)[sure].float().mean() if sure.any() else float("nan")
    table["all"] = {
        "objects": len(guess),
        "recall": float((guess == examples.kinds).float().mean()),
        "precision": float(right),
        "not sure": float((~sure).float().mean()),
    }
    return table


def main(arguments: list[str] | None = None) -> None:
    """Collect objects, train, calibrate, report, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rendered", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="exported, with its encoder")
    parser.add_argument("--out", type=Path, required=True, help="safetensors of the head alone")
    parser.add_argument("--crops", type=int, default=3000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(arguments)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    model = load_tiny(args.weights)
    parts = {}
    for held_out, crops in ((False, args.crops), (True, max(args.crops // 6, 1))):
        groups = [pictures for _, pictures in read_sources(
            args.data, args.rendered, held_out=held_out)]  # fmt: skip
        groups.append(ground_pictures(args.data, rng, held_out))
        parts[held_out] = collect(model, groups, crops, rng)
    head = KindHead()
    fit(head, parts[False], args.steps, args.seed)
    # One half of the held-out objects sets the threshold, the other says what it is worth.
    held_out, half = parts[True], torch.arange(len(parts[True].kinds)) % 2 == 0
    calibrate(head, Examples(held_out.inputs[half], held_out.kinds[half]))
    result = report(head, Examples(held_out.inputs[~half], held_out.kinds[~half]))
    for name, row in result.items():
        print(f"{name:16s}" + "  ".join(f"{key} {value:.3g}" for key, value in row.items()))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    save_file({k: v.half().contiguous() for k, v in head.state_dict().items()}, str(args.out))
    args.out.with_suffix(".json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

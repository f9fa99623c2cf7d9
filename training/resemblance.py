"""Train the comparison of one-shot search: ``python -m training.resemblance --data DIR``.

Pairs of an example and a candidate are made as the search itself makes them: everything mode
outlines candidates on a grid, and each is described. A candidate is right if it overlaps a true
object of the example's kind: fully right from an IoU of 0.8, not at all below 0.4. Examples are
true outlines or good candidates of them, at random. Images are tiles of Zanzibar and Nairobi and
of other cities (kind: building), pictures by drone (buildings, cars, trees, water) and towns
rendered for the purpose (kinds: roofs, cars, trees, water, ...); the latter two keep the network
from taking every building for what is wanted.

Held back for choosing the network: the easternmost quarter of the Zanzibar tiles, by place, what
`training.sources` holds out of the other cities, and every sixth town. How many features are left
out of each step was chosen by leaving Zanzibar or Nairobi out as a whole. Two networks are
trained, with the projection head and without. Their answers are then calibrated (Platt) on what is
left after suppression in a third of the training images.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import save_file
from torch import Tensor, nn

import rsam_core as rsam
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import pairwise_iou
from rsam_core.samples import render_town
from rsam_core.scene.coordinates import view_frame
from rsam_core.segment.everything import EverythingSettings, initialize
from rsam_core.segment.features.extraction import SHAPE
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.one_shot.candidate_search import SearchCandidates, worth_comparing
from rsam_core.segment.one_shot.descriptors import ArrayScene, Descriptions, describe
from rsam_core.segment.one_shot.ranking import distinct
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.one_shot.similarity import WEIGHTS

from .sources import EVERYTHING, SOURCES, read_folder

HEAD, HIDDEN = 32, 48
EPOCHS, RATE, DECAY = 20, 4e-3, 5e-2
DROPPED, FORGOTTEN = 0.3, 0.4
"""Shares of hidden numbers, and of the model's features, left out of each step of training."""

EXAMPLES = 4
STYLES = ("suburb", "estate", "village", "industrial", "harbour")
_TOWN_SEED = 3000
_TOWNS_TIMES = 3
"""How often a town comes in an epoch: there are few, with many kinds of objects."""
_CITIES_TIMES = 2


@dataclass
class Picture:
    """An image with described candidates and true objects."""

    state: SearchCandidates
    truth: Descriptions
    iou: NDArray[np.float32]
    kinds: NDArray[np.str_]
    whole: NDArray[np.bool_]
    place: float


def tiles(folder: Path, most: int, seed: int = 5):
    """Images with labels of a folder, at random, that show two buildings at least."""
    stems = sorted(path.stem for path in (folder / "images").iterdir())
    count = 0
    for index in np.random.default_rng(seed).permutation(len(stems)):
        path = next((folder / "images").glob(f"{stems[index]}.*"))
        labels = cv2.imread(str(folder / "instances" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        if len(np.unique(labels)) > 2 and count < most:
            count += 1
            x, _, zoom = (int(v) for v in path.stem.split("-")[1:4])
            image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
            yield image, labels.astype(np.int32), {}, x / 2**zoom


def towns(count: int):
    """Rendered towns with exact labels and kinds."""
    for number in range(count):
        town = render_town(
            400,
            320,
            gsd=(0.3, 0.2, 0.5)[number % 3],
            seed=_TOWN_SEED + 17 * number,
            style=STYLES[number % len(STYLES)],
        )
        yield town.image, town.labels.astype(np.int32), town.classes, number % 6


def folder(data: Path, name: str, held_out: bool, every: int = 1):
    """Images of a set of `training.sources`; objects of no known kind are like no other."""
    source = next(s for s in SOURCES if s.folder == name)
    stems = [p.stem for p in sorted((data / name / "instances").glob("*.png"))]
    chosen = [stem for stem in stems if source.held_out(stem) == held_out][::every]
    for picture in read_folder(data, source, chosen):
        labels = picture.labels[0].astype(np.int32)
        known = {}
        if source.labelled == EVERYTHING:
            known = {i: KINDS[k] if k >= 0 else f"unknown {i}" for i, k in enumerate(picture.kinds)}
        if len(np.unique(labels)) > 2:
            yield picture.image, labels, known, float(held_out)


def look(segmenter: rsam.Segmenter, image, labels, classes, place: float) -> Picture | None:
    """Outline and describe the candidates and the true objects of an image."""
    shape, scene = image.shape[:2], ArrayScene(image)
    embedding = segmenter.embed(image)
    state = initialize(segmenter, embedding, EverythingSettings(OneShotSettings().spacing))
    kept = worth_comparing(state.masks, shape)
    candidates = Instances([state.masks[i] for i in kept], shape)
    items, kinds, whole = [], [], []
    for value in np.unique(labels[labels > 0]):
        mask = labels == value
        if mask.sum() >= 60:
            items.append(Instance(mask))
            kinds.append(classes.get(int(value), "building"))
            rim = mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any()
            whole.append(not rim)
    if not items:
        return None
    truth, views = Instances(items, shape), [EmbeddedView(embedding)]
    model = segmenter.model
    described = SearchCandidates(
        candidates,
        state.stability[kept],
        describe(candidates, scene, views, model.name, namer=model),
        None,
        view_frame(shape[1], shape[0]),
    )
    iou = pairwise_iou(truth, candidates).toarray().astype(np.float32)
    known = describe(truth, scene, views, model.name, namer=model)
    return Picture(described, known, iou, np.array(kinds), np.array(whole), place)


class Cosines(nn.Module):
    """What `rsam_core.segment.one_shot.similarity.CosineComparison` computes: nothing to learn."""

    def forward(self, example: dict[str, Tensor], candidates: dict[str, Tensor]) -> Tensor:
        """Answers of N candidates against one example."""
        cosines = [
            F.cosine_similarity(example[k], candidates[k], dim=-1) for k in ("inside", "difference")
        ]
        return cosines[0] + cosines[1] + candidates["quality"][:, 0]


class PairNetwork(nn.Module):
    """What `rsam_core.segment.one_shot.similarity.Comparison` computes, with gradients."""

    def __init__(self, channels: int, spread: NDArray[np.float32], head: bool) -> None:
        super().__init__()
        self.project = nn.Linear(2 * channels, HEAD, bias=False) if head else None
        close = 3 + head
        inputs = close + close - 1 + len(SHAPE) + 2 + 1 + (HEAD + 2) * head
        self.layers = nn.Sequential(
            nn.Linear(inputs, HIDDEN), nn.GELU(), nn.Dropout(DROPPED), nn.Linear(HIDDEN, 1)
        )
        self.spread = torch.from_numpy(spread)

    def forward(self, example: dict[str, Tensor], candidates: dict[str, Tensor]) -> Tensor:
        """Log-odds of N candidates against one example."""
        if self.training:
            # The same features for both, so that no place's peculiarities are relied upon.
            kept = (torch.rand(example["inside"].shape[1]) >= FORGOTTEN).float()
            for objects in (example, candidates):
                objects |= {k: objects[k] * kept for k in ("inside", "difference", "around")}
        columns = [
            F.cosine_similarity(example[k], candidates[k], dim=-1)
            for k in ("inside", "difference", "around")
        ]
        products = []
        if self.project is not None:
            ze, zc = self._embedding(example), self._embedding(candidates)
            columns.append((ze * zc).sum(-1))
            both = example["kinds"] * candidates["kinds"]
            agree = torch.stack([both.sum(-1), both.sqrt().sum(-1)], -1)
            products = [ze * zc * HEAD**0.5, agree]
        close = torch.stack(columns, 1)
        relative = torch.cat([close[:, :2], close[:, 3:]], 1)
        relative = relative - torch.quantile(relative, 0.95, dim=0, keepdim=True)
        apart = (example["shape"] - candidates["shape"]).abs() / self.spread
        shape = torch.tanh(apart / 2)
        contrast = F.cosine_similarity(candidates["inside"], candidates["around"], dim=-1)[:, None]
        parts = [close, relative, shape, candidates["quality"], contrast, *products]
        return self.layers(torch.cat(parts, 1))[:, 0]

    def _embedding(self, objects: dict[str, Tensor]) -> Tensor:
        joined = torch.cat([objects["inside"], objects["difference"]], -1)
        return F.normalize(self.project(joined), dim=-1)


def tensors(objects: Descriptions, quality: NDArray[np.float32] | None = None) -> dict[str, Tensor]:
    """Descriptions as the network takes them."""
    inside = (objects.inside - objects.centre) / objects.spread
    around = (objects.around - objects.centre) / objects.spread
    values = {
        "inside": inside,
        "difference": inside - around,
        "around": around,
        "shape": objects.shape,
    }
    if objects.kinds is not None:
        values["kinds"] = objects.kinds
    if quality is not None:
        values["quality"] = quality
    return {name: torch.from_numpy(v).float() for name, v in values.items()}


def rows(objects: dict[str, Tensor], chosen) -> dict[str, Tensor]:
    """Some of the objects."""
    return {name: values[chosen] for name, values in objects.items()}


def fit(network: PairNetwork, pictures: list[Picture], seed: int = 0) -> PairNetwork:
    """Train on all pictures; the learning rate follows one cycle."""
    rng = np.random.default_rng(seed)
    prepared = [
        (p, tensors(p.state.descriptions, p.state.quality), tensors(p.truth)) for p in pictures
    ]
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, total_steps=EPOCHS * len(prepared) + 1
    )
    network.train()
    for epoch in range(EPOCHS):
        total = 0.0
        for index in rng.permutation(len(prepared)):
            picture, candidates, truth = prepared[index]
            losses = []
            for e in rng.permutation(len(picture.kinds))[:EXAMPLES]:
                good = np.flatnonzero(picture.iou[e] > 0.75)
                if len(good) and rng.random() < 0.5:
                    example = rows(candidates, [int(rng.choice(good))])
                else:
                    example = rows(truth, [int(e)])
                others = torch.from_numpy(picture.iou[e] < 0.3)
                if others.sum() < 5:
                    continue
                best = (picture.iou * (picture.kinds == picture.kinds[e])[:, None]).max(0)
                wanted = ((torch.from_numpy(best) - 0.4) / 0.4).clamp(0, 1)[others]
                answer = network(example, rows(candidates, others))
                losses.append(F.binary_cross_entropy_with_logits(answer, wanted))
            if losses:
                loss = torch.stack(losses).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
                total += float(loss.detach())
        print(f"epoch {epoch + 1} loss {total / len(prepared):.3f}", flush=True)
    return network.eval()


@torch.no_grad()
def finds(network: nn.Module, pictures: list[Picture], per_picture: int = 5, seed: int = 0):
    """Answers of what is left after suppression, whether each is right, and how many there are."""
    rng, settings = np.random.default_rng(seed), OneShotSettings()
    for picture in pictures:
        candidates = tensors(picture.state.descriptions, picture.state.quality)
        truth = tensors(picture.truth)
        pool = np.flatnonzero(picture.whole)
        for e in rng.permutation(pool if len(pool) else len(picture.kinds))[:per_picture]:
            same = picture.kinds == picture.kinds[e]
            same[e] = False
            if not same.any():
                continue
            answers = network(rows(truth, [int(e)]), candidates).numpy()
            answers = np.where(picture.iou[e] > 0.3, -np.inf, answers)
            order = distinct(picture.state, answers, settings)
            order = order[answers[order] > -3]
            right, left = np.zeros(len(order)), set(np.flatnonzero(same))
            for place, i in enumerate(order):
                fitting = [j for j in left if picture.iou[j, i] >= 0.5]
                if fitting:
                    left.discard(max(fitting, key=lambda j: picture.iou[j, i]))
                    right[place] = 1
            yield answers[order], right, int(same.sum())


def calibrate(network: nn.Module, pictures: list[Picture]) -> tuple[float, float]:
    """Slope and offset of a logistic fit of right finds to answers."""
    from sklearn.linear_model import LogisticRegression

    answers, right, _ = zip(*finds(network, pictures))
    model = LogisticRegression(C=1e3).fit(np.concatenate(answers)[:, None], np.concatenate(right))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def f1(network: nn.Module, pictures: list[Picture], calibration: tuple[float, float]) -> float:
    """Mean F1 at IoU 0.5 with the threshold of the highest expected F1."""
    values = []
    for answers, right, others in finds(network, pictures):
        p = 1 / (1 + np.exp(-(calibration[0] * answers + calibration[1])))
        expected = 2 * np.cumsum(p) / (np.arange(1, len(p) + 1) + p.sum())
        kept = int(expected.argmax()) + 1 if len(p) else 0
        values.append(2 * right[:kept].sum() / (kept + others))
    return float(np.mean(values))


def main() -> None:
    """Look at all images, train both networks, calibrate and write them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds train/buildings/")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    parser.add_argument("--zanzibar", type=int, default=500, help="tiles at most")
    parser.add_argument("--nairobi", type=int, default=120, help="tiles at most")
    parser.add_argument("--towns", type=int, default=60)
    parser.add_argument("--cache", type=Path, help="keep the described images here")
    args = parser.parse_args()
    segmenter = rsam.Segmenter(rsam.load_model())
    data = args.data / "train"
    sources = {
        "zanzibar": tiles(data / "buildings" / "zanzibar_tz", args.zanzibar),
        "nairobi": tiles(data / "buildings" / "nairobi_ke", args.nairobi),
        "towns": towns(args.towns),
        "cities": folder(data, "buildings/world", False),
        "cities held back": folder(data, "buildings/world", True),
        "drone": folder(data, "land/dronedeploy", False, every=2),
    }
    if args.cache and args.cache.exists():
        seen = torch.load(args.cache, weights_only=False)
    else:
        seen = {
            name: [p for p in (look(segmenter, *entry) for entry in source) if p is not None]
            for name, source in sources.items()
        }
        if args.cache:
            torch.save(seen, args.cache)
    east = np.quantile([p.place for p in seen["zanzibar"]], 0.75)
    held = [p for p in seen["zanzibar"] if p.place >= east]
    held_cities = seen["cities held back"]
    held_towns = [p for p in seen["towns"] if p.place == 5]
    train_towns = [p for p in seen["towns"] if p.place != 5]
    train = [p for p in seen["zanzibar"] if p.place < east] + seen["nairobi"] + train_towns
    train += seen["cities"] + seen["drone"]
    repeated = train + train_towns * (_TOWNS_TIMES - 1) + seen["cities"] * (_CITIES_TIMES - 1)
    shapes = np.concatenate([p.state.descriptions.shape for p in train])
    spread = shapes.std(0).clip(1e-3)
    stored = {"spread": spread.astype(np.float32)}
    calibration = calibrate(Cosines(), train[::3])
    scores = [f1(Cosines(), part, calibration) for part in (held, held_towns, held_cities)]
    print(f"cosine: calibration {calibration}, F1 held back {scores}", flush=True)
    stored["cosine.calibration"] = np.array(calibration, np.float32)
    for name, head in (("head", True), ("plain", False)):
        torch.manual_seed(0)
        channels = train[0].truth.inside.shape[1]
        network = fit(PairNetwork(channels, spread.astype(np.float32), head), repeated)
        calibration = calibrate(network, train[::3])
        scores = [f1(network, part, calibration) for part in (held, held_towns, held_cities)]
        print(f"{name}: calibration {calibration}, F1 held back {scores}", flush=True)
        if head:
            stored["head.project"] = network.project.weight.detach().numpy()
        for i, layer in enumerate(m for m in network.layers if isinstance(m, nn.Linear)):
            stored[f"{name}.{i}.weight"] = layer.weight.detach().numpy()
            stored[f"{name}.{i}.bias"] = layer.bias.detach().numpy()
        stored[f"{name}.calibration"] = np.array(calibration, np.float32)
    save_file({k: np.ascontiguousarray(v) for k, v in stored.items()}, str(args.out))


if __name__ == "__main__":
    main()

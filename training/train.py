"""Train the embedded model: ``python -m training.train --data DIR --out DIR --hours H``.

The same command serves processors and a graphics card (``--device auto``). On processors, workers
share one set of weights and update it without waiting for each other (Hogwild: Recht et al.,
NeurIPS 2011). Each runs on one thread, so a busy core slows one worker only, where data-parallel
training would stall at every step. On a card one loop takes large batches that other processes
draw. The learning rate follows the share of the time budget that has passed, so that a run ends
on time on any machine: it warms up, stays flat, and sinks to nothing in the last part. A run may
be stopped at any time and gone on with by ``--resume``, also with another budget.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.multiprocessing as mp
from torch.utils.data import DataLoader, IterableDataset

from rsam_core.models.tiny.network import TinyNetwork

from .backbone import load_imagenet
from .data import Mixture
from .sources import mixture
from .step import MAX_POINTS, Draw, Prompts, draw, step_loss

__all__ = ["MAX_POINTS", "WARM_UP_STEPS", "Prompts", "learning_rate", "main", "step_loss"]

WARM_UP_STEPS = 200
BACKBONE_RATE = 0.15
PROPOSAL_RATE = 2.0
COARSE_SHARE = 0.4
EMA_DECAY = 0.998
CHECKPOINT_SECONDS = 300
LOG_STEPS = 50
PROBE_SECONDS, PROBE_DRAWS = 1800, 24
IMAGES_ON_PROCESSOR, IMAGES_ON_CARD = 2, 48


def parameter_groups(network: TinyNetwork) -> list[dict]:
    """Backbone at a lower rate, new head at a higher; no weight decay on biases and norms."""
    groups: dict[tuple[float, bool], list] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        scale = 1.0
        if name.startswith("encoder.backbone"):
            scale = BACKBONE_RATE
        elif name.startswith("proposals"):
            scale = PROPOSAL_RATE
        groups.setdefault((scale, parameter.ndim < 2), []).append(parameter)
    return [
        {"params": parameters, "scale": scale, "weight_decay": 0.0 if plain else 0.01}
        for (scale, plain), parameters in groups.items()
    ]


def learning_rate(peak: float, step: int, share: float, flat: float = 0.0) -> float:
    """Warm up over steps, then cosine decay over the share of time that has passed.

    Until the share ``flat`` has passed, the rate stays at its peak.
    """
    warm = min(1.0, (step + 1) / WARM_UP_STEPS)
    sunk = min(max((share - flat) / (1 - flat), 0.0), 1.0)
    return peak * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * sunk)))


def _draws(
    source: Mixture, rng: np.random.Generator, images: int, unprompted: int
) -> Iterator[Draw]:
    while True:
        level = 2 if rng.random() < COARSE_SHARE else 1
        prompted = max(images // level, 1)
        extra = unprompted if level == 1 else 0
        drawn = draw(source, rng, level, prompted + extra, prompted)
        if drawn is not None:
            yield drawn


class _Draws(IterableDataset):
    """Draws for a `DataLoader`, each of its processes with a generator of its own."""

    def __init__(self, args: argparse.Namespace, seed: list[int]) -> None:
        self.args, self.seed = args, seed

    def __iter__(self) -> Iterator[Draw]:
        torch.set_num_threads(1)
        info = torch.utils.data.get_worker_info()
        rng = np.random.default_rng([*self.seed, info.id if info else 0])
        return _draws(_mixture(self.args), rng, self.args.images, self.args.unprompted)


def _mixture(args: argparse.Namespace, held_out: bool = False) -> Mixture:
    rendered = Path(args.rendered) if args.rendered else None
    unlabelled = Path(args.unlabelled) if args.unlabelled else None
    return mixture(Path(args.data), rendered, held_out=held_out, unlabelled=unlabelled)


def _atomic_save(value: object, path: Path) -> None:
    part = path.with_suffix(".part")
    torch.save(value, part)
    os.replace(part, path)


def probe(network: TinyNetwork, draws: list[Draw], device: torch.device) -> dict[str, float]:
    """Mean figures of the same crops and simulated users as ever, from places not trained on."""
    reports = []
    with torch.no_grad():
        for i, drawn in enumerate(draws):
            reports.append(step_loss(network, drawn, np.random.default_rng(i), device)[1])
    return _means(reports)


def _means(reports: list[dict[str, float]]) -> dict[str, float]:
    names = sorted({name for report in reports for name in report})
    return {name: float(np.mean([r[name] for r in reports if name in r])) for name in names}


class Log:
    """Lines on the screen and in ``log.jsonl``, from which the curve is drawn."""

    def __init__(self, path: Path, rank: int) -> None:
        self.path, self.rank = path, rank

    def write(self, what: str, step: int, spent: float, rate: float, means: dict) -> None:
        """Note the mean figures since the last line; ``spent`` in seconds."""
        text = " ".join(f"{k} {v:.3f}" for k, v in means.items())
        print(
            f"[{self.rank}] {what} step {step} {spent / 60:.1f} min lr {rate:.1e} {text}",
            flush=True,
        )
        line = {"what": what, "rank": self.rank, "step": step, "minutes": spent / 60, "rate": rate}
        with self.path.open("a") as file:
            file.write(json.dumps(line | means) + "\n")


def work(rank: int, network: TinyNetwork, ema: TinyNetwork, args: argparse.Namespace) -> None:
    """One worker: draws, learns, and (the first one) averages, logs, probes and saves."""
    device = torch.device(args.device)
    pool = None
    seed = [args.seed, rank, int(time.time()) if args.resume else 0]
    if args.loaders:
        pool = ThreadPoolExecutor(args.loaders)
        draws = iter(DataLoader(_Draws(args, seed), batch_size=None, num_workers=args.loaders))
    else:
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        os.nice(args.nice + 3 * rank if args.nice + 3 * rank < 20 else 19 - args.nice)
        draws = iter(_Draws(args, seed))
    rng = np.random.default_rng([*seed, 1])
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=args.rate, betas=(0.9, 0.99))
    out = Path(args.out)
    log = Log(out / "log.jsonl", rank)
    probes = _probe_draws(args) if rank == 0 else []
    step, spent, fresh_from = 0, 0.0, 0
    if args.resume and (out / f"worker{rank}.pt").exists():
        state = torch.load(out / f"worker{rank}.pt", weights_only=True, map_location=device)
        step, spent = state["step"], state["spent"]
        if len(state["optimizer"]["state"]) == sum(p.requires_grad for p in network.parameters()):
            optimizer.load_state_dict(state["optimizer"])
        else:
            # The network has grown: the optimizer starts anew, and so must the warm-up.
            fresh_from = step
    began = last_save = time.time()
    last_probe, rate = -math.inf, 0.0
    history: list[dict[str, float]] = []
    budget = args.hours * 3600
    # What is learned since the last checkpoint is not lost when the run is stopped.
    stopped: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.append(number))
    while (now := spent + time.time() - began) < budget and step < args.steps and not stopped:
        rate = learning_rate(args.rate, step - fresh_from, now / budget, args.flat)
        for group in optimizer.param_groups:
            group["lr"] = rate * group["scale"]
        if probes and time.time() - last_probe > PROBE_SECONDS:
            last_probe = time.time()
            log.write("held out", step, now, rate, probe(ema, probes, device))
        loss, report = step_loss(network, next(draws), rng, device, pool)
        if not torch.isfinite(loss):
            continue
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), args.clip)
        optimizer.step()
        step += 1
        history.append(report)
        if rank == 0:
            decay = min(EMA_DECAY, (step + 1) / (step + 10))
            with torch.no_grad():
                for slow, fast in zip(ema.parameters(), network.parameters()):
                    slow.lerp_(fast, 1 - decay)
        if step % LOG_STEPS == 0:
            log.write("trained", step, now, rate, _means(history))
            history.clear()
        if time.time() - last_save > CHECKPOINT_SECONDS:
            last_save = time.time()
            save(rank, network, ema, optimizer, step, now, args)
    save(rank, network, ema, optimizer, step, now, args)
    if history:
        log.write("trained", step, now, rate, _means(history))
    if probes and not stopped:
        log.write("held out", step, now, rate, probe(ema, probes, device))


def _probe_draws(args: argparse.Namespace) -> list[Draw]:
    try:
        source = _mixture(args, held_out=True)
    except ValueError:
        return []
    rng = np.random.default_rng(0)
    found = (draw(source, rng, 1 + (i % 4 == 3), 2 - (i % 4 == 3)) for i in range(args.probes))
    return [drawn for drawn in found if drawn is not None]


def save(rank, network, ema, optimizer, step, spent, args) -> None:
    """Write this worker's state, and from the first worker the shared weights."""
    out = Path(args.out)
    _atomic_save(
        {"optimizer": optimizer.state_dict(), "step": step, "spent": spent},
        out / f"worker{rank}.pt",
    )
    if rank == 0:
        _atomic_save({"network": network.state_dict(), "ema": ema.state_dict()}, out / "weights.pt")


def load_start(network: TinyNetwork, path: Path) -> None:
    """Fill a folded network from shipped weights; layers they lack stay as they are.

    Raises
    ------
    ValueError
        If the file holds layers that the network does not know.
    """
    from safetensors.torch import load_file

    state = {name: value.float() for name, value in load_file(str(path)).items()}
    # What an object is, is taught afterwards, to a head of its own; see `training.kinds`.
    state = {name: value for name, value in state.items() if not name.startswith("kinds.")}
    unknown = network.load_state_dict(state, strict=False).unexpected_keys
    if unknown:
        raise ValueError(f"{path} does not fit the network: {', '.join(unknown[:3])} …")


def build(args: argparse.Namespace) -> tuple[TinyNetwork, TinyNetwork]:
    """The network and its running average, from a checkpoint, shipped weights or ImageNet."""
    # Batch-norm statistics stay frozen, so they may as well be folded in before training.
    network = TinyNetwork(proposing=True)
    if not args.start:
        load_imagenet(network.encoder.backbone)
    network.encoder.fold()
    if args.start:
        load_start(network, Path(args.start))
    ema = TinyNetwork(folded=True, proposing=True).eval()
    ema.load_state_dict(network.state_dict())
    weights = Path(args.out) / "weights.pt"
    if args.resume and weights.exists():
        state = torch.load(weights, weights_only=True, map_location="cpu")
        # Layers that are newer than the checkpoint start as they are: from nothing.
        network.load_state_dict(state["network"], strict=False)
        ema.load_state_dict(state["ema"], strict=False)
    if args.decoder_only:
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(name.startswith("decoder."))
    device = torch.device(args.device)
    return (
        network.eval().to(device, memory_format=torch.channels_last),
        ema.to(device, memory_format=torch.channels_last),
    )


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line, with what depends on the device filled in."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with buildings/, segments/, …")
    parser.add_argument("--rendered", help="folder of rendered towns (.npz)")
    parser.add_argument("--unlabelled", help="folder of scenes that nobody labelled")
    parser.add_argument("--out", required=True, help="folder for checkpoints")
    parser.add_argument("--start", help="shipped weights (.safetensors) in place of ImageNet's")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=1 << 60, help="stop after so many, too")
    parser.add_argument("--flat", type=float, default=0.0, help="share of the time at full rate")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--clip", type=float, default=2.0, help="largest norm of the gradient")
    parser.add_argument("--images", type=int, help="prompted crops a step")
    parser.add_argument("--unprompted", type=int, help="further crops for the proposals alone")
    parser.add_argument(
        "--decoder-only", action="store_true",
        help="leave encoder and proposals as they are, and with them all that knows their features",
    )  # fmt: skip
    parser.add_argument("--workers", type=int, default=1, help="on processors")
    parser.add_argument("--loaders", type=int, help="processes that draw crops for a card")
    parser.add_argument("--probes", type=int, default=PROBE_DRAWS)
    parser.add_argument("--nice", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args(arguments)
    if args.device == "auto":
        args.device = "cuda" if torch.cuda.is_available() else "cpu"
    card = args.device != "cpu"
    if args.images is None:
        args.images = IMAGES_ON_CARD if card else IMAGES_ON_PROCESSOR
    if args.unprompted is None:
        args.unprompted = 0 if args.decoder_only else 2 * args.images
    if args.loaders is None:
        args.loaders = max((os.cpu_count() or 2) - 2, 1) if card else 0
    if card:
        args.workers = 1
    return args


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run the workers."""
    args = parse(arguments)
    torch.manual_seed(args.seed)
    Path(args.out).mkdir(parents=True, exist_ok=True)
    if args.device == "cpu":
        torch.set_num_threads(1)
    else:
        torch.set_float32_matmul_precision("high")
    network, ema = build(args)
    if args.workers == 1:
        work(0, network, ema, args)
    else:
        network.share_memory()
        ema.share_memory()
        workers = mp.spawn(work, (network, ema, args), nprocs=args.workers, join=False)
        # Whoever ends this process ends the workers, which save what they learned.
        signal.signal(
            signal.SIGTERM, lambda number, frame: [p.terminate() for p in workers.processes]
        )
        while not workers.join():
            pass


if __name__ == "__main__":
    main()

"""A step of training, and a whole run: saved, gone on with, ended, exported."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from rsam_core.models.tiny.kind_head import KindHead
from rsam_core.models.tiny.model import load_tiny
from rsam_core.models.tiny.network import TinyNetwork
from tests.helpers.towns import rendered
from training.data import Mixture, Picture
from training.export import export
from training.render_towns import kinds_of
from training.sources import (
    EVERYTHING,
)
from training.step import draw, step_loss
from training.train import build, learning_rate, main, parse, work


def town_mixture() -> Mixture:
    town = rendered(384, 320, gsd=0.4, seed=5, style="estate")
    return Mixture(
        [(1, [Picture(town.image, [town.labels], None, kinds_of(town.classes), EVERYTHING)])]
    )


@pytest.mark.parametrize("level", [1, 2])
def test_step_reaches_every_part_of_the_network(level):
    torch.manual_seed(0)
    network = TinyNetwork(folded=True, proposing=True).eval()
    rng = np.random.default_rng(1)
    source = town_mixture()
    # A crop of little but small objects has none for the coarse scale.
    drawn = next(d for d in (draw(source, rng, level, 2, 1) for _ in range(20)) if d)
    assert drawn.rgb.shape == (2, 256 * level, 256 * level, 3)
    assert all(mask.shape == (256, 256) for mask in drawn.masks)
    assert set(drawn.owners) == {0}
    assert all(not (mask & rest).any() for mask, rest in zip(drawn.masks, drawn.others))
    loss, figures = step_loss(network, drawn, rng)
    loss.backward()
    assert {"heat", "box iou", "round1", "loss"} <= set(figures)
    assert figures["loss"] == pytest.approx(float(loss.detach()))
    silent = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not torch.isfinite(parameter.grad).all()
    ]
    assert silent == []
    assert network.proposals.to_fine.weight.grad.abs().sum() > 0
    assert network.encoder.backbone.stem.conv.weight.grad.abs().sum() > 0


def test_rate_stays_flat_and_then_sinks():
    assert learning_rate(1e-3, 10_000, 0.5, flat=0.6) == pytest.approx(1e-3)
    assert learning_rate(1e-3, 10_000, 0.8, flat=0.6) == pytest.approx(1e-3 * (0.01 + 0.99 / 2))
    assert learning_rate(1e-3, 10_000, 1.0, flat=0.6) == pytest.approx(1e-5)


def test_run_saves_goes_on_and_exports(tmp_path, monkeypatch):
    monkeypatch.setattr("training.train._mixture", lambda args, held_out=False: town_mixture())
    monkeypatch.setattr("training.train.LOG_STEPS", 1)
    command = [
        "--data", "none", "--out", str(tmp_path), "--images", "1", "--unprompted", "0",
        "--nice", "0", "--probes", "1", "--hours", "1", "--device", "cpu",
    ]  # fmt: skip
    shipped = Path(load_tiny.__defaults__[0])
    first = parse([*command, "--start", str(shipped), "--steps", "1"])
    network, ema = build(first)
    assert all(p.is_floating_point() for p in network.parameters())
    work(0, network, ema, first)
    second = parse([*command, "--start", str(shipped), "--steps", "2", "--resume"])
    network, ema = build(second)
    saved = torch.load(tmp_path / "weights.pt", weights_only=True)["network"]
    assert all(torch.equal(value, saved[name]) for name, value in network.state_dict().items())
    work(0, network, ema, second)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["what"] == "trained"] == [1, 2]
    assert lines[0]["what"] == "held out"
    head = KindHead()
    from safetensors.torch import save_file

    save_file(head.state_dict(), str(tmp_path / "kinds.safetensors"))
    target = tmp_path / "tiny.safetensors"
    size = export(tmp_path / "weights.pt", target, kinds=tmp_path / "kinds.safetensors")
    assert size < 12_000_000
    model = load_tiny(target)
    assert model.proposes
    assert model.network.kinds is not None


def test_whoever_ends_a_run_ends_its_workers(tmp_path, monkeypatch):
    class Worker:
        ended = 0

        def terminate(self) -> None:
            self.ended += 1

    class Workers:
        processes = (Worker(), Worker())

        def join(self) -> bool:
            signal.raise_signal(signal.SIGTERM)
            return True

    started = []

    def spawn(work, args, nprocs, join):
        started.append((nprocs, join))
        return Workers()

    monkeypatch.setattr("training.train.mp.spawn", spawn)
    monkeypatch.setattr("training.train.load_imagenet", lambda backbone: None)
    before = signal.getsignal(signal.SIGTERM)
    try:
        main(["--data", "none", "--out", str(tmp_path), "--device", "cpu", "--workers", "2"])
    finally:
        signal.signal(signal.SIGTERM, before)
    assert started == [(2, False)]
    assert [worker.ended for worker in Workers.processes] == [1, 1]


def test_the_decoder_alone_learns_and_all_else_stays_as_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr("training.train._mixture", lambda args, held_out=False: town_mixture())
    shipped = Path(load_tiny.__defaults__[0])
    args = parse([
        "--data", "none", "--out", str(tmp_path), "--images", "1", "--nice", "0", "--probes", "0",
        "--device", "cpu", "--start", str(shipped), "--steps", "2", "--decoder-only",
    ])  # fmt: skip
    assert args.unprompted == 0, "crops for the proposals alone teach nothing here"
    network, ema = build(args)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    work(0, network, ema, args)
    after = network.state_dict()
    moved = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"decoder"}
    target = tmp_path / "tiny.safetensors"
    export(tmp_path / "weights.pt", target, kinds=shipped)
    one, other = (load_tiny(path).network.state_dict() for path in (shipped, target))
    assert set(one) == set(other)
    same = [name for name in one if not name.startswith("decoder.")]
    assert all(torch.equal(one[name], other[name]) for name in same)

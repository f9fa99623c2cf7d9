"""Houses, blocks and halls put together from wings."""

from __future__ import annotations

import numpy as np

from rsam_core.samples.regions import Region, pick, pick_roof, vary
from rsam_core.samples.world import Colour, Fitting, Roof, Wing


def place(x: float, y: float, angle: float, u: float, v: float) -> tuple[float, float]:
    """A point given in the axes of an object at (x, y) turned by `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    return x + u * c - v * s, y + u * s + v * c


def house(
    rng: np.random.Generator,
    region: Region,
    x: float,
    y: float,
    angle: float,
    length: float,
    width: float,
    *,
    extended: bool = False,
    storeys: int | None = None,
) -> Roof:
    """A dwelling: one main wing and sometimes a cross wing, a porch or a garage.

    `length` runs along `angle`. All random numbers are drawn whether used or not, so that an
    extension does not change the rest of the house.
    """
    covering, colour = pick_roof(rng, region)
    storeys = storeys or int(pick(rng, [1, 2], [0.6, 0.4]))
    if rng.random() < region.flat and covering in ("flat", "tin", "tile"):
        covering = "flat"
    kind = "flat" if covering == "flat" else "hip" if rng.random() < region.hip else "gable"
    if covering == "thatch":
        kind, storeys = "hip", 1
    if covering == "flat" and colour[0] > 1.25 * colour[2]:
        colour = vary(rng, (176, 170, 160), 0.08)
    if covering == "tin" and rng.random() < 0.4:
        kind = "shed"
    eave = 2.8 * storeys + float(rng.uniform(0.0, 0.5))
    slope = float(rng.uniform(0.42, 0.85))
    if covering in ("metal", "tin", "shingle"):
        slope *= 0.7
    if kind == "shed":
        slope = float(rng.uniform(0.08, 0.16))
    if length < width:
        length, width, angle = width, length, angle + np.pi / 2
    a, b = length / 2, width / 2
    wings = [Wing(x, y, a, b, angle, kind, eave, slope)]
    draw = rng.random(6)
    side = 1.0 if draw[0] < 0.5 else -1.0
    if draw[1] < 0.45 and kind != "shed":
        # A cross wing: its ridge meets the main ridge or stays below it.
        wb = b * (0.70 + 0.28 * draw[2])
        wa = b * (1.0 + 0.55 * draw[3])
        u = (a - wb) * (1.0 if draw[4] < 0.6 else 0.3) * (1 if draw[5] < 0.5 else -1)
        cx, cy = place(x, y, angle, u, side * (wa - 0.2 * b))
        wings.append(Wing(cx, cy, wa, wb, angle + np.pi / 2, kind, eave, slope))
    if extended or draw[1] > 0.86:
        wb, wa = b * 0.62, 2.6 + 1.4 * draw[2]
        cx, cy = place(x, y, angle, -(a + wa - 0.4), side * b * 0.3)
        low = kind if kind == "flat" else "gable"
        wings.append(Wing(cx, cy, wa, wb, angle, low, max(2.6, eave - 2.2), slope))
    fittings = fit_out(rng, x, y, angle, a, b, kind, covering)
    return Roof(tuple(wings), covering, colour, fittings, int(rng.integers(1 << 30)),
                float(rng.beta(1.6, 3.2)))  # fmt: skip


def fit_out(
    rng: np.random.Generator,
    x: float,
    y: float,
    angle: float,
    a: float,
    b: float,
    kind: str,
    covering: str,
) -> tuple[Fitting, ...]:
    """Chimneys, skylights, panels, air conditioners as they suit the roof."""
    fittings = []
    if kind == "flat":
        for _ in range(int(rng.integers(0, 2 + int(a * b / 25)))):
            u, v = rng.uniform(-0.75, 0.75) * a, rng.uniform(-0.7, 0.7) * b
            size = rng.uniform(0.4, 1.1, 2)
            grey = vary(rng, (176, 176, 172), 0.14)
            if rng.random() < 0.2:
                grey = vary(rng, (70, 74, 80), 0.1)
            px, py = place(x, y, angle, u, v)
            fittings.append(
                Fitting(px, py, size[0], size[1], angle, float(rng.uniform(0.6, 1.5)), grey)
            )
        if rng.random() < 0.5 and min(a, b) > 3.5:
            u, v = rng.choice([-0.6, 0.6]) * a, rng.choice([-0.4, 0.4]) * b
            px, py = place(x, y, angle, u, v)
            fittings.append(Fitting(px, py, 1.6, 1.3, angle, 2.3, vary(rng, (178, 170, 160), 0.06)))
        return tuple(fittings)
    if covering in ("thatch", "tin"):
        return ()
    if rng.random() < 0.6:
        px, py = place(x, y, angle, rng.uniform(-0.6, 0.6) * a, rng.uniform(-0.35, 0.35) * b)
        brick: Colour = pick(rng, [(128, 92, 78), (150, 146, 140), (92, 90, 90)], [2, 1, 1])
        fittings.append(Fitting(px, py, 0.42, 0.32, angle, 1.1, vary(rng, brick)))
    if kind in ("gable", "hip") and rng.random() < 0.28:
        side = rng.choice([-1, 1])
        for _ in range(int(rng.integers(1, 4))):
            u = rng.uniform(-0.65, 0.65) * a
            px, py = place(x, y, angle, u, side * 0.5 * b)
            fittings.append(Fitting(px, py, 0.38, 0.5, angle, 0.05, (74, 84, 96)))
    if kind == "gable" and rng.random() < 0.16 and b > 3.4:
        side = rng.choice([-1, 1])
        px, py = place(x, y, angle, rng.uniform(-0.3, 0.3) * a, side * 0.52 * b)
        fittings.append(Fitting(px, py, min(0.5 * a, 3.0), 0.34 * b, angle, 0.1, (52, 60, 82)))
    return tuple(fittings)


def shed(rng: np.random.Generator, x: float, y: float, angle: float) -> Roof:
    """A garden shed or a single garage."""
    a, b = rng.uniform(1.4, 3.0), rng.uniform(1.2, 1.8)
    colour: Colour = pick(
        rng, [(120, 112, 104), (150, 148, 146), (132, 96, 80), (98, 96, 94), (182, 182, 178)],
        [3, 3, 2, 2, 1],
    )  # fmt: skip
    kind = "gable" if rng.random() < 0.5 else "shed"
    slope = 0.4 if kind == "gable" else 0.1
    covering = "shingle" if rng.random() < 0.6 else "metal"
    wing = Wing(x, y, max(a, b), min(a, b), angle, kind, 2.1, slope)
    return Roof((wing,), covering, vary(rng, colour), (), int(rng.integers(1 << 30)), 0.4)


def hall(
    rng: np.random.Generator, x: float, y: float, angle: float, length: float, width: float,
    *, extended: bool = False,
) -> Roof:  # fmt: skip
    """A warehouse, factory or barn: large, low-pitched metal or flat with plant on top."""
    choices = [
        ("metal", (206, 208, 206)), ("metal", (178, 182, 184)), ("metal", (110, 136, 162)),
        ("metal", (146, 158, 146)), ("flat", (186, 184, 178)), ("flat", (150, 148, 146)),
        ("metal", (160, 96, 80)), ("tin", (170, 164, 154)), ("flat", (208, 206, 200)),
    ]  # fmt: skip
    covering, colour = pick(rng, choices, [4, 3, 1.3, 1, 4, 3, 1, 2, 2])
    if length < width:
        length, width, angle = width, length, angle + np.pi / 2
    a, b = length / 2, width / 2
    eave = float(rng.uniform(5.5, 10.0))
    kind = "flat" if covering == "flat" else "vault" if rng.random() < 0.12 else "gable"
    slope = float(rng.uniform(0.10, 0.22))
    wings = []
    count = int(np.clip(round(width / 24), 1, 4)) if kind == "gable" else 1
    for index in range(count):
        v = (2 * index + 1 - count) * b / count
        cx, cy = place(x, y, angle, 0.0, v)
        wings.append(Wing(cx, cy, a, b / count, angle, kind, eave, slope))
    draw = rng.random(4)
    if extended or draw[0] < 0.35:
        wa, wb = a * (0.2 + 0.2 * draw[1]), b * (0.35 + 0.25 * draw[2])
        cx, cy = place(x, y, angle, (a + wa - 0.5) * (1 if draw[3] < 0.5 else -1), 0.3 * b)
        wings.append(Wing(cx, cy, wa, wb, angle, "flat" if kind == "flat" else "gable",
                          eave * 0.6, slope))  # fmt: skip
    fittings = []
    if kind == "flat":
        for _ in range(int(rng.integers(3, 6 + int(a * b / 90)))):
            px, py = place(x, y, angle, rng.uniform(-0.85, 0.85) * a, rng.uniform(-0.8, 0.8) * b)
            size = rng.uniform(0.5, 2.0, 2)
            fittings.append(
                Fitting(px, py, size[0], size[1], angle, float(rng.uniform(0.7, 2.0)),
                        vary(rng, (182, 182, 178), 0.14))
            )  # fmt: skip
        if rng.random() < 0.3:
            for k in range(int(a // 2.2)):
                px, py = place(x, y, angle, -0.8 * a + 1.8 * k, 0.35 * b)
                fittings.append(Fitting(px, py, 0.75, 0.38 * b, angle, 0.15, (56, 64, 84)))
    elif kind == "gable" and rng.random() < 0.6:
        # Rows of translucent sheets.
        step = rng.uniform(5.0, 8.0)
        for index in range(count):
            v = (2 * index + 1 - count) * b / count
            for u in np.arange(-a + step / 2, a - 1, step):
                for side in (-1, 1):
                    px, py = place(x, y, angle, u, v + side * 0.5 * b / count)
                    light = tuple(min(c * 0.55 + 96, 235) for c in colour)
                    fittings.append(Fitting(px, py, 0.5, 0.28 * b / count, angle, 0.05, light))
    return Roof(tuple(wings), covering, vary(rng, colour, 0.04), tuple(fittings),
                int(rng.integers(1 << 30)), float(rng.beta(1.5, 3.5)) * 0.6)  # fmt: skip


def shack(
    rng: np.random.Generator, x: float, y: float, angle: float, length: float, width: float
) -> Roof:
    """A small tin-roofed dwelling of an informal settlement."""
    tones = [
        (182, 184, 182), (160, 160, 156), (164, 132, 110), (142, 108, 88), (120, 112, 106),
        (202, 204, 204), (104, 122, 146), (134, 146, 128), (150, 140, 126),
    ]  # fmt: skip
    colour = vary(rng, pick(rng, tones, [6, 5, 4, 3, 2, 2, 1, 1, 2]), 0.08)
    kind = pick(rng, ["shed", "gable", "flat"], [6, 3, 0.4])
    if length < width:
        length, width, angle = width, length, angle + np.pi / 2
    slope = {"shed": 0.07, "gable": 0.22, "flat": 0.0}[kind]
    wing = Wing(x, y, length / 2, width / 2, angle, kind, float(rng.uniform(2.0, 3.1)), slope)
    covering = "flat" if kind == "flat" else "tin"
    return Roof((wing,), covering, colour, (), int(rng.integers(1 << 30)),
                float(rng.beta(2.2, 2.4)))  # fmt: skip

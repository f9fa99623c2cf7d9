"""The classical methods of :mod:`rsam_core.evaluate.methods.classical` with simulated prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from rsam_core.evaluate.methods import classical as baselines
from rsam_core.evaluate.methods.base import Mask, Method, SharedImageWork
from rsam_core.prompts.simulated import centre_click, tight_box


@dataclass(frozen=True, eq=False)
class Baseline(Method):
    """A classical method; see :data:`BASELINES` and :mod:`rsam_core.evaluate.methods.classical`."""

    key: str
    title: str
    prompt: str
    answer: Callable[[SharedImageWork, Mask], Mask] = field(repr=False)
    warm: Callable[[SharedImageWork], Any] | None = field(default=None, repr=False)
    shared: tuple[str, ...] = ()
    sees_truth: bool = False
    model: ClassVar[None] = None

    def prepare(self, bench: SharedImageWork) -> None:
        if self.warm is not None:
            self.warm(bench)

    def mask(self, bench: SharedImageWork, truth: Mask) -> tuple[Mask, float | None]:
        return self.answer(bench, truth), None


def _slic(bench: SharedImageWork) -> NDArray[np.int32]:
    return bench.shared("SLIC", lambda: baselines.slic_regions(bench.image))


def _felzenszwalb(bench: SharedImageWork) -> NDArray[np.int32]:
    return bench.shared("Felzenszwalb", lambda: baselines.felzenszwalb_regions(bench.image))


def _groups(bench: SharedImageWork) -> NDArray[np.int32]:
    return bench.shared("k-means", lambda: baselines.colour_groups(bench.image))


def _kmeans_click(bench: SharedImageWork, truth: Mask) -> Mask:
    groups, point = _groups(bench), bench.user(centre_click, truth)
    return baselines.piece_at(baselines.region_at(groups, point), point)


def _boxed(function: Callable[..., Mask]) -> Callable[[SharedImageWork, Mask], Mask]:
    return lambda bench, truth: function(bench.image, bench.user(tight_box, truth))


def _filled(bench: SharedImageWork, truth: Mask) -> Mask:
    x0, y0, x1, y1 = (int(edge) for edge in tight_box(truth))
    mask = np.zeros(truth.shape, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def _superpixels(
    key: str, title: str, regions: Callable[[SharedImageWork], NDArray[np.int32]]
) -> list[Baseline]:
    once = (title.split()[0],)
    return [
        Baseline(
            f"{key}-click",
            f"{title}, region clicked",
            "1 point",
            lambda bench, truth: baselines.region_at(
                regions(bench), bench.user(centre_click, truth)
            ),
            regions,
            once,
        ),
        Baseline(
            f"{key}-box",
            f"{title}, regions in the box",
            "box",
            lambda bench, truth: baselines.regions_in_box(
                regions(bench), bench.user(tight_box, truth)
            ),
            regions,
            once,
        ),
        Baseline(
            f"{key}-best",
            f"{title}, best region",
            "chosen by the truth",
            lambda bench, truth: baselines.best_region(regions(bench), truth),
            regions,
            once,
            sees_truth=True,
        ),
        Baseline(
            f"{key}-bestset",
            f"{title}, best set of regions",
            "chosen by the truth",
            lambda bench, truth: baselines.best_regions(regions(bench), truth),
            regions,
            once,
            sees_truth=True,
        ),
    ]


BASELINES: Mapping[str, Baseline] = {
    baseline.key: baseline
    for baseline in [
        Baseline("filled-box", "Filled box", "box", _filled),
        Baseline("grabcut", "GrabCut", "box", _boxed(baselines.grabcut)),
        Baseline("otsu", "Otsu threshold in the box", "box", _boxed(baselines.otsu_in_box)),
        Baseline(
            "otsu-click",
            "Otsu threshold, piece clicked",
            "1 point",
            lambda bench, truth: baselines.otsu_at_click(
                bench.image, bench.user(centre_click, truth)
            ),
        ),
        Baseline("kmeans", "k-means colours in the box", "box", _boxed(baselines.kmeans_in_box)),
        Baseline(
            "kmeans-click",
            "k-means colours, piece clicked",
            "1 point",
            _kmeans_click,
            _groups,
            ("k-means",),
        ),
        *_superpixels("slic", "SLIC superpixels", _slic),
        *_superpixels("felzenszwalb", "Felzenszwalb regions", _felzenszwalb),
        Baseline("watershed", "Marker watershed", "box", _boxed(baselines.watershed)),
        Baseline("random-walker", "Random walker", "box", _boxed(baselines.random_walker)),
    ]
}
"""Classical methods by key."""

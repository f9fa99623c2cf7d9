"""The sets that training draws from: their shares, what is labelled in them, what is held out."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from rsam_core.models.tiny.kinds import UNKNOWN, kind_number

from .data import Mixture, Picture, read_photographs, read_rendered, read_rgb, read_tiles
from .superpixels import read_unlabelled
from .transplant import transplant

EVERYTHING, BUILDINGS, SOME = "everything", "buildings", "some"
"""What a set labels completely: only that may be taught to be absent where no label is."""

_KIND_OF_CLASS = {
    "building": "building",
    "road": "road",
    "car": "car",
    "clutter": "other",
    "water": "water",
}
"""Classes whose names settle the kind in every set; "vegetation" is a tree in one set, a lawn in
another."""


@dataclass(frozen=True)
class Source:
    """One training set.

    Attributes
    ----------
    folder : str
        Below the data folder.
    share : float
        Of the crops, before normalisation.
    labelled : str
        `EVERYTHING`, `BUILDINGS` or `SOME`.
    vegetation : str
        Kind of the set's vegetation, "" where it is mixed.
    kind : str
        Kind of every object of a set without classes, "" where unknown.
    held_out : callable
        Whether a file's stem belongs to a place that is not trained on.
    """

    folder: str
    share: float
    labelled: str
    vegetation: str = ""
    kind: str = ""
    held_out: Callable[[str], bool] = lambda stem: False


def _starts(*beginnings: str) -> Callable[[str], bool]:
    return lambda stem: stem.startswith(beginnings)


def _east_of(zoom19: float) -> Callable[[str], bool]:
    """Tiles whose column, at the scale of zoom 19, is so far east; all zooms show one ground."""

    def held(stem: str) -> bool:
        column, _, zoom = (int(v) for v in stem.split("-")[1:4])
        return column / 2 ** (zoom - 19) >= zoom19

    return held


SOURCES = (
    Source("buildings/zanzibar_tz", 0.27, BUILDINGS, kind="building", held_out=_east_of(319299.25)),
    Source("buildings/nairobi_ke", 0.05, BUILDINGS, kind="building"),
    Source(
        "buildings/world", 0.16, BUILDINGS, held_out=_starts("inria_kitsap", "inria_tyrol", "whu_c")
    ),
    Source("land/dubai", 0.10, SOME, held_out=_starts("t6")),
    Source("land/dronedeploy", 0.09, EVERYTHING, vegetation="tree"),
    Source(
        "fields/naip", 0.08, SOME, kind="grass or field", held_out=_starts("38.7482", "45.6151")
    ),
    Source("roads/us", 0.04, SOME),
)
PHOTOGRAPHS = Source("segments/bsds500", 0.18, SOME)
UNLABELLED = Source("unlabelled", 0.03, SOME)
RENDERED = Source(
    "rendered", 0.30, EVERYTHING, held_out=lambda stem: int(stem.removeprefix("town")) >= 1280
)


def kinds_of_classes(
    instances: np.ndarray, classes: np.ndarray, names: dict[int, str], vegetation: str
) -> np.ndarray:
    """Kind by label, (N + 1,) int8, of objects of which each lies in one class."""
    of_class = np.full(max(names, default=0) + 1, UNKNOWN, np.int8)
    for number, name in names.items():
        name = vegetation if name == "vegetation" else _KIND_OF_CLASS.get(name, "")
        of_class[number] = kind_number(name)
    kinds = np.full(int(instances.max()) + 1, UNKNOWN, np.int8)
    inside = instances > 0
    pairs, counts = np.unique(
        np.stack([instances[inside], classes[inside]], 1), axis=0, return_counts=True
    )
    for label, number in pairs[np.argsort(counts)]:
        kinds[label] = of_class[number]
    return kinds


def read_folder(root: Path, source: Source, stems: Sequence[str] | None = None) -> list[Picture]:
    """Pictures of a folder with ``images/``, ``instances/`` and perhaps ``classes/``."""
    folder = root / source.folder
    names: dict[int, str] = {}
    if (folder / "classes.json").exists():
        names = {int(k): v for k, v in json.loads((folder / "classes.json").read_text()).items()}
    pictures = []
    for path in sorted((folder / "images").glob("*")):
        truth = folder / "instances" / f"{path.stem}.png"
        if (stems is not None and path.stem not in stems) or not truth.exists():
            continue
        instances = cv2.imread(str(truth), cv2.IMREAD_UNCHANGED).astype(np.int32)
        if names:
            classes = cv2.imread(
                str(folder / "classes" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED
            ).astype(np.int32)
            kinds = kinds_of_classes(instances, classes, names, source.vegetation)
        else:
            kinds = np.full(int(instances.max()) + 1, kind_number(source.kind), np.int8)
        pictures.append(Picture(read_rgb(path), [instances], None, kinds, source.labelled))
    return pictures


def _mark(pictures: list[Picture], source: Source) -> list[Picture]:
    for picture in pictures:
        picture.labelled = source.labelled
        # Half the memory: hundreds of large pictures are held at once, by every worker.
        picture.labels = [
            labels.astype(np.uint16) if labels.max() < 1 << 16 else labels
            for labels in picture.labels
        ]
        if picture.kinds is None:
            largest = max(int(labels.max()) for labels in picture.labels)
            picture.kinds = np.full(largest + 1, kind_number(source.kind), np.int8)
    return pictures


def _chosen(root: Path, source: Source, held_out: bool) -> list[str]:
    stems = (p.stem for p in sorted((root / source.folder / "instances").glob("*.png")))
    return [stem for stem in stems if source.held_out(stem) == held_out]


def read_sources(
    data: Path, rendered: Path | None = None, *, held_out: bool = False
) -> list[tuple[float, list[Picture]]]:
    """Share and pictures of every set that the folder has.

    Parameters
    ----------
    data : Path
        Holds ``buildings/``, ``land/`` and so on; sets that are missing are left out.
    rendered : Path, optional
        Rendered towns.
    held_out : bool
        The places that are not trained on, in place of all others.
    """
    found = []
    for source in SOURCES:
        stems = _chosen(data, source, held_out)
        if not stems:
            continue
        if stems[0].startswith("OAM-"):
            pictures = _mark(read_tiles(data / source.folder, stems=set(stems)), source)
        else:
            pictures = _mark(read_folder(data, source, stems), source)
        found.append((source.share, pictures))
    if not held_out:
        photographs = read_photographs(data / PHOTOGRAPHS.folder / "train")
        photographs += read_photographs(data / PHOTOGRAPHS.folder / "val")
        found.append((PHOTOGRAPHS.share, _mark(photographs, PHOTOGRAPHS)))
    if rendered:
        towns = [
            path
            for path in sorted(rendered.glob("town*.npz"))
            if ".part" not in path.name and RENDERED.held_out(path.stem) == held_out
        ]
        found.append((RENDERED.share, _mark(read_rendered(towns), RENDERED)))
    return found


def mixture(
    data: Path,
    rendered: Path | None = None,
    *,
    held_out: bool = False,
    unlabelled: Path | None = None,
) -> Mixture:
    """`read_sources` as a mixture; what is trained on also lends and receives roofs.

    Parameters
    ----------
    data, rendered, held_out
        See `read_sources`.
    unlabelled : Path, optional
        Scenes without labels; their regions are objects, see `training.superpixels`.
    """
    sources = read_sources(data, rendered, held_out=held_out)
    if held_out:
        return Mixture(sources)
    if unlabelled:
        sources.append((UNLABELLED.share, _mark(read_unlabelled(unlabelled), UNLABELLED)))
    return Mixture(sources, transplant)

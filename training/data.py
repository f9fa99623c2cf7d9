"""Training images with instance labels: building tiles, photographs, rendered towns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

CROP = 256
_SCALES = (0.4, 1.6)


@dataclass
class Picture:
    """An image and one or more alternative instance label maps.

    Attributes
    ----------
    image : ndarray
        (H, W, 3) uint8.
    labels : list of ndarray
        (H, W) int32 each; 0 is background that no prompt is drawn on.
    valid : ndarray or None
        (H, W) bool; False where a mosaic has no tile.
    kinds : ndarray or None
        Kind by label as numbered in `rsam_core.models.tiny.kinds`, -1 where it is not known.
    labelled : str
        What is labelled completely: "everything", "buildings" or "some"; see `training.sources`.
    """

    image: np.ndarray
    labels: list[np.ndarray]
    valid: np.ndarray | None = None
    kinds: np.ndarray | None = None
    labelled: str = "some"


@dataclass
class Crop:
    """A crop to learn from.

    Attributes
    ----------
    image : ndarray
        (S, S, 3) uint8.
    labels : ndarray
        (S, S) int32.
    kinds : ndarray or None
        See `Picture`.
    labelled : str
    """

    image: np.ndarray
    labels: np.ndarray
    kinds: np.ndarray | None
    labelled: str


def read_rgb(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 of a file of eight bits."""
    return cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def _image_of(folder: Path, stem: str) -> Path:
    """The picture of a name; packed sets hold another format than their originals."""
    return next((folder / "images").glob(f"{stem}.*"))


def _join_across(labels: np.ndarray, first: np.ndarray, second: np.ndarray) -> dict[int, int]:
    """Pairs of labels that face each other along a seam for most of the shorter run."""
    joined: dict[int, int] = {}
    both = (first > 0) & (second > 0)
    pairs, counts = np.unique(np.stack([first[both], second[both]], 1), axis=0, return_counts=True)
    for (a, b), count in zip(pairs, counts):
        if count >= 0.6 * min((first == a).sum(), (second == b).sum()) and count >= 3:
            joined[int(b)] = int(a)
    return joined


def read_tiles(folder: Path, largest: int = 12, *, stems: set[str] | None = None) -> list[Picture]:
    """Stitch neighbouring 256-pixel tiles (``OAM-x-y-zoom``) into mosaics.

    A building cut by a tile's edge is one object again in the mosaic, so that the model does
    not learn to stop at tile edges.

    Parameters
    ----------
    folder : Path
        Holds ``images/`` and ``instances/``.
    largest : int
        Tiles along the longer side of a mosaic.
    stems : set of str, optional
        Only these tiles.

    Returns
    -------
    list of Picture
    """
    tiles: dict[tuple[int, int, int], Path] = {}
    for path in sorted((folder / "instances").glob("*.png")):
        if stems is not None and path.stem not in stems:
            continue
        x, y, zoom = (int(v) for v in path.stem.split("-")[1:4])
        tiles[zoom, x, y] = path
    pictures = []
    left = set(tiles)
    while left:
        stack, group = [min(left)], []
        left.discard(stack[0])
        x0, y0 = stack[0][1], stack[0][2]
        while stack:
            zoom, x, y = stack.pop()
            group.append((zoom, x, y))
            for near in ((zoom, x + 1, y), (zoom, x - 1, y), (zoom, x, y + 1), (zoom, x, y - 1)):
                if near in left and max(abs(near[1] - x0), abs(near[2] - y0)) < largest:
                    left.discard(near)
                    stack.append(near)
        pictures.append(_mosaic(folder, tiles, group))
    return pictures


def _mosaic(folder: Path, tiles: dict, group: list[tuple[int, int, int]]) -> Picture:
    x0, y0 = min(g[1] for g in group), min(g[2] for g in group)
    width = (max(g[1] for g in group) - x0 + 1) * 256
    height = (max(g[2] for g in group) - y0 + 1) * 256
    image = np.zeros((height, width, 3), np.uint8)
    labels = np.zeros((height, width), np.int32)
    valid = np.zeros((height, width), bool)
    offset = 0
    for key in group:
        r, c = (key[2] - y0) * 256, (key[1] - x0) * 256
        tile = cv2.imread(str(tiles[key]), cv2.IMREAD_UNCHANGED).astype(np.int32)
        image[r : r + 256, c : c + 256] = read_rgb(_image_of(folder, tiles[key].stem))
        labels[r : r + 256, c : c + 256] = np.where(tile > 0, tile + offset, 0)
        valid[r : r + 256, c : c + 256] = True
        offset += int(tile.max())
    parents = np.arange(offset + 1)
    for cut in range(256, width, 256):
        for child, parent in _join_across(labels, labels[:, cut - 1], labels[:, cut]).items():
            parents[parents == parents[child]] = parents[parent]
    for cut in range(256, height, 256):
        for child, parent in _join_across(labels, labels[cut - 1], labels[cut]).items():
            parents[parents == parents[child]] = parents[parent]
    return Picture(image, [parents[labels].astype(np.int32)], valid)


def read_photographs(folder: Path) -> list[Picture]:
    """Photographs with region labels by several annotators (``labels/NAME_K.png``)."""
    pictures = []
    for path in sorted((folder / "images").glob("*")):
        maps = sorted((folder / "labels").glob(f"{path.stem}_*.png"))
        labels = [cv2.imread(str(m), cv2.IMREAD_UNCHANGED).astype(np.int32) + 1 for m in maps]
        if labels:
            pictures.append(Picture(read_rgb(path), labels))
    return pictures


def read_rendered(towns: Path | Iterable[Path]) -> list[Picture]:
    """Rendered towns cached as ``.npz`` files by :mod:`training.render_towns`.

    Parameters
    ----------
    towns : Path or iterable of Path
        A folder, or the files themselves.
    """
    pictures = []
    for path in sorted(towns.glob("*.npz")) if isinstance(towns, Path) else towns:
        data = np.load(path)
        kinds = data["kinds"] if "kinds" in data.files else None
        picture = Picture(data["image"], [data["labels"].astype(np.int32)], None, kinds)
        picture.labelled = "everything"
        pictures.append(picture)
    return pictures


def random_crop(
    picture: Picture,
    rng: np.random.Generator,
    size: int = CROP,
    at: tuple[float, float] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A randomly placed, scaled and turned crop.

    Parameters
    ----------
    picture : Picture
    rng : numpy.random.Generator
    size : int
        Of its sides, in pixels.
    at : tuple of float, optional
        x and y of a place of the picture that it shows near its middle.

    Returns
    -------
    image : ndarray
        (size, size, 3) uint8.
    labels : ndarray
        (size, size) int32.
    """
    labels = picture.labels[rng.integers(len(picture.labels))]
    height, width = labels.shape
    low, high = _SCALES
    low = max(low, size / (1.5 * max(height, width)))
    scale = float(np.exp(rng.uniform(np.log(low), np.log(max(high, low * 1.2)))))
    angle = rng.integers(4) * 90.0
    if rng.random() < 0.35:
        angle += rng.uniform(-45, 45)
    half = size / scale / 2
    for _ in range(20):
        cx = rng.uniform(min(half, width / 2), max(width - half, width / 2))
        cy = rng.uniform(min(half, height / 2), max(height - half, height / 2))
        if at is not None:
            cx, cy = (float(v + rng.uniform(-0.25, 0.25) * size / scale) for v in at)
            cx, cy = np.clip(cx, 0, width - 1), np.clip(cy, 0, height - 1)
        if picture.valid is None or picture.valid[int(cy), int(cx)]:
            break
    matrix = cv2.getRotationMatrix2D((cx, cy), angle, scale)
    matrix[:, 2] += size / 2 - np.array([cx, cy])
    if rng.random() < 0.5:
        matrix[0] = -matrix[0]
        matrix[0, 2] += size - 1
    # Only the neighbourhood is touched: mosaics are large.
    reach = int(half * 1.5) + 8
    x0, y0 = max(int(cx) - reach, 0), max(int(cy) - reach, 0)
    source = picture.image[y0 : int(cy) + reach, x0 : int(cx) + reach]
    labels = labels[y0 : int(cy) + reach, x0 : int(cx) + reach]
    matrix[:, 2] += matrix[:, :2] @ np.array([x0, y0], float)
    if scale < 0.8:
        source = cv2.GaussianBlur(source, (0, 0), 0.35 / scale)
    image = cv2.warpAffine(
        source, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    turned = cv2.warpAffine(
        labels.astype(np.float32),
        matrix,
        (size, size),
        flags=cv2.INTER_NEAREST,
        borderMode=cv2.BORDER_REFLECT,
    )
    return image, turned.astype(np.int32)


def jitter_colour(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random brightness, contrast, saturation, colour cast, gamma, blur and noise."""
    x = image.astype(np.float32) / 255
    if rng.random() < 0.8:
        x = (x - x.mean()) * rng.uniform(0.6, 1.4) + x.mean() + rng.uniform(-0.15, 0.15)
        grey = x.mean(2, keepdims=True)
        x = grey + (x - grey) * rng.uniform(0.3, 1.5)
        x = x * rng.uniform(0.9, 1.1, 3).astype(np.float32)
        x = np.clip(x, 0, 1) ** np.float32(rng.uniform(0.7, 1.4))
    if rng.random() < 0.05:
        x = np.repeat(x.mean(2, keepdims=True), 3, 2)
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.2))
    if rng.random() < 0.2:
        x = x + rng.normal(0, rng.uniform(0.005, 0.03), x.shape).astype(np.float32)
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


class Mixture:
    """Draws crops from several sources in given shares.

    Parameters
    ----------
    sources : list of (float, list of Picture)
        Share and pictures of each source; empty sources are left out.
    lend : callable, optional
        Puts objects of a second crop into a first; see `training.transplant`.
    lent : float
        Share of the crops that receive some.
    """

    def __init__(
        self,
        sources: list[tuple[float, list[Picture]]],
        lend: Callable[[Crop, Crop, np.random.Generator], Crop] | None = None,
        lent: float = 0.25,
    ) -> None:
        self.lend, self.lent = lend, lent
        self.sources = [(share, pictures) for share, pictures in sources if pictures]
        if not self.sources:
            raise ValueError("no training pictures were found")
        total = sum(share for share, _ in self.sources)
        self.shares = [share / total for share, _ in self.sources]
        # A large mosaic holds more to learn from than a single tile.
        self.weights = []
        for _, pictures in self.sources:
            areas = np.array(
                [p.image[..., 0].size if p.valid is None else p.valid.sum() for p in pictures],
                float,
            )
            self.weights.append(areas / areas.sum())

    def draw(self, rng: np.random.Generator, size: int = CROP) -> tuple[np.ndarray, np.ndarray]:
        """One colour-jittered crop and its labels."""
        crop = self.draw_crop(rng, size)
        return crop.image, crop.labels

    def draw_crop(self, rng: np.random.Generator, size: int = CROP) -> Crop:
        """One colour-jittered crop with all that is known of it."""
        crop = self._crop(rng, size)
        if self.lend is not None and rng.random() < self.lent:
            crop = self.lend(crop, self._crop(rng, size), rng)
        crop.image = jitter_colour(crop.image, rng)
        return crop

    def _crop(self, rng: np.random.Generator, size: int) -> Crop:
        i = rng.choice(len(self.sources), p=self.shares)
        pictures = self.sources[i][1]
        for _ in range(6):
            picture = pictures[rng.choice(len(pictures), p=self.weights[i])]
            image, labels = random_crop(picture, rng, size)
            # Empty countryside has nothing to prompt for.
            if np.count_nonzero(labels) > 200:
                break
        return Crop(image, labels, picture.kinds, picture.labelled)

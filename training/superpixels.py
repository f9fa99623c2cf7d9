"""Objects of scenes that nobody labelled: regions that stand out, at several sizes.

Superpixels are merged step by step, the most alike neighbours first; what is left at each level
is a way to divide the scene into things. A region is kept as an object if the picture changes
more along its border than within it. Clicks on such regions teach what a border is in places of
which no labels exist; what they are is not known, so they teach no kind and no absence.

References
----------
Felzenszwalb and Huttenlocher, *Efficient Graph-Based Image Segmentation*, IJCV 2004; Arbeláez et
al., *Contour Detection and Hierarchical Image Segmentation*, TPAMI 2011.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import find_objects

from .data import Picture, read_rgb

LEVELS = (6.0, 11.0, 18.0)
"""Differences in mean colour (CIE Lab) up to which neighbours are merged, finest level first."""

_SMALLEST, _LARGEST_SHARE = 300, 0.15
"""Pixels of an object at least, and its share of the scene at most."""

_STANDS_OUT = 2.0
"""The picture must change so many times as much along an object's border as within it."""

_EVEN = 0.85
"""IoU of an object with itself without frays and holes; what is more ragged is no thing."""

_DISC = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


def regions(image: np.ndarray) -> list[np.ndarray]:
    """Labels of the regions that stand out, one map a level.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3)

    Returns
    -------
    list of ndarray of int32, shape (H, W)
        0 where no region stands out; levels without any are left out.
    """
    from skimage.graph import merge_hierarchical, rag_mean_color
    from skimage.segmentation import felzenszwalb

    smooth = cv2.bilateralFilter(image, 7, 30, 5)
    # On the usual scale: 8-bit Lab stretches lightness to 255 and moves the colours by 128.
    lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    grey = cv2.GaussianBlur(lab[..., 0], (0, 0), 1.0)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    pieces = felzenszwalb(smooth, scale=80, sigma=0.6, min_size=60)
    found = []
    for level in LEVELS:
        if not pieces.any():
            # One piece is left: it has no neighbour to differ from.
            break
        graph = rag_mean_color(lab, pieces)
        pieces = merge_hierarchical(
            pieces, graph, thresh=level, rag_copy=False, in_place_merge=True,
            merge_func=_merge_colours, weight_func=_difference,
        )  # fmt: skip
        labels = _standing_out(pieces + 1, slope)
        if labels.any():
            found.append(labels)
    return found


def _merge_colours(graph, source: int, target: int) -> None:
    into, other = graph.nodes[target], graph.nodes[source]
    into["total color"] += other["total color"]
    into["pixel count"] += other["pixel count"]
    into["mean color"] = into["total color"] / into["pixel count"]


def _difference(graph, source: int, target: int, neighbour: int) -> dict[str, float]:
    ends = graph.nodes[target]["mean color"], graph.nodes[neighbour]["mean color"]
    return {"weight": float(np.linalg.norm(ends[0] - ends[1]))}


def _standing_out(pieces: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Labels 1, 2, ... of the pieces whose border the picture has, too."""
    labels = np.zeros(pieces.shape, np.int32)
    largest = _LARGEST_SHARE * pieces.size
    number = 0
    for piece, place in enumerate(find_objects(pieces), 1):
        if place is None:
            continue
        rows = slice(max(place[0].start - 2, 0), place[0].stop + 2)
        columns = slice(max(place[1].start - 2, 0), place[1].stop + 2)
        mask = (pieces[rows, columns] == piece).astype(np.uint8)
        if not _SMALLEST <= mask.sum() <= largest:
            continue
        even = cv2.morphologyEx(
            cv2.morphologyEx(mask, cv2.MORPH_CLOSE, _DISC), cv2.MORPH_OPEN, _DISC
        )
        if (mask & even).sum() < _EVEN * (mask | even).sum():
            continue
        mask = even
        inner = cv2.erode(mask, np.ones((5, 5), np.uint8)) > 0
        border = (cv2.dilate(mask, np.ones((3, 3), np.uint8)) > 0) & ~inner
        changes = slope[rows, columns]
        if inner.any() and changes[border].mean() >= _STANDS_OUT * (changes[inner].mean() + 0.5):
            number += 1
            labels[rows, columns][mask > 0] = number
    return labels


def read_unlabelled(folder: Path, longest: int = 1000) -> list[Picture]:
    """Scenes of a folder as pictures with their regions as objects.

    Parameters
    ----------
    folder : Path
        Holds JPEG, PNG or TIFF files of 8 bits.
    longest : int
        Pixels along the longer side; larger scenes are reduced.
    """
    pictures = []
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in (".jpg", ".jpeg", ".png", ".tif", ".tiff"):
            continue
        image = read_rgb(path)
        scale = longest / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        if found := regions(image):
            pictures.append(Picture(image, found))
    return pictures

"""Classical segmentation from the same prompts: what one would use without a promptable model.

Every function takes an 8-bit RGB image (H, W, 3), a box or a click in image pixels, and returns
one mask (H, W) of bool. Nothing here is trained, and nothing sees the truth except
:func:`best_region` and :func:`best_regions`, which say so: they answer what the best possible
choice among given regions would reach.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import EvaluationError

Image = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
Point = tuple[float, float]

COLOUR_GROUPS = 6
"""Colours into which a whole image is divided for a click."""

_MARGIN = 0.25
"""Ground shown around a box to the methods that need some, as a share of its longer side."""

_ITERATIONS = 5
"""Rounds of GrabCut."""

_MAX_PIXELS = 40_000
"""Size of the part in which the random walker is solved; a larger one is reduced first."""


def grabcut(image: Image, box: Box) -> Mask:
    """GrabCut from a box; the whole box where it fails or the box covers the whole image.

    References
    ----------
    .. [1] C. Rother, V. Kolmogorov and A. Blake, "GrabCut", ACM Transactions on Graphics 23, 2004.
    """
    rows, columns = _slices(box, image.shape[:2])
    mask = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    mask[rows, columns] = cv2.GC_PR_FGD
    filled = mask == cv2.GC_PR_FGD
    if filled.all():
        return filled
    try:
        # OpenCV starts its colour clusters from a generator of its own.
        cv2.setRNGSeed(0)
        cv2.grabCut(
            np.ascontiguousarray(image[..., ::-1]),
            mask,
            None,
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            _ITERATIONS,
            cv2.GC_INIT_WITH_MASK,
        )
    except cv2.error:
        return filled
    return (mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD)


def otsu_in_box(image: Image, box: Box) -> Mask:
    """Otsu's threshold of the grey values in a box; the side that fills its middle is the object.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions
       on Systems, Man, and Cybernetics 9, 1979.
    """
    rows, columns = _slices(box, image.shape[:2])
    part = cv2.cvtColor(np.ascontiguousarray(image[rows, columns]), cv2.COLOR_RGB2GRAY)
    level, _ = cv2.threshold(part, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return _pasted(_middle_group((part > level).astype(np.int32)), rows, columns, image)


def otsu_at_click(image: Image, point: Point) -> Mask:
    """Otsu's threshold of the whole image; the connected piece that was clicked."""
    grey = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)
    level, _ = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return piece_at(grey > level, point)


def kmeans_in_box(image: Image, box: Box, *, seed: int = 0) -> Mask:
    """Two colour clusters (CIELAB) within a box; the one that fills its middle is the object.

    References
    ----------
    .. [1] S. Lloyd, "Least squares quantization in PCM", IEEE Transactions on Information Theory
       28, 1982.
    """
    rows, columns = _slices(box, image.shape[:2])
    groups = colour_groups(image[rows, columns], 2, seed=seed)
    return _pasted(_middle_group(groups), rows, columns, image)


def colour_groups(image: Image, count: int = COLOUR_GROUPS, *, seed: int = 0) -> NDArray[np.int32]:
    """k-means cluster of each pixel's colour in CIELAB, (H, W), 0 to `count` − 1.

    The centres come from at most 20,000 pixels drawn by `seed`.
    """
    from sklearn.cluster import KMeans

    lab = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2LAB)
    pixels = lab.reshape(-1, 3).astype(np.float32)
    sample = pixels
    if len(pixels) > 20_000:
        sample = pixels[np.random.default_rng(seed).choice(len(pixels), 20_000, replace=False)]
    different = len(np.unique(sample, axis=0))
    model = KMeans(min(count, different), n_init=3, random_state=seed).fit(sample)
    return model.predict(pixels).reshape(image.shape[:2]).astype(np.int32)


def slic_regions(image: Image, *, size: int = 300) -> NDArray[np.int32]:
    """SLIC superpixels of about `size` pixels, numbered from 1, (H, W).

    References
    ----------
    .. [1] R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods",
       IEEE Transactions on Pattern Analysis and Machine Intelligence 34, 2012.
    """
    from skimage.segmentation import slic

    count = max(2, round(image.shape[0] * image.shape[1] / size))
    found = slic(image, n_segments=count, compactness=10, start_label=1, channel_axis=-1)
    return found.astype(np.int32)


def felzenszwalb_regions(
    image: Image, *, scale: float = 100, min_size: int = 50
) -> NDArray[np.int32]:
    """Felzenszwalb's graph-based regions, numbered from 1, (H, W).

    References
    ----------
    .. [1] P. Felzenszwalb and D. Huttenlocher, "Efficient graph-based image segmentation",
       International Journal of Computer Vision 59, 2004.
    """
    from skimage.segmentation import felzenszwalb

    found = felzenszwalb(image, scale=scale, sigma=0.8, min_size=min_size, channel_axis=-1)
    return found.astype(np.int32) + 1


def region_at(regions: NDArray[np.int32], point: Point) -> Mask:
    """The region that was clicked."""
    row, column = _pixel(point, regions.shape)
    return regions == regions[row, column]


def regions_in_box(regions: NDArray[np.int32], box: Box) -> Mask:
    """All regions that lie in the box with more than half of their area.

    Cut to the box; the whole box if there is no such region.
    """
    rows, columns = _slices(box, regions.shape)
    inside = np.bincount(regions[rows, columns].ravel(), minlength=regions.max() + 1)
    everywhere = np.bincount(regions.ravel(), minlength=len(inside))
    chosen = (inside * 2 > everywhere)[regions[rows, columns]]
    return _pasted(chosen if chosen.any() else ~chosen, rows, columns, regions)


def best_region(regions: NDArray[np.int32], truth: Mask) -> Mask:
    """The one region with the highest IoU with the truth. It sees the truth: an upper bound."""
    shared = np.bincount(regions[truth], minlength=regions.max() + 1)
    whole = np.bincount(regions.ravel(), minlength=len(shared))
    return regions == int(np.argmax(shared / np.maximum(whole + truth.sum() - shared, 1)))


def best_regions(regions: NDArray[np.int32], truth: Mask) -> Mask:
    """The set of regions with the highest IoU with the truth. It sees the truth: an upper bound.

    Regions are added in order of the share that the truth covers; adding one raises the IoU
    exactly as long as that share exceeds the IoU so far, so the first stop is the best set.
    """
    shared = np.bincount(regions[truth], minlength=regions.max() + 1).astype(float)
    whole = np.bincount(regions.ravel(), minlength=len(shared)).astype(float)
    order = np.argsort(-shared / np.maximum(whole, 1), kind="stable")
    inside, union = np.cumsum(shared[order]), truth.sum() + np.cumsum((whole - shared)[order])
    count = int(np.argmax(inside / np.maximum(union, 1))) + 1
    chosen = np.zeros(len(shared), bool)
    chosen[order[:count]] = True
    return chosen[regions]


def watershed(image: Image, box: Box) -> Mask:
    """Marker watershed on the Sobel gradient: the box's core is object, its surroundings ground.

    References
    ----------
    .. [1] F. Meyer and S. Beucher, "Morphological segmentation", Journal of Visual Communication
       and Image Representation 1, 1990.
    """
    from skimage.filters import sobel
    from skimage.segmentation import watershed as flood

    part, markers, place = _marked(image, box)
    gradient = np.max([sobel(part[..., band]) for band in range(3)], axis=0)
    found = flood(gradient, markers) == 1
    return _pasted(found, *place, image)


def random_walker(image: Image, box: Box, *, beta: float = 130) -> Mask:
    """Random walker from the same markers as :func:`watershed`.

    References
    ----------
    .. [1] L. Grady, "Random walks for image segmentation", IEEE Transactions on Pattern Analysis
       and Machine Intelligence 28, 2006.
    """
    import warnings

    from skimage.segmentation import random_walker as walk

    part, markers, place = _marked(image, box)
    if not (markers == 2).any():
        return _pasted(np.ones(markers.shape, bool), *place, image)
    height, width = markers.shape
    shrink = min(1.0, (_MAX_PIXELS / (height * width)) ** 0.5)
    if shrink < 1:
        size = (max(3, round(width * shrink)), max(3, round(height * shrink)))
        part = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        markers = cv2.resize(markers, size, interpolation=cv2.INTER_NEAREST)
    with warnings.catch_warnings():
        # It recommends another solver, and speaks of pixels that no marker reaches.
        warnings.simplefilter("ignore")
        found = walk(part / 255.0, markers, beta=beta, mode="cg_j", channel_axis=-1) == 1
    if shrink < 1:
        found = cv2.resize(found.astype(np.float32), (width, height)) > 0.5
    return _pasted(found, *place, image)


def piece_at(mask: Mask, point: Point) -> Mask:
    """The connected piece of a mask, or of what it leaves out, that was clicked."""
    row, column = _pixel(point, mask.shape)
    side = (mask == mask[row, column]).astype(np.uint8)
    _, pieces = cv2.connectedComponents(side, connectivity=4)
    return pieces == pieces[row, column]


def _pixel(point: Point, shape: tuple[int, ...]) -> tuple[int, int]:
    x, y = point
    if not (0 <= x <= shape[1] and 0 <= y <= shape[0]):
        raise EvaluationError(f"The click ({x:g}, {y:g}) lies outside the image.")
    return min(int(y), shape[0] - 1), min(int(x), shape[1] - 1)


def _slices(box: Box, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Rows and columns of all pixels whose centre lies in a box; at least one pixel."""
    x0, y0, x1, y1 = box
    left, top = max(0, round(x0)), max(0, round(y0))
    right, bottom = min(shape[1], round(x1)), min(shape[0], round(y1))
    if x1 <= 0 or y1 <= 0 or x0 >= shape[1] or y0 >= shape[0] or x1 <= x0 or y1 <= y0:
        raise EvaluationError("The box has no area inside the image.")
    left, top = min(left, shape[1] - 1), min(top, shape[0] - 1)
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _pasted(part: Mask, rows: slice, columns: slice, image: NDArray) -> Mask:
    mask = np.zeros(image.shape[:2], bool)
    mask[rows, columns] = part
    return mask


def _middle_group(groups: NDArray[np.int32]) -> Mask:
    """The group that is over-represented in the middle half of a box against its rim."""
    height, width = groups.shape
    middle = np.zeros(groups.shape, bool)
    middle[height // 4 : height - height // 4, width // 4 : width - width // 4] = True
    inside = np.bincount(groups[middle], minlength=groups.max() + 1) / max(1, middle.sum())
    outside = np.bincount(groups[~middle], minlength=len(inside)) / max(1, (~middle).sum())
    # A group without a pixel is no answer.
    return groups == int(np.argmax(np.where(inside + outside > 0, inside - outside, -2)))


def _marked(image: Image, box: Box) -> tuple[Image, NDArray[np.int32], tuple[slice, slice]]:
    """A box with some ground around it, markers (1 object, 2 ground, 0 open), and its place."""
    rows, columns = _slices(box, image.shape[:2])
    height, width = rows.stop - rows.start, columns.stop - columns.start
    margin = max(2, round(_MARGIN * max(height, width)))
    place = (
        slice(max(0, rows.start - margin), min(image.shape[0], rows.stop + margin)),
        slice(max(0, columns.start - margin), min(image.shape[1], columns.stop + margin)),
    )
    part = np.ascontiguousarray(image[place])
    markers = np.full(part.shape[:2], 2, np.int32)
    top, left = rows.start - place[0].start, columns.start - place[1].start
    markers[top : top + height, left : left + width] = 0
    # The middle third in each direction: even an L-shaped roof mostly covers it.
    core = (slice(top + height // 3, top + max(height // 3 + 1, height - height // 3)),)
    core += (slice(left + width // 3, left + max(width // 3 + 1, width - width // 3)),)
    markers[core] = 1
    return part, markers, place

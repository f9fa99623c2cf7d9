"""Metrics of outlines: boundary F-score, boundary IoU and the 95 % Hausdorff distance.

Area metrics hardly notice a ragged outline of a large object; these do. The *boundary pixels* of
a mask are its pixels with a neighbour (of four) outside the mask; what lies beyond the edge of
the image counts as outside.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import MetricError
from rsam_core.objects.checks import check_same_size, object_mask
from rsam_core.objects.crops import cut_out, span
from rsam_core.objects.instances import Instance, Instances

Mask = NDArray[np.bool_]
Distances = tuple[NDArray[np.float64], NDArray[np.float64]]

BOUNDARY_SHARE = 0.02
"""Width of the published band of :func:`boundary_iou`, as a share of the image's diagonal."""

OBJECT_SHARE = 0.2
"""Width of an object's band, as a share of the object's depth; see :func:`object_band`."""


def boundary_pixels(mask: ArrayLike) -> Mask:
    """Return the pixels of a mask that touch something else by an edge, (H, W)."""
    import cv2

    mask = object_mask(mask)
    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    return mask & ~cv2.erode(_padded(mask), kernel)[1:-1, 1:-1].astype(bool)


def boundary_f_score(truth: ArrayLike, prediction: ArrayLike, tolerance: float = 2.0) -> float:
    """Agreement of outlines: F1 of the boundary pixels that lie within a tolerance.

    Precision is the share of the predicted boundary pixels that lie within `tolerance` of a true
    one, recall the share of the true ones that lie within it of a predicted one.

    Parameters
    ----------
    truth, prediction : array_like of bool or int, shape (H, W)
    tolerance : float
        Largest distance between pixel centres, in pixels.

    Returns
    -------
    float
        0 to 1; 1 if both masks are empty, 0 if one is.

    Raises
    ------
    MetricError
        If the sizes differ or the tolerance is negative.

    References
    ----------
    .. [1] Gabriela Csurka et al., "What is a good evaluation measure for semantic
       segmentation?", BMVC 2013.
    .. [2] Federico Perazzi et al., "A benchmark dataset and evaluation methodology for video
       object segmentation", CVPR 2016 (there by dilation with a disc).
    """
    if not tolerance >= 0:
        raise MetricError(f"A tolerance of {tolerance!r} pixels is not possible. Use 0 or more.")
    truth, prediction = _pair(truth, prediction)
    if not truth.any() or not prediction.any():
        return float(truth.any() == prediction.any())
    return _f_score(_surface_distances(truth, prediction), tolerance)


def boundary_iou(
    truth: ArrayLike,
    prediction: ArrayLike,
    width: float | None = None,
) -> float:
    """IoU of the bands of pixels near the outlines, inside the masks.

    Parameters
    ----------
    truth, prediction : array_like of bool or int, shape (H, W)
    width : float, optional
        Width of the band in pixels (steps in eight directions), rounded, at least 1. If not
        given, 2 % of the image's diagonal, as published for photographs; for objects in a large
        scene see :func:`object_band`.

    Returns
    -------
    float
        0 to 1; 1 if both masks are empty, 0 if one is.

    Raises
    ------
    MetricError
        If the sizes differ or the width is not positive.

    References
    ----------
    .. [1] Bowen Cheng et al., "Boundary IoU: improving object-centric image segmentation
       evaluation", CVPR 2021.
    """
    truth, prediction = _pair(truth, prediction)
    steps = band_width(truth.shape) if width is None else _steps(width)
    one, two = _band(truth, steps), _band(prediction, steps)
    union = np.count_nonzero(one | two)
    return float(np.count_nonzero(one & two) / union) if union else 1.0


def band_width(shape: tuple[int, int]) -> int:
    """Width in pixels of the published band for an image of (height, width)."""
    return max(1, round(BOUNDARY_SHARE * math.hypot(*shape)))


def object_band(mask: ArrayLike) -> int:
    """Width in pixels of the band of :func:`boundary_iou` that suits one object.

    Parameters
    ----------
    mask : array_like of bool or int, shape (H, W)

    Returns
    -------
    int
        A fifth of the object's depth, rounded, at least 1. The depth is how many steps in eight
        directions its innermost pixel is from the outside: 30 for a house of 60 pixels, whose
        band is 6 pixels wide and covers 36 % of it, however large the scene is.

    Notes
    -----
    Published is 2 % of the image's diagonal [1]_, for photographs of 640 × 480 pixels of which an
    object fills a good part; in a scene of 12,000 pixels that is wider than any house, and the
    boundary IoU is then the IoU of the masks. The depth follows thin objects, too: the band of a
    road is narrow however long the road is.

    References
    ----------
    .. [1] Bowen Cheng et al., "Boundary IoU: improving object-centric image segmentation
       evaluation", CVPR 2021.
    """
    return _share_of(_depth(object_mask(mask)))


def median_band(objects: Instances) -> int:
    """Width in pixels of the band for a mask of many objects: the median of their own, or 1."""
    return round(float(np.median([object_band(item.mask) for item in objects]))) if objects else 1


def hausdorff_distance(truth: ArrayLike, prediction: ArrayLike, percent: float = 95.0) -> float:
    """How far the outlines are apart at worst, leaving out the worst few per cent.

    The larger of the two directed distances, each the `percent`-th percentile of the distances
    from the boundary pixels of one mask to the nearest boundary pixel of the other.

    Parameters
    ----------
    truth, prediction : array_like of bool or int, shape (H, W)
    percent : float
        95 is usual; 100 gives the classic Hausdorff distance.

    Returns
    -------
    float
        Pixels; 0 if both masks are empty, infinite if one is.

    Raises
    ------
    MetricError
        If the sizes differ or the percentage is out of range.

    References
    ----------
    .. [1] Daniel P. Huttenlocher et al., "Comparing images using the Hausdorff distance", 1993.
    .. [2] Abdel Aziz Taha, Allan Hanbury, "Metrics for evaluating 3D medical image
       segmentation", BMC Medical Imaging 15, 2015.
    """
    if not 0 <= percent <= 100:
        raise MetricError(f"A percentage lies between 0 and 100; {percent!r} does not.")
    truth, prediction = _pair(truth, prediction)
    if not truth.any() or not prediction.any():
        return 0.0 if truth.any() == prediction.any() else math.inf
    return _farthest(_surface_distances(truth, prediction), percent)


def instance_boundary(
    truth: Instance,
    predicted: Instance | None,
    tolerance: float = 2.0,
) -> dict[str, float]:
    """Boundary metrics of one object, whatever the size of the scene.

    Parameters
    ----------
    truth : Instance
    predicted : Instance or None
        None if nothing was found.
    tolerance : float
        Pixels, for the boundary F-score.

    Returns
    -------
    dict
        ``boundary_f``, ``boundary_iou`` (of bands as wide as :func:`object_band` says for the
        true object) and ``hausdorff_95`` (pixels).
    """
    if predicted is None:
        return {"boundary_f": 0.0, "boundary_iou": 0.0, "hausdorff_95": math.inf}
    # Beyond the crops there is neither object, just as beyond the image's edge.
    box = span((truth, predicted))
    masks = [cut_out(item, box) for item in (truth, predicted)]
    # Both are never empty, and their distances, which take longest, serve two metrics.
    distances = _surface_distances(*masks)
    return {
        "boundary_f": _f_score(distances, tolerance),
        "boundary_iou": boundary_iou(*masks, object_band(truth.mask)),
        "hausdorff_95": _farthest(distances, 95.0),
    }


def _pair(truth: ArrayLike, prediction: ArrayLike) -> tuple[Mask, Mask]:
    truth = object_mask(truth, "ground truth")
    prediction = object_mask(prediction, "prediction")
    check_same_size(truth.shape, prediction.shape)
    return truth, prediction


def _steps(width: float) -> int:
    if not width > 0:
        raise MetricError(f"A band of {width!r} pixels is not possible. Use 1 or more.")
    return max(1, round(width))


def _padded(mask: Mask) -> NDArray[np.uint8]:
    import cv2

    return cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)


def _band(mask: Mask, steps: int) -> Mask:
    # The same as eroding `steps` times by 3 × 3 pixels, in one pass however wide the band is.
    return mask & (_depth(mask) <= steps)


def _depth(mask: Mask) -> NDArray[np.float32]:
    """Steps in eight directions from each pixel to the outside."""
    import cv2

    return cv2.distanceTransform(_padded(mask), cv2.DIST_C, 3)[1:-1, 1:-1]


def _share_of(depth: NDArray[np.float32]) -> int:
    return max(1, round(OBJECT_SHARE * float(depth.max(initial=0.0))))


def _f_score(distances: Distances, tolerance: float) -> float:
    recall, precision = (float((some <= tolerance + 1e-6).mean()) for some in distances)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _farthest(distances: Distances, percent: float) -> float:
    return float(max(np.percentile(some, percent) for some in distances))


def _surface_distances(truth: Mask, prediction: Mask) -> Distances:
    """Distances of the true boundary pixels to the predicted ones, and the other way round."""
    from scipy.spatial import cKDTree

    one, two = (np.argwhere(boundary_pixels(mask)) for mask in (truth, prediction))
    return cKDTree(two).query(one)[0], cKDTree(one).query(two)[0]

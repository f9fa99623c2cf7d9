"""Roofs copied from one crop to another, with feathered edges.

A model that has seen few towns learns what lies around a roof as well as the roof. Buildings of
one place on the ground of another tell it what of the two matters.

References
----------
Ghiasi et al., *Simple Copy-Paste is a Strong Data Augmentation Method for Instance Segmentation*,
CVPR 2021.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from scipy.ndimage import find_objects

from rsam_core.models.tiny.kinds import KINDS

from .data import Crop

MOST = 4
"""Roofs that a crop receives."""

_SMALLEST, _LARGEST_SHARE = 100, 0.12
"""Pixels of a roof at least, and its share of the crop at most."""

_RIM = 3
"""Pixels of its own ground that come with a roof: its true edge must not be the pasted one."""

_APART = 2
"""Pixels between a copied roof with its rim and what stood there before."""

_TRIES = 6
_BUILDING = KINDS.index("building")


def transplant(crop: Crop, donor: Crop, rng: np.random.Generator) -> Crop:
    """A crop with some of another one's buildings, where it has no labelled object.

    Parameters
    ----------
    crop : Crop
        Stays as it is.
    donor : Crop
        Of any size and place; its buildings that its border does not cut are copied.
    rng : numpy.random.Generator
        How many, which, and where to.

    Returns
    -------
    Crop
        The copies have labels of their own and are buildings.
    """
    image, labels = crop.image.astype(np.float32), crop.labels.copy()
    known = crop.kinds if crop.kinds is not None else np.full(1, -1, np.int8)
    kinds = np.full(max(len(known), int(labels.max()) + 1), -1, np.int8)
    kinds[: len(known)] = known
    height, width = labels.shape
    # Half of the difference in light between two places stays: roofs differ as well.
    light = (image.mean((0, 1)) - donor.image.mean((0, 1))) * rng.uniform(0, 1)
    added = []
    roofs = _whole_roofs(donor)
    for i in rng.permutation(len(roofs))[: rng.integers(1, MOST + 1)]:
        patch, mask = roofs[i]
        h, w = mask.shape
        if h > height or w > width:
            continue
        near = cv2.dilate(mask, np.ones((2 * _APART + 1,) * 2, np.uint8)) > 0
        for _ in range(_TRIES):
            y, x = int(rng.integers(height - h + 1)), int(rng.integers(width - w + 1))
            place = (slice(y, y + h), slice(x, x + w))
            if not (labels[place][near] > 0).any():
                break
        else:
            continue
        rim = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _RIM - 1,) * 2))
        share = cv2.GaussianBlur(rim.astype(np.float32), (0, 0), 1.0)[..., None]
        image[place] += share * (patch + light - image[place])
        labels[place][mask > 0] = len(kinds) + len(added)
        added.append(_BUILDING)
    if not added:
        return crop
    painted = np.clip(image, 0, 255).astype(np.uint8)
    return replace(
        crop, image=painted, labels=labels, kinds=np.append(kinds, added).astype(np.int8)
    )


def _whole_roofs(donor: Crop) -> list[tuple[np.ndarray, np.ndarray]]:
    """Picture (h, w, 3) and mask (h, w) uint8 of each building in one piece, with some margin."""
    if donor.kinds is None:
        return []
    height, width = donor.labels.shape
    margin = _RIM + 2 * _APART
    found = []
    for label, place in enumerate(find_objects(donor.labels), 1):
        if place is None or label >= len(donor.kinds) or donor.kinds[label] != _BUILDING:
            continue
        y0, x0 = place[0].start - margin, place[1].start - margin
        y1, x1 = place[0].stop + margin, place[1].stop + margin
        if y0 < 0 or x0 < 0 or y1 > height or x1 > width:
            continue
        mask = (donor.labels[y0:y1, x0:x1] == label).astype(np.uint8)
        area = int(mask.sum())
        if not _SMALLEST <= area <= _LARGEST_SHARE * height * width:
            continue
        if cv2.connectedComponents(mask)[0] == 2:
            found.append((donor.image[y0:y1, x0:x1].astype(np.float32), mask))
    return found

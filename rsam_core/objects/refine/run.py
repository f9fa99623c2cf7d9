"""Taking all steps, object by object."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from rsam_core.errors import Cancelled
from rsam_core.objects.instance import Instance, Mask
from rsam_core.objects.instances import Instances
from rsam_core.objects.refine.morphology import (
    closing,
    fill_holes,
    opening,
    remove_specks,
    smooth_boundary,
)
from rsam_core.objects.refine.outline import simplify_mask
from rsam_core.objects.refine.right_angles import regularise
from rsam_core.objects.refine.settings import RefineSettings

_REPORT_EVERY = 20


def refine(
    instances: Instances,
    settings: RefineSettings | None = None,
    *,
    only: Collection[int] | None = None,
    gsd: float | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Instances:
    """Clean, smooth, simplify and straighten objects.

    Parameters
    ----------
    instances : Instances
    settings : RefineSettings, optional
        Which steps to take; the defaults if not given.
    only : collection of int, optional
        Numbers of the objects to change; all if not given. The others stay as they are.
    gsd : float, optional
        Metres a pixel, for settings in metres.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        Asked between objects; True ends the work.

    Returns
    -------
    Instances
        In the same order with the same numbers. No step deletes an object, except that those
        below ``settings.smallest`` are dropped at the end. Objects that no step changes are the
        very same ones.

    Raises
    ------
    RefineError
        If the settings are in metres and `gsd` is not known.
    Cancelled
        If it was cancelled; nothing is changed then.
    """
    settings = (settings or RefineSettings()).in_pixels(gsd)
    chosen = None if only is None else set(only)
    total = len(instances) if chosen is None else len(chosen)
    result: list[Instance] = []
    done = 0
    for item in instances:
        if chosen is not None and item.id not in chosen:
            result.append(item)
            continue
        if done % _REPORT_EVERY == 0:
            if cancelled is not None and cancelled():
                raise Cancelled("Refining was stopped. All objects are as they were before.")
            if progress is not None:
                progress(done / max(total, 1), f"{done:,} of {total:,} objects")
        done += 1
        refined = refine_one(item, settings, instances.shape)
        if refined.area >= settings.smallest:
            result.append(refined)
    if progress is not None:
        progress(1.0, f"{total:,} of {total:,} objects")
    return Instances(result, instances.shape, next_id=instances.next_id)


def refine_one(item: Instance, settings: RefineSettings, shape: tuple[int, int]) -> Instance:
    """Take all steps on one object.

    Parameters
    ----------
    item : Instance
    settings : RefineSettings
        In pixels; ``smallest`` is not looked at.
    shape : (int, int)
        Height and width of the scene, at whose edge objects end without being rounded.

    Returns
    -------
    Instance
        The very same one if nothing changed.
    """
    margin = 2 + int(np.ceil(max(settings.closing, 4 * settings.smooth, settings.simplify)))
    mask, x, y = with_margin(item, margin, shape)
    x0, y0, x1, y1 = item.bbox
    if x0 == 0 or y0 == 0 or x1 == shape[1] or y1 == shape[0]:
        # The walls of a building that the edge of the image cuts lie outside.
        settings = replace(settings, regularise=False)
    changed = take_steps(mask, settings)
    if not changed.any() or np.array_equal(changed, mask):
        return item
    return replace(item, mask=changed, x=x, y=y)


def with_margin(item: Instance, margin: int, shape: tuple[int, int]) -> tuple[Mask, int, int]:
    """Return an object's mask with background around it as far as the scene reaches.

    Returns
    -------
    mask : ndarray of bool
    x, y : int
        Scene pixel of its top-left corner.
    """
    x0, y0, x1, y1 = item.bbox
    left, top = max(x0 - margin, 0), max(y0 - margin, 0)
    right, bottom = min(x1 + margin, shape[1]), min(y1 + margin, shape[0])
    mask = np.pad(item.mask, ((y0 - top, bottom - y1), (x0 - left, right - x1)))
    return mask, left, top


def take_steps(mask: Mask, settings: RefineSettings) -> Mask:
    """Take all steps on a mask; see `morphology` for what its edge means."""
    if settings.speck_area:
        mask = remove_specks(mask, settings.speck_area)
    if settings.hole_area:
        mask = fill_holes(mask, settings.hole_area)
    if settings.opening:
        mask = opening(mask, settings.opening)
    if settings.closing:
        mask = closing(mask, settings.closing)
    if settings.smooth:
        mask = smooth_boundary(mask, settings.smooth)
    if settings.simplify:
        mask = simplify_mask(mask, settings.simplify)
    if settings.regularise:
        mask = regularise(mask, settings.min_agreement)
    return mask

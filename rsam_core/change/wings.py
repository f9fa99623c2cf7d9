"""Parts that came to an object that stands at both dates, or that went from it.

The wing of a house has an outline of its own more often than the house with its wing has one that
ends where it should: what is new and clings to a house that stood there before is no new house.
Likewise a hole, a tarpaulin or a new piece of roof on a house that stands at both dates is outlined
as a thing of its own: it is a change inside that house.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rsam_core.change.findings import PLACES, Candidate, Change
from rsam_core.change.judge import CLASSES
from rsam_core.change.kinds import UNSURE
from rsam_core.change.pairing import contained, grown, meeting
from rsam_core.objects.crops import Crop, cut_out, shared_pixels, span
from rsam_core.objects.instance import Instance

LOOSE = ("car", "boat", "tree")
"""Kinds of object that stand beside each other without being one."""

_HELD = 0.5
"""Share of a wing that lies in the outline of the whole from which on it is held by it."""

_LARGEST = {True: 0.46, False: 0.38}
"""Largest wing, as a share of the rest, by whether the whole holds it: what stands beside a house
and is half as large is another house."""

_CONTACT = {True: 0.5, False: 0.7}
"""Length of the common border, in sides of a square of the wing's area, likewise."""

_STANDS = {True: 0.5, False: 0.4}
"""IoU of both dates' outlines from which on an object may stand at both, likewise."""

_ONE = 0.6
"""IoU of both dates' outlines from which on they are one object."""

_ON = 0.85
"""Share of a patch that lies on what it is a patch of."""

_PATCH = (0.03, 0.6)
"""Area of a patch, as a share of what it lies on."""

_LEFT = 0.5
"""Probability from which on what lies under a patch has left itself."""

_REACH = 3
"""Pixels between a wing and what it clings to."""


def with_hosts(
    changes: Sequence[Change], candidates: Sequence[Candidate], fire: float
) -> list[Change | None]:
    """For each new or gone object that is a part of another one, the other one's change.

    Parameters
    ----------
    changes : sequence of Change
    candidates : sequence of Candidate
        Of both dates.
    fire : float
        Probability from which on an object has changed itself.

    Returns
    -------
    list of Change or None
        "enlarged" or "shrunk", with both outlines of the whole object; None for what stands alone.
    """
    hosts = [
        [c for c in candidates if c.date == date and c.changed <= fire and c.kind not in LOOSE
         and c.item.source not in PLACES]
        for date in (0, 1)
    ]  # fmt: skip
    result: list[Change | None] = [None] * len(changes)
    for verdict, date in (("new", 1), ("gone", 0)):
        some = [k for k, change in enumerate(changes) if change.change == verdict]
        rings = [grown(changes[k].outline, _REACH) for k in some]
        near: dict[int, list[Candidate]] = {}
        both = [*hosts[0], *hosts[1]]
        for i, j in meeting(rings, [c.item for c in both]):
            near.setdefault(some[i], []).append(both[j])
        for k, ring in zip(some, rings):
            ends = _host(changes[k], ring, near.get(k, ()), hosts)
            if ends is not None:
                less, more = ends
                result[k] = replace(
                    changes[k],
                    change="enlarged" if date == 1 else "shrunk",
                    before=less if date == 1 else more,
                    after=more if date == 1 else less,
                )
    return result


def with_roofs(changes: Sequence[Change], candidates: Sequence[Candidate]) -> list[Change | None]:
    """For each new object that lies on a building of the first date, the building's change.

    Parameters
    ----------
    changes : sequence of Change
    candidates : sequence of Candidate
        Of both dates.

    Returns
    -------
    list of Change or None
        "changed inside", with the outline of the building; None for what lies on none, or on one
        that has left.
    """
    left = CLASSES.index("left")
    hosts = [
        c for c in candidates
        if c.date == 0 and c.kind == "building" and c.chances[left] < _LEFT
        and c.item.source not in PLACES
    ]  # fmt: skip
    some = [k for k, change in enumerate(changes) if change.change == "new"]
    best: dict[int, Candidate] = {}
    for i, j in meeting([changes[k].outline for k in some], [c.item for c in hosts]):
        part, host, k = changes[some[i]].outline, hosts[j], some[i]
        if not _PATCH[0] * host.item.area < part.area < _PATCH[1] * host.item.area:
            continue
        if contained(part, host.item) < _ON:
            continue
        if k not in best or host.item.score > best[k].item.score:
            best[k] = host
    result: list[Change | None] = [None] * len(changes)
    for k, host in best.items():
        result[k] = replace(
            changes[k], change="changed inside", before=host.item, after=host.item,
            kind=host.kind, kind_probability=host.kind_probability,
        )  # fmt: skip
    return result


def _host(
    change: Change, ring: Crop, near: Sequence[Candidate], hosts: Sequence[Sequence[Candidate]]
) -> tuple[Instance, Instance] | None:
    """The object to which a part belongs: its outline without the part, and with it.

    It may be known from the date that has the part, with it or without, or from the other date.
    """
    part = change.outline
    if change.kind in LOOSE:
        return None
    best: tuple[tuple[bool, float], Instance, Instance] | None = None
    for host in near:
        if not may_be_one(host.kind, change.kind):
            continue
        held = host.date == int(change.change == "new") and contained(part, host.item) >= _HELD
        body = _without(host.item, part)
        if body is None or part.area > _LARGEST[held] * body.area:
            continue
        contact = shared_pixels(ring, body) / (_REACH * np.sqrt(part.area))
        if contact < _CONTACT[held] or (best is not None and (held, contact) <= best[0]):
            continue
        overlap, there = _standing(body, hosts[1 - host.date])
        if there is None or overlap < _STANDS[held]:
            continue
        less = there if overlap >= _ONE and held else body
        best = (held, contact), less, _joined(body, part)
    return None if best is None else best[1:]


def may_be_one(first: str | None, second: str | None) -> bool:
    """Whether two outlines may be one object, by the kinds that the model names."""
    return first == second or bool({first, second} & {UNSURE, None})


def _standing(body: Instance, others: Sequence[Candidate]) -> tuple[float, Instance | None]:
    """What stands at the place of an object at the other date, and how much of it they share."""
    best, found = 0.0, None
    for _, j in meeting([body], [c.item for c in others]):
        other = others[j].item
        shared = shared_pixels(body, other)
        overlap = shared / (body.area + other.area - shared)
        if overlap > best:
            best, found = overlap, other
    return best, found


def _without(whole: Instance, part: Instance) -> Instance | None:
    mask = whole.mask & ~cut_out(part, whole.bbox)
    return replace(whole, mask=mask) if mask.any() else None


def _joined(whole: Instance, part: Instance) -> Instance:
    box = span([whole, part])
    mask = cut_out(whole, box) | cut_out(part, box)
    return replace(whole, mask=mask, x=box[0], y=box[1])

"""From what is said of each object to a verdict: new, gone, enlarged, shrunk, changed inside."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.findings import COVER, PLACES, SPOT, SPOT_BOX, Candidate, Change, Growth
from rsam_core.change.judge import CLASSES, load_judge
from rsam_core.change.pairing import meeting, pair
from rsam_core.change.wings import with_hosts, with_roofs
from rsam_core.objects.crops import shared_pixels
from rsam_core.objects.instance import Instance

_REASONS = {
    "new": "nothing like it stands there at the first date",
    "gone": "nothing like it is left at the second date",
    "enlarged": "it covers {gain:+.0%} of its former area, and what was added is not there before",
    "shrunk": "it covers {gain:+.0%} of its former area, and what is missing was there before",
    "changed inside": "it stands at both dates, but its surface looks another way",
    "unchanged": "it looks the same at both dates",
}

_COVER_REASONS = {
    ("new", "water"): "water covers what was dry before",
    ("gone", "water"): "the water that was there is gone",
    ("new", "tree"): "trees have grown here, or were planted",
    ("gone", "tree"): "the trees that stood here are gone",
}

_OTHER_GROUND = "hardly anything of this ground is as it was"

_CROWDED = 0.45
"""Share of the smaller of two findings that may lie in the other one."""

_SOURCES = {SPOT: 0.55, SPOT_BOX: 0.9}
"""Weight of findings that are mere places of difference: outlined objects come first."""

_GROUND = ("bare ground", "grass or field", "road")
_OPEN = (*_GROUND, "water")
_WIDE, _LITTLE = 1200, 0.1
"""Pixels of wide ground, and probability that it is the same below which it is another one."""

_GROUND_WORTH = 0.6
"""Weight of what is ground: that a house came says more than that the ground below it went."""


_VOTES = {0: (0, 1, 3, 2, 4), 1: (0, 3, 1, 2, 4)}
"""Positions in `judge.CLASSES` of unchanged, gone, new, changed inside and changed in part, as each
date sees them.

What leaves is gone for the first date and new for the second; what is revealed, the other way
round."""

_SAME, _LEFT, _REVEALED, _PARTLY = (
    CLASSES.index(name) for name in ("same", "left", "revealed", "partly")
)
_VERDICTS = ("unchanged", "gone", "new", "changed inside")
_PATCHED = 0.5
"""Weight of a change of a building that is known from a patch on it only."""

LOWEST = 0.25
"""Lowest threshold from which on changes can be shown."""

_ONE_PLACE = 0.5
"""IoU from which on candidates speak of one place."""


def decide(
    candidates: list[Candidate],
    growths: list[Growth],
    fire: float | None = None,
    tolerance: int = 2,
) -> list[Change]:
    """Verdicts on all objects of both dates; each place gets one.

    All candidates of a place vote, those of either date: that a house has left counts for more
    if what lies there now says that it came to light.

    Parameters
    ----------
    candidates : list of Candidate
        Of both dates.
    growths : list of Growth
    fire : float, optional
        Probability from which on a change is reported; the calibrated one by default.
    tolerance : int
        Pixels by which outlines of one object may differ.
    """
    fire = load_judge().fire if fire is None else fire
    found: list[tuple[float, Change]] = []
    for growth in growths:
        if growth.chance > fire:
            found.append(_grown(growth, growth.chance))
    single = [one for one in (_verdict(place, fire) for place in _places(candidates)) if one]
    whole = with_hosts([change for _, change in single], candidates, fire)
    under = with_roofs([change for _, change in single], candidates)
    for (rank, change), larger, building in zip(single, whole, under):
        if larger is None and building is not None:
            # After what is said of the building itself.
            found.append((_PATCHED * rank, _told(building)))
            continue
        # Before its parts, which are changes too.
        ahead = larger is not None or _is_land(change)
        found.append((rank + ahead, change if larger is None else _told(larger)))
    kept = _uncrowded([change for _, change in sorted(found, key=lambda entry: -entry[0])])
    kept += _unchanged(candidates, kept, fire, tolerance)
    return [replace(change, id=number) for number, change in enumerate(kept, 1)]


def needed(
    candidates: list[Candidate], tolerance: int = 2, unchanged: bool = True
) -> list[Candidate]:
    """The candidates without those that no threshold above :data:`LOWEST` would ever show.

    Of a place at which something may have changed all stay, since all of them vote. Of the rest,
    one outline stays for each object, or none if objects that did not change are not listed.
    """
    kept: set[int] = set()
    for place in _places(candidates):
        if max(one.changed for one in place) > LOWEST or any(map(_is_other_ground, place)):
            kept.update(id(one) for one in place)
    if not unchanged:
        return [one for one in candidates if id(one) in kept]
    shown = {
        id(item)
        for change in _unchanged(candidates, [], LOWEST, tolerance)
        for item in (change.before, change.after)
    }
    return [one for one in candidates if id(one) in kept or id(one.item) in shown]


def _worth(one: Candidate) -> float:
    """How well a candidate outlines something."""
    worth = (0.3 + 0.7 * one.item.score) * _SOURCES.get(one.item.source, 1.0)
    return worth * (_GROUND_WORTH if one.kind in _GROUND else 1.0)


def _places(candidates: list[Candidate]) -> list[list[Candidate]]:
    """Candidates of either date that have about one outline, the best outline first."""
    order = sorted(candidates, key=lambda one: -_worth(one) * (0.2 + one.changed))
    items = [one.item for one in order]
    near: dict[int, list[int]] = {}
    for i, j in meeting(items, items):
        if i != j:
            near.setdefault(i, []).append(j)
    places, taken = [], set()
    for i, one in enumerate(order):
        if i in taken:
            continue
        taken.add(i)
        members = [one]
        for j in sorted(near.get(i, ())):
            if j in taken:
                continue
            shared = shared_pixels(items[i], items[j])
            if shared >= _ONE_PLACE * (items[i].area + items[j].area - shared):
                taken.add(j)
                members.append(order[j])
        places.append(members)
    return places


def _verdict(place: list[Candidate], fire: float) -> tuple[float, Change] | None:
    """What the candidates of a place say together, and how it ranks; None if nothing changed."""
    weights = np.array([_worth(one) for one in place])
    votes = np.array([_voted(one)[list(_VOTES[one.date])] for one in place])
    # Several outlines of one place are no independent witnesses: the mean, not the product.
    joint = np.exp((weights[:, None] * np.log(votes + 0.02)).sum(0) / weights.sum())
    joint /= joint.sum()
    chance = float(joint[1:4].sum())
    if chance <= fire:
        return None
    verdict = _VERDICTS[1 + int(joint[1:4].argmax())]
    sides = [[one for one in place if one.date == date] for date in (0, 1)]
    best = [max(side, key=_worth, default=None) for side in sides]
    first, second = (None if one is None else one.item for one in best)
    head = place[0]
    if verdict == "gone":
        ends, head = (first or head.other or head.item, None), best[0] or head
    elif verdict == "new":
        ends, head = (None, second or head.other or head.item), best[1] or head
    else:
        ends = (first or second, second or first)
    change = _change(verdict, chance, *ends, head)
    if change.outline.source == COVER or change.kind == "water":
        reason = _COVER_REASONS.get((verdict, change.kind), change.reason)
        change = replace(change, reason=reason)
    elif verdict == "new" and _is_other_ground(head):
        change = replace(change, reason=_OTHER_GROUND)
    return chance * _worth(head), change


def _voted(one: Candidate) -> NDArray[np.float32]:
    """What a candidate says; of wide ground, what changed in part counts as changed.

    The flood around houses, and the field on which one tree is left, are never another ground
    everywhere.
    """
    if not _is_other_ground(one):
        return one.chances
    chances = one.chances.copy()
    chances[_LEFT] += chances[_PARTLY]
    chances[_PARTLY] = 0
    return chances


def _is_other_ground(one: Candidate) -> bool:
    """Whether it is wide ground at both dates of which hardly anything is as it was."""
    return (
        one.item.area >= _WIDE
        and one.kind in _OPEN
        and one.kind_there in _OPEN
        and one.chances[_SAME] < _LITTLE
        and one.chances[_LEFT] > one.chances[_REVEALED]
    )


def _told(change: Change) -> Change:
    """A change of an object that is known from a part of it, with the reason that belongs to it."""
    gain = change.after.area / change.before.area - 1
    return replace(change, reason=_REASONS[change.change].format(gain=gain))


def _change(
    kind: str, chance: float, before: Instance | None, after: Instance | None, one: Candidate
) -> Change:
    gain = after.area / before.area - 1 if before is not None and after is not None else 0.0
    what, sure = one.kind, one.kind_probability
    if (kind, one.date) in (("gone", 1), ("new", 0)) and what is not None:
        # What is gone is what was there, not what lies there now.
        what, sure = one.kind_there, float("nan")
    return Change(0, kind, chance, before, after, what, sure, _REASONS[kind].format(gain=gain))


def _grown(growth: Growth, chance: float) -> tuple[float, Change]:
    small, large = growth.small, growth.large
    kind = "enlarged" if large.date == 1 else "shrunk"
    ends = (small.item, large.item) if large.date == 1 else (large.item, small.item)
    # Before its parts, which are changes too.
    rank = 1 + chance * (small.item.score + large.item.score) / 2
    return rank, _change(kind, chance, *ends, large)


def _uncrowded(changes: list[Change]) -> list[Change]:
    """One finding a place: later ones that lie on earlier ones, or hold them, are dropped."""
    kept: list[Change] = []
    outlines = [change.outline for change in changes]
    near: dict[int, list[int]] = {}
    for i, j in meeting(outlines, outlines):
        if j < i:
            near.setdefault(i, []).append(j)
    taken: set[int] = set()
    for i, change in enumerate(changes):
        shares = [
            shared_pixels(outlines[i], outlines[j]) / min(outlines[i].area, outlines[j].area)
            for j in near.get(i, ())
            if j in taken and not _beside(changes[i], changes[j])
        ]
        if max(shares, default=0.0) <= _CROWDED:
            taken.add(i)
            kept.append(change)
    return kept


def _beside(first: Change, second: Change) -> bool:
    """Whether one is a building on land that was cleared or flooded: a change of its own."""
    others = [change for change in (first, second) if not _is_land(change)]
    return len(others) == 1 and others[0].kind == "building"


def _is_land(change: Change) -> bool:
    """Whether it is land rather than an object on it."""
    wide = change.kind in _OPEN and change.outline.area >= _WIDE
    return change.outline.source == COVER or (wide and change.change in ("new", "gone"))


def _unchanged(
    candidates: list[Candidate], changes: list[Change], fire: float, tolerance: int
) -> list[Change]:
    """Objects that look the same at both dates, where no change was found."""
    still = [
        one for one in candidates
        if one.changed <= fire and one.chances[_PARTLY] < 0.5 and one.item.source not in PLACES
    ]  # fmt: skip
    still.sort(key=lambda one: one.changed - 0.3 * one.item.score)
    sides = [[one for one in still if one.date == date] for date in (0, 1)]
    pairs = pair([a.item for a in sides[0]], [b.item for b in sides[1]], tolerance)
    result = []
    used: tuple[set[int], set[int]] = (set(), set())
    for i, j in pairs:
        used[0].add(i)
        used[1].add(j)
        a, b = sides[0][i], sides[1][j]
        chance = 1 - (a.changed + b.changed) / 2
        result.append(_change("unchanged", chance, a.item, b.item, a))
    for date in (0, 1):
        for k, one in enumerate(sides[date]):
            if k in used[date]:
                continue
            ends = (one.item, one.other or one.item)
            before, after = ends if date == 0 else ends[::-1]
            result.append(_change("unchanged", 1 - one.changed, before, after, one))
    return _uncrowded([*changes, *result])[len(changes) :]

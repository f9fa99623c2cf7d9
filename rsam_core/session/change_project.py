"""Two dates and what was found between them, as a project keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rsam_core.change.compared import Comparison
from rsam_core.change.findings import KINDS
from rsam_core.change.records import comparison_of, comparison_record
from rsam_core.errors import ChangeError, ProjectError, RsamError
from rsam_core.scene.scene import Scene, open_scene
from rsam_core.session.change import ChangeState, Waiting
from rsam_core.session.change_review import Checks, Place, Review
from rsam_core.session.change_wishes import METHODS, OURS, Origin, Wishes
from rsam_core.session.packed_objects import BROKEN
from rsam_core.session.saved_change import SavedChange

_MAX_CHECKS, _FARTHEST = 200_000, 2**40


def saved_change(state: ChangeState, image: bool = False) -> SavedChange | None:
    """What a project keeps of two dates; None without a second one.

    Parameters
    ----------
    state : ChangeState
    image : bool
        Whether the file of the second date becomes part of it.
    """
    second, waiting = state.second, state.waiting
    if second is None and waiting is None:
        return None
    record, outlines = None, None
    found = state.found.get(OURS)
    if isinstance(found, Comparison):
        record, outlines = comparison_record(found)
    elif waiting is not None:
        record, outlines = waiting.record, waiting.outlines
    wishes, origin = state.wishes, state.origin if waiting is None else waiting.origin
    facts = {
        "second": {
            "name": second.name if second is not None else waiting.name,
            "hash": second.content_hash if second is not None else waiting.content_hash,
            "origin": [origin.kind, origin.key],
        },
        "swapped": state.swapped,
        "typed": list(state.typed),
        "wishes": {
            "method": wishes.method,
            "kinds": list(wishes.kinds),
            "radiometry": wishes.radiometry,
            "register": wishes.register,
            "smallest": wishes.smallest,
        },
        "thresholds": dict(state.thresholds),
        "checks": [[*place, accepted] for place, accepted in state.review.checks.marks.items()],
        "comparison": record,
    }
    kept = second.file_bytes() if image and second is not None else None
    return SavedChange(facts, outlines, kept)


def restore_change(saved: SavedChange, state: ChangeState, scene: Scene) -> None:
    """Put the work on two dates into a session.

    Without the file of the second date it waits for it.

    Raises
    ------
    ProjectError
        Something in it cannot be used.
    """
    facts = saved.facts
    try:
        second = facts["second"]
        kind, key = second["origin"]
        origin = Origin(str(kind), str(key))
        wishes = _wishes(facts["wishes"])
        typed = tuple(str(value)[:40] for value in facts["typed"])
        swapped, thresholds = bool(facts["swapped"]), _thresholds(facts["thresholds"])
        checks = _checks(facts["checks"])
        waiting = Waiting(
            str(second["name"]), str(second["hash"]), origin, facts["comparison"], saved.outlines
        )
        if len(typed) != 2 or not isinstance(waiting.record, dict | None):
            raise ValueError(typed)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProjectError(BROKEN.format("its second date is not readable")) from error
    state.waiting, state.wishes, state.typed = waiting, wishes, typed
    state.swapped, state.thresholds, state.review = swapped, thresholds, Review(checks)
    if saved.image is not None:
        try:
            give_second(state, open_scene(saved.image, name=waiting.name), scene)
        except RsamError as error:
            raise ProjectError(
                f"The second date of the project, “{waiting.name}”, cannot be opened. {error}"
            ) from error


def give_second(
    state: ChangeState, second: Scene, scene: Scene, origin: Origin | None = None
) -> None:
    """Open a second date; work of a project that waited for it goes on.

    Raises
    ------
    ChangeError
        It is not the file that is waited for, or the kept comparison is damaged.
    """
    waiting = state.waiting
    if waiting is None:
        state.open(second, origin)
        return
    state.open(second, origin or waiting.origin)
    if waiting.record is None:
        state.waiting = None
        return
    try:
        comparison = comparison_of(waiting.record, waiting.outlines, *state.pictures(scene))
    finally:
        state.waiting = None
    state.resume(scene, comparison)


def _wishes(values: Mapping[str, Any]) -> Wishes:
    made = Wishes(
        str(values["method"]),
        tuple(str(kind) for kind in values["kinds"]),
        str(values["radiometry"]),
        bool(values["register"]),
        int(values["smallest"]),
    )
    if made.method not in METHODS or not 1 <= made.smallest <= 10**9:
        raise ValueError(values)
    try:
        _ = made.align
    except ChangeError as error:
        raise ValueError(values) from error
    return made


def _thresholds(values: Mapping[str, Any]) -> dict[str, float]:
    found = {method: float(values[method]) for method in values if method in METHODS}
    if not all(math.isfinite(value) for value in found.values()):
        raise ValueError(found)
    return found


def _checks(rows: Any) -> Checks:
    if len(rows) > _MAX_CHECKS:
        raise ValueError(len(rows))
    marks: dict[Place, bool] = {}
    for kind, *numbers, accepted in rows:
        if kind not in KINDS or len(numbers) != 5 or type(accepted) is not bool:
            raise ValueError(kind)
        place = tuple(int(n) for n in numbers)
        if not all(abs(n) <= _FARTHEST for n in place):
            raise ValueError(numbers)
        marks[kind, *place] = accepted
    return Checks(MappingProxyType(marks))

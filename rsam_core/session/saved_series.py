"""A series and the object followed through it as plain data, and as a part of a project file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from rsam_core.errors import ProjectError
from rsam_core.objects.instances import Instances
from rsam_core.session.packed_objects import BROKEN


@dataclass(frozen=True, eq=False)
class SavedSeries:
    """The work on a series, as plain data.

    Attributes
    ----------
    facts : dict
        JSON data: where the frames come from, dates, marks, what was followed.
    outlines : Instances or None
        The outlines; each has the number of its frame, from 1.
    files : bytes or None
        The files of all frames, one after the other.
    """

    facts: dict[str, Any]
    outlines: Instances | None = None
    files: bytes | None = field(default=None, repr=False)


def series_bytes(saved: SavedSeries) -> bytes:
    """The facts as the bytes of a part."""
    return json.dumps(saved.facts, ensure_ascii=False, allow_nan=False).encode()


def read_series(text: bytes) -> tuple[dict[str, Any], tuple[int, int]]:
    """The facts of a part, and height and width of the frames.

    Raises
    ------
    ProjectError
        They are not readable.
    """
    try:
        facts = json.loads(text)
        height, width = facts["shape"]
        if not all(type(n) is int and 0 < n <= 1_000_000 for n in (height, width)):
            raise ValueError(facts["shape"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProjectError(BROKEN.format("its series is not readable")) from error
    return facts, (height, width)

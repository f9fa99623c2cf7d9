"""A second date and the work on it as plain data, and as a part of a project file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from rsam_core.errors import ProjectError
from rsam_core.objects.instances import Instances
from rsam_core.session.packed_objects import BROKEN


@dataclass(frozen=True, eq=False)
class SavedChange:
    """The second date and the work on it, as plain data.

    Attributes
    ----------
    facts : dict
        JSON data: name and hash of the second date, settings, checks, the comparison.
    outlines : Instances or None
        Outlines that the comparison names.
    image : bytes or None
        The file of the second date.
    """

    facts: dict[str, Any]
    outlines: Instances | None = None
    image: bytes | None = field(default=None, repr=False)


def facts_bytes(saved: SavedChange) -> bytes:
    """The facts as the bytes of a part."""
    return json.dumps(saved.facts, ensure_ascii=False, allow_nan=False).encode()


def read_facts(text: bytes) -> tuple[dict[str, Any], tuple[int, int] | None]:
    """The facts of a part, and height and width of the grid of its outlines.

    Raises
    ------
    ProjectError
        They are not readable.
    """
    try:
        facts = json.loads(text)
        record = facts["comparison"]
        if record is None:
            return facts, None
        height, width = record["shape"]
        if not all(type(n) is int and 0 < n <= 1_000_000 for n in (height, width)):
            raise ValueError(record["shape"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ProjectError(BROKEN.format("its second date is not readable")) from error
    return facts, (height, width)

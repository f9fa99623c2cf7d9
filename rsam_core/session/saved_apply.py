"""Questions with what was given and said, as plain data and as parts of a project file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from rsam_core.errors import ProjectError
from rsam_core.session.packed_objects import BROKEN


@dataclass(frozen=True, eq=False)
class SavedApply:
    """Questions as plain data.

    Attributes
    ----------
    facts : dict
        JSON data: question, settings, layers with their attributes, checks.
    shapes : bytes
        Shapes of all layers in pixels of the scene, as well-known binary, one after the other.
    """

    facts: dict[str, Any]
    shapes: bytes = field(default=b"", repr=False)

    def facts_bytes(self) -> bytes:
        """The facts as the bytes of a part."""
        return json.dumps(self.facts, ensure_ascii=False, allow_nan=False).encode()

    @classmethod
    def read(cls, text: bytes, shapes: bytes) -> SavedApply:
        """From the bytes of both parts.

        Raises
        ------
        ProjectError
            They are not readable.
        """
        try:
            facts = json.loads(text)
            if not isinstance(facts, dict):
                raise ValueError(facts)
        except (ValueError, RecursionError) as error:
            raise ProjectError(BROKEN.format("its questions are not readable")) from error
        return cls(facts, shapes)

"""What is told of a work where it is offered again: a small file beside its saves."""

from __future__ import annotations

import json
import math
import re
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rsam_core.session import atomic_file

ENDING = ".card.json"
PICTURE_ENDING = ".jpg"
VERSION = 1
LONGEST = 200
"""Characters of a name."""
_ID = re.compile(r"[0-9a-z]{1,16}")
_MAX_BYTES = 100_000


def fresh_id() -> str:
    """An id that no other work has."""
    return uuid.uuid4().hex[:12]


@dataclass(frozen=True)
class Card:
    """What is told of a work.

    Attributes
    ----------
    id : str
        Of the work: up to 16 small letters and digits.
    scene_name, scene_hash : str
        File name and `Scene.content_hash` of its image.
    width, height : int
        Of the image in pixels.
    name : str
        As a person named the work; empty for the name of its image.
    objects : int
        How many there are.
    page : str
        Address of the page that was looked at last.
    sample : str or None
        Key of the sample that the image is.
    second_hash : str
        `Scene.content_hash` of a second date; empty if there is none.
    place : str
        Path of an image that is opened where it lies, and not kept.
    time : float
        When the work was looked at last, in seconds since 1970.
    deleted : float or None
        When it was deleted, if it was.
    """

    id: str
    scene_name: str = ""
    scene_hash: str = ""
    width: int = 0
    height: int = 0
    name: str = ""
    objects: int = 0
    page: str = ""
    sample: str | None = None
    second_hash: str = ""
    place: str = ""
    time: float = 0.0
    deleted: float | None = None

    @property
    def title(self) -> str:
        """The name to show."""
        return self.name or self.scene_name or "Work without a name"


def write(where: Path, card: Card) -> None:
    """Write a card.

    Raises
    ------
    OSError
        If that is not possible; the earlier one stays.
    """
    text = json.dumps({"version": VERSION, **asdict(card)}, ensure_ascii=False)
    atomic_file.write(where / f"{card.id}{ENDING}", text.encode())


def read(path: Path) -> Card | None:
    """Read a card; None if it is damaged, of another version or gone.

    It is then made again of what was saved.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            return None
        content = json.loads(path.read_bytes())
        if content.pop("version") != VERSION:
            return None
        known = {field.name for field in fields(Card)}
        card = Card(**{name: value for name, value in content.items() if name in known})
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return card if _is_right(card) and f"{card.id}{ENDING}" == path.name else None


def _is_right(card: Card) -> bool:
    words = (card.id, card.scene_name, card.scene_hash, card.name, card.page, card.place)
    words += (card.second_hash,)
    numbers = [card.width, card.height, card.objects, card.time]
    numbers += [card.deleted] if card.deleted is not None else []
    return (
        all(isinstance(word, str) for word in words)
        and (card.sample is None or isinstance(card.sample, str))
        and all(isinstance(n, (int, float)) and math.isfinite(n) and n >= 0 for n in numbers)
        and _ID.fullmatch(card.id) is not None
    )

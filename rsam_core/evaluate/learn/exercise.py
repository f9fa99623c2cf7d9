"""An exercise: a picture with known objects, which of them to outline, and by what means."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import LearnError
from rsam_core.evaluate.learn.subject import LARGEST, Subject
from rsam_core.runtime.language import N_, _, number
from rsam_core.runtime.visible import visible

PROMPTS = ("points", "box", "both")
"""Which prompts pupils may use."""
SECONDS = (0, 30, 60, 90, 120, 180, 300, 600)
"""Times that a teacher can choose for an exercise; 0 is no limit."""
MAX_SECONDS = 3600
MAX_TARGETS = 20
SMALLEST = 40
"""Pixels of the smallest object that can be a target."""
MAX_TITLE = 60
OWN = "own"
"""Source of a picture that is no sample of RSAM."""
_TOLERANCE = 0.1

KINDS = {
    "boat": N_("boats"),
    "bush": N_("bushes"),
    "car": N_("cars"),
    "container": N_("containers"),
    "field": N_("fields"),
    "fields drawn by hand": N_("fields"),
    "hedge": N_("hedges"),
    "jetty": N_("jetties"),
    "object": N_("objects"),
    "paved": N_("paved ground"),
    "pool": N_("pools"),
    "road": N_("roads"),
    "roof": N_("roofs"),
    "sports field": N_("sports fields"),
    "tree": N_("trees"),
    "truck": N_("trucks"),
    "water": N_("water"),
}
"""Kinds of objects by name, as messages that are only marked."""


def kind_name(kind: str) -> str:
    """Name of a kind, in the language in use; classes of somebody's own as they are."""
    return _(KINDS[kind]) if kind in KINDS else visible(kind)


@dataclass(frozen=True)
class Exercise:
    """What is to be done; says nothing of the picture but where it is from.

    Attributes
    ----------
    source : str
        ``"town:<key>"`` or ``"place:<key>"`` for a sample, or ``"own"``.
    spots : tuple of (float, float)
        A place well within each object to outline, x and y in pixels of the picture.
    areas : tuple of int
        Pixels of each of these objects: where the sample was changed they do not agree any more.
    kind : str
        What the objects are, if they are all of a kind; otherwise empty.
    prompts : str
        One of `PROMPTS`.
    seconds : int
        Time for all of it; 0 for no limit.
    shows_iou : bool
        Whether pupils see their IoU while they work.
    title : str
        May be empty.

    Raises
    ------
    LearnError
        If something of it makes no sense.
    """

    source: str
    spots: tuple[tuple[float, float], ...]
    areas: tuple[int, ...]
    kind: str = ""
    prompts: str = "both"
    seconds: int = 0
    shows_iou: bool = True
    title: str = ""

    def __post_init__(self) -> None:
        if not self.spots:
            raise LearnError(_("Choose at least one object to outline."))
        if len(self.spots) > MAX_TARGETS:
            raise LearnError(
                _("An exercise has at most {most} objects; here are {count}. Choose fewer.").format(
                    most=MAX_TARGETS, count=number(len(self.spots))
                )
            )
        good = (
            len(self.areas) == len(self.spots)
            and all(_whole(area, 1, LARGEST**2) for area in self.areas)
            and all(len(spot) == 2 and all(map(_inside, spot)) for spot in self.spots)
            and isinstance(self.source, str)
            and 0 < len(self.source) <= MAX_TITLE
            and isinstance(self.kind, str)
            and len(self.kind) <= MAX_TITLE
            and self.prompts in PROMPTS
            and _whole(self.seconds, 0, MAX_SECONDS)
            and isinstance(self.shows_iou, bool)
            and isinstance(self.title, str)
        )
        if not good:
            raise damaged()
        object.__setattr__(self, "title", visible(self.title)[:MAX_TITLE])
        object.__setattr__(self, "kind", visible(self.kind))

    @property
    def own(self) -> bool:
        """Whether its picture is somebody's own, so that a link cannot name it."""
        return self.source == OWN

    @cached_property
    def key(self) -> str:
        """Tells exercises apart, and is the same on every computer."""
        text = json.dumps(self.plain(), sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]

    def plain(self) -> dict[str, Any]:
        """The exercise as plain data, for JSON."""
        return {
            "source": self.source,
            "spots": [[round(x, 1), round(y, 1)] for x, y in self.spots],
            "areas": list(self.areas),
            "kind": self.kind,
            "prompts": self.prompts,
            "seconds": self.seconds,
            "shows_iou": self.shows_iou,
            "title": self.title,
        }

    @classmethod
    def from_plain(cls, data: Any) -> Exercise:
        """The exercise that plain data from outside means.

        Raises
        ------
        LearnError
            If it means none.
        """
        try:
            return cls(
                data["source"],
                tuple((x, y) for x, y in data["spots"][: MAX_TARGETS + 1]),
                tuple(data["areas"]),
                data["kind"],
                data["prompts"],
                data["seconds"],
                data["shows_iou"],
                data["title"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise damaged() from error


def damaged() -> LearnError:
    """What is said of an exercise that nobody can read."""
    return LearnError(
        _("This exercise cannot be read: it is damaged, or it was not made by RSAM. Ask for its "
          "link or its file again.")
    )  # fmt: skip


def _whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _inside(value: Any) -> bool:
    number_ = type(value) in (int, float)
    # Of whole numbers without end, only comparing is safe.
    return number_ and 0 <= value <= LARGEST


@dataclass(frozen=True, eq=False)
class Assignment:
    """An exercise with its picture.

    Attributes
    ----------
    exercise : Exercise
    subject : Subject
        With the truth.
    numbers : tuple of int
        Of the objects to outline, in the order of the exercise.

    Raises
    ------
    LearnError
        If the picture is not the one that the exercise was made for.
    """

    exercise: Exercise
    subject: Subject = field(repr=False)
    numbers: tuple[int, ...] = field(init=False, default=())

    def __post_init__(self) -> None:
        labels = self.subject.labels
        found = []
        for (x, y), area in zip(self.exercise.spots, self.exercise.areas):
            number_ = 0
            if labels is not None and x < labels.shape[1] and y < labels.shape[0]:
                number_ = int(labels[int(y), int(x)])
            seen = np.count_nonzero(labels == number_) if number_ else 0
            if abs(seen - area) > max(_TOLERANCE * area, 8) or number_ in found:
                raise LearnError(
                    _("The picture of this exercise is not the one that it was made for: the "
                      "sample has changed since, or RSAM here is another version. Make the "
                      "exercise again.")
                )  # fmt: skip
            found.append(number_)
        object.__setattr__(self, "numbers", tuple(found))

    @property
    def key(self) -> str:
        """Of its exercise."""
        return self.exercise.key

    @property
    def count(self) -> int:
        """How many objects are to be outlined."""
        return len(self.numbers)

    def truth(self, index: int) -> NDArray[np.bool_]:
        """(H, W) mask of the object with that place in the exercise, from 0."""
        return self.subject.mask(self.numbers[index])

    @property
    def title(self) -> str:
        """Its title, or else what it is about, in the language in use."""
        name = self.subject.name
        return self.exercise.title or _("{place}: {kind}").format(
            place=visible(name if self.exercise.own else _(name)),
            kind=kind_name(self.exercise.kind or "object"),
        )


def inner_spot(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """The middle (x, y) of the pixel farthest from the border of a mask that is not empty."""
    import cv2

    distance = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)
    row, column = np.unravel_index(int(distance.argmax()), distance.shape)
    return float(column) - 0.5, float(row) - 0.5


def usable(subject: Subject) -> Mapping[int, str]:
    """Objects that can be targets, with their kinds: whole, and not too small to be seen.

    Returns
    -------
    mapping of int to str
        By number, the largest first.
    """
    labels = subject.labels
    if labels is None:
        return {}
    sizes = np.bincount(labels.ravel())
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    cut = set(np.unique(edge).tolist())
    return {
        n: subject.kinds.get(n, "object")
        for n in np.argsort(-sizes, kind="stable").tolist()
        if n and n not in cut and sizes[n] >= SMALLEST
    }


def make_exercise(
    subject: Subject,
    source: str,
    numbers: Sequence[int],
    *,
    prompts: str = "both",
    seconds: int = 0,
    shows_iou: bool = True,
    title: str = "",
) -> Assignment:
    """Make an exercise.

    Parameters
    ----------
    subject : Subject
        With the truth.
    source : str
        See `Exercise`.
    numbers : sequence of int
        Of the objects to outline.
    prompts, seconds, shows_iou, title
        See `Exercise`.

    Raises
    ------
    LearnError
        If there is no object, or too many, or one that is not in the picture.
    """
    masks = [subject.mask(number_) for number_ in numbers]
    if not all(mask.any() for mask in masks):
        raise LearnError(_("An object that was chosen is not in this picture. Choose again."))
    kinds = {subject.kinds.get(number_, "object") for number_ in numbers}
    spots = tuple(inner_spot(mask) for mask in masks)
    exercise = Exercise(
        source, spots, tuple(int(mask.sum()) for mask in masks),
        kinds.pop() if len(kinds) == 1 else "", prompts, seconds, shows_iou, title,
    )  # fmt: skip
    return Assignment(exercise, subject)

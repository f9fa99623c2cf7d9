"""What a sentence can ask of objects: their table, with kinds, sizes, colours and shapes.

>>> known = describe(objects, scene)                                     # doctest: +SKIP
>>> match(known.table, rule, known.places)                               # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsam_core.errors import WordsError
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.classify.rule_matching import match
from rsam_core.objects.classify.rules import Relation, Rule
from rsam_core.objects.instances import Instances
from rsam_core.objects.measurements import measure
from rsam_core.objects.relations import Places
from rsam_core.segment.words.colours import colour_names, object_colours
from rsam_core.segment.words.ground import Ground, named_kinds
from rsam_core.segment.words.vocabulary import kind_of_class

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.segment.kinds import Kinds

_SURE = 0.4
"""A guessed kind less likely than this is no kind."""

SMALL, LARGE = 0.25, 0.75
"""Quantiles of the areas of a kind up to which an object is small, and from which it is large."""

_LEAST = 4
"""Objects of a kind at least for its quartiles to mean something; fewer go by all objects."""


class KindGuesser(Protocol):
    """Whatever tells what objects are, such as the embedded model's kind head."""

    def __call__(self, objects: Instances) -> Kinds | None:
        """Probabilities of the kinds of each object; None if nothing is known."""


@dataclass(frozen=True, eq=False)
class Description:
    """Objects as sentences see them.

    Attributes
    ----------
    objects : Instances
    table : pandas.DataFrame
        One row an object: the columns of :func:`rsam_core.objects.measurements.measure` with
        shapes; ``kind``; ``size`` ("small", "medium" or "large" within the kind); ``length`` and
        ``width``, the sides of the narrowest rectangle, in pixels and, as ``length_m`` and
        ``width_m``, in metres if these are known; ``roundness``, the share of the smallest circle
        around it that is filled; and ``colour``, see :func:`colour_names`, if a scene was given.
    places : Places
        For relations.
    ground : Instances
        Areas between the objects that these can lie on, in or near, labelled by kind. They are
        never found themselves, and do not count among the largest or for what is large.
    """

    objects: Instances
    table: pd.DataFrame = field(repr=False)
    places: Places = field(repr=False)
    ground: Instances = field(default_factory=Instances, repr=False)
    _whole: _WithGround | None = field(default=None, repr=False)

    def match(self, rule: Rule) -> NDArray[np.bool_]:
        """Which objects fulfil a rule, shape (N,).

        Raises
        ------
        WordsError
            If it asks for metres that are not known, or for colours without a picture, or for
            kinds where none is known.
        """
        names = set(rule.columns)
        if any(name.endswith(("_m", "_m2")) and name not in self.table for name in names):
            raise WordsError(
                "The sentence asks for metres, but the size of a pixel on the ground is not known. "
                "Type it, or say it in pixels, such as “over 300 pixels”."
            )
        if "colour" in names and "colour" not in self.table:
            raise WordsError("Colours need the picture. Pass the scene along with the objects.")
        if "kind" in names and len(self.table) and self.table["kind"].isna().all():
            raise WordsError(
                "What the objects are is not known yet, so that “building” or “tree” find nothing. "
                "Press “Name kinds” on the Objects page or give some of them a class there, or ask "
                "for sizes, colours and shapes only."
            )
        whole = self._whole
        if whole is None or not rule.related:
            return match(self.table, rule, self.places)
        asked = np.arange(len(whole.table)) < len(self.table)
        return match(whole.table, rule, whole, asked)[: len(self.table)]


@dataclass(frozen=True, eq=False)
class _WithGround:
    """Objects, and after them areas of ground, which only relations that name their kind see."""

    table: pd.DataFrame
    places: Places
    count: int
    """Of the objects."""

    def related(
        self,
        relation: Relation,
        others: tuple[NDArray[np.bool_], ...],
        among: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.bool_]:
        """As :meth:`rsam_core.objects.relations.Places.related`."""
        kinds = self.table["kind"].to_numpy(object)
        seen = []
        for rule, flags in zip(relation.others, others):
            # "Near something large" does not mean the ground.
            named = np.isin(kinds[self.count :], list(named_kinds(rule)))
            seen.append(flags.copy())
            seen[-1][self.count :] &= named
        return self.places.related(relation, tuple(seen), among)


def describe(
    objects: Instances,
    scene: Any = None,
    *,
    probabilities: ArrayLike | None = None,
    sure: float = _SURE,
    ground: Ground | None = None,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Description:
    """Measure what sentences can ask for.

    Parameters
    ----------
    objects : Instances
        The objects, N of them. Those with a class are of its kind, or of a kind of their own.
    scene : Scene or float, optional
        Brings colours and metres; a number is metres a pixel, without colours.
    probabilities : array_like of float, shape (N, 10), optional
        How likely each kind is for each object, for those without a class.
    sure : float
        Probability below which a kind counts as not known.
    ground : Ground, optional
        From :func:`rsam_core.segment.words.ground.find_ground`: roads, water, fields and bare
        ground that no object covers, for relations.
    progress, cancelled : callable, optional
        As in :func:`object_colours`.

    Raises
    ------
    Cancelled
        If it was cancelled.
    WordsError
        If the probabilities are not for these objects.
    """
    options: Any = {"progress": progress, "cancelled": cancelled}
    table = _measured(objects, scene, kinds_of(objects, probabilities, sure), **options)
    table["size"] = _sizes(table)
    places = Places(objects, scene)
    areas = Instances() if ground is None else ground.areas(objects)
    if not len(areas):
        return Description(objects, table, places.prepare())
    return Description(
        objects, table, places, areas, _with_ground(objects, table, areas, scene, options)
    )


def _measured(
    objects: Instances, scene: Any, kinds: NDArray[np.object_], **options: Any
) -> pd.DataFrame:
    """All columns but what is small and large."""
    table = measure(objects, scene, shape=True)
    table["kind"] = kinds
    table["length"], table["width"] = _sides(objects)
    pixel = np.sqrt(table["area_m2"] / table["area"]) if "area_m2" in table else None
    if pixel is not None:
        table["length_m"], table["width_m"] = table["length"] * pixel, table["width"] * pixel
    table["roundness"] = _roundness(objects)
    if hasattr(scene, "read_rgb"):
        table["colour"] = np.array(colour_names(object_colours(objects, scene, **options)), object)
    return table


def _with_ground(
    objects: Instances, table: pd.DataFrame, ground: Instances, scene: Any, options: dict[str, Any]
) -> _WithGround:
    import pandas as pd

    below = _measured(ground, scene, kinds_of(ground), **options)
    whole = pd.concat([table, below], ignore_index=True)
    # A large field is large among the fields that are outlined, too.
    whole.loc[len(table) :, "size"] = _sizes(whole)[len(table) :]
    items = [*objects, *(replace(item, id=0) for item in ground)]
    places = Places(Instances(items, objects.shape), scene).prepare()
    return _WithGround(whole, places, len(objects))


def kinds_of(
    objects: Instances, probabilities: ArrayLike | None = None, sure: float = _SURE
) -> NDArray[np.object_]:
    """What each object is, shape (N,); None where that is not known.

    Parameters
    ----------
    objects : Instances
        A class that an object has comes first: "House" is a building, "Greenhouse" is a
        kind of its own.
    probabilities : array_like of float, shape (N, 10), optional
        Of each of `rsam_core.models.tiny.kinds.KINDS`, for objects without a class.
    sure : float
        What is less likely than this, 0.4 by default, counts as not known.

    Raises
    ------
    WordsError
        If the probabilities are not for these objects.
    """
    kinds = np.full(len(objects), None, object)
    if probabilities is not None:
        shares = np.asarray(probabilities, float)
        if shares.shape != (len(objects), len(KINDS)):
            raise WordsError(
                f"{len(objects)} objects need {len(KINDS)} probabilities each. Ask the model for "
                "their kinds again."
            )
        names = np.array(KINDS, object)
        if len(objects):
            best = shares.argmax(axis=1)
            likely = shares[np.arange(len(shares)), best] >= sure
            kinds[likely] = names[best[likely]]
    known: dict[str, str] = {}
    for index, item in enumerate(objects):
        if item.label:
            if item.label not in known:
                known[item.label] = kind_of_class(item.label)
            kinds[index] = known[item.label]
    return kinds


def _sides(objects: Instances) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = [item.extras for item in objects]
    long = np.array([row.rectangle_long for row in rows], float)
    return long, np.array([row.rectangle_short for row in rows], float)


def _roundness(objects: Instances) -> NDArray[np.float64]:
    import cv2

    from rsam_core.objects.mask_shape import mask_corners

    result = np.empty(len(objects))
    for index, item in enumerate(objects):
        _, radius = cv2.minEnclosingCircle(mask_corners(item.mask).astype(np.float32))
        result[index] = item.area / (np.pi * radius**2)
    return np.minimum(result, 1.0)


def _sizes(table: pd.DataFrame) -> NDArray[np.object_]:
    """Small, medium or large among the objects of the same kind."""
    import pandas as pd

    areas = table["area"].to_numpy(float)
    result = np.full(len(table), "medium", object)
    codes, _ = pd.factorize(table["kind"])
    counts = np.bincount(codes + 1)
    codes = np.where(counts[codes + 1] < _LEAST, -2, codes)
    for code in np.unique(codes):
        rows = np.flatnonzero(codes == code)
        among = areas if code == -2 else areas[rows]
        small, large = np.quantile(among, [SMALL, LARGE])
        result[rows[areas[rows] <= small]] = "small"
        result[rows[areas[rows] >= large]] = "large"
    return result

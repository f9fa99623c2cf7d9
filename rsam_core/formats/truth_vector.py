"""Truth as outlines: GeoJSON, GeoPackage, KML or zipped Shapefile, in the pixels of a scene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsam_core.errors import MetricError, TruthChoice
from rsam_core.formats.placement import Place
from rsam_core.formats.text_encoding import ENCODINGS
from rsam_core.formats.truth_outlines import drawn_masks, objects_of
from rsam_core.formats.truth_readings import in_pixels
from rsam_core.formats.vector_layer import Layer
from rsam_core.objects.classify.classes import clean_label
from rsam_core.objects.instances import Instances
from rsam_core.objects.packed_masks import PackedMasks

Choices = tuple[tuple[str, str], ...]

_LABELS = (
    "label",
    "class",
    "category",
    "class_name",
    "classname",
    "category_name",
    "label_name",
    "type",
    "kind",
    "klasse",
    "klass",
    "class_id",
    "classid",
    "category_id",
    "label_id",
)
"""Names of the attribute that holds the class; the first one that says anything counts."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Outlines drawn into a scene.

    Attributes
    ----------
    masks : PackedMasks
        Of the objects.
    shape : (int, int)
        Height and width of the scene.
    kind : {"outlines", "coco"}
    labels : tuple of (str or None)
        Class of each object.
    rows : tuple of dict
        Attributes of each object; empty for COCO.
    notes : tuple of str
    others : tuple of (str, str, str)
        Other readings: option of `read_truth`, its value, and words for people.
    """

    masks: PackedMasks
    shape: tuple[int, int]
    kind: str
    labels: tuple[str | None, ...]
    rows: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]
    others: tuple[tuple[str, str, str], ...] = ()

    def objects(self) -> Instances:
        """Make the objects."""
        return objects_of(self.masks, self.shape, self.labels)


def read_vector(
    layers: Sequence[Layer],
    place: Place,
    name: str,
    *,
    layer: str | None = None,
    placed: str | None = None,
) -> Outlines:
    """Draw the outlines of a file into the pixels of a scene.

    Parameters
    ----------
    layers : sequence of Layer
        What the file holds.
    place : Place
        The scene's size and georeference. Without georeference, coordinates are pixels.
    name : str
        Of the file, for messages.
    layer : str, optional
        Which layer, if there are several.
    placed : str, optional
        What coordinates mean; see :func:`rsam_core.formats.truth.read_truth`.

    Raises
    ------
    TruthChoice
        If there are several layers, or coordinates that may mean several things.
    MetricError
        If the file holds no areas, or none in the scene.
    """
    chosen, notes = _chosen(layers, layer, name)
    notes += chosen.told()
    if not chosen.shapes:
        _check_empty(chosen.left_out, name)
        nothing = drawn_masks([], place.shape).masks
        return Outlines(nothing, place.shape, "outlines", (), (), tuple(notes))
    pixels, told, others = in_pixels(chosen, place, name, placed)
    masks, kept, drawn = drawn_masks(pixels, place.shape)
    labels = labels_of_rows(chosen.rows)
    return Outlines(
        masks,
        place.shape,
        "outlines",
        tuple(labels[index] for index in kept),
        tuple(chosen.rows[index] for index in kept),
        (*notes, *told, *drawn),
        (*others, *_encodings(notes)),
    )


def _chosen(layers: Sequence[Layer], wanted: str | None, name: str) -> tuple[Layer, list[str]]:
    """Return the layer that is meant, and notes."""
    if not layers:
        raise MetricError(f"“{name}” holds no outlines. Export the layer of the true objects.")
    if wanted is not None:
        same = [entry for entry in layers if entry.name == wanted]
        if same:
            return same[0], []
    elif len(layers) == 1:
        return layers[0], []
    full = [entry for entry in layers if entry.shapes]
    if wanted is None and len(full) == 1:
        return full[0], [
            f"Of the {len(layers)} layers, “{full[0].name}” was read; no other holds areas."
        ]
    if wanted is None and not full:
        left_out: Counter[str] = sum((entry.left_out for entry in layers), Counter())
        notes = [note for entry in layers for note in entry.notes]
        return Layer(name, left_out=left_out, notes=notes), []
    choices = [(x.name, f"{x.name} ({_count(len(x.shapes))})") for x in full or layers]
    shown = ", ".join(title for _, title in choices[:6]) + (" …" if len(choices) > 6 else "")
    begin = f"“{name}” has no layer “{wanted}”" if wanted is not None else f"“{name}” holds several"
    raise TruthChoice(
        f"{begin} layers: {shown}. Choose the one that holds the true objects, or export that one "
        "alone."
        if wanted is None
        else f"{begin}. It has: {shown}.",
        "layer",
        choices,
    )


def _count(number: int) -> str:
    return f"{number:,} outline{'s' if number != 1 else ''}"


def _check_empty(left_out: Counter[str], name: str) -> None:
    """Refuse a layer in which there is something, but no area; an empty one is fine."""
    if left_out.keys() & {"points", "lines"}:
        found = "points" if left_out["points"] >= left_out["lines"] else "lines"
        raise MetricError(
            f"“{name}” holds {found} and no areas. Truth has to be outlines (polygons) of the "
            "objects."
        )
    damaged = left_out - Counter({"without geometry": 1 << 60, "with an empty geometry": 1 << 60})
    if damaged:
        raise MetricError(
            f"“{name}” holds no outline that can be used; all are left out: "
            f"{', '.join(damaged)}. Export it again."
        )


def labels_of_rows(rows: Sequence[dict[str, Any]]) -> list[str | None]:
    """Return the class of each entry, by the attribute that names it; numbers count as names."""
    names = {key.lower(): key for row in reversed(rows) for key in row}
    for wanted in _LABELS:
        if wanted in names:
            found = [clean_label(row.get(names[wanted])) for row in rows]
            if any(found):
                return found
    return [None] * len(rows)


def _encodings(notes: Sequence[str]) -> tuple[tuple[str, str, str], ...]:
    """Other code pages, where one was guessed."""
    if not any(".cpg file is missing" in note for note in notes):
        return ()
    return tuple(
        ("encoding", key, f"texts in {title}")
        for key, title in ENCODINGS.items()
        if not any(title in note for note in notes)
    )

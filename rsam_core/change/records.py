"""A comparison as plain data and outlines, so that a project can keep it; and back."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment, AlignSettings
from rsam_core.change.compared import CompareSettings, Comparison, judged
from rsam_core.change.findings import Candidate, Growth
from rsam_core.change.grid import Layer
from rsam_core.change.judge import CLASSES
from rsam_core.change.picture import Picture
from rsam_core.change.radiometry import ToneCurve
from rsam_core.errors import ChangeError
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances

_PLAIN = ("turn", "scale", "overlap")
_COUNTED = ("tiles_used", "tiles_measured")
_MAX_CLOUD = 2048
"""Largest side of a kept picture of clouds."""

_BROKEN = "The comparison of two dates in this file is damaged: {}. Compare the dates again."


def alignment_record(alignment: Alignment) -> dict[str, Any]:
    """An alignment as JSON data, without its pictures."""
    clouds = alignment._clouds
    return {
        "reference": "after" if alignment.after.picture is alignment.reference else "before",
        "before": alignment.before.matrix.tolist(),
        "after": alignment.after.matrix.tolist(),
        "shift": list(alignment.shift),
        "model": alignment.model,
        "residual_px": _number(alignment.residual_px),
        "tone": _packed(alignment.tone.table),
        "cloud_share": list(alignment.cloud_share),
        "notes": list(alignment.notes),
        "clouds": None
        if clouds is None
        else {"shape": list(clouds.shape), "bits": _packed(np.packbits(clouds))},
        **{name: float(getattr(alignment, name)) for name in _PLAIN},
        **{name: int(getattr(alignment, name)) for name in _COUNTED},
    }


def alignment_of(record: Mapping[str, Any], before: Picture, after: Picture) -> Alignment:
    """The alignment of two pictures, as it was recorded.

    Raises
    ------
    ChangeError
        The record is damaged.
    """
    try:
        reference = {"before": before, "after": after}[record["reference"]]
        layers = [
            Layer(picture, reference, _matrix(record[name]))
            for name, picture in (("before", before), ("after", after))
        ]
        tone = np.frombuffer(_unpacked(record["tone"], 768), np.uint8).reshape(256, 3)
        residual = record["residual_px"]
        return Alignment(
            *layers,
            shift=_pair(record["shift"]),
            model=str(record["model"]),
            residual_px=float("nan") if residual is None else float(residual),
            tone=ToneCurve(tone.copy()),
            cloud_share=_pair(record["cloud_share"]),
            notes=tuple(str(note) for note in record["notes"]),
            _clouds=_clouds(record["clouds"]),
            **{name: float(record[name]) for name in _PLAIN},
            **{name: int(record[name]) for name in _COUNTED},
        )
    except (KeyError, TypeError, ValueError, OverflowError, zlib.error) as error:
        raise ChangeError(_BROKEN.format("how the dates lie is not readable")) from error


def comparison_record(comparison: Comparison) -> tuple[dict[str, Any], Instances]:
    """A comparison as JSON data, and all outlines that it names by number.

    Every object that was considered is kept, not only what changed: so the threshold can be moved
    later on.
    """
    outlines: list[Instance] = []
    known: dict[int, int] = {}

    def number(item: Instance | None) -> int:
        if item is None:
            return 0
        if id(item) not in known:
            known[id(item)] = len(outlines) + 1
            outlines.append(replace(item, id=len(outlines) + 1))
        return known[id(item)]

    everyone = list(comparison.candidates)
    places = {id(one): k for k, one in enumerate(everyone)}
    for growth in comparison.growths:
        for one in (growth.small, growth.large):
            if id(one) not in places:
                places[id(one)] = len(everyone)
                everyone.append(one)
    rows = [
        [number(one.item), one.date, [float(c) for c in one.chances], number(one.other), one.kind,
         _number(one.kind_probability), one.kind_there]
        for one in everyone
    ]  # fmt: skip
    settings = comparison.settings
    record = {
        "alignment": alignment_record(comparison.alignment),
        "kinds": list(comparison.kinds),
        "notes": list(comparison.notes),
        "settings": {
            "align": asdict(settings.align),
            "smallest": settings.smallest,
            "threshold": settings.threshold,
            "tolerance": settings.tolerance,
        },
        "candidates": len(comparison.candidates),
        "rows": rows,
        "growths": [
            [places[id(g.small)], places[id(g.large)], float(g.chance)] for g in comparison.growths
        ],
        "shape": list(comparison.shape),
    }
    return record, Instances(outlines, comparison.shape)


def comparison_of(
    record: Mapping[str, Any], outlines: Instances, before: Picture, after: Picture
) -> Comparison:
    """A comparison as it was recorded, on the pictures of both dates.

    Raises
    ------
    ChangeError
        The record is damaged, or belongs to other pictures.
    """
    alignment = alignment_of(record.get("alignment", {}), before, after)
    if outlines.shape != alignment.shape:
        raise ChangeError(_BROKEN.format("it belongs to pictures of another size"))
    items = {item.id: item for item in outlines}
    try:
        everyone = [_candidate(row, items) for row in record["rows"]]
        growths = tuple(
            Growth(everyone[_place(a, everyone)], everyone[_place(b, everyone)], _chance(c))
            for a, b, c in record["growths"]
        )
        settings = record["settings"]
        made = CompareSettings(
            AlignSettings(**settings["align"]),
            smallest=int(settings["smallest"]),
            threshold=settings["threshold"],
            tolerance=int(settings["tolerance"]),
        )
        kinds, notes = (tuple(map(str, record[name])) for name in ("kinds", "notes"))
        candidates = tuple(everyone[: int(record["candidates"])])
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        raise ChangeError(_BROKEN.format("its list of objects is not readable")) from error
    return judged(alignment, candidates, growths, kinds, notes, made)


def _candidate(row: Sequence[Any], items: Mapping[int, Instance]) -> Candidate:
    item, date, chances, other, kind, probability, *there = row
    if date not in (0, 1):
        raise ValueError(date)
    return Candidate(
        items[item], date, _chances(chances), items[other] if other else None,
        None if kind is None else str(kind),
        float("nan") if probability is None else float(probability),
        str(there[0]) if there and there[0] is not None else None,
    )  # fmt: skip


def _chances(values: Any) -> NDArray[np.float32]:
    chances = np.array(values, np.float32)
    if len(chances) == len(CLASSES) - 1:
        # Recorded before a change in part was told apart.
        chances = np.append(chances, np.float32(0))
    if chances.shape != (len(CLASSES),) or not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError(values)
    return chances


def _chance(value: Any) -> float:
    chance = float(value)
    if not 0 <= chance <= 1:
        raise ValueError(value)
    return chance


def _place(k: Any, everyone: Sequence[Candidate]) -> int:
    if type(k) is not int or not 0 <= k < len(everyone):
        raise ValueError(k)
    return k


def _matrix(rows: Any) -> NDArray[np.float64]:
    matrix = np.array(rows, float)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise ValueError(rows)
    if abs(np.linalg.det(matrix)) < 1e-6:
        raise ValueError(rows)
    return matrix


def _pair(values: Any) -> tuple[float, float]:
    first, second = values
    if not (math.isfinite(first) and math.isfinite(second)):
        raise ValueError(values)
    return float(first), float(second)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _clouds(record: Any) -> NDArray[np.bool_] | None:
    if record is None:
        return None
    rows, columns = record["shape"]
    if not all(type(n) is int and 0 < n <= _MAX_CLOUD for n in (rows, columns)):
        raise ValueError(record["shape"])
    bits = np.frombuffer(_unpacked(record["bits"], (rows * columns + 7) // 8), np.uint8)
    return np.unpackbits(bits, count=rows * columns).astype(bool).reshape(rows, columns)


def _packed(values: NDArray[np.uint8]) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(values).tobytes())).decode()


def _unpacked(text: str, size: int) -> bytes:
    """Exactly so many bytes, however many the text would unpack to."""
    tool = zlib.decompressobj()
    data = tool.decompress(base64.b64decode(text, validate=True), size + 1)
    if len(data) != size:
        raise ValueError(size)
    return data

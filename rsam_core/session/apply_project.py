"""Questions, layers and checks of a scene, as a project keeps them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from rsam_core.change.apply.answer import Check
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.errors import ProjectError
from rsam_core.formats.well_known_binary import is_sound
from rsam_core.session.apply import MAX_LAYERS, ApplyState, KeptLayer, Said
from rsam_core.session.saved_apply import SavedApply

_BROKEN = (
    "The project file is damaged: its questions are not readable. Download or copy it again, or "
    "use an earlier save."
)
_MOST = 200_000
_STATES = ("", "accepted", "refused")


def saved_apply(state: ApplyState) -> SavedApply | None:
    """What a project keeps of questions; None if nothing was given or said."""
    import shapely

    if state.empty:
        return None
    layers, blobs = [], []
    for name, layer in state.layers.items():
        own = [bytes(blob) for blob in shapely.to_wkb(layer.shapes)]
        blobs += own
        layers.append(
            {
                "name": name,
                "notes": list(layer.notes),
                "rows": [_plain_row(row) for row in layer.rows],
                "lengths": [len(blob) for blob in own],
            }
        )
    facts = {
        "question": state.question,
        "choices": dict(state.choices),
        "values": {key: dict(values) for key, values in state.values.items()},
        "checks": {
            question: [[key, c.state, c.comment, c.verdict] for key, c in checks.items()]
            for question, checks in state.said.checks.items()
        },
        "layers": layers,
    }
    return SavedApply(facts, b"".join(blobs))


def restore_apply(saved: SavedApply, state: ApplyState) -> None:
    """Put questions, layers and checks into a session; answers are found again.

    Raises
    ------
    ProjectError
        Something in it cannot be used.
    """
    facts = saved.facts
    try:
        layers = _layers(facts["layers"], saved.shapes)
        checks = {str(q): _checks(rows) for q, rows in _mapping(facts["checks"]).items()}
        values = {
            str(question): {str(key): _value(value) for key, value in _mapping(given).items()}
            for question, given in _mapping(facts["values"]).items()
        }
        choices = {str(k): str(v) for k, v in _mapping(facts["choices"]).items()}
        question = str(facts["question"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ProjectError(_BROKEN) from error
    state.layers = MappingProxyType(layers)
    state.choices, state.values = MappingProxyType(choices), MappingProxyType(values)
    state.said = Said(MappingProxyType(checks))
    state.question = question if question in QUESTIONS else ""


def _layers(entries: Any, shapes: bytes) -> dict[str, KeptLayer]:
    import shapely

    if len(entries) > MAX_LAYERS:
        raise ValueError(len(entries))
    found, start = {}, 0
    for entry in entries:
        lengths, rows = entry["lengths"], entry["rows"]
        if len(lengths) != len(rows) or len(rows) > _MOST:
            raise ValueError(len(rows))
        blobs = []
        for length in lengths:
            if type(length) is not int or not 0 < length <= len(shapes) - start:
                raise ValueError(length)
            blobs.append(shapes[start : start + length])
            start += length
        if not all(map(is_sound, blobs)):
            raise ValueError("a shape is not whole")
        try:
            made = shapely.from_wkb(blobs) if blobs else []
        except shapely.errors.ShapelyError as error:
            raise ValueError(str(error)) from error
        array = np.empty(len(blobs), dtype=object)
        array[:] = list(made)
        if len(array) and not np.isfinite(shapely.bounds(array)).all():
            raise ValueError("a shape is empty or infinite")
        bad = np.flatnonzero(~shapely.is_valid(array))
        if len(bad):
            array[bad] = shapely.make_valid(array[bad], method="structure", keep_collapsed=False)
        name = str(entry["name"])[:200]
        plain = tuple({str(k): _value(v) for k, v in _mapping(row).items()} for row in rows)
        found[name] = KeptLayer(name, array, plain, tuple(str(n) for n in entry["notes"]))
    return found


def _checks(rows: Any) -> Mapping[str, Check]:
    if len(rows) > _MOST:
        raise ValueError(len(rows))
    found = {}
    for key, state, comment, verdict in rows:
        if state not in _STATES:
            raise ValueError(state)
        found[str(key)] = Check(state, str(comment)[:2000], str(verdict)[:100])
    return found


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(type(value))
    return value


def _value(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(type(value))


def _plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as JSON knows them."""
    result: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, np.generic):
            value = value.item()
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        known = value is None or isinstance(value, str | int | float | bool)
        result[str(key)] = value if known else str(value)
    return result

"""Recipes, for the preparation of an image and for batches, and lists of classes."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from typing import Any

from rsam_core.batch.recipe import EXAMPLE
from rsam_core.prepare import STEPS, load_steps
from tests.hostile.case import REFUSED, Case, cases_of

_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]

STRANGE: dict[str, Any] = {
    "nothing": None, "true": True, "7": 7, "-1": -1, "infinite": math.inf, "NaN": math.nan,
    "10^400": 10**400, "a word": "<script>", "a path": "../../../etc/passwd", "a list": [1, "a"],
    "a mapping": {"a": [1]}, "nested": _DEEP, "a zero byte": "a\0b",
}  # fmt: skip
"""Values of every kind that JSON knows, the worst of each."""
_WORST = {word: STRANGE[word] for word in ("nothing", "NaN", "10^400", "a word", "nested")}


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("recipe", "text.recipe.json", _texts("rsam-recipe"), REFUSED)
    yield from cases_of("recipe", "steps.recipe.json", _steps())
    yield from cases_of("batch recipe", "text.json", _texts("rsam-batch"), REFUSED)
    yield from cases_of("batch recipe", "entries.json", _batch())
    yield from cases_of("class list", "classes.json", _classes())


def _texts(name: str) -> dict[str, object]:
    return {
        "empty": b"",
        "blanks": b" " * 100_000,
        "cut": b'{"format": "' + name.encode() + b'", "version": 1, "st',
        "100,000 brackets": b"[" * 100_000,
        "100,000 braces": b'{"a":' * 100_000,
        "a pickle": pickle.dumps({"format": name, "version": 1}),
        "bytes": bytes(range(256)),
        "UTF-16 of something else": "[1]".encode("utf-16"),
        "a list": b"[]",
        "a number": b"1e999",
        "a number of 100,000 digits": b'{"format": "' + name.encode() + b'", "version": '
        + b"9" * 100_000 + b"}",
        "another format": b'{"format": "rsam-project", "version": 1}',
        "a format that is a list": b'{"format": [], "version": 1}',
        "a format of a million letters": b'{"format": "' + b"x" * 1_000_000 + b'"}',
        "a later version": b'{"format": "' + name.encode() + b'", "version": 99, "steps": []}',
        "a version that is a word": b'{"format": "' + name.encode() + b'", "version": "1"}',
        "a version of a million letters": b'{"format": "' + name.encode() + b'", "version": "'
        + b"x" * 1_000_000 + b'"}',
        "a version that is nested": json.dumps({"format": name, "version": _DEEP}).encode(),
        "YAML": b"!!python/object/apply:os.system ['true']\n",
    }  # fmt: skip


def recipe(*steps: Any) -> bytes:
    """Return a recipe of preparation."""
    return json.dumps({"format": "rsam-recipe", "version": 1, "steps": list(steps)}).encode()


def _steps() -> dict[str, object]:
    found: dict[str, object] = {}
    for word, value in STRANGE.items():
        found[f"steps: {word}"] = json.dumps(
            {"format": "rsam-recipe", "version": 1, "steps": value}
        ).encode()
        found[f"a step: {word}"] = recipe(value)
        found[f"name of a step: {word}"] = recipe({"step": value})
        found[f"on: {word}"] = recipe({"step": "resample", "on": value})
        found[f"settings: {word}"] = recipe({"step": "resample", "settings": value})
    load_steps()
    for key, kind in sorted(STEPS.items()):
        settings = kind().to_dict()
        for name in settings:
            for word, value in _WORST.items():
                found[f"{key}, {name}: {word}"] = recipe(
                    {"step": key, "settings": {**settings, name: value}}
                )
            for word, value in {"1e9": 1e9, "a million": 10**6, "1e-9": 1e-9}.items():
                found[f"{key}, {name}: {word}"] = recipe(
                    {"step": key, "settings": {**settings, name: value}}
                )
        found[f"{key}, an unknown setting"] = recipe({"step": key, "settings": {"__class__": 1}})
    return found | {
        "5,000 steps": recipe(*[{"step": "resample", "on": False}] * 5000),
        "100,000 steps that are none": recipe(*[{}] * 100_000),
        "a step called as an attribute": recipe({"step": "__init__"}),
    }


def _batch() -> dict[str, object]:
    sound = json.loads(EXAMPLE.to_json())

    def changed(**entries: Any) -> bytes:
        return json.dumps(sound | entries).encode()

    found: dict[str, object] = {}
    for key in sound:
        for word, value in STRANGE.items():
            if key not in ("format", "version"):
                found[f"{key}: {word}"] = changed(**{key: value})
                found[f"{key}: list of {word}"] = changed(**{key: [value]})
    for key in ("segment", "refine"):
        for name, old in sound[key].items():
            for word, value in _WORST.items():
                found[f"{key}, {name} ({old}): {word}"] = changed(**{key: {name: value}})
    rule = sound["classify"][0]
    for name in rule:
        for word, value in STRANGE.items():
            found[f"rule, {name}: {word}"] = changed(classify=[{**rule, name: value}])
    for name in rule["items"][0]:
        for word, value in STRANGE.items():
            item = {**rule["items"][0], name: value}
            found[f"condition, {name}: {word}"] = changed(classify=[{**rule, "items": [item]}])
    inner = json.dumps(rule["items"][0])
    deep = '{"join": "and", "items": [' * 800 + inner + "]}" * 800
    nested = changed(classify=[{"class": "a", "join": "and", "items": ["here"]}])
    return found | {
        "rules nested 800 deep": nested.replace(b'"here"', deep.encode()),
        "10,000 rules": changed(classify=[rule] * 10_000),
        "an unknown entry": changed(os="rm -rf"),
        "an entry that is a script": changed(**{"<script>": 1}),
        "an entry of a million letters": changed(**{"x" * 1_000_000: 1}),
        "a model by a path": changed(model="../../../etc/passwd"),
        "a model of a million letters": changed(model="x" * 1_000_000),
    }


def _classes() -> dict[str, object]:
    def rows(*items: Any) -> bytes:
        return json.dumps(list(items)).encode()

    found: dict[str, object] = {}
    for word, value in STRANGE.items():
        found[f"list: {word}"] = json.dumps(value).encode()
        found[f"row: {word}"] = rows(value)
        found[f"name: {word}"] = rows({"name": value, "color": "#ff0000"})
        found[f"colour: {word}"] = rows({"name": "a", "color": value})
    return found | {
        "not JSON": b"house, road",
        "100,000 brackets": b"[" * 100_000,
        "a number of 100,000 digits": b"9" * 100_000,
        "no name": rows({"color": "#ff0000"}),
        "no colour": rows({"name": "a"}),
        "10,000 classes": rows(*[{"name": f"c{n}", "color": "#ff0000"} for n in range(10_000)]),
        "the same class twice": rows(*[{"name": "a", "color": "#ff0000"}] * 2),
        "the same class in two forms of Unicode": rows(
            {"name": "é", "color": "#ff0000"}, {"name": "é", "color": "#00ff00"}
        ),
        "a name of a million letters": rows({"name": "x" * 1_000_000, "color": "#ff0000"}),
        "a name that turns the line": rows({"name": "a\u202eb", "color": "#ff0000"}),
        "a name without width": rows({"name": "\u200b", "color": "#ff0000"}),
        "a name half of a letter": b'[{"name": "\\ud800", "color": "#ff0000"}]',
        "a colour that is a style": rows({"name": "a", "color": "red;background:url(//x)"}),
        "a colour of a million letters": rows({"name": "a", "color": "#" + "f" * 1_000_000}),
    }

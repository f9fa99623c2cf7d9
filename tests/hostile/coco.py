"""COCO data whose run lengths, polygons and lists lie."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from tests.hostile import seeds
from tests.hostile.case import Case, cases_of

_IMAGE = {"id": 1, "file_name": "town.tif", "width": seeds.WIDTH, "height": seeds.HEIGHT}
_GOOD = {
    "id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 100, "bbox": [5, 5, 10, 10],
    "segmentation": [[5, 5, 15, 5, 15, 15, 5, 15]],
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("truth", "coco.json", _annotations())
    yield from cases_of("truth", "lists.json", _lists())


def data(*annotations: Any, **changes: Any) -> bytes:
    """Return a data set of the common scene."""
    told = {
        "images": [_IMAGE],
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "house"}],
    }
    return json.dumps(told | changes).encode()


def _runs(counts: Any, size: Any = (seeds.HEIGHT, seeds.WIDTH)) -> dict[str, Any]:
    size = list(size) if isinstance(size, tuple) else size
    return {**_GOOD, "segmentation": {"size": size, "counts": counts}}


def _annotations() -> dict[str, object]:
    area = seeds.WIDTH * seeds.HEIGHT
    runs: dict[str, Any] = {
        "more than the image": _runs([0, area + 1]),
        "fewer than the image": _runs([0, area - 1]),
        "negative": _runs([-5, area + 5]),
        "of 2^63": _runs([2**63, 1]),
        "of 10^400": _runs([10**400]),
        "whose sum overflows": _runs([2**63 - 1, 2**63 - 1, area + 2]),
        "of decimals": _runs([0.5, area - 0.5]),
        "of NaN": _runs([math.nan, area]),
        "of words": _runs(["a", "b"]),
        "that are nothing": _runs(None),
        "that are a number": _runs(7),
        "that are a mapping": _runs({"a": 1}),
        "that are empty": _runs([]),
        "that are nested": _runs([[area]]),
        "of trues": _runs([True] * area),
        "of a million zeros": _runs([0] * 1_000_000 + [area]),
        "of a million squared": _runs([0, 10**12], (10**6, 10**6)),
        "of 60,000 squared": _runs([0, 3_600_000_000], (60_000, 60_000)),
        "of a size of 10^400": _runs([0, 10**400], (10**400, 1)),
        "of a size of 0": _runs([], (0, 0)),
        "of a negative size": _runs([0, area], (-64, -96)),
        "of a size of words": _runs([0, area], ("64", "96")),
        "of a size of one number": _runs([0, area], [64]),
        "of a size of NaN": _runs([0, area], (math.nan, 96)),
        "of an infinite size": _runs([0, area], (1e308 * 10, 96)),
        "of no size": {**_GOOD, "segmentation": {"counts": [0, area]}},
        "of another image": _runs([0, 100], (10, 10)),
        "as an empty text": _runs(""),
        "as text that is none": _runs("<script>alert(1)</script>"),
        "as text beyond ASCII": _runs("ö€" * 40),
        "as text that never ends": _runs("o" * 100_000),
        "as text of 5 MB": _runs("0" * 5_000_000),
        "as text of huge numbers": _runs("oooooooooooooo7" * 50),
    }
    found: dict[str, object] = {
        f"runs {key}": (lambda v=value: data(_GOOD, v)) for key, value in runs.items()
    }
    corners: dict[str, Any] = {
        "nothing": None, "a word": "polygon", "a number": 7, "an empty list": [],
        "an empty polygon": [[]], "one number": [[5]], "an odd number of them": [[1, 2, 3, 4, 5]],
        "two corners": [[1, 2, 3, 4]], "words": [["a", "b", "c", "d", "e", "f"]],
        "NaN": [[math.nan, 1, 2, 3, 4, 5]], "1e308": [[1e308, 1, 2, 1e308, -1e308, 5]],
        "1e12": [[1e12, 1, 2, 1e12, 5, 5]], "10^400": [[10**400, 1, 2, 3, 4, 5]],
        "nested": [[[[[1, 2], [3, 4], [5, 6]]]]], "a mapping of nothing": {},
        "a million corners": [[n % 90 + 0.5 for n in range(2_000_000)]],
        "flat, not nested": [1, 2, 30, 2, 30, 40],
        "100,000 polygons": [[1, 1, 9, 1, 9, 9]] * 100_000,
        "all over": [[-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9]],
    }  # fmt: skip
    for key, value in corners.items():
        found[f"corners: {key}"] = lambda v=value: data(_GOOD, {**_GOOD, "segmentation": v})
    for key in ("category_id", "iscrowd", "image_id", "bbox", "id", "segmentation"):
        for word, value in {"a list": [], "a mapping": {}, "a word": "x", "NaN": math.nan,
                            "nothing": None, "10^400": 10**400}.items():  # fmt: skip
            if (key, word) != ("segmentation", "nothing"):
                found[f"{key}: {word}"] = lambda k=key, v=value: data(_GOOD, {**_GOOD, k: v})
        found[f"no {key}"] = lambda k=key: data(
            _GOOD, {name: v for name, v in _GOOD.items() if name != k}
        )
    found |= {
        "nothing for an annotation": data(None),
        "a word for an annotation": data("x"),
        "a list for an annotation": data([]),
        "30,000 annotations": lambda: data(*[_GOOD] * 30_000),
        "20,000 annotations all over": lambda: data(
            *[{**_GOOD, "segmentation": [[0, 0, 96, 0, 96, 64, 0, 64]]}] * 20_000
        ),
    }
    return found


def _lists() -> dict[str, object]:
    strange = {
        "nothing": None,
        "a word": "x",
        "a number": 7,
        "a mapping": {"a": 1},
        "empty": [],
        "of nothing": [None],
        "of words": ["x"],
        "of lists": [[]],
        "of mappings": [{}],
    }
    found: dict[str, object] = {}
    for key in ("images", "annotations", "categories"):
        for word, value in strange.items():
            found[f"{key}: {word}"] = data(_GOOD, **{key: value})
    for key in ("id", "width", "height", "file_name"):
        for word, value in {"a list": [1], "a mapping": {}, "a word": "x", "NaN": math.nan,
                            "nothing": None, "negative": -9, "infinite": math.inf,
                            "10^400": 10**400, "a path": "/etc/passwd",
                            "a script": "<script>"}.items():  # fmt: skip
            found[f"image with {key}: {word}"] = data(_GOOD, images=[{**_IMAGE, key: value}])
            found[f"two images, one with {key}: {word}"] = data(
                _GOOD, images=[_IMAGE, {**_IMAGE, "id": 2, key: value}]
            )
    for word, value in {"a list": [1], "a mapping": {}, "nothing": None, "NaN": math.nan}.items():
        found[f"category with id {word}"] = data(_GOOD, categories=[{"id": value, "name": "x"}])
        found[f"category with name {word}"] = data(_GOOD, categories=[{"id": 1, "name": value}])
    return found | {
        "100,000 images": lambda: data(
            _GOOD, images=[{**_IMAGE, "id": n, "file_name": f"{n}.tif"} for n in range(100_000)]
        ),
        "the same image 1,000 times": data(_GOOD, images=[_IMAGE] * 1000),
        "100,000 categories": lambda: data(
            _GOOD, categories=[{"id": n, "name": "x" * 99} for n in range(100_000)]
        ),
        "nested 100,000 deep": b'{"images": [], "annotations": ' + b"[" * 100_000,
    }

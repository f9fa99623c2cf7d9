"""Projects whose archive, manifest, objects or image lie."""

from __future__ import annotations

import hashlib
import io
import json
import math
import pickle
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from typing import Any

from rsam_core.objects.instances import Instance, Instances
from rsam_core.session.project import ProjectState, save_project
from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of
from tests.hostile.zips import bombs, broken, cut, escapes


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("project", "work.rsam.zip", _archives(), REFUSED)
    yield from cases_of("project", "directory.rsam.zip", broken(sound()))
    yield from cases_of("project", "lie.rsam.zip", _manifests())
    yield from cases_of("project", "objects.rsam.zip", _objects())
    yield from cases_of("project", "image.rsam.zip", _images())


@cache
def sound() -> bytes:
    """Return a project of one object with its image."""
    import numpy as np

    scene = seeds.scene()
    item = Instance(np.ones((9, 12), bool), 20, 30, 0.9, 1, "manual", "house")
    state = ProjectState(
        scene_name="town.tif", scene_hash=scene.content_hash, width=scene.width,
        height=scene.height, instances=Instances([item], scene.shape), crs=scene.crs,
        gsd=scene.gsd, image=seeds.geotiff(), settings={"view": scene.view_settings.to_dict()},
        saved="2026-01-02T03:04:05+00:00",
    )  # fmt: skip
    return save_project(state)


@cache
def parts() -> dict[str, bytes]:
    """Return the parts of the sound project by name."""
    with zipfile.ZipFile(io.BytesIO(sound())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def project(manifest: Any = None, signed: bool = True, **changed: bytes | None) -> bytes:
    """Return a project with parts replaced (by name before the dot), or left out if None.

    Parameters
    ----------
    manifest : bytes, dict or callable, optional
        Text, entries that replace, or what changes the parsed manifest.
    signed : bool
        Whether the check sums are those of the parts.
    """
    files = dict(parts())
    for name, data in changed.items():
        whole = next(n for n in files if n.startswith(name + "."))
        if data is None:
            del files[whole]
        else:
            files[whole] = data
    told = json.loads(files["manifest.json"])
    if signed:
        told["parts"] = {
            name: hashlib.sha256(data).hexdigest()
            for name, data in files.items()
            if name != "manifest.json"
        }
    if isinstance(manifest, dict):
        told |= manifest
    elif callable(manifest):
        told = manifest(told)
    text = manifest if isinstance(manifest, bytes) else json.dumps(told).encode()
    return seeds.packed({**files, "manifest.json": text})


def _archives() -> dict[str, object]:
    found: dict[str, object] = dict(cut(sound()))
    found |= escapes(lambda name: {**parts(), name: b"x"})
    found |= {
        "no manifest": lambda: project(objects=b"{}").replace(b"manifest", b"nanifest"),
        "no objects": lambda: project(objects=None),
        "no masks": lambda: project(masks=None),
        "check sums of other parts": lambda: project(signed=False, objects=b"{}"),
        "a pickle for a manifest": lambda: project(pickle.dumps({"format": "rsam-project"})),
        "a pickle for objects": lambda: project(objects=pickle.dumps([1])),
        "a manifest of 100 MB": lambda: seeds.packed({"manifest.json": b" " * (100 << 20)}),
        "masks of 2 GB told": lambda: _told("masks.bin", 2**31),
        "a manifest that unpacks for ever": lambda: bombs(512 << 20, "manifest.json"),
        "not a ZIP": b"words",
        "empty": b"",
        "an image": seeds.geotiff(),
        "an empty ZIP": seeds.packed({}),
        "a ZIP of a ZIP": lambda: seeds.packed({"work.rsam.zip": sound()}),
        "another ZIP": seeds.packed({"manifest.json": b"{}"}),
        "a manifest nested 100,000 deep": lambda: project(b"[" * 100_000),
        "a manifest in another code": lambda: project("{}".encode("utf-16")),
        "a manifest of bytes": lambda: project(bytes(range(256))),
        "a manifest that is a list": lambda: project(b"[]"),
        "a manifest that is a number": lambda: project(b"1"),
        "a number of 100,000 digits": lambda: project(b'{"version": ' + b"9" * 100_000 + b"}"),
    }  # fmt: skip
    return found


def _told(name: str, size: int) -> bytes:
    """Return a project in whose directory one part has another size."""
    content = bytearray(seeds.packed(parts(), zipfile.ZIP_STORED))
    at = content.rindex(b"PK\x01\x02", 0, content.rindex(name.encode()))
    struct.pack_into("<II", content, at + 20, size, size)
    return bytes(content)


_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]

_STRANGE: dict[str, Any] = {
    "nothing": None, "true": True, "a number": 7, "minus one": -1, "1e400": 1e308 * 10,
    "NaN": math.nan, "a word": "<script>alert(1)</script>", "a list": [1, "a", None],
    "a mapping": {"a": 1}, "nested": _DEEP, "a path": "../../etc/passwd",
    "ten million letters": "x" * 10_000_000, "a huge whole number": 10**400,
    "an unpaired surrogate": "\ud800", "a zero byte": "a\0b",
}  # fmt: skip


def _manifests() -> dict[str, object]:
    found: dict[str, object] = {}
    for key in ("version", "scene", "classes", "prompts", "settings", "pipeline", "parts", "saved"):
        for word, value in _STRANGE.items():
            # As the first format has it, a pipeline may be missing, and "saved" be any text.
            found[f"{key}: {word}"] = lambda k=key, v=value: project({k: v})
        found[f"no {key}"] = lambda k=key: project(
            lambda told: {name: value for name, value in told.items() if name != k}
        )
    for key in ("name", "hash", "width", "height", "crs", "gsd"):
        for word in ("nothing", "minus one", "1e400", "NaN", "a word", "a list", "nested",
                     "ten million letters", "a huge whole number", "a zero byte",
                     "a path"):  # fmt: skip
            found[f"scene {key}: {word}"] = lambda k=key, v=_STRANGE[word]: project(
                lambda told: told | {"scene": told["scene"] | {k: v}}
            )
    sizes = {"a million squared": (10**6, 10**6), "of another shape": (64, 96), "1 × 1": (1, 1)}
    for word, (width, height) in sizes.items():
        found[f"size {word}"] = lambda w=width, h=height: project(
            lambda told: told | {"scene": told["scene"] | {"width": w, "height": h}}
        )
        found[f"size {word}, without objects"] = lambda w=width, h=height: project(
            lambda told: told | {"scene": told["scene"] | {"width": w, "height": h}},
            objects=b'{"next_id": 1, "objects": []}', masks=b"",
        )  # fmt: skip
    for key in ("view", "transform", "crs", "sample", "current", "next_id"):
        for word in ("nothing", "minus one", "1e400", "NaN", "a word", "a list", "a mapping",
                     "nested", "a huge whole number"):  # fmt: skip
            found[f"setting {key}: {word}"] = lambda k=key, v=_STRANGE[word]: project(
                {"settings": {k: v}}
            )
    found |= {
        "200,000 prompts": lambda: project({"prompts": [{"id": 1}] * 200_000}),
        "prompts of prompts": lambda: project({"prompts": [{"id": 1, "marks": _DEEP}]}),
        "a prompt outside": lambda: project({"prompts": [_prompt(x=1e12, x1=1e12)]}),
        "a prompt at NaN": lambda: project({"prompts": [_prompt(x=math.nan)]}),
        "a prompt of number 10^400": lambda: project({"prompts": [_prompt(uid=10**400)]}),
        "a prompt of a view of a million": lambda: project(
            {"prompts": [_prompt(view=dict.fromkeys(("x", "y", "width", "height", "columns",
                                                     "rows"), 10**6))]}
        ),
        "a view by an index that is a list": lambda: project(
            {"settings": {"view": {"index": [], "bands": [1, 2]}}}
        ),
        "preparation of a file": lambda: project({"pipeline": {
            "format": "rsam-recipe", "version": 1,
            "steps": [{"step": "pan-sharpen", "settings": {"pan": {"name": "/etc/passwd"}}}],
        }}),
    }  # fmt: skip
    return found


def _prompt(**changes: Any) -> dict[str, Any]:
    mark = {"uid": 1, "kind": "point", "x": 3.0, "y": 3.0, "x1": 3.0, "y1": 3.0, "label": 1,
            "view": None}  # fmt: skip
    return {"id": 1, "marks": [mark | changes], "choices": []}


def _objects() -> dict[str, object]:
    row = [1, 20, 30, 12, 9, 0.9, "manual", "house"]
    masks = parts()["masks.bin"]

    def listed(*rows: Any, next_id: Any = 9, masks: bytes = masks) -> bytes:
        text = json.dumps({"next_id": next_id, "objects": list(rows)}).encode()
        return project(objects=text, masks=masks)

    def changed(at: int, value: Any) -> bytes:
        return listed([*row[:at], value, *row[at + 1 :]])

    found: dict[str, object] = {}
    for name, at in (("number", 0), ("x", 1), ("width", 3), ("score", 5), ("source", 6),
                     ("label", 7)):  # fmt: skip
        for word in ("nothing", "true", "minus one", "1e400", "NaN", "a word", "a list", "nested",
                     "a huge whole number", "ten million letters", "a zero byte"):  # fmt: skip
            found[f"{name}: {word}"] = lambda a=at, v=_STRANGE[word]: changed(a, v)
    found |= {
        "a row of three": lambda: listed([1, 2, 3]),
        "a row that is a word": lambda: listed("object01"),
        "the same number twice": lambda: listed(row, row, masks=masks * 2),
        "100,000 of the same number": lambda: listed(
            *[[1, 0, 0, 1, 1, 0.5, "a", None]] * 100_000, masks=b"\x80" * 100_000
        ),
        "150,000 objects": lambda: listed(
            *[[n + 1, n % 96, n // 96 % 64, 1, 1, 0.5, "a", None] for n in range(150_000)],
            masks=b"\x80" * 150_000, next_id=150_001,
        ),
        "no mask for it": lambda: listed(row, masks=b""),
        "more masks than objects": lambda: listed(row, masks=masks + b"x"),
        "an empty mask": lambda: listed(row, masks=bytes(len(masks))),
        "next number NaN": lambda: listed(row, next_id=math.nan),
        "next number 10^400": lambda: listed(row, next_id=10**400),
        "a list for all": lambda: project(objects=b"[[[[]]]]"),
        "nested 100,000 deep": lambda: project(objects=b'{"objects": ' + b"[" * 100_000),
        "not JSON": lambda: project(objects=b"\xff\xfe"),
        "numbers of 100,000 digits": lambda: project(
            objects=b'{"next_id": ' + b"9" * 100_000 + b', "objects": []}'
        ),
        "equal keys": lambda: project(
            objects=b'{"next_id": 1, "next_id": [], "objects": [], "objects": 1}'
        ),
    }  # fmt: skip
    return found


def _images() -> dict[str, object]:
    from tests.hostile.tiff import bombs as tiff_bombs
    from tests.hostile.tiff_places import metadata, named

    found: dict[str, object] = {
        "another image": lambda: project(image=seeds.picture("PNG", 64, 64)),
        "no image": lambda: project(image=b""),
        "words": lambda: project(image=b"words" * 99),
        "a virtual raster": lambda: project(image=b"<VRTDataset rasterXSize='9' rasterYSize='9'/>"),
        "an image that names a raster": lambda lure: project(image=named(metadata(
            f'<Item name="OVERVIEW_FILE" domain="OVERVIEWS">{lure.raster}</Item>'
        ))),
        "an image that names an address": lambda lure: project(image=named(metadata(
            f'<Item name="OVERVIEW_FILE" domain="OVERVIEWS">/vsicurl/{lure.address}/x</Item>'
        ))),
    }  # fmt: skip
    for name in ("65,535 bands", "one tile of 16,384²", "8 × 2,147,483,647 of one row a strip"):
        found[f"an image with {name}"] = lambda n=name: project(image=tiff_bombs()[n]())
    return found

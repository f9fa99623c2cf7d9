"""Exercises and results of the class room that were altered, cut, or made by nobody."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from rsam_core.evaluate.learn.exercise import OWN, make_exercise
from rsam_core.evaluate.learn.exercise_file import write_exercise
from rsam_core.evaluate.learn.subject import Subject
from tests.hostile import seeds, zips
from tests.hostile.case import OPENED, REFUSED, Case, cases_of
from tests.hostile.recipes import STRANGE

_RESULT = {"format": "rsam-result", "version": 1, "exercise": "a1", "id": "b2", "name": "Ana",
           "scores": [[0.5, 3, 9.25]]}  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("exercise", "own.rsam-exercise", {"sound": lambda: exercise()}, OPENED)
    yield from cases_of("exercise", "own.rsam-exercise", _archives(), REFUSED)
    yield from cases_of("exercise", "directory.rsam-exercise", zips.broken(exercise()))
    yield from cases_of("exercise", "own.rsam-exercise", _manifests())
    yield from cases_of("exercise", "own.rsam-exercise", _pictures(), REFUSED)
    yield from cases_of("exercise link", "link", _links(), REFUSED)
    yield from cases_of("result", "ana.rsam-result", {"sound": _result()}, OPENED)
    yield from cases_of("result", "ana.rsam-result", _results())


@cache
def exercise() -> bytes:
    """Return the file of an exercise with a picture of somebody's own."""
    labels = np.zeros((seeds.HEIGHT, seeds.WIDTH), np.int32)
    labels[16:32, 24:48] = 1
    subject = Subject("own", "town", seeds.pixels(), 0.5, labels,
                      MappingProxyType({1: "roof"}), own=True)  # fmt: skip
    return write_exercise(make_exercise(subject, OWN, [1]))


def _parts() -> dict[str, bytes]:
    import zipfile

    with zipfile.ZipFile(io.BytesIO(exercise())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _with(**parts: bytes) -> bytes:
    names = {"manifest": "exercise.json", "picture": "picture.png", "labels": "labels.png"}
    return seeds.packed(_parts() | {names[key]: content for key, content in parts.items()})


def _png(values: np.ndarray, mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    picture = Image.fromarray(values)
    (picture.convert(mode) if mode else picture).save(stream, "PNG")
    return stream.getvalue()


def _part(kind: bytes, content: bytes) -> bytes:
    body = kind + content
    return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))


def _bomb(width: int, height: int) -> bytes:
    """Return a PNG that says that it is so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20), 9)
    return b"\x89PNG\r\n\x1a\n" + _part(b"IHDR", head) + _part(b"IDAT", data) + _part(b"IEND", b"")


def _archives() -> dict[str, object]:
    content = exercise()
    parts = _parts()
    return zips.cut(content) | {
        "nothing": b"",
        "words": b"an exercise",
        "a part twice": lambda: _twice(parts),
        "a part more": seeds.packed(parts | {"../../evil.py": b"1"}),
        "a part less": seeds.packed({k: v for k, v in parts.items() if k != "labels.png"}),
        "17 MB": bytes(17 << 20),
        "a manifest that swells": seeds.packed(parts | {"exercise.json": b" " * 40_000_000}),
        "a picture that swells": seeds.packed(parts | {"picture.png": bytes(200_000_000)}),
        "a project": seeds.packed({"manifest.json": b"{}"}),
    }  # fmt: skip


def _twice(parts: dict[str, bytes]) -> bytes:
    import zipfile

    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in [*parts.items(), ("exercise.json", b"{}")]:
            archive.writestr(zipfile.ZipInfo(name), content)
    return stream.getvalue()


def _manifests() -> dict[str, object]:
    sound = json.loads(_parts()["exercise.json"])

    def changed(**entries: Any) -> bytes:
        return _with(manifest=json.dumps(sound | entries).encode())

    found: dict[str, object] = {}
    for word, value in STRANGE.items():
        for key in sound:
            found[f"{key}: {word}"] = changed(**{key: value})
        for key in sound["exercise"]:
            found[f"exercise, {key}: {word}"] = changed(exercise={**sound["exercise"], key: value})
        spots = {**sound["exercise"], "spots": [[value, value]]}
        found[f"a spot at {word}"] = changed(exercise=spots)
        found[f"an area of {word}"] = changed(exercise={**sound["exercise"], "areas": [value]})
    return found | {
        "a later version": changed(version=2),
        "100,000 brackets": _with(manifest=b"[" * 60_000),
        "half a letter": _with(manifest=json.dumps(sound).replace("town", "\\ud800").encode()),
        "a name that is a script": changed(name="<script>alert(1)</script>"),
        "a credit that turns the line": changed(credit="\u202egpj.exe"),
    }


def _pictures() -> dict[str, object]:
    values = seeds.pixels()
    labels = np.zeros((seeds.HEIGHT, seeds.WIDTH), np.uint16)
    return {
        "a picture of 50,000 squared": lambda: _with(picture=_bomb(50_000, 50_000)),
        "a picture of 2^31": lambda: _with(picture=_bomb(2**31 - 1, 1)),
        "a picture of another size": lambda: _with(picture=_png(values[:9, :9])),
        "a picture with a palette": lambda: _with(picture=_png(values, "P")),
        "a picture in grey": lambda: _with(picture=_png(values, "L")),
        "a photograph": lambda: _with(picture=seeds.picture("JPEG")),
        "a TIFF": lambda: _with(picture=seeds.geotiff()),
        "a cut picture": lambda: _with(picture=_png(values)[:900]),
        "no object": lambda: _with(labels=_png(labels)),
        "objects in colours": lambda: _with(labels=_png(values)),
        "objects elsewhere": lambda: _with(labels=_png(np.roll(_labels(), 40, 1))),
        "objects that swell": lambda: _with(labels=_bomb(60_000, 60_000)),
    }


def _labels() -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(_parts()["labels.png"])))


def _links() -> dict[str, object]:
    def link(value: Any) -> bytes:
        text = value if isinstance(value, bytes) else json.dumps(value).encode()
        return b"1" + base64.urlsafe_b64encode(zlib.compress(text)).rstrip(b"=")

    sound = ["town:nowhere", [[1, 1]], [9], "roof", "both", 0, True, "a"]
    found: dict[str, object] = {
        "nothing": b"",
        "a digit": b"1",
        "a letter": b"x",
        "a later version": b"2abcd",
        "4,001 letters": b"1" + b"a" * 4001,
        "a word of another script": "1\u0645\u062b".encode(),
        "bytes": b"1\xff\xfe",
        "a bomb": link(b" " * 40_000_000),
        "cut": link(sound)[:-9],
        "brackets": link(b"[" * 60_000),
        "a mapping": link({"source": "own"}),
        "too few": link(sound[:3]),
        "too many": link([*sound, 1]),
        "an own picture": link(["own", *sound[1:]]),
        "a sample that is a path": link(["place:../../../etc/passwd", *sound[1:]]),
        "a sample that there is not": link(sound),
    }
    for word, value in STRANGE.items():
        for at in (0, 1, 2, 3, 4, 5):
            found[f"part {at}: {word}"] = link([*sound[:at], value, *sound[at + 1 :]])
    return found


def _result(**entries: Any) -> bytes:
    return json.dumps(_RESULT | entries).encode()


def _results() -> dict[str, object]:
    found: dict[str, object] = {}
    for word, value in STRANGE.items():
        for key in _RESULT:
            found[f"{key}: {word}"] = _result(**{key: value})
        for at in range(3):
            row = [0.5, 3, 9.25]
            row[at] = value
            found[f"score {at}: {word}"] = _result(scores=[row])
    return found | {
        "nothing": b"",
        "100,000 brackets": b"[" * 60_000,
        "70 kB": b" " * 70_000,
        "in another code": json.dumps(_RESULT).encode("utf-16"),
        "1,000 scores": _result(scores=[[0.5, 3, 9.25]] * 1000),
        "more than all": _result(scores=[[1.0000001, 3, 9.25]]),
        "less than nothing": _result(scores=[[-0.0001, -3, -1]]),
        "a name that is a formula": _result(name="=cmd|'/c calc'!A0"),
        "a name that is a script": _result(name="<img src=x onerror=alert(1)>"),
        "a name of signs that are not seen": _result(name="\u202e\u200b\ud800\0"),
    }

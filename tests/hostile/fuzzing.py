"""Strategies of hypothesis: sound files with some of their structure changed at random."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from rsam_core.batch.recipe import EXAMPLE
from rsam_core.prepare import STEPS, load_steps
from tests.hostile import coco, geopackages, jpeg2000, photos, projects, recipes, seeds, shapefiles
from tests.hostile.tiff_bytes import Entry, assemble, grey
from tests.hostile.vectors import collection, feature, polygon

_EDGES = (0, 1, 2, 3, 7, 8, 16, 127, 128, 255, 256, 4096, 32767, 32768, 65535, 65536,
          2**24, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1)  # fmt: skip
_NUMBERS = st.sampled_from(_EDGES) | st.integers(0, 2**32 - 1)
_MAX_EDITS = 4


@dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes
    ----------
    kind, file : str
        As for `hostile.case.Case`.
    contents : SearchStrategy of bytes
    examples : int
        How many are tried where time is short.
    """

    kind: str
    file: str
    contents: st.SearchStrategy[bytes]
    examples: int


# --- pieces of files ---------------------------------------------------------------------

Piece = tuple[Any, bytes]
"""A name or number, and data."""


def _mended(data: bytes, at: int, value: int, width: int, big_endian: bool) -> bytes:
    """Write a number of 1, 2 or 4 bytes somewhere into data."""
    if not data:
        return struct.pack(">I", value & 0xFFFFFFFF)
    place = at % len(data)
    number = (value & (1 << 8 * width) - 1).to_bytes(width, "big" if big_endian else "little")
    return (data[:place] + number + data[place + width :])[: max(len(data), place + width)]


@st.composite
def _bytes(draw: st.DrawFn, content: bytes, until: int = 10**9, big_endian: bool = False) -> bytes:
    """Overwrite a few numbers in the first bytes, or cut."""
    out = content
    for _ in range(draw(st.integers(1, _MAX_EDITS))):
        at = draw(st.integers(0, min(len(content), until) - 1))
        width = draw(st.sampled_from((1, 2, 4)))
        out = _mended(out, at, draw(_NUMBERS), width, big_endian)
    if draw(st.integers(0, 9)) == 0:
        out = out[: draw(st.integers(1, len(out)))]
    return out


@st.composite
def _pieces(
    draw: st.DrawFn,
    pieces: list[Piece],
    whole: Callable[[list[tuple[Any, bytes, int | None]]], bytes],
) -> bytes:
    """Change, repeat, drop or move pieces, or let their length lie, and put them together."""
    found: list[tuple[Any, bytes, int | None]] = [(name, data, None) for name, data in pieces]
    for _ in range(draw(st.integers(1, _MAX_EDITS))):
        at = draw(st.integers(0, len(found) - 1))
        name, data, told = found[at]
        what = draw(st.sampled_from(("data", "data", "data", "length", "twice", "drop", "move")))
        if what == "data":
            place, value = draw(st.integers(0, 200)), draw(_NUMBERS)
            data = _mended(data, place, value, draw(st.sampled_from((1, 2, 4))), True)
            found[at] = name, data, told
        elif what == "length":
            found[at] = name, data, draw(_NUMBERS)
        elif what == "twice":
            found.insert(draw(st.integers(0, len(found))), found[at])
        elif what == "drop" and len(found) > 1:
            del found[at]
        else:
            found.insert(draw(st.integers(0, len(found) - 1)), found.pop(at))
    return whole(found)


def _png() -> st.SearchStrategy[bytes]:
    content = seeds.picture("PNG")
    pieces, at = [], 8
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        pieces.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    camera = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0"
    extra = [(b"tRNS", b"\0\1\0\2\0\3"), (b"gAMA", struct.pack(">I", 45455)),
             (b"pHYs", bytes(9)), (b"eXIf", camera)]  # fmt: skip

    def whole(found: list[tuple[Any, bytes, int | None]]) -> bytes:
        out = content[:8]
        for kind, data, told in found:
            out += struct.pack(">I", len(data) if told is None else told) + kind + data
            out += struct.pack(">I", zlib.crc32(kind + data))
        return out

    return _pieces([pieces[0], *extra, *pieces[1:]], whole)


def _jpeg(**options: object) -> st.SearchStrategy[bytes]:
    content = seeds.picture("JPEG", **options)
    parts = photos.segments(content)
    pieces: list[Piece] = [(marker, content[start + 4 : end]) for marker, start, end in parts]
    tail = content[parts[-1][2] :]

    def whole(found: list[tuple[Any, bytes, int | None]]) -> bytes:
        out = content[:2]
        for marker, data, told in found:
            length = (len(data) + 2 if told is None else told) & 0xFFFF
            out += struct.pack(">BBH", 0xFF, marker, length) + data
        return out + tail

    return _pieces(pieces, whole)


def _boxes() -> st.SearchStrategy[bytes]:
    content = jpeg2000.sound()
    pieces = [(kind, content[start + 8 : end]) for kind, start, end in jpeg2000.boxes(content)]

    def whole(found: list[tuple[Any, bytes, int | None]]) -> bytes:
        return b"".join(jpeg2000.box(kind, data, told) for kind, data, told in found)

    return _pieces(pieces, whole)


@st.composite
def _tiff(draw: st.DrawFn, big: bool = False) -> bytes:
    """A hand-written TIFF with some entries changed."""
    extra = {
        "t33550": Entry(33550, 12, (0.5, 0.5, 0.0)),
        "t33922": Entry(33922, 12, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0)),
        "t34735": Entry(34735, 3, (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32637)),
        "t42113": Entry(42113, 2, b"0\0"),
    }
    strip = bytes(range(64)) * 64
    packed = draw(st.sampled_from((1, 5, 8, 32773, 7)))
    blob = {8: zlib.compress(strip), 7: seeds.picture("JPEG", 64, 64)}.get(packed, strip)
    extra["t259"] = Entry(259, 3, packed)
    if big:
        extra["t273"] = Entry(273, 16, 16)
    entries = grey(64, 64, blob, **extra)
    for _ in range(draw(st.integers(1, _MAX_EDITS))):
        at = draw(st.integers(0, len(entries) - 1))
        old = entries[at]
        what = draw(st.sampled_from(("value", "value", "value", "count", "type", "tag", "drop")))
        if what == "drop":
            del entries[at]
        elif what == "value":
            entries[at] = Entry(old.tag, old.kind, old.values, old.count, draw(_NUMBERS))
        elif what == "count":
            entries[at] = Entry(old.tag, old.kind, old.values, draw(_NUMBERS), old.raw)
        elif what == "type":
            kind = draw(st.integers(0, 20))
            entries[at] = Entry(old.tag, kind, old.data(), old.number(), old.raw)
        else:
            tag = draw(st.sampled_from((254, 255, 258, 262, 266, 274, 277, 284, 317, 320, 322, 323,
                                        324, 330, 338, 339, 347, 530, 532, 34264, 34665, 34736,
                                        34737, 42112, 50844)))  # fmt: skip
            entries[at] = Entry(tag, old.kind, old.values, old.count, old.raw)
    follow = draw(st.sampled_from((None, None, -1, 2, 9, 2**31)))
    return assemble([entries], blob, big=big, following=None if follow is None else {0: follow})


# --- trees -------------------------------------------------------------------------------

_SCALARS = (
    st.sampled_from((None, True, False, 0, 1, -1, 2**31, 2**63, 10**40, 1e308, -1e308, 1e-308,
                     float("nan"), float("inf"), "", "a", "1", "\0", "../x", "x" * 3000))
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                max_size=2),
    max_leaves=5,
)  # fmt: skip


@st.composite
def _tree(draw: st.DrawFn, tree: Any) -> Any:
    """JSON with some of its values replaced, left out or repeated."""
    out = json.loads(json.dumps(tree))
    for _ in range(draw(st.integers(1, 3))):
        node, path = out, []
        # Walk down to some place, and change what is there.
        while isinstance(node, (dict, list)) and node and (not path or draw(st.integers(0, 3))):
            keys = sorted(node) if isinstance(node, dict) else range(len(node))
            path.append(draw(st.sampled_from(list(keys))))
            node = node[path[-1]]
        if not path:
            return draw(_VALUES)
        parent = out
        for key in path[:-1]:
            parent = parent[key]
        what = draw(st.sampled_from(("replace", "replace", "replace", "drop", "twice")))
        if what == "drop":
            del parent[path[-1]]
        elif what == "twice" and isinstance(parent, list):
            parent.insert(path[-1], node)
        else:
            parent[path[-1]] = draw(_VALUES)
    return out


def _json(tree: Any) -> st.SearchStrategy[bytes]:
    return _tree(tree).map(lambda told: json.dumps(told).encode())


def _outlines() -> Any:
    holes = polygon(seeds.ring(10, 10, 20, 20), seeds.ring(14, 14, 4, 4))
    many = {"type": "MultiPolygon", "coordinates": [[seeds.ring(50, 9, 9, 9)]]}
    mixed = {"type": "GeometryCollection", "geometries": [holes, many]}
    return json.loads(collection(feature(holes, label="house"), feature(many), feature(mixed)))


def _runs() -> Any:
    area = seeds.WIDTH * seeds.HEIGHT
    runs = {**coco._GOOD, "id": 2, "segmentation": {
        "size": [seeds.HEIGHT, seeds.WIDTH], "counts": [99, 50, area - 149],
    }}  # fmt: skip
    return json.loads(coco.data(coco._GOOD, runs))


def _every_step() -> Any:
    load_steps()
    steps = [{"step": key, "on": True, "settings": kind().to_dict()} for key, kind in STEPS.items()]
    return [json.loads(recipes.recipe(step)) for step in sorted(steps, key=lambda s: s["step"])]


def _shapefile() -> st.SearchStrategy[bytes]:
    parts = shapefiles.parts()
    part = st.sampled_from(("shp", "shx", "dbf"))
    return part.flatmap(
        lambda name: _bytes(parts[f"houses.{name}"], 200).map(
            lambda data: seeds.packed({**parts, f"houses.{name}": data})
        )
    )


def targets() -> dict[str, Target]:
    """Return what can be fuzzed, by name."""
    manifest = json.loads(projects.parts()["manifest.json"])
    objects = json.loads(projects.parts()["objects.json"])
    pair = {"images/a.png": seeds.picture("PNG"), "masks/a.png": seeds.mask()}
    geotiff = seeds.geotiff(compress="deflate")
    return {
        "TIFF": Target("image", "fuzz.tif", _tiff(), 150),
        "BigTIFF": Target("image", "fuzz.tif", _tiff(big=True), 60),
        "GeoTIFF": Target("image", "fuzz.tif", _bytes(geotiff, 900), 80),
        "JPEG 2000 boxes": Target("image", "fuzz.jp2", _boxes(), 20),
        "JPEG 2000 stream": Target("image", "fuzz.jp2", _bytes(jpeg2000.sound(), 700, True), 60),
        "PNG": Target("image", "fuzz.png", _png(), 150),
        "JPEG": Target("image", "fuzz.jpg", _jpeg(), 150),
        "progressive JPEG": Target("image", "fuzz.jpg", _jpeg(progressive=True), 100),
        "GIF": Target("image", "fuzz.gif", _bytes(seeds.picture("GIF"), 900), 120),
        "BMP": Target("image", "fuzz.bmp", _bytes(seeds.picture("BMP"), 60), 120),
        "WEBP": Target("image", "fuzz.webp", _bytes(seeds.picture("WEBP"), 60), 120),
        "GeoJSON": Target("truth", "fuzz.geojson", _json(_outlines()), 120),
        "COCO": Target("truth", "fuzz.json", _json(_runs()), 150),
        "GeoPackage": Target("truth", "fuzz.gpkg", _bytes(geopackages.sound()), 10),
        "Shapefile": Target("truth", "fuzz.zip", _shapefile(), 10),
        "mask": Target("truth", "plain.png", _bytes(seeds.mask(), 120, True), 40),
        "project manifest": Target(
            "project",
            "fuzz.rsam.zip",
            _tree(manifest).map(lambda told: projects.project(json.dumps(told).encode())),
            60,
        ),
        "project objects": Target(
            "project",
            "fuzz.rsam.zip",
            _tree(objects).map(lambda told: projects.project(objects=json.dumps(told).encode())),
            60,
        ),
        "project archive": Target("project", "fuzz.rsam.zip", _bytes(projects.sound()), 40),
        "data set archive": Target("data set", "fuzz.zip", _bytes(seeds.packed(pair)), 60),
        "recipe": Target("recipe", "fuzz.json", st.sampled_from(_every_step()).flatmap(_json), 60),
        "batch recipe": Target(
            "batch recipe", "fuzz.json", _json(json.loads(EXAMPLE.to_json())), 150
        ),
        "class list": Target(
            "class list",
            "fuzz.json",
            _json([{"name": "house", "color": "#ff0000"}, {"name": "road", "color": "#00ff00"}]),
            100,
        ),
        "world file": Target(
            "world file",
            "town.pgw",
            st.lists(st.floats().map(str) | st.text(max_size=8), min_size=5, max_size=7).map(
                lambda lines: "\n".join(lines).encode("utf-8", "replace")
            ),
            100,
        ),
    }

"""Data sets whose archive lies or whose members are hostile themselves."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator

from tests.hostile import coco, seeds, zips
from tests.hostile.case import REFUSED, Case, Lure, cases_of
from tests.hostile.photos import jpegs
from tests.hostile.pictures import pngs
from tests.hostile.tiff import bombs as tiff_bombs
from tests.hostile.tiff_places import metadata, named


def cases() -> Iterator[Case]:
    """Yield all of them."""
    sound = seeds.packed(pair())
    yield from cases_of("data set", "cut.zip", zips.cut(sound), REFUSED)
    yield from cases_of("data set", "directory.zip", zips.broken(sound))
    yield from cases_of("data set", "refused.zip", _refused(), REFUSED)
    yield from cases_of("data set", "names.zip", zips.escapes(lambda name: {**pair(), name: b"x"}))
    yield from cases_of("data set", "members.zip", _members())
    yield from cases_of("truth", "archive.zip", _truth())
    for kind in ("image", "recipe", "batch recipe", "class list", "world file"):
        file = "town.pgw" if kind == "world file" else "archive.tif"
        packed = {"an archive": sound, "a bomb": lambda: zips.bombs(200 << 20)}
        yield from cases_of(kind, file, packed, REFUSED)


def pair(image: bytes | None = None, truth: bytes | None = None, ending: str = "png") -> dict:
    """Return a data set of one image and its mask."""
    image = seeds.picture("PNG") if image is None else image
    return {f"images/a.{ending}": image, "masks/a.png": seeds.mask() if truth is None else truth}


def _refused() -> dict[str, object]:
    member = seeds.picture("PNG")
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packed.compress(bytes(1 << 20)) + packed.flush()
    crc = zlib.crc32(bytes(1 << 20))
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../x"))
    return {
        "empty": b"",
        "words": b"words",
        "no file": seeds.packed({}),
        "only folders": seeds.packed({"images/": b"", "masks/": b""}),
        "only masks": seeds.packed({"masks/a.png": seeds.mask()}),
        "only words": seeds.packed({"a.txt": b"x"}),
        "an archive in an archive": lambda: zips.nested(1, pair()),
        "archives 40 deep": lambda: zips.nested(40, pair()),
        "an archive called an image": lambda: zips.nested(1, pair(), "images/a.png"),
        "1 GB of zeros": lambda: zips.bombs(1 << 30, "images/a.png"),
        "500 MB of zeros": lambda: zips.bombs(500 << 20, "images/a.tif"),
        "one megabyte told 20,000 times": lambda: zips.entries(
            [(f"images/{n}.png", kernel, crc, 1 << 20) for n in range(20_000)], overlap=True
        ),
        "150,000 empty files": lambda: zips.entries(
            [(f"images/{n}.txt", b"", 0, 0) for n in range(150_000)], method=0
        ),
        "16 TB told": lambda: zips.entries([("images/a.png", kernel, crc, 2**32 - 2)] * 4000),
        "a 7z archive": b"7z\xbc\xaf\x27\x1c" + bytes(60),
        "a RAR archive": b"Rar!\x1a\x07\x01\0" + bytes(60),
        "a tar archive": tar.getvalue(),
        "gzip": b"\x1f\x8b\x08" + bytes(60),
        "an image": member,
        "a link for an image": zips.linked("images/a.png", "/etc/passwd"),
        "a link for its folder": zips.linked("images", "/etc"),
    }  # fmt: skip


def _stored(method: int, name: str = "images/a.png") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for key, content in pair().items():
            archive.writestr(key, content)
        archive.writestr("images/b.png", bytes(5 << 20))
    return stream.getvalue()


def _members() -> dict[str, object]:
    good = pair()
    found: dict[str, object] = {
        "packed by bzip2": lambda: _stored(zipfile.ZIP_BZIP2),
        "packed by LZMA": lambda: _stored(zipfile.ZIP_LZMA),
        "the same name twice": lambda: _twice(),
        "names that differ by case": seeds.packed(
            {**good, "images/A.PNG": b"x", "MASKS/A.png": b"x"}
        ),
        "a name of 60,000 letters": seeds.packed({**good, "images/" + "x" * 60_000 + ".png": b"x"}),
        "a name of line breaks": seeds.packed({**good, "images/a\n\x1b[31mb.png": b"x"}),
        "a name that turns the line": seeds.packed({**good, "images/a\u202egnp.exe.png": b"x"}),
        "a name of script": seeds.packed({**good, "images/<img src=x onerror=alert(1)>.png": b"x"}),
        "a name of a formula": seeds.packed({**good, "images/=cmd|'a'!A0.png": b"x"}),
        "a name of Windows": seeds.packed({**good, "images/CON.png": b"x", "images/a:b.png": b"x"}),
        "names 300 folders deep": seeds.packed({**good, "d/" * 300 + "images/a.png": b"x"}),
        "an empty image": seeds.packed(pair(b"")),
        "an empty mask": seeds.packed(pair(truth=b"")),
        "an image of words": seeds.packed(pair(b"words")),
        "a mask of another size": seeds.packed(pair(truth=seeds.picture("PNG", 64, 64))),
        "a photo for a mask": seeds.packed(pair(truth=seeds.picture("PNG"))),
        "a virtual raster for an image": lambda lure: seeds.packed(
            pair(f"<VRTDataset rasterXSize='9'><SourceFilename>{lure.raster}</SourceFilename>"
                 "</VRTDataset>".encode(), ending="tif")
        ),
        "side files that name others": lambda lure: seeds.packed(pair() | {
            "images/a.png.aux.xml": _sidecar(lure.raster),
            "images/a.aux.xml": _sidecar(lure.raster),
            "images/a.png.ovr": seeds.geotiff(),
            "images/a.png.msk": seeds.geotiff(),
            "masks/a.png.aux.xml": _sidecar(lure.raster),
            "images/a.pgw": b"nan\nnan\nnan\nnan\nnan\nnan\n",
        }),
        "a mask of 65,535 bands": lambda: _tiff_mask(tiff_bombs()["65,535 bands"]()),
        "a mask of two billion rows": lambda: _tiff_mask(
            tiff_bombs()["8 × 2,147,483,647 of one row a strip"]()
        ),
        "an outline 100,000 deep": seeds.packed(
            {"images/a.tif": seeds.geotiff(), "labels/a.geojson": b"[" * 100_000}
        ),
        "an outline that is a virtual layer": lambda lure: seeds.packed({
            "images/a.tif": seeds.geotiff(),
            "labels/a.geojson": f"<OGRVRTDataSource><OGRVRTLayer><SrcDataSource>{lure.words}"
                                "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>".encode(),
        }),
    }  # fmt: skip
    for key in ("raster", "address"):

        def naming(lure: Lure, what: str = key) -> bytes:
            target = lure.raster if what == "raster" else f"/vsicurl/{lure.address}/x"
            item = f'<Item name="OVERVIEW_FILE" domain="OVERVIEWS">{target}</Item>'
            content = named(metadata(item))
            return seeds.packed({"images/a.tif": content, "masks/a.tif": content})

        found[f"image and mask that name a {key}"] = naming
    for key in ("9,999 × 9,999 of zeros", "half of its rows", "colour profile of 100 MB",
                "data of 4 GB"):  # fmt: skip
        found[f"image, PNG, {key}"] = lambda k=key: seeds.packed(pair(pngs()[k]()))
        found[f"mask, PNG, {key}"] = lambda k=key: seeds.packed(pair(truth=pngs()[k]()))
    for key in ("size 9999 × 9999", "5,000 scans"):
        found[f"image, JPEG, {key}"] = lambda k=key: seeds.packed(
            {"images/a.jpg": jpegs()[k](), "masks/a.png": seeds.mask()}
        )
    lists = {
        "names that lead out": [{**coco._IMAGE, "file_name": "../../../etc/passwd"}],
        "absolute names": [{**coco._IMAGE, "file_name": "/etc/passwd"}],
        "names that are lists": [{**coco._IMAGE, "file_name": ["a.tif"]}],
        "names that are nothing": [{**coco._IMAGE, "file_name": None}],
        "an address": [{**coco._IMAGE, "file_name": "http://127.0.0.1:9/a.tif"}],
        "the same image 5,000 times": [{**coco._IMAGE, "file_name": "a.png"}] * 5000,
        "ids that are lists": [{**coco._IMAGE, "file_name": "a.png", "id": []}],
        "sizes that are none": [{**coco._IMAGE, "file_name": "a.png", "width": "x"}],
        "nothing": [None],
    }
    for key, images in lists.items():
        found[f"COCO: {key}"] = seeds.packed({
            "images/a.png": seeds.picture("PNG"),
            "annotations.json": coco.data(coco._GOOD, images=images),
        })  # fmt: skip
    found |= {
        "COCO: runs of a million squared": seeds.packed({
            "images/town.tif": seeds.geotiff(),
            "a.json": coco.data(coco._runs([0, 10**12], (10**6, 10**6))),
        }),
        "COCO: nested 100,000 deep": seeds.packed({
            "images/town.tif": seeds.geotiff(),
            "a.json": b'{"images": [], "annotations": ' + b"[" * 100_000,
        }),
        "COCO: 200 of them": seeds.packed({
            "images/town.tif": seeds.geotiff(),
            **{f"{n}.json": coco.data(coco._GOOD) for n in range(200)},
        }),
        "JSON that is none": seeds.packed({
            "images/town.tif": seeds.geotiff(), "a.json": json.dumps([1]).encode(), "b.json": b"{",
        }),
        "a mask whose data are damaged": lambda: _damaged(),
        "a mask longer than told": lambda: _longer(),
    }  # fmt: skip
    return found


def _sidecar(raster: str) -> bytes:
    return (
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">'
        f"{raster}</MDI></Metadata></PAMDataset>"
    ).encode()


def _tiff_mask(mask: bytes) -> bytes:
    return seeds.packed({"images/a.png": seeds.picture("PNG"), "masks/a.tif": mask})


def _twice() -> bytes:
    content = seeds.packed({**pair(), "masks/b.png": seeds.picture("PNG")})
    return content.replace(b"masks/b.png", b"masks/a.png")


def _damaged() -> bytes:
    content = bytearray(seeds.packed(pair()))
    at = content.index(b"masks/a.png") + 20
    content[at : at + 20] = b"\xff" * 20
    return bytes(content)


def _longer() -> bytes:
    content = bytearray(seeds.packed(pair()))
    at = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, at + 24, 40)
    return bytes(content)


def _truth() -> dict[str, object]:
    """Archives uploaded as truth."""
    from tests.hostile.vectors import collection, feature, polygon

    house = collection(feature(polygon(seeds.ring(10, 10, 20, 20))))
    virtual = "<OGRVRTDataSource><OGRVRTLayer><SrcDataSource>{}</SrcDataSource></OGRVRTLayer>"
    found: dict[str, object] = {
        **zips.cut(seeds.packed({"a.geojson": house})),
        **zips.broken(seeds.packed({"a.geojson": house})),
        **zips.escapes(lambda name: {name.replace(".png", ".geojson"): house}),
        "an archive in an archive": lambda: zips.nested(1, {"a.geojson": house}),
        "archives 40 deep": lambda: zips.nested(40, {"a.geojson": house}, "a.geojson"),
        "1 GB of zeros": lambda: zips.bombs(1 << 30, "a.geojson"),
        "150,000 empty files": lambda: zips.entries(
            [(f"{n}.geojson", b"", 0, 0) for n in range(150_000)], method=0
        ),
        "a link": zips.linked("a.geojson", "/etc/passwd"),
        "a virtual layer": lambda lure: seeds.packed(
            {"a.geojson": virtual.format(lure.words).encode()}
        ),
        "a virtual layer behind a start": lambda lure: seeds.packed(
            {"a.geojson": b"{}" + virtual.format(lure.words).encode()}
        ),
        "a virtual layer and an outline": lambda lure: seeds.packed(
            {"a.geojson": house, "a.vrt": virtual.format(lure.words).encode()}
        ),
        "only a virtual layer": lambda lure: seeds.packed(
            {"a.vrt": virtual.format(lure.words).encode()}
        ),
        "an image with side files": lambda lure: seeds.packed(
            {"a.png": seeds.mask(), "a.png.aux.xml": _sidecar(lure.raster)}
        ),
        "nothing of use": seeds.packed({"a.txt": b"x"}),
        "an outline 100,000 deep": seeds.packed({"a.geojson": b"{" * 100_000}),
        "the same name twice": seeds.packed({"a.geojson": house, "b.geojson": b"{}"}).replace(
            b"b.geojson", b"a.geojson"
        ),
    }  # fmt: skip
    for name in ("65,535 bands", "8 × 2,147,483,647 of one row a strip", "one tile of 16,384²"):
        found[f"a raster: {name}"] = lambda n=name: tiff_bombs()[n]()
    for name in ("9,999 × 9,999 of zeros", "half of its rows", "colour profile of 100 MB"):
        found[f"a picture: {name}"] = lambda n=name: pngs()[n]()
    return found

"""TIFF that lie about their place on the map, or name what else is to be read."""

from __future__ import annotations

import math

from tests.hostile.case import Lure
from tests.hostile.tiff_bytes import ASCII, DOUBLE, LONG, SHORT, Entry, assemble, grey, image


def metadata(items: str) -> bytes:
    return f"<GDALMetadata>{items}</GDALMetadata>\0".encode()


def _keys(*keys: tuple[int, int, int, int], number: int | None = None) -> Entry:
    """Return the directory of geographic keys."""
    values = [1, 1, 0, len(keys) if number is None else number]
    return Entry(34735, SHORT, [*values, *(part for key in keys for part in key)])


_UTM_KEYS = ((1024, 0, 1, 1), (1025, 0, 1, 1), (3072, 0, 1, 32637))


def places() -> dict[str, object]:
    """Places on the map that are none."""
    tie, scale = (0.0, 0.0, 0.0, 500_000.0, 4_000_000.0, 0.0), (0.5, 0.5, 0.0)
    matrix = [0.5, 0, 0, 500_000, 0, -0.5, 0, 4_000_000, 0, 0, 0, 0, 0, 0, 0, 1]

    def placed(keys: Entry | None = None, **others: object) -> bytes:
        changes = {
            "t33550": Entry(33550, DOUBLE, scale), "t33922": Entry(33922, DOUBLE, tie),
            "t34735": keys or _keys(*_UTM_KEYS),
        }  # fmt: skip
        return image(**changes | others)

    found: dict[str, object] = {}
    for word, value in {
        "NaN": math.nan, "infinite": math.inf, "zero": 0.0, "1e308": 1e308, "1e-308": 1e-308,
        "negative": -0.5,
    }.items():  # fmt: skip
        found[f"scale {word}"] = lambda v=value: placed(t33550=Entry(33550, DOUBLE, (v, v, 0.0)))
        found[f"corner {word}"] = lambda v=value: placed(
            t33922=Entry(33922, DOUBLE, (0.0, 0.0, 0.0, v, v, 0.0))
        )
        found[f"matrix {word}"] = lambda v=value: placed(
            t33550=None, t33922=None, t34264=Entry(34264, DOUBLE, [v if x else x for x in matrix])
        )
    found["matrix of three numbers"] = lambda: placed(
        t33550=None, t33922=None, t34264=Entry(34264, DOUBLE, matrix[:3])
    )
    found["matrix of a point"] = lambda: placed(
        t33550=None, t33922=None, t34264=Entry(34264, DOUBLE, [0.0] * 16)
    )
    found["a million tie points"] = lambda: placed(
        t33550=None, t33922=Entry(33922, DOUBLE, count=6_000_000, raw=8)
    )
    found["tie points all in one place"] = lambda: placed(
        t33550=None, t33922=Entry(33922, DOUBLE, tie * 4)
    )
    for code in (0, 1, 9999, 32767, 65535):
        keys = (*_UTM_KEYS[:2], (3072, 0, 1, code))
        found[f"system {code}"] = lambda keys=keys: placed(_keys(*keys))
    found["65,535 keys"] = lambda: placed(_keys(*_UTM_KEYS, number=65535))
    found["keys that lie beyond"] = lambda: placed(
        _keys(*_UTM_KEYS[:2], (3073, 34737, 9999, 60000), (2057, 34736, 200, 60000))
    )
    found["keys that point at themselves"] = lambda: placed(
        _keys(*_UTM_KEYS[:2], (1026, 34735, 900, 0), (34735, 34735, 1, 1))
    )
    found["the name of a system is no text"] = lambda: placed(
        _keys(*_UTM_KEYS, (1026, 34737, 64, 0)), t34737=Entry(34737, ASCII, bytes(range(256)))
    )
    found["an ellipsoid of NaN"] = lambda: placed(
        _keys((1024, 0, 1, 2), (2048, 0, 1, 32767), (2057, 34736, 1, 0), (2058, 34736, 1, 1)),
        t34736=Entry(34736, DOUBLE, (math.nan, -1.0)),
    )
    found["a projection of NaN"] = lambda: placed(
        _keys(
            (1024, 0, 1, 1), (3072, 0, 1, 32767), (3074, 0, 1, 32767), (3075, 0, 1, 1),
            (3080, 34736, 1, 0), (3081, 34736, 1, 0), (3092, 34736, 1, 0),
        ),
        t34736=Entry(34736, DOUBLE, (math.nan,)),
    )  # fmt: skip
    return found


def names() -> dict[str, object]:
    """Metadata that name another file, an address or a virtual raster."""
    virtual = (
        '<VRTDataset rasterXSize="48" rasterYSize="32"><VRTRasterBand dataType="Byte" band="1">'
        "<SimpleSource><SourceFilename>{}</SourceFilename></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )

    def item(domain: str, name: str, value: str) -> bytes:
        value = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
        return metadata(f'<Item name="{name}" domain="{domain}">{value}</Item>')

    found: dict[str, object] = {}
    for domain, name in (
        ("OVERVIEWS", "OVERVIEW_FILE"), ("OVERVIEWS", "MASK_FILE"), ("", "OVERVIEW_FILE"),
        ("SUBDATASETS", "SUBDATASET_1_NAME"), ("GEOLOCATION", "X_DATASET"),
        ("xml:VRT", "xml"), ("OVERVIEWS", "OVERVIEWS_1"), ("LocationInfo", "File"),
        ("IMAGE_STRUCTURE", "SOURCE_FILE"), ("RPC", "RPC_FILE"), ("xml:XMP", "xml"),
    ):  # fmt: skip
        for what in ("raster", "address"):
            found[f"{what} by {domain or 'default'}/{name}"] = (
                lambda lure, d=domain, n=name, w=what: named(item(d, n, _raster_of(lure, w)))
            )
    found["words by a virtual raster"] = lambda lure: named(
        item("OVERVIEWS", "OVERVIEW_FILE", virtual.format(lure.words))
    )
    found["address in the second directory"] = lambda lure: named(
        item("OVERVIEWS", "OVERVIEW_FILE", f"/vsicurl/{lure.address}/x.tif"), second=True
    )
    found["raster in the second directory"] = lambda lure: named(
        item("OVERVIEWS", "OVERVIEW_FILE", lure.raster), second=True
    )
    found["raster by a document type"] = lambda lure: named(
        f'<!DOCTYPE x [<!ENTITY y SYSTEM "file://{lure.words}">]>'.encode()
        + metadata("<Item name='a'>&y;</Item>")
    )
    found["a billion laughs"] = lambda: named(laughs("GDALMetadata"))
    return found


def laughs(root: str) -> bytes:
    """Return an XML document whose one word stands for a billion."""
    lines = ['<!ENTITY l0 "ha">']
    lines += [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    return f"<?xml version='1.0'?><!DOCTYPE x [{''.join(lines)}]><{root}>&l9;</{root}>\0".encode()


def _raster_of(lure: Lure, what: str) -> str:
    return lure.raster if what == "raster" else f"/vsicurl/{lure.address}/x.tif"


def named(xml: bytes, second: bool = False) -> bytes:
    """Return a TIFF of 96 × 64 with that metadata, in its first or its reduced directory."""
    blob = b"\x64" * (96 * 64)
    text = Entry(42112, ASCII, xml)
    first = grey(96, 64, blob, **({} if second else {"t42112": text}))
    reduced = grey(48, 32, blob[: 48 * 32], t254=Entry(254, LONG, 1), t42112=text)
    return assemble([first, reduced] if second else [first], blob)

"""Videos that are lists of other files, name other files, lie about themselves, or break off."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from functools import cache

import av
import numpy as np

from tests.hostile import seeds
from tests.hostile.case import OPENED, REFUSED, Case, Lure, cases_of, cuts

_NESTS = (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"stbl")


def cases() -> Iterator[Case]:
    """Yield all of them."""
    for what in ("address", "words"):
        yield from cases_of("video", "flight.mp4", _lists(what), REFUSED)
        yield from cases_of("video", "flight.mp4", _named_data(what))
    yield from cases_of("video", "flight.mp4", _others(), REFUSED)
    yield from cases_of("video", "flight.mp4", _cut())
    yield from cases_of("video", "flight.mp4", _lies())
    yield from cases_of("video", "film.mkv", _matroska())
    yield from cases_of("video", "film.gif", _gifs())
    yield from cases_of("video", "odd.mp4", _odd(), OPENED)


@cache
def clip(
    kind: str = "mp4", codec: str = "mpeg4", count: int = 5, sizes: tuple = ((64, 48),), **tags: str
) -> bytes:
    """Return a sound video of a few frames, each brighter than the one before."""
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        container.metadata.update(tags)
        out = container.add_stream(codec, rate=25)
        out.width, out.height = sizes[0]
        out.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for number in range(count):
            width, height = sizes[number % len(sizes)]
            image = np.full((height, width, 3), 40 + 20 * number, np.uint8)
            container.mux(out.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(out.encode())
    return stream.getvalue()


def target(lure: Lure, what: str) -> str:
    """Return what a file may name: an address, or a file of this machine."""
    return {"address": f"{lure.address}/x.ts", "words": lure.words, "raster": lure.raster}[what]


def _lists(what: str) -> dict[str, object]:
    texts = {
        "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{0}\n#EXT-X-ENDLIST\n",
        "HLS of lists": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{0}\n",
        "HLS with a key": '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="{0}"\n#EXT-X-MAP:URI="{0}"\n'
        "#EXTINF:9,\n{0}\n",
        "HLS by another protocol": "#EXTM3U\n#EXTINF:9,\nconcat:{0}|{0}\n#EXTINF:9,\nfile:{0}\n",
        "HLS behind blanks": "\r\n\t\n#EXTM3U\n#EXTINF:9,\n{0}\n",
        "HLS behind a mark": "\ufeff#EXTM3U\n#EXTINF:9,\n{0}\n",
        "a concatenation": "ffconcat version 1.0\nfile '{0}'\nduration 5\nfile '{0}'\n",
        "a concatenation with options": "ffconcat version 1.0\nfile '{0}'\n"
        "option protocol_whitelist file,http,tcp\n",
        "DASH": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
        "<BaseURL>{0}</BaseURL><Period><AdaptationSet><Representation><BaseURL>{0}</BaseURL>"
        "</Representation></AdaptationSet></Period></MPD>",
        "DASH with an entity": '<!DOCTYPE MPD [<!ENTITY y SYSTEM "{0}">]><MPD><BaseURL>&y;'
        "</BaseURL></MPD>",
        "a session": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns={0}\nc=IN IP4 127.0.0.1\nt=0 0\n"
        "m=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:{0}\n",
        "a list of a player": "[playlist]\nFile1={0}\nNumberOfEntries=1\n",
        "a list without a head": "{0}\n{0}\n",
        "a list of Windows": '<asx version="3.0"><entry><ref href="{0}"/></entry></asx>',
        "SMIL": '<smil><body><video src="{0}"/></body></smil>',
        "a reference of QuickTime": 'RTSPtext\nrtsptext{0}\n',
    }  # fmt: skip
    return {
        f"{key}, {what}": lambda lure, t=text: t.format(target(lure, what)).encode()
        for key, text in texts.items()
    }


# --- boxes of MP4 ----------------------------------------------------------------------------


def box(kind: bytes, content: bytes) -> bytes:
    """Return a box of MP4."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def changed(content: bytes, kind: bytes, make: object) -> bytes:
    """Return a video whose boxes of a kind are made anew of their content, wherever they are."""
    out, at = b"", 0
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        length = length or len(content) - at
        inner = content[at + 8 : at + length]
        if name == kind:
            inner = make(inner)
        elif name in _NESTS:
            inner = changed(inner, kind, make)
        out += box(name, inner)
        at += length
    return out


def _references(kind: bytes, place: bytes) -> bytes:
    """Return a table of where a track's data lie: in another file."""
    return struct.pack(">II", 0, 1) + box(kind, place)


def _alias(path: str) -> bytes:
    """Return a place as QuickTime writes it, with the path as a text of kind 2 and 18."""
    text = path.encode()
    head = bytes(4) + bytes(4) + struct.pack(">HH", 0, 2) + bytes(142)
    entries = b"".join(
        struct.pack(">HH", kind, len(text)) + text + bytes(len(text) % 2) for kind in (2, 18)
    )
    return head + entries + struct.pack(">HH", 0xFFFF, 0)


def _named_data(what: str) -> dict[str, object]:
    """Tracks that say that their pictures lie elsewhere."""

    def url(lure: Lure, flags: int = 0) -> bytes:
        place = struct.pack(">I", flags) + target(lure, what).encode() + b"\0"
        return changed(clip(), b"dref", lambda _: _references(b"url ", place))

    def urn(lure: Lure) -> bytes:
        place = bytes(4) + b"x\0" + target(lure, what).encode() + b"\0"
        return changed(clip(), b"dref", lambda _: _references(b"urn ", place))

    def alias(lure: Lure) -> bytes:
        place = _alias(target(lure, what))
        return changed(clip("mov"), b"dref", lambda _: _references(b"alis", place))

    def reference(lure: Lure) -> bytes:
        place = target(lure, what).encode() + b"\0"
        data = box(b"rdrf", bytes(4) + b"url " + struct.pack(">I", len(place)) + place)
        movie = box(b"moov", box(b"rmra", box(b"rmda", data)))
        return box(b"ftyp", b"qt  \0\0\2\0qt  ") + movie

    return {
        f"data at {what}": url,
        f"data at {what} and here": lambda lure: url(lure, 1),
        f"data named as {what}": urn,
        f"data at {what}, as QuickTime says it": alias,
        f"a film that is at {what}": reference,
        f"a title that is {what}": lambda lure: clip(title=target(lure, what)),
    }


def _others() -> dict[str, object]:
    return {
        "nothing": b"",
        "a zero": b"\0",
        "words": b"a film\n" * 300,
        "noise": lambda: np.random.default_rng(5).integers(0, 256, 20_000, np.uint8).tobytes(),
        "zeros": bytes(100_000),
        "a picture": seeds.picture("PNG"),
        "a photograph": seeds.picture("JPEG"),
        "a TIFF": seeds.geotiff(),
        "an archive": lambda: seeds.packed({"flight.mp4": clip()}),
        "a page": b"<html><video src='/etc/passwd'></html>",
        "subtitles": b"WEBVTT\n\n00:00.000 --> 00:01.000\n/etc/passwd\n",
        "a program": b"\x7fELF" + bytes(500),
        "a script of filters": b"movie=/etc/passwd,scale=1:1\n",
        "one frame": lambda: clip(count=1),
        "no frame": lambda: clip(count=0),
        "sound": _sound,
        "only a head": box(b"ftyp", b"isom\0\0\2\0isom"),
        "10,000 empty boxes": box(b"ftyp", b"isom\0\0\2\0isom") + box(b"free", b"") * 10_000,
    }


def _sound() -> bytes:
    stream = io.BytesIO()
    with av.open(stream, "w", format="wav") as container:
        out = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.sample_rate = 8000
        container.mux(out.encode(frame))
    return stream.getvalue()


def _cut() -> dict[str, bytes]:
    content = clip()
    moov = content.index(b"moov")
    return cuts(content, (4, 20, 40, moov - 200, moov, moov + 60, len(content) - 40))


def _lies() -> dict[str, object]:
    def number(kind: bytes, at: int, value: int) -> object:
        def make(inner: bytes) -> bytes:
            return inner[:at] + struct.pack(">I", value) + inner[at + 4 :]

        return lambda: changed(clip(), kind, make)

    def sized(width: int, height: int) -> object:
        def make(inner: bytes) -> bytes:
            # Behind the counts, the entry's own head and places that are reserved.
            return inner[:40] + struct.pack(">HH", width, height) + inner[44:]

        return lambda: changed(clip(), b"stsd", make)

    def deep() -> bytes:
        inner = b""
        for _ in range(5000):
            inner = box(b"trak", inner)
        return box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", inner)

    huge = struct.pack(">I4sQ", 1, b"moov", 2**63 - 1)
    return {
        "four billion frames": number(b"stsz", 8, 2**32 - 1),
        "frames of four gigabytes": number(b"stsz", 4, 2**32 - 1),
        "times of four billion frames": number(b"stts", 4, 2**32 - 1),
        "no time at all": number(b"mdhd", 12, 0),
        "four billion ticks a second": number(b"mdhd", 12, 2**32 - 1),
        "places beyond the end": number(b"stco", 8, 2**32 - 9),
        "places at the start": number(b"stco", 8, 0),
        "four billion places": number(b"stco", 4, 2**32 - 1),
        "chunks of four billion": number(b"stsc", 12, 2**32 - 1),
        "frames of 65,535 squared": sized(65535, 65535),
        "frames of nothing": sized(0, 0),
        "frames one pixel high": sized(65535, 1),
        "boxes 5,000 deep": deep,
        "a box of 2^63": box(b"ftyp", b"isom\0\0\2\0isom") + huge,
        "a box of no length": box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4s", 0, b"moov"),
        "a box shorter than its head": box(b"ftyp", b"isom\0\0\2\0isom")
        + struct.pack(">I4s", 4, b"moov") * 100,
        "an unknown codec": lambda: clip().replace(b"mp4v", b"zzzz"),
        "the codec of pictures": lambda: clip().replace(b"mp4v", b"png "),
        "pixels that are not packed": lambda: clip().replace(b"mp4v", b"raw "),
        "noise in its pictures": _noisy,
        "a title of a megabyte": lambda: clip(title="x" * 1_000_000),
        "a film and a list": lambda: clip() + b"#EXTM3U\n#EXTINF:9,\n/etc/passwd\n",
    }


def _noisy() -> bytes:
    content = bytearray(clip(count=9))
    start = content.index(b"mdat") + 40
    rng = np.random.default_rng(3)
    content[start : start + 400 : 3] = rng.integers(0, 256, 134, np.uint8).tobytes()
    return bytes(content)


def _matroska() -> dict[str, object]:
    def patched(find: bytes, put: bytes) -> object:
        return lambda: clip("matroska").replace(find, put, 1)

    linked = b"\x3e\xb9\x23\x90" + b"\xa1" + b"/etc/passwd/next.mkv/etc/passwd!!"
    return {
        "cut in half": lambda: clip("matroska")[: len(clip("matroska")) // 2],
        "sizes that are not known": patched(b"\x18\x53\x80\x67", b"\x18\x53\x80\x67\x01\xff"),
        "a follower in another file": patched(b"\x15\x49\xa9\x66", linked + b"\x15\x49\xa9\x66"),
        "an unknown codec": patched(b"V_MPEG4/ISO/ASP", b"V_ZZZZZ/ISO/ASP"),
        "no clusters": patched(b"\x1f\x43\xb6\x75", b"\xec\x43\xb6\x75"),
    }


def _gifs() -> dict[str, object]:
    def sized(width: int, height: int) -> object:
        def make() -> bytes:
            content = bytearray(clip("gif", "gif"))
            struct.pack_into("<HH", content, 6, width, height)
            return bytes(content)

        return make

    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", 8, 8, 0x80, 0, 0) + bytes(6)
    return {
        "65,535 squared": sized(65535, 65535),
        "30,000 squared": sized(30_000, 30_000),
        "nothing": sized(0, 0),
        "50,000 frames of a pixel": head + frame * 50_000 + b"\x3b",
        "frames beyond the picture": (head + frame * 3 + b"\x3b").replace(
            struct.pack("<HHHH", 0, 0, 1, 1), struct.pack("<HHHH", 60_000, 60_000, 60_000, 60_000)
        ),
    }


def _odd() -> dict[str, object]:
    return {
        "sound": lambda: clip(),
        "of one pixel's height": lambda: clip("gif", "gif", sizes=((64, 1),)),
        "as Matroska": lambda: clip("matroska"),
        "as AVI": lambda: clip("avi"),
        "in another code page": lambda: clip("avi", title="xxxx").replace(
            b"xxxx", b"\xe9\xff\x81g"
        ),
        "a title that is a script": lambda: clip(title="<script>alert(1)</script>"),
    }

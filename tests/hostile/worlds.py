"""World files that are none."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile import seeds
from tests.hostile.case import EITHER, REFUSED, Case, cases_of

_GOOD = ["0.5", "0", "0", "-0.5", "500000", "4000000"]


def cases() -> Iterator[Case]:
    """Yield all of them."""
    yield from cases_of("world file", "town.pgw", _refused(), REFUSED)
    yield from cases_of("world file", "town.pgw", {f"odd: {k}": v for k, v in _odd().items()})
    yield from cases_of("world file", "other.pgw", {"of another image": _text(*_GOOD)}, REFUSED)
    yield from cases_of("world file", "../town.pgw", {"by a path": _text(*_GOOD)}, EITHER)


def _text(*lines: str) -> bytes:
    return "\n".join(lines).encode() + b"\n"


def _with(at: int, value: str) -> bytes:
    return _text(*_GOOD[:at], value, *_GOOD[at + 1 :])


def _refused() -> dict[str, object]:
    found: dict[str, object] = {}
    for word in ("NaN", "nan", "inf", "-Infinity", "1e999", "word", "0x10", "1;DROP", "--1"):
        found[f"{word} for a size"] = _with(0, word)
        found[f"{word} for a place"] = _with(4, word)
    return found | {
        "empty": b"",
        "blanks": b" \n\t\n" * 20,
        "five numbers": _text(*_GOOD[:5]),
        "seven numbers": _text(*_GOOD, "1"),
        "a million numbers": b"1\n" * 1_000_000,
        "a number of a million digits": b"9" * 1_000_000,
        "size 0": _text("0", "0", "0", "0", "1", "1"),
        "no area": _text("1", "2", "2", "4", "0", "0"),
        "an image": seeds.picture("PNG"),
        "a page": b"<html><script>alert(1)</script></html>",
        "bytes": bytes(range(256)),
        "UTF-16": "\n".join(_GOOD).encode("utf-16"),
        "a zero byte between": b"0.5\0\n0\n0\n-0.5\n500000\n4000000",
        "a TAB file": b'!table\n!version 300\nDefinition Table\n  File "/etc/passwd"\n',
        "5 MB of blanks around": b" " * 5_000_000 + _text(*_GOOD),
        "XML": b"<!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
    }


def _odd() -> dict[str, object]:
    return {
        "1e308": _text("1e308", "0", "0", "-1e308", "1e308", "1e308"),
        "1e-308": _text("1e-308", "0", "0", "-1e-308", "0", "0"),
        "1e-320": _text("1e-320", "0", "0", "-1e-320", "0", "0"),
        "commas": _text("0,5", "0", "0", "-0,5", "500000,0", "4000000,0"),
        "thousands with commas": _with(4, "500,000.0"),
        "underscores": _with(4, "500_000"),
        "digits of Arabic": _with(4, "٥٠٠٠٠٠"),
        "in one line": " ".join(_GOOD).encode(),
        "a mark at the start": b"\xef\xbb\xbf" + _text(*_GOOD),
        "turned": _text("0", "0.5", "0.5", "0", "500000", "4000000"),
        "mirrored": _text("-0.5", "0", "0", "-0.5", "500000", "4000000"),
        "a pixel of a million metres": _text("1e6", "0", "0", "-1e6", "0", "0"),
        "beyond the system": _text("0.5", "0", "0", "-0.5", "1e12", "1e12"),
        "almost no area": _text("1", "1", "1", "1.0000000000000002", "0", "0"),
    }

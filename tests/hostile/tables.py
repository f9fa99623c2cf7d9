"""Tables and other texts under any name, for uploads that expect something else."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile import seeds
from tests.hostile.case import REFUSED, Case, cases_of


def cases() -> Iterator[Case]:
    """Yield all of them."""
    for kind, file in (
        ("image", "table.png"),
        ("truth", "table.geojson"),
        ("recipe", "table.json"),
        ("batch recipe", "table.json"),
        ("project", "table.rsam.zip"),
        ("data set", "table.zip"),
        ("class list", "table.json"),
        ("world file", "town.pgw"),
    ):
        found = {f"a table {key}": content for key, content in _tables().items()}
        yield from cases_of(kind, file, found, REFUSED)


def _tables() -> dict[str, object]:
    return {
        "of a million columns": lambda: b"a," * 1_000_000 + b"\n" + b"1," * 1_000_000,
        "of formulas": b"name,x\n=cmd|'/C calc'!A0,@SUM(1)\n",
        "one quote without an end": b'a,b\n"' + b"x" * 100_000,
        "a workbook": seeds.packed({"xl/workbook.xml": b"<x/>", "[Content_Types].xml": b"<x/>"}),
        "a page": b"<html><body onload=alert(1)>",
        "SQLite": b"SQLite format 3\0" + b"\xff" * 2000,
    }

"""Cells of tables and names in archives that would do something when they are opened."""

from __future__ import annotations

import csv
import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

from rsam_core.formats import to_coco, to_csv, to_yolo
from rsam_core.formats.tables import plain_cell
from rsam_core.objects.instances import Instances

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+cmd",
    "-1+cmd",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "  =1+1",
    "＝1+1",
    "-",
]
HARMLESS = ["roof", "-5", "+3.5", "-1e9", "1-2", "a=b", "", "'=1", "-0,5"]


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_become_texts(text: str):
    assert plain_cell(text) == "'" + text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_texts_stay(text: str):
    assert plain_cell(text) == text


def test_a_table_of_formulas_is_harmless_and_numbers_stay_numbers():
    table = pd.DataFrame({
        "id": [1, 2], "area": [-5, 7], "score": [-0.25, np.nan], "ok": [True, False],
        "label": ["=1+1", None], "=HYPERLINK()": ["a", "+b"],
    })  # fmt: skip
    rows = list(csv.reader(io.StringIO(to_csv(table).decode("utf-8-sig"))))
    assert rows == [
        ["id", "area", "score", "ok", "label", "'=HYPERLINK()"],
        ["1", "-5", "-0.25", "True", "'=1+1", "a"],
        ["2", "7", "", "False", "", "'+b"],
    ]
    assert table["label"][0] == "=1+1"


def test_texts_of_every_kind_of_column():
    for kind in (object, "category", "string"):
        table = pd.DataFrame({"label": pd.Series(["=1", "roof"], dtype=kind)})
        assert to_csv(table).decode("utf-8-sig").split() == ["label", "'=1", "roof"]


class Named:
    """A scene of which only the name counts."""

    transform = crs = gsd = None

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("name", "stem", "listed"),
    [
        ("tile_01.png", "tile_01", "tile_01.png"),
        ("..\\..\\evil.tif", "evil", "evil.tif"),
        ("../../evil.tif", "evil", "evil.tif"),
        ("C:\\maps\\town.tif", "town", "maps/town.tif"),
        ("/etc/passwd", "passwd", "etc/passwd"),
        ("CON.tif", "_CON", "_CON.tif"),
        ("a:b.tif", "a_b", "a_b.tif"),
    ],
)
def test_names_in_archives_lead_nowhere(name: str, stem: str, listed: str):
    objects = Instances.from_label_map(np.pad(np.ones((4, 4), np.int32), 3))
    with zipfile.ZipFile(io.BytesIO(to_yolo(objects, Named(name)))) as archive:
        assert archive.namelist()[0] == f"labels/{stem}.txt"
    assert json.loads(to_coco(objects, Named(name)))["images"][0]["file_name"] == listed

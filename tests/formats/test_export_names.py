"""Names of files to take along."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsam_core.formats.names import MAX_LENGTH, safe_name, safe_part, safe_path


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("town", "town"),
        ("Ortho 2024 (north)", "Ortho 2024 (north)"),
        ("Köln_Überflug", "Köln_Überflug"),
        ("Ko\u0308ln", "Köln"),
        ("航空写真", "航空写真"),
        ("../../etc/passwd", "passwd"),
        ("C:\\maps\\town", "town"),
        ('<script>alert("1")</script>', "script"),
        ("a<b>|c?*", "a_b_c"),
        ("=cmd|' /C calc'!A0", "C calc_A0"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("CON", "_CON"),
        ("nul.tif", "_nul.tif"),
        ("console", "console"),
        ("gpj\u202etif", "gpj_tif"),
        ("a\nb\x00c", "a_b_c"),
        ("", "image"),
        ("...", "image"),
    ],
)
def test_names_are_safe(name: str, expected: str) -> None:
    assert safe_name(name) == expected


@given(st.text(max_size=300))
def test_any_name_fits_every_system(name: str) -> None:
    found = safe_name(name)
    assert 0 < len(found) <= MAX_LENGTH + 1
    assert len(found.encode()) <= 161
    assert not set(found) & set('<>:"/\\|?*\n\r\t\0')
    assert found.strip(" .") == found
    assert safe_name(found) == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tile_01.png", "tile_01.png"),
        ("_a+b,c'(1).tif", "_a+b,c'(1).tif"),
        ("Ünï cödé 北京.tif", "Ünï cödé 北京.tif"),
        ("Ko\u0308ln.tif", "Köln.tif"),
        ("a:b|c.tif", "a_b_c.tif"),
        ("trailing. ", "trailing"),
        ("COM1.txt", "_COM1.txt"),
        ("gpj\u202etif", "gpj_tif"),
        ("..", "image"),
    ],
)
def test_parts_change_only_where_they_must(name: str, expected: str) -> None:
    assert safe_part(name) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("north/tile.png", "north/tile.png"),
        ("north\\tile.png", "north/tile.png"),
        ("..\\..\\evil.tif", "evil.tif"),
        ("../../evil.tif", "evil.tif"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\maps\\a.tif", "maps/a.tif"),
        ("a/./.. /b", "a/b"),
        ("", "image"),
    ],
)
def test_paths_stay_inside(path: str, expected: str) -> None:
    assert safe_path(path) == expected


def test_long_names_keep_their_ending() -> None:
    name = safe_part("界" * 300 + ".tif")
    assert name.endswith("界.tif")
    assert len(name.encode()) <= 210


@given(st.text(max_size=300))
def test_any_path_stays_inside(path: str) -> None:
    found = safe_path(path)
    assert not found.startswith("/")
    assert "\\" not in found
    for part in found.split("/"):
        assert part.strip(" .")
        assert not set(part) & set('<>:"|?*\n\r\t\0')
        assert not part.endswith((" ", "."))
    assert safe_path(found) == found

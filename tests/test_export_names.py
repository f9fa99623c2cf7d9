"""Names of files to take along."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsam_core.exports.names import LONGEST, safe_name


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
    assert 0 < len(found) <= LONGEST + 1
    assert len(found.encode()) <= 161
    assert not set(found) & set('<>:"/\\|?*\n\r\t\0')
    assert found.strip(" .") == found
    assert safe_name(found) == found

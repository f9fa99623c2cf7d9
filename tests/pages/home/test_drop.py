"""Words in the uploads of Home, which a style sheet shows."""

from __future__ import annotations

import re

from pages.parts.home.drop import hints
from rsam_core.runtime.language import speaking


def test_words_in_the_uploads_are_strings_of_css_in_the_language_in_use() -> None:
    with speaking("en"):
        english = re.findall(r'(--[a-z-]+):"([^"]+)";', hints())
    with speaking("es"):
        spanish = re.findall(r'(--[a-z-]+):"([^"]+)";', hints())
    assert english == [
        ("--image-hint", "JPG, PNG, GeoTIFF and more · or drop it anywhere here"),
        ("--project-hint", "A file that ends in .rsam.zip"),
    ]
    assert [name for name, _ in spanish] == [name for name, _ in english]
    assert "cualquier lugar" in spanish[0][1]
    assert ".rsam.zip" in spanish[1][1]

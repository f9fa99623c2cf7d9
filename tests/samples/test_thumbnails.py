"""The small pictures of the samples show what is drawn today."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rsam_core.errors import SceneError
from rsam_core.samples import GALLERY
from rsam_core.samples.series_gallery import SERIES_GALLERY
from rsam_core.samples.thumbnails import PICTURES, drawn, thumbnail


def picture(key: str) -> np.ndarray:
    content = np.frombuffer(thumbnail(key), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_COLOR)[..., ::-1].astype(int)


def test_every_sample_has_one_of_its_own() -> None:
    keys = [entry.key for entry in GALLERY]
    # Beside them lie those of series and of the pair.
    others = {"pair", *(f"series-{entry.key}" for entry in SERIES_GALLERY)}
    assert {file.stem for file in PICTURES.glob("*.jpg")} == set(keys) | others
    pictures = [picture(key) for key in keys]
    assert {one.shape[1] for one in pictures} == {480}
    assert all(one.std() > 20 for one in pictures)
    assert len({one.tobytes() for one in pictures}) == len(keys)


@pytest.mark.parametrize("key", ["harbour", "drone"])
def test_it_is_what_is_drawn(key: str) -> None:
    # The two that are drawn fastest; JPEG changes single values a little.
    shown, now = picture(key), drawn(key).astype(int)
    assert shown.shape == now.shape
    assert np.abs(shown - now).mean() < 4
    others = [picture(entry.key) for entry in GALLERY if entry.key != key]
    assert all(np.abs(other - now).mean() > 20 for other in others if other.shape == now.shape)


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(SceneError, match="harbour"):
        thumbnail("atlantis")

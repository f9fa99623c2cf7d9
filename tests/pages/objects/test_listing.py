"""The list of objects beside the picture."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest

from pages.parts.objects.listing import MOST, listed
from pages.parts.shared.object_thumbnail import thumbnail
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.scene.coordinates import Frame


def block(side: int, x: int, y: int, id: int) -> Instance:
    return Instance(np.ones((side, side), bool), x, y, id=id)


def test_selected_objects_come_first_then_large_ones():
    found = Instances([block(3, 0, 0, 1), block(9, 20, 0, 2), block(5, 40, 0, 3)], (60, 60))
    assert listed(found, frozenset()).ids.tolist() == [2, 3, 1]
    assert listed(found, frozenset({1})).ids.tolist() == [1, 2, 3]
    many = Instances([block(2, k % 50, k // 50, k + 1) for k in range(MOST + 7)], (60, 60))
    assert len(listed(many, frozenset({MOST + 7}))) == MOST
    assert listed(many, frozenset({MOST + 7})).ids[0] == MOST + 7


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_thumbnail_shows_the_object_in_the_middle_with_its_outline(scale):
    # A red square of 40 scene pixels on grey ground, near the edge.
    image = np.full((round(200 * scale), round(200 * scale), 3), 120, np.uint8)
    edge = [round(v * scale) for v in (10, 50)]
    image[edge[0] : edge[1], edge[0] : edge[1]] = (200, 30, 30)
    view = Frame(0, 0, 200, 200, *image.shape[1::-1])
    text = thumbnail(image, block(40, 10, 10, 1), view)
    content = base64.b64decode(text.removeprefix("data:image/jpeg;base64,"))
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    side = len(picture)
    middle = picture[side // 2 - 3 : side // 2 + 3, side // 2 - 3 : side // 2 + 3]
    np.testing.assert_allclose(middle.mean((0, 1)), (200, 30, 30), atol=12)
    np.testing.assert_allclose(picture[2:4, 2:4].mean((0, 1)), (120, 120, 120), atol=12)
    # The side of the thumbnail is 1.5 times that of the object: its outline is at a sixth.
    line = picture[side // 2, round(side / 6) - 1 : round(side / 6) + 2].astype(int)
    assert (line[:, 1] - line[:, 2]).max() > 80, "yellow"

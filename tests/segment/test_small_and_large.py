"""One click on things of all sizes, drawn, with the shipped weights."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from rsam_core.prompts.history import PromptedObject, PromptMark
from rsam_core.prompts.prompt import Prompt
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import overlap

GRASS, SOIL, ASPHALT = (120, 150, 70), (150, 130, 100), (110, 110, 115)


@pytest.fixture(scope="module")
def segmenter(tiny) -> Segmenter:
    return Segmenter(tiny)


def surface(side: int, colour: tuple[int, int, int], seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 10, (side, side))
    return np.array(colour) + 2.5 * cv2.GaussianBlur(noise, (0, 0), 1.2)[..., None]


def picture(mask: np.ndarray, inside: tuple, outside: tuple) -> np.ndarray:
    image = surface(len(mask), outside, 1)
    image[mask] = surface(len(mask), inside, 2)[mask]
    return image.clip(0, 255).astype(np.uint8)


def drawn(side: int, corners: list[tuple[int, int]]) -> np.ndarray:
    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.array(corners)], 1)
    return mask.astype(bool)


def test_a_field_of_2500_pixels_in_a_scene_of_4000_is_outlined_by_one_click(segmenter):
    # The view shows the whole scene at a quarter of its size, as after "Fit" on a small screen.
    view = Frame(0, 0, 4000, 4000, 1000, 1000)
    field = drawn(1000, [(180, 160), (805, 150), (810, 780), (190, 800)])
    image = picture(field, GRASS, SOIL)
    prompter = Prompter(segmenter, lambda _: segmenter.embed(image), view)
    found = prompter.instance(
        PromptedObject(1, (PromptMark(1, "point", 2000, 1900, 2000, 1900, 1),))
    )
    truth = cv2.resize(field.astype(np.uint8), (4000, 4000), interpolation=cv2.INTER_NEAREST) > 0
    assert max(found.bbox[2] - found.bbox[0], found.bbox[3] - found.bbox[1]) > 2400
    full = np.zeros((4000, 4000), bool)
    x0, y0, x1, y1 = found.bbox
    full[y0:y1, x0:x1] = found.mask
    assert overlap(full, truth) > 0.95


def test_a_road_across_the_view_is_not_cut_straight(segmenter):
    line = np.zeros((1024, 1024), np.uint8)
    cv2.line(line, (0, 300), (1023, 700), 1, 22)
    road = line.astype(bool)
    embedding = segmenter.embed(picture(road, ASPHALT, GRASS))
    answer = segmenter.predict(embedding, Prompt(points=[(500, 495)]))
    best = answer.masks[0]
    # The usual windows end 128 and 256 pixels to both sides of the click.
    columns = np.flatnonzero(best.any(0))
    assert columns[0] < 500 - 256 - 64
    assert columns[-1] > 500 + 256 + 64
    assert overlap(best, road) > 0.55
    assert np.count_nonzero(best & ~road) < 0.2 * np.count_nonzero(best)


@pytest.mark.parametrize(("length", "width"), [(10, 10), (20, 10)])
def test_a_car_of_ten_pixels(segmenter, length, width):
    car = np.zeros((512, 512), bool)
    car[250 : 250 + width, 250 : 250 + length] = True
    embedding = segmenter.embed(picture(car, (200, 40, 40), ASPHALT))
    answer = segmenter.predict(embedding, Prompt(points=[(250 + length / 2, 250 + width / 2)]))
    # 0.82 and 0.77 by one look at its natural size.
    assert overlap(answer.masks[0], car) > 0.84


def test_pictures_are_kept_as_they_were_encoded(segmenter):
    image = picture(drawn(256, [(60, 60), (90, 60), (90, 90), (60, 90)]), SOIL, GRASS)
    prompt = Prompt(points=[(75, 75)])
    embedding = segmenter.embed(image)
    before = segmenter.predict(embedding, prompt).masks[0]
    image[:] = 0
    assert np.array_equal(segmenter.predict(embedding, prompt).masks[0], before)
    assert embedding.nbytes > 256 * 256 * 3


def test_large_proposed_boxes_share_one_encoding_of_the_reduced_view(segmenter, monkeypatch):
    model, side = segmenter.model, 1500
    fields = [
        drawn(side, [(x, y), (x + 640, y), (x + 640, y + 640), (x, y + 640)])
        for x in (60, 800) for y in (60, 800)
    ]  # fmt: skip
    image = picture(np.any(fields, axis=0), GRASS, SOIL)
    features = segmenter.embed(image).features
    sizes = []
    encode = model.network.encode
    monkeypatch.setattr(
        model.network, "encode", lambda rgb: sizes.append(tuple(rgb.shape[2:])) or encode(rgb)
    )
    boxes = [Prompt(box=(x - 6, y + 5, x + 645, y + 648)) for x in (60, 800) for y in (60, 800)]
    found = model.decode_many(features, boxes, False, quick=True)
    for answer, field in zip(found, fields, strict=True):
        assert overlap(answer.full((side, side))[0], field) > 0.95
    # Windows of 1024 pixels at a quarter of the size: the view is 375 pixels wide there.
    assert sizes == [(384, 384)]
    model.decode_many(features, boxes, False, quick=True)
    assert len(sizes) == 1
    # What a person drew is looked at in a window of its own.
    model.decode(features, boxes[0], False)
    assert len(sizes) > 1
    assert features.nbytes >= features.maps.nbytes + features.encoded_reduced[4].nbytes

"""Pictures: what is drawn where, in which colour, in which view."""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from rsam_core.errors import MetricError, RsamError
from rsam_core.objects import palette
from rsam_core.objects.instances import Instance, Instances
from rsam_core.render.overlays import (
    OverlayStyle,
    candidate_thumbnail,
    confusion_legend,
    confusion_picture,
    legend,
    overlay,
    overlay_layer,
)

GREY = np.full((40, 60, 3), 100, np.uint8)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def rectangle(x: int, y: int, width: int, height: int, **fields: object) -> Instance:
    return Instance(np.ones((height, width), bool), x, y, **fields)


def single(**fields: object) -> OverlayStyle:
    return OverlayStyle(**{"fill": "single", "color": "#FF0000", "contour": False} | fields)


def colored(picture: np.ndarray, color: tuple[int, int, int] = RED) -> np.ndarray:
    return (picture == color).all(axis=2)


def test_fill_blends_by_opacity_and_leaves_the_rest_and_the_input_alone():
    objects = Instances([rectangle(10, 5, 20, 8)], (40, 60))
    picture = overlay(GREY, objects, single(opacity=0.5))
    where = objects.union_mask()
    # Half of 100 and 255, half of 100 and 0.
    assert np.abs(picture[where].astype(int) - (178, 50, 50)).max() <= 1
    assert (picture[~where] == 100).all()
    assert (GREY == 100).all()
    assert (overlay(GREY, objects, single(opacity=0.0)) == GREY).all()
    assert (colored(overlay(GREY, objects, single(opacity=1.0))) == where).all()


def test_owner_is_on_top_where_objects_overlap():
    objects = Instances(
        [rectangle(0, 0, 30, 30, label="building"), rectangle(5, 5, 6, 6, label="water")], (40, 60)
    )
    style = OverlayStyle(fill="class", opacity=1.0, contour=False)
    picture = overlay(GREY, objects, style)
    labels = objects.label_map()
    assert (colored(picture, palette.class_color("building")) == (labels == 1)).all()
    assert (colored(picture, palette.class_color("water")) == (labels == 2)).all()


def test_random_colors_belong_to_the_number():
    objects = Instances([rectangle(0, 0, 5, 5, id=4), rectangle(9, 0, 5, 5, id=8)], (40, 60))
    style = OverlayStyle(opacity=1.0, contour=False)
    both, one = overlay(GREY, objects, style), overlay(GREY, objects.remove(4), style)
    assert tuple(both[2, 2]) == palette.random_color(4)
    assert tuple(both[2, 11]) == tuple(one[2, 11]) == palette.random_color(8)


@pytest.mark.parametrize("scale", [0.5, 1.0, 2.0, 3.7])
@pytest.mark.parametrize("origin", [(0, 0), (13, 6), (7.3, 3.2)])
def test_view_shows_what_lies_in_its_window(origin, scale):
    rows, columns = np.mgrid[:90, :120] + 0.5
    full = (columns - 40) ** 2 + (rows - 30) ** 2 < 24**2
    full |= (columns > 70) & (columns < 100) & (rows > 45) & (rows < 75)
    objects = Instances([Instance(full)], full.shape)
    view = np.zeros((110, 130, 3), np.uint8)
    drawn = colored(overlay(view, objects, single(opacity=1.0), origin=origin, scale=scale))
    # Independently: where is the centre of each view pixel in the scene?
    y, x = (np.mgrid[:110, :130] + 0.5) / scale + np.array(origin[::-1])[:, None, None]
    inside = (x < 120) & (y < 90)
    expected = np.zeros(drawn.shape, bool)
    expected[inside] = full[y[inside].astype(int), x[inside].astype(int)]
    shared, either = (drawn & expected).sum(), (drawn | expected).sum()
    assert shared / either > (0.999 if scale == 1 and origin != (7.3, 3.2) else 0.96)
    assert drawn.sum() == pytest.approx(expected.sum(), rel=0.015)


def test_tiny_object_never_vanishes_in_a_reduced_view():
    objects = Instances([rectangle(x, 500, 2, 2) for x in range(100, 900, 37)], (1000, 1000))
    view = np.zeros((100, 100, 3), np.uint8)
    drawn = colored(overlay(view, objects, single(opacity=1.0), scale=0.1))
    assert drawn.sum() == len(objects)
    assert drawn[50].sum() == len(objects)


def test_contour_runs_along_the_border_and_around_holes():
    mask = np.ones((20, 20), bool)
    mask[8:12, 8:12] = False
    objects = Instances([Instance(mask, 10, 10)], (40, 60))
    style = OverlayStyle(fill="none", color="#FF0000", contour_width=1)
    touched = (overlay(GREY, objects, style) != GREY).any(axis=2)
    assert touched[10, 20]
    assert touched[20, 29]
    assert touched[17, 20]
    assert not touched[13, 13]
    assert not touched[20, 20]
    assert not touched[5, 5]


def test_width_of_the_contour_is_in_display_pixels():
    objects = Instances([rectangle(10, 10, 20, 10)], (40, 60))
    view = np.zeros((160, 240, 3), np.uint8)
    for width in range(1, 9):
        style = OverlayStyle(fill="none", color="#FF0000", contour_width=width)
        column = overlay(view, objects, style, scale=4.0)[20:60, 80, 0]
        assert column.sum() / 255 == pytest.approx(width, abs=0.4)


def test_object_cut_by_the_view_is_not_outlined_along_its_edge():
    objects = Instances([rectangle(0, 10, 60, 20)], (40, 60))
    view = np.full((40, 20, 3), 100, np.uint8)
    style = OverlayStyle(fill="none", color="#FF0000", contour_width=2)
    picture = overlay(view, objects, style, origin=(20, 0))
    assert (picture[14:26] == 100).all()
    assert (picture[10, :] != 100).any(axis=1).all()


def test_objects_outside_the_view_leave_it_as_it_is():
    objects = Instances([rectangle(300, 300, 20, 20)], (1000, 1000))
    assert (overlay(GREY, objects, OverlayStyle(highlight=(1,))) == GREY).all()
    assert (overlay(GREY, Instances.empty((40, 60))) == GREY).all()


def large_and_small() -> Instances:
    return Instances([rectangle(2, 2, 20, 20), rectangle(40, 10, 6, 6)], (40, 60))


def test_large_objects_filled_red():
    style = OverlayStyle(opacity=1.0, contour=False, large_area=400, large_mode="fill")
    picture = overlay(GREY, large_and_small(), style)
    assert tuple(picture[10, 10]) == palette.to_rgb(palette.LARGE)
    assert tuple(picture[12, 42]) == palette.random_color(2)
    style = OverlayStyle(opacity=1.0, contour=False, large_area=401, large_mode="fill")
    assert tuple(overlay(GREY, large_and_small(), style)[10, 10]) == palette.random_color(1)


def test_large_objects_outlined_red_and_the_others_hidden():
    style = OverlayStyle(
        opacity=1.0, contour=False, large_area=400, large_mode="contour", others="hide"
    )
    picture = overlay(GREY, large_and_small(), style)
    assert (picture[8:16, 8:16] == 100).all()
    assert tuple(picture[2, 10]) == palette.to_rgb(palette.LARGE)
    assert (picture[5:20, 35:] == 100).all()


def test_others_faded():
    style = OverlayStyle(
        fill="single",
        color="#FF0000",
        opacity=1.0,
        large_area=400,
        large_mode="fill",
        others="fade",
    )
    picture = overlay(GREY, large_and_small(), style)
    # 30 % of the opacity: 0.7 · 100 + 0.3 · 255.
    assert np.abs(picture[12, 42].astype(int) - (146, 70, 70)).max() <= 1


def test_unfilled_object_makes_no_hole_in_a_filled_one():
    objects = Instances([rectangle(0, 0, 30, 30), rectangle(5, 5, 6, 6)], (40, 60))
    style = single(opacity=1.0, large_area=100, large_mode=None, others="hide")
    assert colored(overlay(GREY, objects, style))[:30, :30].all()


def test_selected_object_is_outlined_even_when_hidden():
    style = single(large_area=400, others="hide", highlight=(2, 99))
    picture = overlay(GREY, large_and_small(), style)
    assert tuple(picture[10, 42]) == palette.to_rgb(palette.HIGHLIGHT)
    assert not colored(picture[:, :30], palette.to_rgb(palette.HIGHLIGHT)).any()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"fill": "rainbow"}, "fill must be one of: random, single, none, class"),
        ({"opacity": 1.1}, "between 0 and 1"),
        ({"opacity": float("nan")}, "between 0 and 1"),
        ({"contour_width": 0}, "line width"),
        ({"color": "red"}, "not a colour"),
        ({"contour_color": "#12"}, "not a colour"),
        ({"large_area": -1}, "0 or more"),
        ({"large_mode": "none"}, "large_mode"),
        ({"others": "drop"}, "others"),
    ],
)
def test_bad_style_is_refused(fields, words):
    with pytest.raises(RsamError, match=words):
        OverlayStyle(**fields)


@pytest.mark.parametrize("image", [np.zeros((5, 5), np.uint8), np.zeros((5, 5, 3)), np.zeros(3)])
def test_bad_image_is_refused(image):
    with pytest.raises(RsamError, match="three colours of 8 bits"):
        overlay(image, Instances.empty((5, 5)))


def test_bad_scale_is_refused():
    with pytest.raises(RsamError, match="scale"):
        overlay(GREY, Instances.empty((40, 60)), scale=0)


def test_legend_says_what_is_drawn():
    red = palette.LARGE
    assert legend(single()) == [("object", "#FF0000")]
    style = single(large_area=400, large_mode="fill", highlight=(1,))
    assert legend(style, gsd=0.5) == [
        ("large object, 100 m² or more", red),
        ("other object", "#FF0000"),
        ("selected", palette.HIGHLIGHT),
    ]
    hidden = single(large_area=1500, large_mode="contour", others="hide")
    assert legend(hidden) == [("large object, 1,500 px or more", red)]
    objects = Instances([rectangle(0, 0, 1, 1, label="water"), rectangle(2, 0, 1, 1)], (4, 4))
    assert legend(OverlayStyle(fill="class"), objects) == [
        ("water", palette.CLASSES["water"]),
        ("no class yet", palette.UNLABELLED),
    ]
    assert legend(OverlayStyle())[0][1] == palette.to_hex(palette.random_color(1))


def test_random_colors_are_stable_bright_and_far_apart():
    ids = np.arange(1, 201)
    colors = palette.random_colors(ids)
    assert (colors == [palette.random_color(id) for id in ids]).all()
    lab = rgb2lab(colors[None] / 255)[0]
    next_four = [deltaE_ciede2000(lab[:-step], lab[step:]).min() for step in range(1, 5)]
    assert min(next_four) > 12
    vegetation = rgb2lab(np.array([[[70, 95, 55], [50, 80, 45], [110, 130, 80]]]) / 255)[0]
    assert min(deltaE_ciede2000(lab, green[None]).min() for green in vegetation) > 20


def test_class_colors():
    assert palette.class_color("Buildings") == palette.to_rgb(palette.CLASSES["building"])
    assert palette.class_color(None) == palette.to_rgb(palette.UNLABELLED)
    # Spelled out, because it must not change between sessions.
    assert palette.class_color("greenhouse") == palette.random_color(3697864987 % 100_003)
    assert palette.to_hex(palette.to_rgb("#0af")) == "#00AAFF"


TRUTH = np.zeros((40, 60), bool)
TRUTH[5:25, 5:25] = True
PREDICTION = np.zeros((40, 60), np.uint16)
PREDICTION[10:30, 5:25] = 9


def test_confusion_picture_puts_each_color_in_its_place():
    picture = confusion_picture(GREY, TRUTH, PREDICTION, opacity=1.0)
    right, wrong, missed = (palette.to_rgb(color) for _, color in confusion_legend())
    assert (colored(picture, right) == (TRUTH & (PREDICTION > 0))).all()
    assert (colored(picture, wrong) == (~TRUTH & (PREDICTION > 0))).all()
    assert (colored(picture, missed) == (TRUTH & (PREDICTION == 0))).all()
    valid = np.zeros_like(TRUTH)
    plain = confusion_picture(GREY, TRUTH, PREDICTION, valid=valid)
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 1


def test_confusion_picture_of_a_reduced_image():
    small = confusion_picture(GREY[::2, ::2], TRUTH, PREDICTION, opacity=1.0)
    whole = confusion_picture(GREY, TRUTH, PREDICTION, opacity=1.0)
    assert (small == whole[1::2, 1::2]).all()
    with pytest.raises(MetricError, match="30 × 40 pixels but the masks have 60 × 40"):
        confusion_picture(GREY[:, ::2], TRUTH, PREDICTION)
    with pytest.raises(MetricError, match="60 × 40"):
        confusion_picture(GREY, TRUTH, PREDICTION[::2, ::2])


# Machado, Oliveira and Fernandes (2009), severity 1: what a reader without one kind of cone sees.
COLOR_BLIND = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
    "none": np.eye(3),
}


@pytest.mark.parametrize("kind", COLOR_BLIND)
@pytest.mark.parametrize("ground", [0, 100, 190, 255])
def test_confusion_colors_stay_apart_for_color_blind_readers(kind, ground):
    picture = confusion_picture(np.full((40, 60, 3), ground, np.uint8), TRUTH, PREDICTION)
    four = picture[[7, 15, 27, 35], [10, 10, 10, 50]] / 255
    linear = np.where(four <= 0.04045, four / 12.92, ((four + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(COLOR_BLIND[kind]).T, 0, 1)
    encoded = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    lab = rgb2lab(encoded[None])[0]
    distance = [deltaE_ciede2000(lab[i], lab[j]) for i in range(4) for j in range(i)]
    assert min(distance) > 12


def test_thumbnail_shows_the_mask_and_some_ground_around_it():
    image = np.zeros((200, 300, 3), np.uint8)
    mask = np.zeros((30, 50), bool)
    mask[5:25, 5:45] = True
    thumbnail = candidate_thumbnail(image, mask, x=100, y=80, size=160, color="#FF0000")
    assert thumbnail.shape == (160, 160, 3)
    rows, columns = np.nonzero(thumbnail[..., 0])
    # 40 of 56 pixels wide (1.4 times the longer side), and centred.
    assert np.ptp(columns) == pytest.approx(160 * 40 / 56, abs=4)
    assert np.ptp(rows) == pytest.approx(160 * 20 / 56, abs=4)
    assert columns.mean() == pytest.approx(79.5, abs=1)
    assert rows.mean() == pytest.approx(79.5, abs=1)


def test_thumbnail_at_the_edge_of_the_image_of_nothing_and_in_a_common_frame():
    rng = np.random.default_rng(0)
    image = rng.integers(40, 255, (60, 90, 3), dtype=np.uint8)
    corner = candidate_thumbnail(image, np.ones((4, 4), bool), x=86, y=56, size=96, color="#40C0FF")
    assert (corner > 16).all()
    nothing = candidate_thumbnail(image, np.zeros((4, 4), bool), size=90)
    # The whole image between two dark bars.
    assert (nothing[15:75] == image).all()
    assert (nothing[:15] == palette.to_rgb(palette.CASING)).all()
    frame = (30, 20, 50, 40)
    large, small = (
        candidate_thumbnail(np.zeros_like(image), np.ones((s, s), bool), x=30, y=20, frame=frame)
        for s in (20, 10)
    )
    assert (large[..., 2] > 0).sum() == pytest.approx(4 * (small[..., 2] > 0).sum(), rel=0.1)


def test_a_thousand_objects_are_drawn_in_well_under_a_second():
    mask = cv2.circle(np.zeros((31, 31), np.uint8), (15, 15), 15, 1, -1)
    rng = np.random.default_rng(2)
    items = [Instance(mask, int(x), int(y)) for x, y in rng.integers(0, 990, (1000, 2))]
    objects = Instances(items, (1024, 1024))
    image = np.zeros((1024, 1024, 3), np.uint8)
    overlay(image, objects[:1])
    start = time.process_time()
    overlay(image, objects)
    assert time.process_time() - start < 1.0


# ------------------------------------------------------------------ layers


@pytest.mark.parametrize(
    "style",
    [
        OverlayStyle(),
        OverlayStyle(fill="none", contour_width=4),
        OverlayStyle(fill="single", opacity=0.9, contour=False),
        OverlayStyle(large_area=200, large_mode="fill", others="fade", highlight=(1,)),
    ],
)
@pytest.mark.parametrize(("origin", "scale"), [((0, 0), 1.0), ((7.5, 3.25), 2.7), ((0, 0), 0.4)])
def test_a_layer_laid_over_the_image_looks_like_the_overlay(style, origin, scale):
    rng = np.random.default_rng(5)
    image = rng.integers(0, 256, (60, 80, 3), np.uint8)
    labels = np.zeros((100, 120), np.int32)
    labels[10:40, 12:50], labels[30:60, 60:90], labels[70:75, 20:26] = 1, 2, 3
    objects = Instances.from_label_map(labels)
    layer = overlay_layer((60, 80), objects, style, origin=origin, scale=scale).astype(float)
    share = layer[..., 3:] / 255
    composed = image * (1 - share) + layer[..., :3] * share
    drawn = overlay(image, objects, style, origin=origin, scale=scale)
    assert np.abs(composed - drawn).max() <= 3
    assert layer[..., 3].max() > 0


def test_a_layer_without_objects_is_transparent():
    layer = overlay_layer((20, 30), Instances.empty((20, 30)))
    assert layer.shape == (20, 30, 4)
    assert not layer.any()


def test_classes_have_the_colours_that_were_chosen():
    labels = np.zeros((20, 40), np.int32)
    labels[2:18, 2:18], labels[2:18, 22:38] = 1, 2
    objects = Instances.from_label_map(labels)
    objects = objects.replace(replace(objects.get(1), label="pond"))
    style = OverlayStyle(
        fill="class", opacity=1, contour=False, class_colors=(("pond", "#0102F0"),)
    )
    layer = overlay_layer((20, 40), objects, style)
    assert layer[10, 10].tolist() == [1, 2, 240, 255]
    assert layer[10, 30].tolist() == [*palette.to_rgb(palette.UNLABELLED), 255]
    assert ("pond", "#0102F0") in legend(style, objects)
    with pytest.raises(RsamError):
        OverlayStyle(class_colors=(("pond", "blue"),))

"""Scene, view and canvas coordinates, and what the canvas component reports."""

from __future__ import annotations

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.scene.coordinates import MAX_VIEW, Frame, Viewport, choose_view, view_frame

FRAMES = [
    Frame(0, 0, 100, 80, 100, 80),
    Frame(0, 0, 1000, 700, 333, 233),
    Frame(120, 45, 640, 480, 701, 527),
    Frame(7.5, 3.25, 41.3, 17.9, 640, 277),
]


# ------------------------------------------------------------------ frames


def test_frame_by_hand():
    # A window of 100 × 50 scene pixels at (10, 20), shown four times as large.
    frame = Frame(10, 20, 100, 50, 400, 200)
    assert frame.scale == (4, 4)
    assert frame.to_scene((0, 0)).tolist() == [10, 20]
    assert frame.to_scene((400, 200)).tolist() == [110, 70]
    # The centre of the window's second pixel lies six picture pixels from its edge.
    assert frame.from_scene((11.5, 20.5)).tolist() == [6, 2]
    assert frame.to_scene([(4, 8), (2, 100)]).tolist() == [[11, 22], [10.5, 45]]


def test_scale_may_differ_along_x_and_y():
    frame = Frame(0, 0, 1000, 700, 333, 233)
    assert frame.scale == pytest.approx((0.333, 233 / 700))
    assert frame.to_scene((333, 233)).tolist() == [1000, 700]


@pytest.mark.parametrize("frame", FRAMES)
def test_scene_to_picture_and_back(frame):
    points = np.random.default_rng(0).uniform((0, 0), (640, 480), (50, 2))
    assert frame.to_scene(frame.from_scene(points)) == pytest.approx(points, abs=1e-9)
    assert frame.from_scene(frame.to_scene(points)) == pytest.approx(points, abs=1e-9)


@pytest.mark.parametrize(
    ("size", "picture"),
    [((640, 480), (640, 480)), ((4096, 1000), (2048, 500)), ((3, 9000), (1, 2048))],
)
def test_view_is_native_or_shrunk_to_the_longest_side(size, picture):
    view = view_frame(*size)
    assert (view.columns, view.rows) == picture
    assert (view.x, view.y, view.width, view.height) == (0, 0, *size)


@pytest.mark.parametrize("size", [(0, 5, 5, 5), (5, -1, 5, 5), (5, 5, 0, 5)])
def test_frame_without_size_is_refused(size):
    with pytest.raises(PromptError, match="size above zero"):
        Frame(0, 0, *size)


def test_a_window_holds_points_and_boxes_up_to_its_edges():
    frame = Frame(10, 20, 100, 50, 400, 200)
    assert frame.bounds == (10, 20, 110, 70)
    assert frame.contains(10, 20)
    assert frame.contains(110, 70)
    assert not frame.contains(9.9, 30)
    assert frame.contains(10, 20, 110, 70)
    assert not frame.contains(50, 30, 111, 40)


# ------------------------------------------------------------------ what is on the screen


def test_a_scene_that_is_fitted_lies_in_the_middle():
    # 400 × 100 scene pixels on 800 × 600: twice as large, with equal bands above and below.
    fitted = Viewport.fitting(400, 100, 800, 600)
    assert (fitted.x, fitted.y, fitted.scale) == (0, -100, 2)
    assert (fitted.width, fitted.height) == (400, 300)
    assert fitted.fits(400, 100)
    assert not fitted.fits(390, 100)
    assert not Viewport(0, 0, 4, 800, 600).fits(400, 100)


def test_what_is_on_the_screen_is_cut_to_the_scene_and_whole_pixels():
    seen = Viewport(-20, 10.5, 2, 200, 100)
    region = seen.within(1000, 40)
    assert region.bounds == (0, 10, 80, 40)
    assert (region.columns, region.rows) == (160, 60)
    # A margin of half the screen (100 × 50 scene pixels) on each side.
    assert seen.within(1000, 1000, 0.5).bounds == (0, 0, 130, 86)
    assert Viewport(2000, 0, 1, 100, 100).within(1000, 1000) is None


@pytest.mark.parametrize("bad", [(0, 0, 0, 5, 5), (0, 0, 1, 0, 5), (float("nan"), 0, 1, 5, 5)])
def test_a_screen_without_size_or_place_is_refused(bad):
    with pytest.raises(PromptError, match="lost its place"):
        Viewport(*bad)


# ------------------------------------------------------------------ what the model sees

SIDE = 12_000


def looking(x: float, y: float, scale: float) -> Viewport:
    """A canvas of 900 × 600 screen pixels."""
    return Viewport(x, y, scale, 900, 600)


def test_a_scene_of_one_view_is_always_seen_whole():
    whole = view_frame(2048, 1500)
    for seen in (None, Viewport(500, 500, 8, 900, 600), Viewport(0, 0, 0.1, 900, 600)):
        assert choose_view(2048, 1500, seen) == whole


def test_a_large_scene_is_an_overview_until_one_zooms_in():
    assert choose_view(SIDE, SIDE, None) == view_frame(SIDE, SIDE)
    fitted = Viewport.fitting(SIDE, SIDE, 900, 600)
    assert choose_view(SIDE, SIDE, fitted) == view_frame(SIDE, SIDE)


@pytest.mark.parametrize("scale", [0.51, 1, 2, 10, 40])
@pytest.mark.parametrize("corner", [(0, 0), (5000.3, 7000.8), (11_900, 11_950)])
def test_zoomed_in_the_model_sees_every_pixel_of_what_is_on_the_screen(scale, corner):
    seen = looking(*corner, scale)
    view = choose_view(SIDE, SIDE, seen)
    assert view.scale == (1, 1)
    assert view.contains(*seen.within(SIDE, SIDE).bounds)
    assert 0 <= view.x <= view.x + view.width <= SIDE
    assert 0 <= view.y <= view.y + view.height <= SIDE
    assert max(view.columns, view.rows) <= MAX_VIEW


@pytest.mark.parametrize("scale", np.geomspace(0.06, 20, 25))
@pytest.mark.parametrize("canvas", [(900, 600), (3800, 2000), (320, 900)])
def test_any_view_holds_the_screen_and_is_bounded(scale, canvas):
    for corner in np.random.default_rng(3).uniform(-200, SIDE, (10, 2)):
        seen = Viewport(*corner, scale, *canvas)
        region = seen.within(SIDE, SIDE)
        view = choose_view(SIDE, SIDE, seen)
        assert max(view.columns, view.rows) <= MAX_VIEW
        if region is not None:
            assert view.contains(*region.bounds)


def test_the_view_stays_while_one_pans_a_little_or_zooms_in():
    view = choose_view(SIDE, SIDE, looking(5000, 5000, 1))
    for seen in (looking(5050, 5020, 1), looking(5200, 5200, 3), looking(5300, 5200, 30)):
        assert choose_view(SIDE, SIDE, seen, view) == view
    far = choose_view(SIDE, SIDE, looking(7000, 5000, 1), view)
    assert far != view
    assert far.contains(7000, 5000)


def test_the_view_is_reduced_when_one_zooms_out_and_comes_back_the_same():
    close = choose_view(SIDE, SIDE, looking(5000, 5000, 1))
    wide = choose_view(SIDE, SIDE, looking(4000, 4000, 0.3), close)
    assert wide.scale == (0.5, 0.5)
    assert choose_view(SIDE, SIDE, looking(5000, 5000, 1), wide) == close


def test_a_scene_hardly_larger_than_a_view():
    view = choose_view(2600, 700, Viewport(1500, 0, 1, 900, 600))
    assert view.scale == (1, 1)
    assert view.contains(1500, 0, 2400, 600)
    assert view.bounds[2] <= 2600
    assert view.bounds[3] <= 700

"""An object followed through drawn frames with a model that segments by colour."""

from __future__ import annotations

import io

import numpy as np
import pytest
from affine import Affine

import rsam_core as rsam
from rsam_core.change import ArrayPicture, read_frames
from rsam_core.change.following import follow_prompts
from rsam_core.change.motion import camera_shift
from rsam_core.errors import Cancelled, FollowError, VideoError
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.colour_model import ColourModel

SHAPE = (120, 160)


def frame(x: float, y: float, side: int = 24, shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """A red block on a textured ground that is moved by `shift`."""
    rng = np.random.default_rng(2)
    ground = np.kron(rng.integers(60, 150, (30, 40)), np.ones((6, 6)))
    ground = np.roll(ground, shift[::-1], (0, 1))[: SHAPE[0], : SHAPE[1]]
    image = np.repeat(ground[..., None], 3, 2).astype(np.uint8)
    if side:
        image[int(y) : int(y) + side, int(x) : int(x) + side] = (200, 40, 40)
    return image


def block(x: float, y: float, side: int = 24) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[int(y) : int(y) + side, int(x) : int(x) + side] = True
    return mask


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return (a & b).sum() / max((a | b).sum(), 1)


@pytest.fixture
def segmenter() -> Segmenter:
    return Segmenter(ColourModel())


def test_a_moving_and_growing_block_is_followed_both_ways(segmenter):
    places = [(20 + 4 * k, 30 + 2 * k, 20 + k) for k in range(12)]
    frames = [frame(x, y, side) for x, y, side in places]
    x, y, side = places[6]
    prompt = rsam.Prompt(points=[(x + side / 2, y + side / 2)])
    track = rsam.follow(frames, prompt, start=6, segmenter=segmenter)
    truth = [block(x, y, side) for x, y, side in places]
    assert min(overlap(m, t) for m, t in zip(track.masks, truth)) > 0.9
    table = track.table()
    # The box of the next frame may cut a row of what grows.
    assert list(table["area"]) == pytest.approx([side**2 for _, _, side in places], rel=0.05)
    assert table["centroid_x"][3] == pytest.approx(places[3][0] + places[3][2] / 2)
    assert table["found"].all()
    assert track.frames_per_second > 0


def test_a_pan_of_the_camera_is_compensated(segmenter):
    frames = [frame(20 + 14 * k, 40, shift=(14 * k, 0)) for k in range(6)]
    track = rsam.follow(frames, rsam.Prompt(box=(20, 40, 44, 64)), segmenter=segmenter)
    assert overlap(track.masks[-1], block(90, 40)) > 0.9
    assert track.shifts[1:, 0] == pytest.approx(14, abs=2)
    assert camera_shift(frames[0], frames[1]) == pytest.approx((14, 0), abs=2)


def test_what_is_gone_is_lost_and_found_when_it_is_back(segmenter):
    frames = [frame(40, 40), frame(40, 40), frame(0, 0, 0), frame(0, 0, 0), frame(42, 41)]
    track = rsam.follow(frames, rsam.Prompt(box=(40, 40, 64, 64)), segmenter=segmenter)
    assert [item is not None for item in track.outlines] == [True, True, False, False, True]
    assert not track.masks[2].any()
    assert track.table()["area"][2] == 0


def test_a_correction_follows_anew_from_its_frame(segmenter):
    frames = [frame(20, 20) for _ in range(6)]
    for image in frames:
        image[80:100, 100:130] = (210, 50, 50)
    track = rsam.follow(frames, rsam.Prompt(points=[(30, 30)]), segmenter=segmenter)
    other = track.corrected(3, rsam.Prompt(points=[(110, 90)]))
    assert overlap(other.masks[5], block(20, 20)) == 0
    assert other.masks[5][85, 110]
    assert other.masks[1][85, 110]
    # The frame that a person marked first stays.
    assert overlap(other.masks[0], block(20, 20)) > 0.9
    assert set(other.prompts) == {0, 3}


def video(frames: list[np.ndarray], kind: str = "mp4", codec: str = "mpeg4") -> bytes:
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        out = container.add_stream(codec, rate=10)
        out.width, out.height, out.pix_fmt = SHAPE[1], SHAPE[0], "yuv420p"
        for image in frames:
            container.mux(out.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(out.encode())
    return stream.getvalue()


def test_a_video_is_read_and_followed(segmenter):
    data = video([frame(20 + 3 * k, 40) for k in range(10)])
    track = rsam.follow(data, rsam.Prompt(box=(20, 40, 44, 64)), segmenter=segmenter)
    assert len(track.outlines) == 10
    assert overlap(track.masks[-1], block(47, 40)) > 0.8
    assert track.table()["name"][3] == "0.30 s"
    assert len(read_frames(data, every=3)) == 4


def test_long_broken_and_false_videos_are_told(tmp_path):
    data = video([frame(20, 40)] * 30)
    with pytest.raises(VideoError, match=r"30 frames.*every=3"):
        read_frames(data, most=10)
    with pytest.raises(VideoError, match="opened as a video"):
        read_frames(b"no video at all" * 50)
    path = tmp_path / "flight.mp4"
    path.write_bytes(data[: len(data) // 3])
    with pytest.raises(VideoError, match=r"flight\.mp4"):
        read_frames(path)


def test_frames_that_do_not_fit_together():
    one = frame(10, 10)
    with pytest.raises(FollowError, match="two frames"):
        rsam.follow([one], rsam.Prompt(points=[(5, 5)]))
    with pytest.raises(FollowError, match="one size"):
        read_frames([one, one[:50]])
    with pytest.raises(FollowError, match="10,000 frames"):
        read_frames([one] * 10_000)
    with pytest.raises(FollowError, match="number 9"):
        rsam.follow([one, one], rsam.Prompt(points=[(5, 5)]), start=9)


def test_two_prompts_share_the_frames_between_them(segmenter):
    frames = [frame(20, 20) for _ in range(7)]
    for image in frames:
        image[80:100, 100:130] = (210, 50, 50)
    prompts = {1: rsam.Prompt(points=[(30, 30)]), 6: rsam.Prompt(points=[(110, 90)])}
    track = follow_prompts(read_frames(frames), prompts, segmenter)
    left = [bool(mask[30, 30]) for mask in track.masks]
    assert left == [True, True, True, True, False, False, False]
    assert [bool(mask[90, 110]) for mask in track.masks] == [not here for here in left]


def test_holes_are_filled_unless_they_are_wanted(segmenter):
    image = frame(40, 40, 30)
    image[50:60, 50:60] = 90
    box = rsam.Prompt(box=(40, 40, 70, 70))
    filled = rsam.follow([image] * 3, box, segmenter=segmenter)
    assert [item.area for item in filled.outlines] == [900] * 3
    kept = rsam.follow([image] * 3, box, segmenter=segmenter, holes=True)
    assert [item.area for item in kept.outlines] == pytest.approx([800] * 3, abs=4)


def test_the_table_tells_area_place_and_shape(segmenter):
    wide = [frame(20, 20, 24), frame(20, 20, 24)]
    wide[1][20:44, 44:68] = (200, 40, 40)
    pictures = [
        ArrayPicture(image, f"lake 20{16 + k}-05.tif", "EPSG:32611",
                     Affine(0.5, 0, 1000, 0, -0.5, 2000), 0.5)
        for k, image in enumerate(wide)
    ]  # fmt: skip
    track = rsam.follow(pictures, rsam.Prompt(box=(20, 20, 44, 44)), segmenter=segmenter)
    track = track.corrected(1, rsam.Prompt(box=(20, 20, 68, 44)))
    table = track.table()
    assert list(table["frame"]) == [1, 2]
    assert list(table["date"]) == ["2016-05", "2017-05"]
    assert list(table["marked"]) == [True, True]
    assert list(table["area"]) == [576, 1152]
    assert list(table["area_m2"]) == [144, 288]
    assert list(table["change"]) == [0, 1]
    # The middle of columns 20 to 44 lies at 32 pixels of half a metre.
    assert (table["map_x"][0], table["map_y"][0]) == (1016, 1984)
    assert table["elongation"][0] == pytest.approx(0, abs=0.01)
    assert table["elongation"][1] == pytest.approx(0.5, abs=0.02)
    assert track.instances().ids.tolist() == [1, 2]


def test_stopping(segmenter):
    with pytest.raises(Cancelled):
        rsam.follow([frame(20, 20)] * 3, rsam.Prompt(points=[(30, 30)]), segmenter=segmenter,
                    cancelled=lambda: True)  # fmt: skip

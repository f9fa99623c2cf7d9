"""Frames of scenes with a place on the map, and of videos."""

from __future__ import annotations

import io

import numpy as np
import pytest
from affine import Affine

from rsam_core.change import read_frames
from rsam_core.change.frames import Frames
from rsam_core.change.picture import ArrayPicture
from rsam_core.change.video import video_facts
from rsam_core.errors import AlignError, FollowError, VideoError

GRID = Affine(0.5, 0, 500_000, 0, -0.5, 4_000_000)


def picture(name: str = "a 2016.tif", transform: Affine = GRID, size=(80, 60)) -> ArrayPicture:
    """Brightness rises by 2 a metre to the east of the first grid's left edge."""
    east = transform.c - GRID.c + transform.a * (np.arange(size[0]) + 0.5)
    values = np.clip(2 * east, 0, 255).astype(np.uint8)
    image = np.repeat(np.tile(values, (size[1], 1))[..., None], 3, 2)
    return ArrayPicture(image, name, "EPSG:32611", transform, abs(transform.a))


def test_scenes_of_another_grid_are_brought_to_the_first():
    moved = GRID @ Affine.translation(10, 4)
    coarse = Affine(1.0, 0, GRID.c - 5, 0, -1.0, GRID.f + 5)
    frames = read_frames([picture(), picture("b 2018.tif", moved), picture("c.tif", coarse)])
    assert frames.shape == (60, 80)
    assert frames.gsd == 0.5
    assert frames.transform == GRID
    assert frames.dates == ("2016", "2018", None)
    assert [note[:5] for note in frames.notes] == ["“b 20", "“c.ti"]
    # The same ground has the same brightness, to the rounding of both pictures.
    first = frames[0].astype(int)
    assert np.abs(frames[1].astype(int) - first)[8:, 12:].max() <= 1
    assert np.abs(frames[2].astype(int) - first)[:40, 2:70].max() <= 1
    assert not frames[1][:, :8].any()


def test_scenes_of_different_places_are_told():
    far = GRID @ Affine.translation(20_000, 0)
    with pytest.raises(
        AlignError, match=r"not show the same place: they lie 10.* km apart|m apart"
    ):
        read_frames([picture(), picture("b.tif", far)])


def test_dates_may_be_given_and_tell_whether_they_rise():
    frames = read_frames([picture("a.tif"), picture("b.tif")], dates=("2018", "2016-05"))
    assert frames.unordered
    assert not frames.dated(("2016", None)).unordered
    with pytest.raises(FollowError, match="one date a frame"):
        frames.dated(("2016",))


def video(count: int, size: tuple[int, int] = (64, 48), kind: str = "mp4", codec="mpeg4") -> bytes:
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    with av.open(stream, "w", format=kind) as container:
        out = container.add_stream(codec, rate=25)
        out.width, out.height = size
        out.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        for k in range(count):
            image = np.full((size[1], size[0], 3), 40 + 5 * (k % 40), np.uint8)
            container.mux(out.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(out.encode())
    return stream.getvalue()


@pytest.mark.parametrize(("kind", "codec"), [("mp4", "mpeg4"), ("webm", "libvpx"), ("gif", "gif")])
def test_kinds_of_video(kind, codec):
    frames = read_frames(video(6, kind=kind, codec=codec))
    assert len(frames) == 6
    assert frames.shape == (48, 64)
    assert frames.seconds[:2] == pytest.approx((0.0, 0.04), abs=0.01)
    assert frames.dates == (None,) * 6
    for k in (0, 5):
        assert frames[k].mean() == pytest.approx(40 + 5 * k, abs=8)


def test_a_video_tells_its_length_before_it_is_decoded():
    data = video(120)
    facts = video_facts(data)
    assert (facts.frames, facts.width, facts.height) == (120, 64, 48)
    assert facts.seconds == pytest.approx(4.8, abs=0.1)
    assert facts.every(50) == 3
    assert len(read_frames(data, most=50, every=facts.every(50))) == 40
    with pytest.raises(VideoError, match="cannot be opened as a video"):
        video_facts(b"nothing of the kind" * 20)


def test_sound_alone_is_no_video():
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    with av.open(stream, "w", format="wav") as container:
        out = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        sound.sample_rate = 8000
        container.mux(out.encode(sound))
    with pytest.raises(VideoError, match="holds no pictures"):
        read_frames(stream.getvalue())


def test_large_scenes_are_reduced_as_their_views_are():
    size = (4096, 32)
    frames = read_frames([picture(size=size), picture("b.tif", size=size)])
    assert isinstance(frames, Frames)
    assert frames.shape == (16, 2048)
    assert frames.gsd == 1.0
    assert frames.transform.a == 1.0

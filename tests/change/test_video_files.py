"""Videos are read in a process of their own, and nothing is opened but the video."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from rsam_core.change import read_frames
from rsam_core.change._video_decoding import frames as decoded
from rsam_core.change.video import video_facts, video_frames
from rsam_core.errors import Cancelled, VideoError
from tests.change.test_frames import video

av = pytest.importorskip("av")


def playlist(place: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{place}\n#EXT-X-ENDLIST\n".encode()


def test_the_trap_works_without_us(address):
    # Otherwise the tests below would prove nothing.
    host, asked = address
    place = f"http://{host}/part.ts"
    with pytest.raises((av.error.FFmpegError, OSError)):
        av.open(io.BytesIO(playlist(place)), format="hls")
    assert asked[0].startswith(b"GET /part.ts")


@pytest.mark.parametrize("on_disk", [True, False])
def test_a_list_of_other_files_is_no_video(on_disk: bool, tmp_path: Path, address):
    host, asked = address
    place = f"http://{host}/part.ts"
    content = playlist(place)
    path = tmp_path / "flight.mp4"
    path.write_bytes(content)
    source = path if on_disk else content
    with pytest.raises(VideoError, match=r"“flight.mp4” is no video but a list that names other"):
        video_facts(source, "flight.mp4")
    with pytest.raises(VideoError, match="is no video but a list"):
        read_frames(source, name="flight.mp4")
    assert asked == []


@pytest.mark.parametrize("start", [b"\n\n", b"\0", b"x", b"\xef\xbb\xbf", b"<!-- -->"])
def test_below_the_door_no_list_is_read_either(start: bytes, address):
    host, asked = address
    place = f"http://{host}/part.ts"
    with pytest.raises(VideoError):
        next(decoded(start + playlist(place), 10, None, "it"))
    assert asked == []


def turned(degrees: int) -> bytes:
    """A film held upright: white above, as it lies in the file at the left or right."""
    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as container:
        out = container.add_stream("mpeg4", rate=25)
        out.width, out.height, out.pix_fmt = 64, 48, "yuv420p"
        out.set_display_rotation(degrees)
        image = np.zeros((48, 64, 3), np.uint8)
        image[:, :32] = 255
        for _ in range(3):
            container.mux(out.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(out.encode())
    return stream.getvalue()


@pytest.mark.parametrize(("degrees", "white"), [(-90, (0, 32)), (90, (32, 64))])
def test_a_film_is_turned_as_its_camera_was_held(degrees: int, white: tuple[int, int]):
    with av.open(io.BytesIO(turned(degrees))) as container:
        assert next(container.decode(video=0)).rotation == degrees
    frames = read_frames(turned(degrees))
    assert frames.shape == (64, 48)
    rows = frames[1].mean(axis=(1, 2))
    # What was at the left is above where the camera was turned to the right, else below.
    assert rows[white[0] + 4 : white[1] - 4].min() > 200
    other = slice(36, 64) if white[0] == 0 else slice(0, 28)
    assert rows[other].max() < 60


def test_titles_in_any_code_page_do_no_harm():
    stream = io.BytesIO(video(3, kind="avi"))
    assert len(read_frames(stream.getvalue())) == 3
    content = bytearray(stream.getvalue())
    at = content.index(b"Lavf")
    content[at : at + 4] = b"\xe9\xff\x81g"
    assert len(read_frames(bytes(content))) == 3


def test_decoding_is_told_and_can_be_stopped():
    content, told = video(40), []
    video_frames(content, 50, None, progress=lambda share, text: told.append((share, text)))
    assert told[0] == (0.0, "frame 0 of 40")
    assert told[-1][0] == pytest.approx(32 / 40)
    with pytest.raises(Cancelled):
        video_frames(content, 50, None, cancelled=lambda: True)
    with pytest.raises(VideoError, match=r"“x.mp4” has 40 frames; 10 are followed unasked"):
        video_frames(content, 10, None, name="x.mp4")


def test_a_video_that_is_gone_is_told(tmp_path: Path):
    with pytest.raises(VideoError, match=r"“gone.mp4” cannot be read"):
        video_facts(tmp_path / "gone.mp4")

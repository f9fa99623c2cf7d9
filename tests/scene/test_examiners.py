"""The first look at uploads: elsewhere, within limits, and nobody else waits for it."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from rsam_core.errors import SceneError
from rsam_core.runtime.limited_reading import NICE
from rsam_core.scene import examiners as _examiners
from rsam_core.scene.examiners import Examiners, _Examiner, _Unable
from rsam_core.scene.scene import open_scene
from tests.helpers.rasters import encode, photo, tiff
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


@pytest.fixture
def examiners(monkeypatch: pytest.MonkeyPatch) -> Examiners:
    """Examiners that are used and ended by one test only."""
    own = Examiners(2)
    monkeypatch.setattr(_examiners, "_EXAMINERS", own)
    yield own
    own.end()


@pytest.fixture(scope="module")
def slow() -> bytes:
    """A picture of 90 megapixels in a small file: seconds of unpacking."""
    stream = io.BytesIO()
    Image.new("L", (9_500, 9_500)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_examiners, "SECONDS", 0.05)
    monkeypatch.setattr(_examiners, "BYTES_A_SECOND", 10**12)
    monkeypatch.setattr(_examiners, "PATIENCE", 1.0)


@pytest.mark.usefixtures("impatient")
def test_what_takes_too_long_is_stopped(
    examiners: Examiners, slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    examiners.refill()
    (examiner,) = examiners._idle
    with pytest.raises(SceneError, match=r"“slow\.png” took more than .* was stopped"):
        open_scene(slow, name="slow.png")
    assert examiner._process.returncode is not None
    monkeypatch.setattr(_examiners, "PATIENCE", 1000)
    assert open_scene(encode(photo(), "PNG")).shape == (64, 96)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of computing time")
def test_computing_time_is_limited_where_waiting_is_not(
    examiners: Examiners, slow: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The least that can be given is a second, for all that one process does.
    monkeypatch.setattr(_examiners, "SECONDS", -1000)
    monkeypatch.setattr(_examiners, "PATIENCE", -1000)
    with pytest.raises(SceneError, match="took more than"):  # noqa: PT012
        for _ in range(50):
            open_scene(slow, name="slow.png")


def test_others_go_on_meanwhile(examiners: Examiners, slow: bytes) -> None:
    ended, ticks = threading.Event(), []
    # What this thread computes: a machine that has no time for any of them is no fault of ours.
    clock = getattr(time, "pthread_getclockid", lambda _: None)(threading.get_ident())
    now = time.perf_counter if clock is None else lambda: time.clock_gettime(clock)

    def tick() -> None:
        while not ended.wait(0.01):
            ticks.append(now())

    examiners.refill()
    other = threading.Thread(target=tick)
    other.start()
    try:
        with pytest.raises(SceneError, match="damaged"):
            open_scene(slow[: len(slow) // 2], name="half.png")
    finally:
        ended.set()
        other.join()
    assert max(np.diff(ticks), default=0) < 1


def test_many_at_the_same_time(examiners: Examiners) -> None:
    files = [encode(photo(40 + k, 40), "PNG") for k in range(12)]
    with ThreadPoolExecutor(6) as pool:
        widths = list(pool.map(lambda content: open_scene(content).width, files))
    assert widths == list(range(40, 52))
    assert 1 <= len(examiners._idle) <= 2


def test_one_that_was_ended_meanwhile_is_replaced(examiners: Examiners) -> None:
    examiners.refill()
    examiners._idle[0]._process.kill()
    examiners._idle[0]._process.wait()
    assert open_scene(encode(photo(), "PNG")).shape == (64, 96)


def test_memory_is_limited(examiners: Examiners, monkeypatch: pytest.MonkeyPatch) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux limits the memory of a process")
    animation = encode(Image.new("P", (9_000, 9_000)), "GIF")
    monkeypatch.setattr(_examiners, "ADDRESS_SPACE", 2**28)
    with pytest.raises(SceneError, match="more memory than is free"):
        open_scene(animation, name="big.gif")
    monkeypatch.setattr(_examiners, "ADDRESS_SPACE", 2**32)
    assert open_scene(encode(photo(), "GIF")).shape == (64, 96)


def test_messages_are_those_of_the_file(examiners: Examiners) -> None:
    for content in (b"no image", encode(photo(), "PNG")[:200], tiff(np.full((1, 9, 9), np.nan))):
        told = []
        for examine in (True, False):
            with pytest.raises(SceneError) as caught:
                open_scene(content, name="it", examine=examine)
            told.append(str(caught.value))
        assert told[0] == told[1]


def test_without_processes_files_are_read_here(
    examiners: Examiners, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    caplog.set_level(logging.WARNING, logger="rsam")
    monkeypatch.setattr(logging.getLogger("rsam"), "propagate", True)
    monkeypatch.setattr(logging.getLogger("rsam"), "disabled", False)
    with pytest.raises(_Unable):
        _Examiner()
    assert open_scene(encode(photo(), "PNG")).shape == (64, 96)
    assert "cannot start a process" in caplog.text


def test_examiners_end_with_the_program() -> None:
    script = (
        "import io; from PIL import Image; from rsam_core import open_scene\n"
        "from rsam_core.scene import examiners as _examiners\n"
        "stream = io.BytesIO(); Image.new('RGB', (20, 20), 'red').save(stream, 'PNG')\n"
        "open_scene(stream.getvalue())\n"
        "(examiner,) = _examiners._EXAMINERS._idle\n"
        "print(examiner._process.pid)\n"
        "import os; os._exit(0)\n"
    )
    # The pipe that both have inherited is at its end only when both have gone.
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=5 * PATIENCE)
    assert done.stdout.strip().isdigit(), done.stderr


def test_a_turned_photo_comes_back_upright(examiners: Examiners) -> None:
    exif = Image.Exif()
    exif[274] = 6
    content = encode(photo(), "JPEG", exif=exif, quality=95)
    scene = open_scene(content)
    np.testing.assert_array_equal(scene.read_rgb(), open_scene(content, examine=False).read_rgb())
    assert scene.shape == (96, 64)
    assert scene.content_hash == open_scene(content, examine=False).content_hash


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="Windows knows no such thing")
def test_an_examiner_gives_way_to_the_program_itself(examiners: Examiners) -> None:
    examiners.refill()
    (examiner,) = examiners._idle
    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, examiner._process.pid) == min(19, own + NICE)

"""Tiles on a Dask cluster of two workers: the same results, and none lost with a worker."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.batch.cluster import Cluster, TilePixels, tile_alone
from rsam_core.errors import BatchError
from rsam_core.everything import EverythingSettings, generate
from rsam_core.samples import render_town
from rsam_core.tiled import ArraySource, initialize_tiled, make_plan
from rsam_core.window import Window

distributed = pytest.importorskip("distributed", reason="Dask is optional")

SETTINGS = EverythingSettings(spacing=64)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return render_town(384, 320, gsd=0.4, seed=12).image


@pytest.fixture(scope="module")
def local(image):
    segmenter = rsam.Segmenter(rsam.load_model())
    return segmenter, initialize_tiled(segmenter, image, settings=SETTINGS, size=192)


@pytest.fixture(scope="module")
def cluster():
    """Two workers with a process each, which a nanny starts again when they die."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        silence_logs=50, env={"OMP_NUM_THREADS": "1"},
    ) as made:  # fmt: skip
        one = Cluster(made.scheduler_address)
        yield one
        one.close()


def same(first, second) -> None:
    """Two states are equal, mask by mask."""
    assert len(first.masks) == len(second.masks)
    np.testing.assert_array_equal(first.boxes, second.boxes)
    np.testing.assert_array_equal(first.areas, second.areas)
    np.testing.assert_allclose(first.scores, second.scores, atol=1e-5)
    assert first.done == second.done
    assert first.points == second.points
    one, other = generate(first, SETTINGS), generate(second, SETTINGS)
    np.testing.assert_array_equal(one.label_map(), other.label_map())


def test_two_workers_find_the_same_even_if_one_is_killed(image, local, cluster):
    segmenter, wanted = local
    assert len(wanted.plan.tiles) > 6
    elsewhere = cluster.spread("rsam-tiny", ArraySource(image), SETTINGS)
    told: list[str] = []
    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=192, elsewhere=elsewhere,
                             progress=lambda share, text: told.append(text))  # fmt: skip
    assert state.complete
    same(state, wanted)
    assert any(text.startswith("tile") for text in told)
    # Once more, and a worker dies in the middle of it.
    killed: list[int] = []

    def look(plan, indices):
        for result in cluster.spread("rsam-tiny", ArraySource(image), SETTINGS)(plan, indices):
            if not killed:
                workers = cluster.client.scheduler_info()["workers"]
                pids = cluster.client.run(os.getpid)
                assert len(workers) == 2
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)
            yield result

    again = initialize_tiled(segmenter, image, settings=SETTINGS, size=192, elsewhere=look)
    assert killed
    assert again.complete
    same(again, wanted)


def test_a_run_on_a_cluster_can_be_stopped(image, local, cluster):
    segmenter, _ = local
    stop = threading.Event()
    elsewhere = cluster.spread("rsam-tiny", ArraySource(image), SETTINGS, stop.is_set)
    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=192, elsewhere=elsewhere,
                             progress=lambda share, text: stop.set())  # fmt: skip
    assert not state.complete
    assert 0 < len(state.done) < len(state.plan.tiles)


def test_a_tile_travels_with_its_pixels(image):
    source = ArraySource(image)
    plan = make_plan(source, None, 64.0, 192)
    pixels, alone = tile_alone(source, plan, 3)
    assert isinstance(pixels, TilePixels)
    window = plan.tiles[3].window
    part = image[window.y : window.y + window.height, window.x : window.x + window.width]
    np.testing.assert_array_equal(pixels.read_rgb(Window(0, 0, 1, 1)), part)
    assert pixels.valid_mask(window).all()
    assert (pixels.width, pixels.height) == (384, 320)
    assert alone.tiles == (plan.tiles[3],)
    np.testing.assert_array_equal(alone.points[0], plan.points[3])


def test_no_cluster_is_told(monkeypatch):
    from rsam_core.batch import cluster as module

    monkeypatch.setattr(module, "_PATIENCE", 1)
    with pytest.raises(BatchError, match="no Dask cluster"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(BatchError, match="no Dask cluster"):
        Cluster("nonsense://x")

"""Tiles on Dask clusters of two workers: the same results, and none lost with a worker."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.batch import cluster as module
from rsam_core.batch.cluster import Cluster, TilePixels, tile_alone
from rsam_core.errors import BatchError
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings, generate
from rsam_core.segment.tiles.run import ArraySource, initialize_tiled, make_plan
from tests.helpers.towns import rendered
from tests.helpers.waiting import PATIENCE

dask = pytest.importorskip("dask", reason="Dask is optional")
distributed = pytest.importorskip("distributed", reason="Dask is optional")

SETTINGS = EverythingSettings(spacing=64, max_proposals=12)


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """Workers may take their time to begin."""
    with (
        pytest.MonkeyPatch.context() as patch,
        dask.config.set({"distributed.comm.timeouts.connect": PATIENCE}),
    ):
        patch.setattr(module, "_PATIENCE", PATIENCE)
        yield


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return rendered(384, 320, gsd=0.4, seed=12).image


@pytest.fixture(scope="module")
def local(image):
    segmenter = rsam.Segmenter(rsam.load_model())
    return segmenter, initialize_tiled(segmenter, image, settings=SETTINGS, size=192)


@pytest.fixture(scope="module")
def cluster():
    """Two workers that are threads of this process."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as made:  # fmt: skip
        one = Cluster(made.scheduler_address)
        yield one
        one.close()


@pytest.fixture
def mortal_cluster():
    """Two workers with a process each, which a nanny starts again when they die."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0",
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


@pytest.mark.cluster
def test_two_workers_find_the_same(image, local, cluster):
    segmenter, wanted = local
    assert len(wanted.plan.tiles) > 6
    assert cluster.threads == 2
    elsewhere = cluster.spread("rsam-tiny", ArraySource(image), SETTINGS)
    told: list[str] = []
    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=192, elsewhere=elsewhere,
                             progress=lambda share, text: told.append(text))  # fmt: skip
    assert state.complete
    same(state, wanted)
    assert any(text.startswith("tile") for text in told)


@pytest.mark.cluster
def test_no_tile_is_lost_with_a_worker_that_is_killed(image, local, mortal_cluster):
    segmenter, wanted = local
    client = mortal_cluster.client
    killed: list[int] = []

    def look(plan, indices):
        spread = mortal_cluster.spread("rsam-tiny", ArraySource(image), SETTINGS)
        for result in spread(plan, indices):
            if not killed:
                # In the middle of it: one tile has come back.
                workers = client.scheduler_info()["workers"]
                pids = client.run(os.getpid)
                assert len(workers) == 2
                killed.append(next(iter(pids.values())))
                os.kill(killed[0], signal.SIGKILL)
            yield result

    state = initialize_tiled(segmenter, image, settings=SETTINGS, size=192, elsewhere=look)
    assert killed
    assert killed[0] != os.getpid()
    assert state.complete
    same(state, wanted)


@pytest.mark.cluster
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
    monkeypatch.setattr(module, "_PATIENCE", 0.3)
    with pytest.raises(BatchError, match="no Dask cluster"):
        Cluster("tcp://127.0.0.1:9")
    with pytest.raises(BatchError, match="no Dask cluster"):
        Cluster("nonsense://x")

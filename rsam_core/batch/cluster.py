"""Tiles of scenes on an existing Dask cluster.

The pixels of each tile travel with it, so that workers need no access to the files; they need
RSAM itself, and the weights of the model. Tiles of a worker that dies are given to others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import BatchError, RsamError
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.tiles.grid import TileSource
from rsam_core.segment.tiles.state import Plan
from rsam_core.segment.tiles.worker import TileResult, look_at_tile, read_reduced, scene_window

if TYPE_CHECKING:
    from rsam_core.segment.segmenter import Segmenter

_AHEAD = 3
"""Tiles under way for each thread of the cluster: none waits for work, few wait in memory."""

_PATIENCE = 20
"""Seconds to wait for the cluster, and for workers where there are none."""

_PULSE = 0.05
"""Seconds after which one looks up while waiting for tiles."""


class Cluster:
    """A Dask cluster to look at tiles.

    Parameters
    ----------
    address : str
        Of its scheduler, such as ``"tcp://10.0.0.1:8786"``.

    Raises
    ------
    BatchError
        If Dask is not installed, or there is no such cluster, or it has no workers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise BatchError(
                "A cluster needs Dask. Install it with “pip install distributed”, here and on "
                "the cluster, or leave out --scheduler."
            ) from error
        try:
            self.client = Client(address, timeout=_PATIENCE, set_as_default=False)
            self.client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, ValueError, TimeoutError) as error:
            raise BatchError(
                f"There is no Dask cluster with workers at {address}. Check the address; it "
                "looks like tcp://10.0.0.1:8786, and “dask worker ADDRESS” adds a worker."
            ) from error

    @property
    def threads(self) -> int:
        """Threads of all workers at the moment, at least 1."""
        return max(1, sum(self.client.nthreads().values()))

    def close(self) -> None:
        """Leave the cluster; it goes on without us."""
        self.client.close()

    def spread(
        self,
        model: str,
        source: TileSource,
        settings: EverythingSettings,
        cancelled: Callable[[], bool] | None = None,
    ) -> Callable[[Plan, Sequence[int]], Iterator[tuple[int, TileResult]]]:
        """What `rsam_core.segment.tiles.run.initialize_tiled` takes as ``elsewhere``.

        Parameters
        ----------
        model : str
        source : TileSource
            The scene that is looked at.
        settings : EverythingSettings
        cancelled : callable, optional
        """
        return partial(self._look, model, source, settings, cancelled)

    def _look(
        self,
        model: str,
        source: TileSource,
        settings: EverythingSettings,
        cancelled: Callable[[], bool] | None,
        plan: Plan,
        indices: Sequence[int],
    ) -> Iterator[tuple[int, TileResult]]:
        left, under_way = iter(indices), {}
        alone_since: float | None = None

        def send() -> None:
            index = next(left, None)
            if index is not None:
                pixels, small = tile_alone(source, plan, index)
                future = self.client.submit(
                    _on_worker, model, pixels, small, settings, pure=False, retries=2
                )
                under_way[future] = index

        for _ in range(_AHEAD * self.threads):
            send()
        while under_way:
            done = [future for future in under_way if future.done()]
            if not done:
                time.sleep(_PULSE)
            if cancelled is not None and cancelled():
                self.client.cancel(list(under_way))
                return
            for future in done:
                yield under_way.pop(future), _result(future)
                send()
            if self.client.nthreads():
                alone_since = None
            elif alone_since is None:
                alone_since = time.monotonic()
            elif time.monotonic() - alone_since > _PATIENCE:
                raise BatchError(
                    "All workers have left the cluster. Start some again with “dask worker "
                    "ADDRESS”, then run the batch once more: it goes on where it ended."
                )


def _result(future: Any) -> TileResult:
    """What a worker found."""
    from distributed.scheduler import KilledWorker

    try:
        return future.result()
    except RsamError:
        raise
    except KilledWorker as error:
        raise BatchError(
            "Workers of the cluster die on the same tile again and again, probably for want of "
            "memory. Give them more, or choose smaller tiles."
        ) from error
    except Exception as error:
        raise BatchError(
            f"The cluster cannot do the work ({type(error).__name__}: {error}). Its workers need "
            "the same version of RSAM as this computer."
        ) from error


class TilePixels:
    """The pixels of one tile, in the place of the scene that they were read from.

    Parameters
    ----------
    width, height : int
        Size of the scene.
    image : ndarray of uint8, shape (h, w, 3)
        The tile as the model sees it.
    valid : ndarray of bool
        Where its window of the scene holds data.
    """

    def __init__(
        self, width: int, height: int, image: NDArray[np.uint8], valid: NDArray[np.bool_]
    ) -> None:
        self.width, self.height, self.image, self.valid = width, height, image, valid

    def read_rgb(self, window: Window, max_size: int | None = None) -> NDArray[np.uint8]:
        """The tile."""
        return self.image

    def valid_mask(self, window: Window) -> NDArray[np.bool_]:
        """Where it holds data."""
        return self.valid


def tile_alone(source: TileSource, plan: Plan, index: int) -> tuple[TilePixels, Plan]:
    """A tile with its pixels, and a plan that holds nothing else, to be sent away."""
    window = plan.tiles[index].window
    valid = source.valid_mask(scene_window(source, window, plan.factor))
    image = read_reduced(source, window, plan.factor)
    small = replace(plan, tiles=(plan.tiles[index],), points=(plan.points[index],), regular=1)
    return TilePixels(source.width, source.height, image, valid), small


@lru_cache(maxsize=1)
def _segmenter(model: str) -> Segmenter:
    """The model of this worker, loaded once."""
    from rsam_core.models.load import load_model
    from rsam_core.segment.segmenter import Segmenter

    return Segmenter(load_model(model))


def _on_worker(
    model: str, pixels: TilePixels, plan: Plan, settings: EverythingSettings
) -> TileResult:
    return look_at_tile(_segmenter(model), pixels, plan, 0, settings)

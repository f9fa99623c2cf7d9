"""As many cores as a test asks for, whatever the computer has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from rsam_core.models import parallel


@contextmanager
def with_cores(count: int) -> Iterator[None]:
    """Let models divide their work among so many workers during the block."""
    before, threads = parallel._crew, torch.get_num_threads()
    fresh = parallel._crew = parallel._WorkerPool()
    fresh._size = count
    try:
        yield
    finally:
        parallel._crew = before
        if fresh._pool is not None:
            fresh._pool.shutdown()
        torch.set_num_threads(threads)

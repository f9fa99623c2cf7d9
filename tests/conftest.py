"""What several test modules share, made once: a model, a rendered town, a server; who runs where.

With several workers (``python run.py test``) all tests of one file run in one worker, so that its
fixtures are made once, and all tests that need the started app run in the first one to begin.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import hypothesis
import numpy as np
import pytest
import torch

from benchmarks.app_server import Running, running_app
from rsam_core.models.load import load_model
from rsam_core.models.tiny import TinyModel
from rsam_core.runtime import language
from rsam_core.samples import TownSample
from rsam_core.scene import examiners
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything import EverythingSettings, EverythingState, initialize
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session import safekeeping
from tests.helpers.groups import Together, urgency
from tests.helpers.server import TTL
from tests.helpers.towns import rendered

torch.set_num_threads(1)
# The same examples each time, however long a busy machine takes for one: a test that fails shall
# fail for a change that was made, and not by luck.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)  # fmt: skip
hypothesis.settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the server, and put what takes longest first."""
    for item in items:
        # A browser goes nowhere but to a server, this one or the test's own.
        if {"served", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.server)
    items.sort(key=lambda item: urgency(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    """Hand out whole groups under ``--dist loadscope``."""
    return Together(config, log) if config.getoption("dist") == "loadscope" else None


@pytest.fixture(autouse=True)
def _nobody_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No page of an earlier test decides which language this one hears."""
    monkeypatch.setattr(language, "_asked", [])


@pytest.fixture
def address() -> Iterator[tuple[str, list[bytes]]]:
    """An address of this machine, and what was asked there."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(1)
                    asked.append(connection.recv(100))

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", asked
        ended.set()
        thread.join()


@pytest.fixture(scope="session", autouse=True)
def _nobody_tidies() -> Iterator[None]:
    """No thread goes through what a test has kept, to remove what seems old."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(safekeeping, "_tidied", float("inf"))
        yield


@pytest.fixture(scope="session", autouse=True)
def _sound_files_are_waited_for() -> Iterator[None]:
    """A machine that is busy with other tests is no reason to stop reading a file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examiners, "PATIENCE", 100.0)
        yield


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The app on a free port, one for all tests; it keeps lost sessions for `TTL` seconds only."""
    options = {"server.disconnectedSessionTTL": TTL}
    with running_app(tmp_path_factory.mktemp("served"), options) as app:
        yield app


@pytest.fixture(scope="session")
def tiny() -> TinyModel:
    """The embedded model."""
    return load_model("rsam-tiny")


@pytest.fixture(scope="session")
def town() -> TownSample:
    """Apartment blocks and their gardens: 448 × 320 pixels of 0.3 m."""
    return rendered(448, 320, gsd=0.3, seed=7, style="estate")


@pytest.fixture(scope="session")
def town_roofs(town: TownSample) -> list[np.ndarray]:
    """A mask of each roof of the town that is large enough to judge."""
    ids = [label for label, cls in town.classes.items() if cls == "roof"]
    masks = [town.labels == label for label in ids]
    return [mask for mask in masks if mask.sum() >= 150]


@pytest.fixture(scope="session")
def town_embedding(tiny: TinyModel, town: TownSample) -> Embedding:
    """The town as the embedded model sees it."""
    return Segmenter(tiny).embed(town.image)


@pytest.fixture(scope="session")
def town_state(tiny: TinyModel, town_embedding: Embedding) -> EverythingState:
    """Everything mode's grid over the town, decoded."""
    return initialize(Segmenter(tiny), town_embedding, EverythingSettings(spacing=32))

"""What the page tests share: the app, and a model with known answers behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, resources
from rsam_core.samples import TownSample, write_geotiff
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.models import FakeModel
from tests.helpers.pages import arranged, fine, painter, plain, put
from tests.helpers.waiting import PATIENCE

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture(autouse=True, scope="session")
def _scanned_once() -> Iterator[None]:
    """Look for components among the installed packages once, not for each app that is tested.

    It takes half of the time of a test that runs the app three times.
    """
    with pytest.MonkeyPatch.context() as patch:
        scanned = cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scanned)
        yield


@pytest.fixture(autouse=True, scope="session")
def _patient() -> Iterator[None]:
    """A run of a page may take long on a busy machine; Streamlit's tests give it three seconds."""
    made = AppTest.__init__

    def patient(self: AppTest, *args: Any, default_timeout: float, **options: Any) -> None:
        # It computes as well as waits.
        made(self, *args, default_timeout=max(default_timeout, 5 * PATIENCE), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AppTest, "__init__", patient)
        yield


@pytest.fixture(autouse=True)
def _nothing_unexpected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No page may run into an error that RSAM did not foresee."""
    yield
    records = [r for r in caplog.get_records("call") if r.name == "rsam"]
    assert not [r for r in records if r.levelno >= logging.ERROR]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    """The model behind the pages: answers are known exactly."""
    fake = painter()
    segmenter = Segmenter(fake)
    monkeypatch.setattr(resources, "segmenter", lambda name: segmenter)
    monkeypatch.setattr(resources, "embed", lambda image, key: segmenter.embed(image))
    return fake


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, town: TownSample) -> AppTest:
    """The app, not yet run; its samples are all the same small town."""
    monkeypatch.setattr(resources, "sample", lambda key: town)
    monkeypatch.setattr(resources, "sample_file", lambda key: write_geotiff(town))
    monkeypatch.setattr(resources, "sample_thumbnail", lambda key: resources.jpeg(town.image))
    return AppTest.from_file(str(APP), default_timeout=PATIENCE)


@pytest.fixture
def segment(app: AppTest, model: FakeModel) -> Callable[..., AppTest]:
    """Start the app on the Segment page with an image open."""

    def start(content: bytes | None = None, name: str = "plain.png", **changes) -> AppTest:
        work = current_session.load(plain() if content is None else content, name)
        arranged(work, **changes)
        put(app, work)
        app.run()
        app.switch_page("pages/screens/segment.py").run()
        fine(app)
        return app

    return start


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What the canvas was last given to show."""
    # The component registers itself with a running app, so the first import happens inside one.
    AppTest.from_string("import pages.parts.shared.canvas", default_timeout=PATIENCE).run()
    from pages.parts.shared import canvas

    last: dict = {}
    real = canvas._component

    def record(**settings):
        last.clear()
        last.update(settings["data"])
        last["report"] = settings["on_report_change"]
        return real(**settings)

    monkeypatch.setattr(canvas, "_component", record)
    return last

"""Models page, models of the hub: licence, download, own folders, what is refused."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from streamlit.testing.v1 import AppTest

from pages.parts.models import hub_cards
from rsam_core.errors import DownloadError
from rsam_core.models import downloads
from rsam_core.models.hub import download as hub
from rsam_core.models.installed import ready_models
from tests.helpers.waiting import PATIENCE, until

PAGE = Path(__file__).resolve().parents[3] / "pages" / "screens" / "models.py"


def put(folder: Path, kind: str) -> None:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    save_file({"weight": torch.zeros(3)}, folder / "model.safetensors")


class Remote:
    """Stands for the hub: whether it answers, and a download that waits for a sign."""

    def __init__(self) -> None:
        self.online = True
        self.go_on = threading.Event()
        self.failure: Exception | None = None

    def reachable(self, info) -> bool:
        return self.online

    def download(self, info, accepted, progress, cancel) -> Path:
        assert accepted
        progress(78_000_000, 156_000_000)
        assert self.go_on.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        put(hub.folder_of(info), "sam2")
        return hub.folder_of(info)


@pytest.fixture
def remote(tmp_path, monkeypatch):
    remote = Remote()
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    monkeypatch.setattr(hub, "reachable", remote.reachable)
    monkeypatch.setattr(hub, "download", remote.download)
    for module in ("pages.parts.models.hub_cards", "rsam_core.models.installed"):
        monkeypatch.setattr(f"{module}.is_available", lambda package="transformers": True)
    downloads.forget()
    yield remote
    remote.go_on.set()
    for info in hub_cards.offered("prompts"):
        job = downloads.current(info)
        assert job is None or job.wait(PATIENCE)
    downloads.forget()


def opened(section: str) -> AppTest:
    app = AppTest.from_file(str(PAGE), default_timeout=PATIENCE)
    app.session_state["models-section"] = section
    app.run()
    while any(downloads.status(i) == "checking" for i in hub_cards.offered("prompts")):
        threading.Event().wait(0.005)
    app.run()
    assert not app.exception
    return app


def text(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.error, *app.code, *app.warning, *app.info]
    return "\n".join(element.value for element in elements)


def test_licence_download_and_use(remote):
    app = opened("SAM 2.1 and relatives")
    for fact in ("SAM 2.1 tiny", "SAM-HQ", "EdgeTAM", "SlimSAM 77", "156 MB", "Apache-2.0"):
        assert fact in text(app)
    button = app.button(key="download-sam2.1-hiera-tiny")
    assert button.disabled, "the licence comes first"
    assert app.button(key="download-slimsam-77").disabled
    app.checkbox(key="licence-SAM 2.1").check().run()
    assert app.button(key="download-slimsam-77").disabled, "each family has its own"
    app.button(key="download-sam2.1-hiera-tiny").click().run()
    until(lambda: downloads.current("sam2.1-hiera-tiny").fraction)
    app.run()
    (bar,) = app.get("progress")
    assert (bar.proto.value, bar.proto.text) == (50, "78 of 156 MB")
    assert not app.button(key="cancel-sam2.1-hiera-tiny").disabled
    remote.go_on.set()
    assert downloads.current("sam2.1-hiera-tiny").wait(PATIENCE)
    app.run()
    app.button(key="use-sam2.1-hiera-tiny").click().run()
    assert app.session_state["model_name"] == "sam2.1-hiera-tiny"
    assert app.button(key="use-sam2.1-hiera-tiny").label == "In use"


def test_failure_is_explained(remote):
    remote.failure = DownloadError("The disk is full. Free some space.")
    remote.go_on.set()
    app = opened("SAM 2.1 and relatives")
    app.checkbox(key="licence-SAM 2.1").check().run()
    app.button(key="download-sam2.1-hiera-small").click().run()
    assert downloads.current("sam2.1-hiera-small").wait(PATIENCE)
    app.run()
    assert ["The disk is full" in error.value for error in app.error] == [True]


def test_offline_own_folders_and_what_is_refused(remote, tmp_path):
    remote.online = False
    put(tmp_path / "my *own* SAM", "sam")
    put(tmp_path / "odd", "bert")
    app = opened("SAM 2.1 and relatives")
    shown = text(app)
    assert "huggingface.co) cannot be reached" in shown
    assert r"my \*own\* SAM" in shown
    assert "“bert”, which RSAM cannot use" in shown
    assert app.button(key="download-edgetam").disabled
    assert app.button(key="use-my *own* SAM").label == "Use this model"
    assert [info.name for info in ready_models()] == ["rsam-tiny", "my *own* SAM"]


def test_gated_access_is_explained(remote, tmp_path):
    put(tmp_path / "grounding-dino-tiny", "grounding-dino")
    app = opened("Find by words")
    for part in ("grants access to each user", "HF_TOKEN", str(tmp_path / "sam3"), "SAM License"):
        assert part in text(app) or part in "".join(box.label for box in app.checkbox)
    assert "Used on Segment, mode Words" in text(app)
    assert [info.name for info in ready_models("words")] == ["grounding-dino-tiny"]


def test_without_the_package(remote, tmp_path, monkeypatch):
    for module in ("pages.parts.models.hub_cards", "rsam_core.models.installed"):
        monkeypatch.setattr(f"{module}.is_available", lambda package="transformers": False)
    put(tmp_path / "clip-vit-b-32", "clip")
    app = opened("Name objects")
    assert "which is not installed" in text(app)
    assert any("requirements-models.txt" in block.value for block in app.code)
    assert "Needs the package above" in text(app)
    assert ready_models("names") == []

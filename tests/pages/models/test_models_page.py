from __future__ import annotations

import threading
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from rsam_core.errors import Cancelled, DownloadError
from rsam_core.models import CATALOG, downloads, get_model_info, weights
from tests.helpers.waiting import PATIENCE, until

PAGE = Path(__file__).resolve().parents[3] / "pages" / "screens" / "models.py"
CHIPS = {
    "Ready",
    "Can be downloaded",
    "Downloading",
    "Checking the connection",
    "Not reachable",
    "Damaged",
}


class Remote:
    """Stands for the network: what can be reached, and a download that waits for a sign."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.online = True
        self.answers = threading.Event()
        self.answers.set()
        self.go_on = threading.Event()
        self.failure: Exception | None = None

    def reachable(self, info) -> bool:
        self.answers.wait(PATIENCE)
        return self.online

    def download(self, info, progress, cancel) -> Path:
        progress((info.bytes + 1) // 2, info.bytes)
        while not self.go_on.wait(0.005):
            if cancel():
                raise Cancelled("stopped")
        if self.failure is not None:
            raise self.failure
        return put(self.folder, info.name)


def put(folder: Path, name: str, size: int | None = None) -> Path:
    """A checkpoint of the right (or the given) size, without using the disk for it."""
    info = get_model_info(name)
    path = folder / info.file
    with open(path, "wb") as file:
        file.truncate(info.bytes if size is None else size)
    return path


@pytest.fixture
def remote(tmp_path, monkeypatch):
    remote = Remote(tmp_path)
    monkeypatch.setenv("RSAM_MODELS", str(tmp_path))
    monkeypatch.setattr(weights, "reachable", remote.reachable)
    monkeypatch.setattr(weights, "download", remote.download)
    downloads.forget()
    yield remote
    remote.answers.set()
    remote.go_on.set()
    for info in CATALOG:
        job = downloads.current(info)
        assert job is None or job.wait(PATIENCE)
    settle()
    downloads.forget()


def settle() -> None:
    """Wait for the connection checks that the page has started in the background."""
    for info in CATALOG:
        while downloads.status(info) == "checking":
            threading.Event().wait(0.002)


def opened() -> AppTest:
    settle()
    app = AppTest.from_file(str(PAGE), default_timeout=PATIENCE).run()
    assert not app.exception
    return app


def chips(app: AppTest) -> list[str]:
    """The state of each model, in the order of the catalogue."""
    texts = [element.value for element in app.markdown]
    return [chip for text in texts for chip in CHIPS if f" {chip}]" in text]


def labels(app: AppTest) -> list[str]:
    return [button.label for button in app.button]


def text(app: AppTest) -> str:
    elements = [*app.markdown, *app.caption, *app.error, *app.code]
    return "\n".join(element.value for element in elements)


def test_every_model_with_size_memory_and_licence(remote):
    app = opened()
    assert chips(app) == ["Ready", *["Can be downloaded"] * 3]
    for fact in ("RSAM tiny", "375 MB", "1.2 GB", "2.6 GB", "Included in RSAM", "Apache-2.0"):
        assert fact in text(app)
    assert labels(app).count("Download") == 3
    assert app.button(key="use-rsam-tiny").label == "In use"
    assert app.session_state["model_name"] == "rsam-tiny"


def test_help_names_folder_files_and_addresses(remote, tmp_path):
    app = opened()
    assert app.code[0].value == str(tmp_path)
    for info in CATALOG[1:]:
        assert f"[{info.file}]({info.url})" in text(app)
    assert "RSAM_MODELS" in text(app)


def test_page_does_not_wait_for_the_network(remote):
    remote.answers.clear()
    app = AppTest.from_file(str(PAGE), default_timeout=PATIENCE).run()
    assert not app.exception
    assert chips(app) == ["Ready", *["Checking the connection"] * 3]
    assert app.button(key="download-sam-vit-b").disabled


def test_without_internet_and_after_it_has_come_back(remote):
    remote.online = False
    app = opened()
    assert chips(app) == ["Ready", *["Not reachable"] * 3]
    assert app.button(key="download-sam-vit-b").disabled
    assert "install the file by hand" in text(app)
    assert app.button(key="use-rsam-tiny").label == "In use"
    remote.online = True
    next(b for b in app.button if b.label == "Check connection").click().run()
    settle()
    app.run()
    assert chips(app) == ["Ready", *["Can be downloaded"] * 3]


def test_file_put_there_by_hand_is_found_and_can_be_used(remote, tmp_path):
    app = opened()
    put(tmp_path, "sam-vit-b")
    next(b for b in app.button if b.label == "Look again").click().run()
    assert chips(app)[1] == "Ready"
    app.button(key="use-sam-vit-b").click().run()
    assert app.session_state["model_name"] == "sam-vit-b"
    assert app.button(key="use-sam-vit-b").label == "In use"
    assert app.button(key="use-rsam-tiny").label == "Use this model"
    app.button(key="use-rsam-tiny").click().run()
    assert app.session_state["model_name"] == "rsam-tiny"


def test_damaged_file_is_downloaded_again(remote, tmp_path):
    put(tmp_path, "sam-vit-b", size=1000)
    remote.online = False  # the file alone decides
    app = opened()
    assert chips(app)[1] == "Damaged"
    assert "not the published one" in text(app)
    remote.go_on.set()
    button = app.button(key="download-sam-vit-b")
    assert button.label == "Download again"
    button.click().run()
    assert downloads.current("sam-vit-b").wait(PATIENCE)
    app.run()
    assert chips(app)[1] == "Ready"


def test_download_from_start_to_end_seen_by_two_sessions(remote):
    first = opened()
    first.button(key="download-sam-vit-b").click().run()
    until(lambda: downloads.current("sam-vit-b").fraction)
    second = opened()
    for app in (first.run(), second):
        assert chips(app) == ["Ready", "Downloading", *["Can be downloaded"] * 2]
        (progress,) = app.get("progress")
        assert (progress.proto.value, progress.proto.text) == (50, "188 of 375 MB")
        assert not app.button(key="cancel-sam-vit-b").disabled
    remote.go_on.set()
    assert downloads.current("sam-vit-b").wait(PATIENCE)
    for app in (first, second):
        app.run()
        assert chips(app)[1] == "Ready"
        assert app.button(key="use-sam-vit-b").label == "Use this model"


def test_cancel(remote):
    app = opened()
    app.button(key="download-sam-vit-b").click().run()
    app.button(key="cancel-sam-vit-b").click().run()
    assert downloads.current("sam-vit-b").wait(PATIENCE)
    app.run()
    assert chips(app)[1] == "Can be downloaded"
    assert "cancelled. Nothing was kept" in text(app)
    assert not app.button(key="download-sam-vit-b").disabled


@pytest.mark.parametrize(
    ("failure", "shown"),
    [
        (DownloadError("The connection broke off. Try again."), "The connection broke off."),
        (KeyError("surprise"), "Something went wrong that RSAM did not expect."),
    ],
)
def test_failure_is_explained_and_can_be_repeated(remote, failure, shown, caplog):
    remote.failure = failure
    remote.go_on.set()
    app = opened()
    app.button(key="download-sam-vit-b").click().run()
    assert downloads.current("sam-vit-b").wait(PATIENCE)
    app.run()
    assert not app.exception
    assert [shown in error.value for error in app.error] == [True]
    assert "surprise" not in app.error[0].value
    assert ("surprise" in caplog.text) == isinstance(failure, KeyError), "the log has the details"
    # What this test provokes is no fault of the page.
    caplog.clear()
    remote.failure = None
    app.button(key="download-sam-vit-b").click().run()
    assert downloads.current("sam-vit-b").wait(PATIENCE)
    app.run()
    assert chips(app)[1] == "Ready"
    assert not app.error

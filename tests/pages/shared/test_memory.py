"""What sessions may upload, and that those who left make room; without a server."""

from __future__ import annotations

import gc
import time
import weakref
from types import SimpleNamespace

import pytest
from streamlit.runtime import Runtime
from streamlit.runtime.memory_session_storage import MemorySessionStorage
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec
from streamlit.testing.v1 import AppTest

from pages.parts.shared import session_memory as memory
from pages.parts.shared import streamlit_adapter
from rsam_core import open_scene
from rsam_core.errors import BudgetError, Cancelled
from rsam_core.runtime.presence import SessionMonitor, freeze_gc
from rsam_core.session.session import Session
from rsam_core.session.visit import Visit
from tests.helpers.pages import opened, plain
from tests.helpers.waiting import PATIENCE

MB = 10**6


class Server:
    """Uploads of sessions as Streamlit keeps them, and who is there."""

    def __init__(self) -> None:
        self.uploaded_file_mgr = MemoryUploadedFileManager("/upload")
        self.closed: list[str] = []
        self.stopped = self
        self.here = {"me"}
        self.media_file_mgr = SimpleNamespace(add=lambda content, kind, place: f"/media/{place}")

    def get_loop(self) -> SimpleNamespace:
        return SimpleNamespace(call_soon_threadsafe=lambda work, *args: work(*args))

    def close_session(self, session: str) -> None:
        self.closed.append(session)
        self.uploaded_file_mgr.remove_session_files(session)

    def upload(self, session: str, name: str, size: int) -> None:
        record = UploadedFileRec(name, name, "image/png", bytes(size * MB))
        self.uploaded_file_mgr.add_file(session, record)

    @property
    def kept(self) -> dict[str, list[str]]:
        files = self.uploaded_file_mgr.file_storage
        return {session: list(names) for session, names in files.items() if names}


@pytest.fixture
def server(monkeypatch) -> Server:
    """100 MB for all and 60 MB for each; this thread belongs to the session "me"."""
    made = Server()
    departures = SessionMonitor(lambda name: name in made.here, 60.0)
    monkeypatch.setattr(
        streamlit_adapter,
        "runtime",
        SimpleNamespace(exists=lambda: True, get_instance=lambda: made, Runtime=Runtime),
    )
    monkeypatch.setattr(streamlit_adapter, "session_id", lambda: "me")
    monkeypatch.setattr(memory, "_caretaker", lambda: departures)
    monkeypatch.setattr(memory, "_leaving", [])
    monkeypatch.setattr(memory, "UPLOADS", 100 * MB)
    monkeypatch.setattr(memory, "UPLOADS_EACH", 60 * MB)
    made.departures = departures
    return made


def test_within_the_limits_nothing_happens(server):
    server.upload("me", "a", 30)
    server.upload("them", "b", 40)
    server.upload("me", "c", 30)
    assert memory.keep_uploads_within_limits() == []
    assert server.kept == {"me": ["a", "c"], "them": ["b"]}


def test_own_limit_refuses_the_latest_and_keeps_the_rest(server):
    server.upload("me", "a.tif", 30)
    server.upload("me", "b.tif", 31)
    with pytest.raises(BudgetError, match=r"“b.tif” \(31 MB\) you would hold more than 60 MB"):
        memory.keep_uploads_within_limits()
    assert server.kept == {"me": ["a.tif"]}


def test_common_limit_refuses_while_the_others_are_here(server):
    server.here |= {"x", "y"}
    for session, size in (("x", 40), ("y", 40), ("me", 30)):
        server.departures.note(session)
        server.upload(session, f"{session}.tif", size)
    server.departures.look()
    with pytest.raises(BudgetError, match=r"no room for “me.tif” .* may hold 100 MB"):
        memory.keep_uploads_within_limits()
    assert server.kept == {"x": ["x.tif"], "y": ["y.tif"]}
    assert server.closed == []


def test_those_who_left_make_room_the_longest_absent_first(server):
    server.here |= {"x", "y"}
    for session in ("x", "y"):
        server.departures.note(session)
        server.upload(session, f"{session}.tif", 40)
    for session in ("y", "x"):
        server.here.remove(session)
        server.departures.look()
    told = []
    memory.when_leaving(told.append)
    server.upload("me", "me.tif", 30)
    assert [item.name for item in memory.keep_uploads_within_limits()] == ["y.tif"]
    assert (server.closed, told, server.kept) == (
        ["y"], ["y"], {"x": ["x.tif"], "me": ["me.tif"]},
    )  # fmt: skip
    assert server.departures.away() == ["x"]


def test_file_that_nobody_could_keep(server):
    server.upload("me", "huge.tif", 61)
    with pytest.raises(BudgetError, match="larger than the 60 MB that this computer takes"):
        memory.keep_uploads_within_limits()
    assert server.kept == {}


def test_without_uploads_or_server_there_is_nothing_to_limit(server, monkeypatch):
    assert memory.keep_uploads_within_limits() == []
    monkeypatch.setattr(streamlit_adapter, "runtime", SimpleNamespace(exists=lambda: False))
    assert memory.keep_uploads_within_limits() == []


def test_home_page_says_when_there_is_no_room(app: AppTest, server):
    server.upload("me", "b.tif", 61)
    app.run()
    app.file_uploader(key="home-upload").upload("plain.png", plain()).run()
    assert not app.exception
    assert len(app.error) == 1
    assert "larger than the 60 MB that this computer takes" in app.error[0].value
    assert not opened(app)


def test_settling_follows_newly_loaded_libraries_only(monkeypatch):
    settled = []
    monkeypatch.setattr(memory, "freeze_gc", lambda: settled.append(1))
    monkeypatch.setattr(memory, "_modules", 0)
    modules = {str(n): n for n in range(60)}
    monkeypatch.setattr(memory, "sys", SimpleNamespace(modules=modules))
    memory.track_session()
    memory.track_session()
    assert settled == [1]
    modules |= {f"more {n}": n for n in range(51)}
    memory.track_session()
    assert settled == [1, 1]


def test_whoever_leaves_gives_back_embeddings(monkeypatch):
    from pages.parts.shared import resources
    from rsam_core.segment.embedding import Embedding

    monkeypatch.setattr(memory, "_leaving", [])
    cache = resources._embeddings.__wrapped__()
    made = Embedding(SimpleNamespace(nbytes=40), (8, 8), ("a", "fake"))
    cache.get(made.key, lambda: made, "me")
    assert cache.nbytes == 40
    for release in memory._leaving:
        release("me")
    assert cache.nbytes == 0


def test_session_that_streamlit_names_no_more_is_given_back_too(server):
    """Closing comes too late: the time for which Streamlit keeps a lost session has passed."""

    class Session:
        id = "them"

    held = Session()
    gone = weakref.ref(held)
    storage = MemorySessionStorage(ttl_seconds=0.02)
    storage.save(SimpleNamespace(session=held))
    del held
    server._session_mgr = SimpleNamespace(_session_storage=storage)
    server.close_session = lambda session: None
    server.upload("them", "b", 40)
    time.sleep(0.05)
    assert storage.get("them") is None
    assert gone() is not None, "Streamlit holds what it does not name any more"
    memory._dismiss("them")
    gc.collect()
    assert gone() is None
    assert server.kept == {}


def test_everything_of_somebody_who_left_is_stopped(server):
    visit, stopped = Visit("me"), []

    def endless(progress, cancelled) -> None:
        while not cancelled():
            time.sleep(0.005)
        stopped.append(1)
        raise Cancelled("stopped")

    session = Session(open_scene(plain(), name="plain.png"), owner="me")
    visit.open(session)
    names = ("everything", "one-shot", "one-shot elsewhere", "prepare", "image", "study",
             "classify", "refine", "prefetch")  # fmt: skip
    jobs = [session.jobs.start(name, endless) for name in names]
    jobs += [visit.jobs.start(name, endless) for name in ("dataset", "open project")]
    memory.cancel_on_disconnect(visit)
    memory._dismiss("somebody else")
    assert not any(job.finished for job in jobs)
    memory._dismiss("me")
    memory._dismiss("me")
    assert all(job.wait(PATIENCE) for job in jobs)
    assert {job.state for job in jobs} == {"cancelled"}
    assert len(stopped) == 11
    assert session.jobs.start("everything", endless).state == "cancelled", "it is over"
    assert server.closed == ["somebody else", "me", "me"]


def test_a_closed_image_is_collected_though_libraries_were_settled(monkeypatch):
    """Settled objects that hold each other in a circle are found once an image is closed."""

    class Circle:
        pass

    held = Circle()
    held.itself = held
    gone = weakref.ref(held)
    freeze_gc()
    del held
    gc.collect()
    assert gone() is not None, "settled objects are not looked through"
    monkeypatch.setattr(memory, "_PAUSE", 0.0)
    memory.something_closed()
    memory._tidy(SessionMonitor(lambda name: True, 60.0))
    assert gone() is None
    assert not memory._closed.is_set()


def test_this_streamlit_has_all_that_is_reached_for():
    """Mend `streamlit_adapter` for the new version; nothing would be freed else."""
    assert streamlit_adapter.missing() == []


@pytest.mark.parametrize(
    ("of", "name", "told"),
    [
        (MemoryUploadedFileManager, "remove_session_files", "remove_session_files"),
        (Runtime, "is_active_session", "is_active_session"),
        (Runtime, "close_session", "close_session"),
        (PagesManager, "uses_pages_directory", "uses_pages_directory"),
    ],
)
def test_a_streamlit_that_lacks_something_is_told(monkeypatch, of, name, told):
    monkeypatch.delattr(of, name)
    assert streamlit_adapter.missing() == [f"{of.__name__}.{told}"]

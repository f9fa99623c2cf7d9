"""PyTorch is loaded beforehand once, with a server only, and a failure disturbs nobody."""

from __future__ import annotations

import threading

import pytest

from pages.parts.shared import warming
from tests.helpers.waiting import PATIENCE


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    done: list[str] = []
    monkeypatch.setattr(warming, "_begun", threading.Event())
    monkeypatch.setattr(warming, "_load", lambda: done.append("loaded"))
    monkeypatch.setattr(warming.streamlit_adapter, "has_server", lambda: True)
    return done


def wait() -> None:
    for thread in threading.enumerate():
        if getattr(thread, "_target", None) is warming._load:
            thread.join(PATIENCE)


def test_it_is_loaded_once(loads: list[str]) -> None:
    for _ in range(3):
        warming.warm_up()
        wait()
    assert loads == ["loaded"]


def test_not_without_a_server(loads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming.streamlit_adapter, "has_server", lambda: False)
    warming.warm_up()
    wait()
    assert loads == []


def test_a_failure_is_noted_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import builtins

    real = builtins.__import__

    def refuse(name: str, *args: object) -> object:
        if name == "rsam_core.models.tiny.model":
            raise OSError("no room")
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", refuse)
    warming._load()
    assert "could not be loaded beforehand" in caplog.text

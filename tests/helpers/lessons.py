"""Lessons of the page Learn in tests: opened by their address, with one model for all."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import resources
from rsam_core.models.tiny import TinyModel
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.pages import fine


def lend(tiny: TinyModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pages answer by a model that is loaded, and encode each picture once."""
    model, embeddings = Segmenter(tiny), {}

    def embed(image: Any, key: tuple[str, str]) -> Any:
        if key not in embeddings:
            embeddings[key] = model.embed(image)
        return embeddings[key]

    monkeypatch.setattr(resources, "segmenter", lambda name: model)
    monkeypatch.setattr(resources, "embed", embed)


def opened_lesson(app: AppTest, key: str) -> AppTest:
    """The lesson of that key, by its address."""
    app.query_params["lesson"] = key
    app.run()
    app.switch_page("pages/screens/learn.py").run()
    fine(app)
    return app

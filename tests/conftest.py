"""What several test modules share: the embedded model and one rendered town, made once."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rsam_core.embedding import Embedding
from rsam_core.everything import EverythingSettings, EverythingState, initialize
from rsam_core.models.load import load_model
from rsam_core.models.tiny import TinyModel
from rsam_core.samples import TownSample, render_town
from rsam_core.segmenter import Segmenter

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny() -> TinyModel:
    """The embedded model."""
    return load_model("rsam-tiny")


@pytest.fixture(scope="session")
def town() -> TownSample:
    """Apartment blocks and their gardens: 448 × 320 pixels of 0.3 m."""
    return render_town(448, 320, gsd=0.3, seed=7, style="estate")


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
    return initialize(Segmenter(tiny), town_embedding, EverythingSettings(spacing=24))

"""What all sessions share: loaded models, embeddings, rendered samples."""

from __future__ import annotations

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

import rsam_core as rsam
from pages.parts.shared import model_queue as queueing
from pages.parts.shared import session_memory as memory
from rsam_core.models.base import PromptableModel
from rsam_core.models.queued import QueuedModel
from rsam_core.runtime.acting import acting
from rsam_core.runtime.budgets import Store, setting
from rsam_core.samples import TownSample, gallery_sample, write_geotiff
from rsam_core.samples.places import FOLDER, place
from rsam_core.samples.thumbnails import thumbnail
from rsam_core.segment.embedding import Embedding, EmbeddingCache, content_key
from rsam_core.segment.segmenter import Candidates

EMBEDDINGS = setting("RSAM_EMBEDDING_MB", 1500 << 20)
"""Bytes of the encoded images of all sessions together."""
EMBEDDINGS_EACH = setting("RSAM_EMBEDDING_SESSION_MB", EMBEDDINGS // 3)
"""Bytes of the encoded images of one session."""
ANSWERS = setting("RSAM_ANSWER_MB", 600 << 20)
"""Bytes of the answers to prompts of all sessions together."""
ANSWERS_EACH = setting("RSAM_ANSWER_SESSION_MB", ANSWERS // 10)
"""Bytes of the answers of one session."""


@st.cache_resource(show_spinner="Loading the model (once)…", max_entries=2)
def _model(model_name: str) -> PromptableModel:
    return rsam.load_model(model_name)


def segmenter(model_name: str) -> rsam.Segmenter:
    """A model, loaded once for all sessions, that answers this one in its turn."""
    whose = queueing.owner()
    return rsam.Segmenter(QueuedModel(_model(model_name), lambda line: queueing.slot(whose, line)))


@st.cache_resource
def _embeddings() -> EmbeddingCache:
    cache = EmbeddingCache(EMBEDDINGS, EMBEDDINGS_EACH)
    memory.when_leaving(cache.release)
    return cache


@st.cache_resource
def answers() -> Store[Candidates]:
    """What models answered to prompts; each session gives its own back when its image is closed."""
    return Store(ANSWERS, ANSWERS_EACH)


def embed(image: NDArray[np.uint8], key: tuple[str, str]) -> Embedding:
    """The embedding of a view, encoded at most once while it stays in the cache."""
    # Another thread of this session may be encoding the same view, and needs a turn for it.
    queueing.release_slot()
    owner, cache = queueing.owner(), _embeddings()
    made = cache.get(key, lambda: segmenter(key[1]).embed(image), owner)
    errand = acting()
    stopped = errand is not None and errand.cancelled is not None and errand.cancelled()
    if stopped or memory.has_left(owner):
        # It came too late: what the owner held was given back already.
        cache.give_up(key, owner)
    return made


def embedding_key(image: NDArray[np.uint8], model_name: str) -> tuple[str, str]:
    """Cache key of a view."""
    return content_key(image, model_name)


def jpeg(image: NDArray[np.uint8], quality: int = 88) -> bytes:
    """A picture as JPEG bytes."""
    parameters = [cv2.IMWRITE_JPEG_QUALITY, quality]
    return cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), parameters)[1].tobytes()


@st.cache_data(show_spinner="Drawing the sample…", max_entries=12)
def sample_file(key: str) -> bytes:
    """A sample image as GeoTIFF."""
    return write_geotiff(sample(key))


@st.cache_resource(show_spinner="Drawing the sample…", max_entries=12)
def sample(key: str) -> TownSample:
    """A sample with its truth."""
    return gallery_sample(key)


@st.cache_data(show_spinner=False, max_entries=12)
def place_thumbnail(key: str, width: int = 480, height: int = 288) -> bytes:
    """A small picture of a real place, cut to the shape of the others."""
    entry = place(key)
    picture = rsam.open_scene(FOLDER / entry.file).read_rgb()
    scale = max(width / picture.shape[1], height / picture.shape[0])
    kind = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=kind)
    top, left = (sized.shape[0] - height) // 2, (sized.shape[1] - width) // 2
    return jpeg(sized[top : top + height, left : left + width])


def sample_thumbnail(key: str) -> bytes:
    """A small picture of a sample."""
    return thumbnail(key)

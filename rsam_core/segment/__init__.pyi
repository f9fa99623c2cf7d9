from .automatic import Automatic
from .embedding import Embedding, EmbeddingCache, content_key
from .everything import (
    EverythingSettings,
    EverythingState,
    generate,
    initialize,
    settings_for,
)
from .kinds import Kinds, guess_kinds
from .prompter import Answer, Prompter
from .proposals import initialize_by_boxes, initialize_by_proposals, propose_boxes
from .segmenter import Candidates, Segmenter
from .tiles.run import initialize_tiled

__all__ = [
    "Answer",
    "Automatic",
    "Candidates",
    "Embedding",
    "EmbeddingCache",
    "EverythingSettings",
    "EverythingState",
    "Kinds",
    "Prompter",
    "Segmenter",
    "content_key",
    "generate",
    "guess_kinds",
    "initialize",
    "initialize_by_boxes",
    "initialize_by_proposals",
    "initialize_tiled",
    "propose_boxes",
    "settings_for",
]

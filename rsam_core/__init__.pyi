from .change.alignment import align
from .change.comparison import compare
from .change.following import follow
from .errors import RsamError
from .evaluate.metrics.__init__ import (
    Counts,
    confusion,
    dice,
    fpr,
    iou,
    pixel_accuracy,
    precision,
    tpr,
)
from .formats.truth import read_truth
from .models.load import load_model
from .objects.instance import Instance
from .objects.instances import Instances
from .objects.measurements import measure, summary
from .prepare.pipeline import Pipeline
from .prompts.prompt import Prompt
from .render.overlays import overlay
from .render.style import OverlayStyle
from .scene.bands import ViewSettings
from .scene.scene import Scene, open_scene
from .scene.window import Window
from .segment.embedding import Embedding, EmbeddingCache
from .segment.everything import EverythingSettings, generate
from .segment.kinds import Kinds, guess_kinds
from .segment.segmenter import Candidates, Segmenter
from .segment.tiles.run import initialize_tiled
from .segment.words.query import words

__all__ = [
    "Candidates",
    "Counts",
    "Embedding",
    "EmbeddingCache",
    "EverythingSettings",
    "Instance",
    "Instances",
    "Kinds",
    "OverlayStyle",
    "Pipeline",
    "Prompt",
    "RsamError",
    "Scene",
    "Segmenter",
    "ViewSettings",
    "Window",
    "align",
    "compare",
    "confusion",
    "dice",
    "follow",
    "fpr",
    "generate",
    "guess_kinds",
    "initialize_tiled",
    "iou",
    "load_model",
    "measure",
    "open_scene",
    "overlay",
    "pixel_accuracy",
    "precision",
    "read_truth",
    "summary",
    "tpr",
    "words",
]

from .brush import painted_mask
from .canvas_events import Acknowledged, CanvasEvent, read_events, read_viewport
from .history import PromptedObject, PromptHistory, PromptMark
from .prompt import Prompt
from .simulated import centre_click, corrective_click, tight_box
from .superpixel_painting import Painting
from .superpixels import SuperpixelSettings

__all__ = [
    "Acknowledged",
    "CanvasEvent",
    "Painting",
    "Prompt",
    "PromptHistory",
    "PromptMark",
    "PromptedObject",
    "SuperpixelSettings",
    "centre_click",
    "corrective_click",
    "painted_mask",
    "read_events",
    "read_viewport",
    "tight_box",
]

from .overlays import candidate_thumbnail, overlay, overlay_layer
from .session_report import html_report
from .style import OverlayStyle, legend

__all__ = [
    "OverlayStyle",
    "candidate_thumbnail",
    "html_report",
    "legend",
    "overlay",
    "overlay_layer",
]

from .bands import ViewSettings
from .coordinates import Frame, Viewport, choose_view, view_frame
from .description import facts
from .ground_distance import ground_sample_distance
from .indices import INDICES
from .scene import Scene, open_scene
from .window import Window
from .world_file import is_world_file, pair_uploads

__all__ = [
    "INDICES",
    "Frame",
    "Scene",
    "ViewSettings",
    "Viewport",
    "Window",
    "choose_view",
    "facts",
    "ground_sample_distance",
    "is_world_file",
    "open_scene",
    "pair_uploads",
    "view_frame",
]

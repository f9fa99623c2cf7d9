from .project import ENDING, ProjectState, load_project, save_project

__all__ = [
    "ENDING",
    "ProjectState",
    "load_project",
    "save_project",
]

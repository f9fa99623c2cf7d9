"""Which models can be used now, from the catalogue, the hub and folders of the user's own."""

from __future__ import annotations

from rsam_core.models import weights
from rsam_core.models.catalog import CATALOG
from rsam_core.models.hub.catalog import HUB, HubInfo, Task
from rsam_core.models.hub.folders import found, state
from rsam_core.models.hub.loading import is_available
from rsam_core.models.info import ModelInfo


def ready_models(task: Task = "prompts") -> list[ModelInfo]:
    """Models that are installed whole, with the packages that they need.

    Parameters
    ----------
    task : {"prompts", "words", "names"}
        What they are for; the embedded model and official SAM answer prompts.

    Returns
    -------
    list of ModelInfo
        The default first.
    """
    own: list[ModelInfo] = []
    if task == "prompts":
        own = [info for info in CATALOG if info.embedded or weights.state(info) == "ready"]
    if not is_available():
        return own
    listed = [info for info in HUB if info.task == task and state(info) == "ready"]
    brought = [info for info in found() if info.task == task]
    return own + [info for info in (*listed, *brought) if has_packages(info)]


def has_packages(info: HubInfo) -> bool:
    """Whether all packages are installed that a model of the hub needs."""
    return all(is_available(name) for name in ("transformers", *info.needs))

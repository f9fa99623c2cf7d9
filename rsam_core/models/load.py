"""From a name to a model that is ready to use."""

from __future__ import annotations

from rsam_core.errors import ModelError
from rsam_core.models import weights
from rsam_core.models.base import PromptableModel
from rsam_core.models.catalog import DEFAULT_MODEL, ModelInfo, resolve


def load_model(model: str | ModelInfo = DEFAULT_MODEL) -> PromptableModel:
    """Load a model. Every call reads the weights again: keep the result.

    Parameters
    ----------
    model : str or ModelInfo
        A name of the catalogue, or the facts about a model that is not in it.

    Returns
    -------
    PromptableModel

    Raises
    ------
    ModelError
        If the model is unknown, not installed, damaged, or too large for this computer's memory.
    """
    info = resolve(model)
    if info.family == "rsam-tiny":
        from rsam_core.models.tiny import load_tiny

        return load_tiny()
    if info.family == "hub":
        from rsam_core.models.hub.loading import load

        return load(info)
    if info.family != "sam":
        raise ModelError(f"{info.title} is of the unknown kind “{info.family}”.")
    path = weights.find(info)
    if path is None:
        raise ModelError(
            f"{info.title} is not installed. Open the Models page and download it. "
            f"Without internet, install it by hand: {weights.install_hint(info)}"
        )
    from rsam_core.models.sam.model import load_sam

    return load_sam(info, path)

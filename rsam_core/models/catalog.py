"""Every model that RSAM knows: what it is for, how large it is and where it comes from."""

from __future__ import annotations

from rsam_core.errors import ModelError
from rsam_core.models.hub.catalog import HUB
from rsam_core.models.hub.folders import found
from rsam_core.models.info import EMBEDDED, OFFICIAL, ModelInfo, Traits

__all__ = [
    "CATALOG",
    "DEFAULT_MODEL",
    "EMBEDDED",
    "OFFICIAL",
    "ModelInfo",
    "Traits",
    "get_model_info",
    "resolve",
    "traits_of",
]

DEFAULT_MODEL = "rsam-tiny"
"""Name of the model that is used unless another one is chosen."""

_SAM_URL = "https://dl.fbaipublicfiles.com/segment_anything/"


def _sam(
    size: str, file: str, length: int, sha256: str, memory_mb: int, description: str
) -> ModelInfo:
    return ModelInfo(
        name=f"sam-vit-{size}",
        title=f"SAM ViT-{size.upper()}",
        family="sam",
        description=description,
        licence="Apache-2.0",
        memory_mb=memory_mb,
        file=file,
        bytes=length,
        sha256=sha256,
        url=_SAM_URL + file,
        arch=f"vit_{size}",
    )


CATALOG: tuple[ModelInfo, ...] = (
    ModelInfo(
        name=DEFAULT_MODEL,
        title="RSAM tiny",
        family="rsam-tiny",
        description=(
            "Made for satellite, aerial and drone images. Answers a click at once on an "
            "ordinary laptop and needs no download."
        ),
        licence="Apache-2.0",
        memory_mb=300,
        traits=EMBEDDED,
    ),
    _sam(
        "b",
        "sam_vit_b_01ec64.pth",
        375042383,
        "ec2df62732614e57411cdcf32a23ffdf28910380d03139ee0f4fcbe91eb8c912",
        3000,
        "The smallest official Segment Anything model, trained on everyday photographs. "
        "Without a graphics card it needs 5 to 20 seconds for each new view; clicks are quick "
        "afterwards.",
    ),
    _sam(
        "l",
        "sam_vit_l_0b3195.pth",
        1249524607,
        "3adcc4315b642a4d2101128f611684e8734c41232a17c648ed1693702a49a622",
        4600,
        "The middle one: often finer outlines than ViT-B, about three times slower at each "
        "new view.",
    ),
    _sam(
        "h",
        "sam_vit_h_4b8939.pth",
        2564550879,
        "a7bf3b02f3ebf1267aba913ff637d9a2d5c33d3173bb679e46d9f338c26f262e",
        6000,
        "The largest one, about six times slower than ViT-B at each new view. Best on a "
        "computer with a graphics card.",
    ),
)
"""The embedded model and official SAM, the default first; see also `hub.catalog.HUB`."""


def get_model_info(name: str) -> ModelInfo:
    """Look a model up by its name.

    Parameters
    ----------
    name : str
        For example ``"rsam-tiny"``.

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelError
        If there is no such model; the message lists those that exist.
    """
    for info in (*CATALOG, *HUB):
        if info.name == name:
            return info
    own = found()
    for info in own:
        if info.name == name:
            return info
    known = ", ".join(info.name for info in (*CATALOG, *HUB, *own))
    raise ModelError(f"There is no model called “{name}”. Choose one of: {known}.")


def traits_of(name: str) -> Traits:
    """How a model wants to be used; one that is in no catalogue is taken for an official one."""
    return next((info.traits for info in (*CATALOG, *HUB) if info.name == name), OFFICIAL)


def resolve(model: str | ModelInfo) -> ModelInfo:
    """Accept a name or the facts themselves, so that callers may bring a model of their own.

    Parameters
    ----------
    model : str or ModelInfo

    Returns
    -------
    ModelInfo

    Raises
    ------
    ModelError
        If a name is not in the catalogue.
    """
    return model if isinstance(model, ModelInfo) else get_model_info(model)

"""Every model that RSAM knows: what it is for, how large it is and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from rsam_core.errors import ModelError

DEFAULT_MODEL = "rsam-tiny"
"""Name of the model that is used unless another one is chosen."""

_SAM_URL = "https://dl.fbaipublicfiles.com/segment_anything/"


@dataclass(frozen=True)
class Traits:
    """How a model wants to be used; code asks for these, never for a model's name.

    Attributes
    ----------
    min_quality, min_stability : float
        Thresholds of everything mode that suit its scores, 0 to 1.
    keep_quality, keep_stability : float
        Masks below these are not worth drawing, whatever a slider says later.
    light : bool
        A prompt costs a few milliseconds on an ordinary processor, so that many are asked at
        once, and the model may look for another one's boxes.
    projection_head : bool
        The trained comparison of objects has a head for its features.
    """

    min_quality: float = 0.88
    min_stability: float = 0.92
    keep_quality: float = 0.6
    keep_stability: float = 0.6
    light: bool = False
    projection_head: bool = False


OFFICIAL = Traits()
"""Official SAM is sure of itself (its published thresholds are 0.88 and 0.95), and slow."""

EMBEDDED = Traits(0.55, 0.75, 0.25, 0.0, light=True, projection_head=True)
"""``rsam-tiny`` predicts lower, more spread scores."""


@dataclass(frozen=True)
class ModelInfo:
    """Facts about one model.

    Attributes
    ----------
    name : str
        Name used in code and settings, for example ``"sam-vit-b"``.
    title : str
        Name shown to people.
    family : str
        ``"rsam-tiny"`` (embedded in RSAM) or ``"sam"`` (official checkpoints).
    description : str
        What the model is good for, in one or two sentences.
    licence : str
        Licence of the weights, as an SPDX identifier.
    memory_mb : int
        Working memory in megabytes, on top of the application's own, at its peak while a view
        is embedded.
    file : str or None
        Name of the checkpoint in the models folder; None if the weights come with RSAM.
    bytes : int or None
        Size of the checkpoint.
    sha256 : str or None
        SHA-256 of the checkpoint, lower-case hexadecimal.
    url : str or None
        Where the checkpoint can be downloaded.
    arch : str or None
        Key of the architecture in `rsam_core.models.sam.model.BUILDERS`.
    traits : Traits
        How it wants to be used.
    """

    name: str
    title: str
    family: str
    description: str
    licence: str
    memory_mb: int
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    url: str | None = None
    arch: str | None = None
    traits: Traits = OFFICIAL

    @property
    def embedded(self) -> bool:
        """Whether the weights come with RSAM, so that there is nothing to install."""
        return self.file is None


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
"""All models, the default first."""


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
    for info in CATALOG:
        if info.name == name:
            return info
    known = ", ".join(info.name for info in CATALOG)
    raise ModelError(f"There is no model called “{name}”. Choose one of: {known}.")


def traits_of(name: str) -> Traits:
    """How a model wants to be used; one that is in no catalogue is taken for an official one."""
    return next((info.traits for info in CATALOG if info.name == name), OFFICIAL)


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

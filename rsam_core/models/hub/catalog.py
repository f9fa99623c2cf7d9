"""The models of the hub that RSAM offers by name, and what each kind of folder holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rsam_core.models.info import ModelInfo, Traits

Task = Literal["prompts", "words", "names"]
"""Points and boxes to outlines; words to objects; names for finished objects."""

SAM2 = Traits(min_quality=0.8, min_stability=0.92)
"""SAM 2's own automatic mode asks for a predicted IoU of 0.8."""

WORDS = Traits(min_quality=0.3, min_stability=0.0, keep_quality=0.1, keep_stability=0.0)
"""A model of words gives its confidence in the word, which is lower than a predicted IoU."""

KINDS: dict[str, tuple[Task, str]] = {
    "sam": ("prompts", "SamModel"),
    "sam_hq": ("prompts", "SamHQModel"),
    "sam2": ("prompts", "Sam2Model"),
    "sam2_video": ("prompts", "Sam2Model"),
    "edgetam": ("prompts", "EdgeTamModel"),
    "edgetam_video": ("prompts", "EdgeTamModel"),
    "sam3_tracker": ("prompts", "Sam3TrackerModel"),
    "sam3": ("words", "Sam3Model"),
    "sam3_video": ("words", "Sam3Model"),
    "grounding-dino": ("words", "GroundingDinoForObjectDetection"),
    "clipseg": ("words", "CLIPSegForImageSegmentation"),
    "clip": ("names", "CLIPModel"),
}
"""For each ``model_type`` of a ``config.json``: what it is for, and the class that loads it."""


@dataclass(frozen=True)
class HubInfo(ModelInfo):
    """Facts about one model of the hub; `file` is the name of its folder.

    Attributes
    ----------
    task : {"prompts", "words", "names"}
        What it is for.
    group : str
        Name of the family that people know it by.
    repository : str or None
        Where on the hub it is, as ``owner/name``; None for a folder that the user brought.
    licence_url : str or None
        Where the licence can be read.
    gated : bool
        Whether its owner must grant access first.
    needs : tuple of str
        Packages that it needs besides transformers.
    """

    task: Task = "prompts"
    group: str = ""
    repository: str | None = None
    licence_url: str | None = None
    gated: bool = False
    needs: tuple[str, ...] = ()

    @property
    def page(self) -> str | None:
        """Address of the model's page."""
        return None if self.repository is None else f"https://huggingface.co/{self.repository}"


_APACHE = "https://www.apache.org/licenses/LICENSE-2.0"


def _model(
    name: str,
    title: str,
    group: str,
    repository: str,
    megabytes: float,
    memory_mb: int,
    description: str,
    *,
    task: Task = "prompts",
    licence: str = "Apache-2.0",
    licence_url: str = _APACHE,
    gated: bool = False,
    needs: tuple[str, ...] = (),
    traits: Traits | None = None,
) -> HubInfo:
    fitting = {"prompts": Traits(), "words": WORDS, "names": Traits()}[task]
    return HubInfo(
        name=name,
        title=title,
        family="hub",
        description=description,
        licence=licence,
        memory_mb=memory_mb,
        file=name,
        bytes=int(megabytes * 1_000_000),
        traits=traits or fitting,
        task=task,
        group=group,
        repository=repository,
        licence_url=licence_url,
        gated=gated,
        needs=needs,
    )


def _sam2(size: str, title: str, megabytes: float, memory_mb: int, description: str) -> HubInfo:
    return _model(
        f"sam2.1-hiera-{size}",
        f"SAM 2.1 {title}",
        "SAM 2.1",
        f"facebook/sam2.1-hiera-{size}",
        megabytes,
        memory_mb,
        description,
        traits=SAM2,
    )


HUB: tuple[HubInfo, ...] = (
    _sam2(
        "tiny",
        "tiny",
        156,
        1200,
        "The quickest of the SAM 2.1 models, for a computer without a graphics card.",
    ),
    _sam2("small", "small", 184, 1300, "A little finer than tiny, and a little slower."),
    _sam2("base-plus", "base+", 323, 1800, "Finer outlines; best with a graphics card."),
    _sam2("large", "large", 898, 3000, "The finest outlines of SAM 2.1, and the slowest."),
    _model(
        "sam-hq-vit-base",
        "SAM-HQ ViT-B",
        "SAM-HQ",
        "syscv-community/sam-hq-vit-base",
        379,
        3200,
        "SAM with sharper borders: thin and branching things such as roads, canals, fences. As "
        "slow as SAM ViT-B.",
    ),
    _model(
        "edgetam",
        "EdgeTAM",
        "EdgeTAM",
        "yonigozlan/EdgeTAM-hf",
        56,
        900,
        "SAM 2 made small for phones: quick on any computer, a little coarser.",
        needs=("timm",),
    ),
    _model(
        "slimsam-77",
        "SlimSAM 77",
        "SlimSAM",
        "Zigeng/SlimSAM-uniform-77",
        39,
        1500,
        "SAM with three quarters of its weights removed: the smallest download, and quicker than "
        "SAM ViT-B.",
    ),
    _model(
        "slimsam-50",
        "SlimSAM 50",
        "SlimSAM",
        "Zigeng/SlimSAM-uniform-50",
        112,
        2200,
        "SAM with half of its weights removed: between SlimSAM 77 and SAM ViT-B.",
    ),
    _model(
        "sam3",
        "SAM 3",
        "SAM 3",
        "facebook/sam3",
        3440,
        8000,
        "Finds and outlines all that a few words name, such as “red roof” or “ship”. Large: best "
        "with a graphics card.",
        task="words",
        licence="SAM License",
        licence_url="https://huggingface.co/facebook/sam3/blob/main/LICENSE",
        gated=True,
    ),
    _model(
        "grounding-dino-tiny",
        "Grounding DINO tiny",
        "Grounding DINO",
        "IDEA-Research/grounding-dino-tiny",
        689,
        2500,
        "Finds boxes for words; the model that is in use then outlines what is in each.",
        task="words",
    ),
    _model(
        "clipseg-rd64-refined",
        "CLIPSeg",
        "CLIPSeg",
        "CIDAS/clipseg-rd64-refined",
        603,
        1200,
        "Colours where a word applies: coarse, good for areas such as water, forest, fields.",
        task="words",
    ),
    _model(
        "clip-vit-b-32",
        "CLIP ViT-B/32",
        "CLIP",
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        605,
        1000,
        "Says what finished objects are, on the Objects page.",
        task="names",
        licence="MIT",
        licence_url="https://opensource.org/license/mit",
    ),
)
"""All models of the hub that are offered by name."""


def hub_info(name: str) -> HubInfo | None:
    """The model of that name, or None if the hub's list has none."""
    return next((info for info in HUB if info.name == name), None)

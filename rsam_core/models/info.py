"""What is known of a model, and how it wants to be used."""

from __future__ import annotations

from dataclasses import dataclass


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

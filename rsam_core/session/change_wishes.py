"""How two dates shall be compared, and where the second one came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rsam_core.change.aligned import AlignSettings
from rsam_core.change.differences import SCALES

OURS = "rsam"
"""Key of RSAM's own comparison among the methods."""

METHODS: Mapping[str, str] = MappingProxyType(
    {OURS: "RSAM: objects first", **{key: scale.title for key, scale in SCALES.items()}}
)
"""The methods by key, and their titles."""


@dataclass(frozen=True)
class Origin:
    """Where the second date came from, so that it can be found again.

    Attributes
    ----------
    kind : str
        "upload", "sample" or "folder".
    key : str
        Of the sample, or the path in the image folder.
    """

    kind: str = "upload"
    key: str = ""


@dataclass(frozen=True)
class Wishes:
    """How the dates shall be compared.

    Attributes
    ----------
    method : str
        One of :data:`METHODS`.
    kinds : tuple of str
        Kinds of object to report; all if empty.
    radiometry : str
        "histogram" or "none".
    register : bool
        Whether a displacement is measured and corrected where the files have a georeference.
    smallest : int
        Pixels of the smallest object.
    """

    method: str = OURS
    kinds: tuple[str, ...] = ()
    radiometry: str = "histogram"
    register: bool = True
    smallest: int = 60

    @property
    def align(self) -> AlignSettings:
        """For `rsam_core.change.align`."""
        return AlignSettings(register=self.register, radiometry=self.radiometry)

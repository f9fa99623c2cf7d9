"""What a first look at an image found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from rsam_core.scene._room import Room
from rsam_core.scene.raster_file import RasterFile


@dataclass(frozen=True)
class Examined:
    """What a first look found.

    Attributes
    ----------
    source : bytes, pathlib.Path or None
        What to read in place of the file: the same picture upright, or in tiles.
    notes : tuple of str
        What was done to it.
    turned : bool
        Whether a camera orientation was applied.
    """

    source: bytes | Path | None = None
    notes: tuple[str, ...] = ()
    turned: bool = False

    def applied(self, file: RasterFile, room: Room | None) -> RasterFile:
        """Return the file to read from then on."""
        if self.source is None:
            return file
        return replace(file, source=self.source, linked=None, room=(room, file.room))

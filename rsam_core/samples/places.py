"""Real places to try RSAM on: small crops of aerial images that may be passed on.

Their sources and licences stand in ``SOURCES.md`` beside this file, and in each image itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rsam_core.errors import SceneError
from rsam_core.runtime.language import N_

FOLDER = Path(__file__).with_name("places")


@dataclass(frozen=True)
class Place:
    """A crop of a real image.

    Attributes
    ----------
    key : str
    title, caption : str
        For people.
    file : str
        Name of its file in `FOLDER`.
    credit : str
        Whom to name on its card; the file names all.
    gsd : float or None
        Metres a pixel, where the file does not say so.
    truth : str or None
        Name of the file of labels (0 is none) that were drawn by hand, if there are any.
    truth_title : str
        What they are.
    """

    key: str
    title: str
    caption: str
    file: str
    credit: str = "USDA NAIP"
    gsd: float | None = None
    truth: str | None = None
    truth_title: str = ""

    @property
    def content(self) -> bytes:
        """The image file."""
        return (FOLDER / self.file).read_bytes()

    @property
    def truth_content(self) -> bytes | None:
        """The file of its truth."""
        return None if self.truth is None else (FOLDER / self.truth).read_bytes()


PLACES: tuple[Place, ...] = (
    Place("avenues", N_("Santa Monica"), N_("Houses and street trees."),
          "santa_monica_avenues_2020.tif"),
    Place("campus", N_("Campus in Claremont"), N_("Halls, a pool, sports."),
          "claremont_campus_2020.tif"),
    Place("new-houses", N_("New houses"), N_("An estate in Claremont."),
          "claremont_new_houses_2020.tif"),
    Place("basins", N_("Reservoirs"), N_("Basins in Claremont."),
          "claremont_basins_2020.tif"),
    Place("freeway", N_("Car parks"), N_("By a motorway."),
          "claremont_freeway_2020.tif"),
    Place("fields", N_("Fields in Wisconsin"), N_("53 outlined by hand."),
          "wisconsin_contour_fields.jpg", credit="USDA NAIP, Radix", gsd=1.0,
          truth="wisconsin_contour_fields_fields.png", truth_title=N_("fields drawn by hand")),
)  # fmt: skip
"""Real places, first the one that is shown first."""


def place(key: str) -> Place:
    """The place of that key.

    Raises
    ------
    SceneError
        If there is none.
    """
    for entry in PLACES:
        if entry.key == key:
            return entry
    names = ", ".join(entry.key for entry in PLACES)
    raise SceneError(f"There is no place “{key}”. Choose one of: {names}.")

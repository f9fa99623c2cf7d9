"""What is known of an opened image before a pixel is read, and what the user may correct of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from rsam_core.errors import SceneError
from rsam_core.runtime.cache import ArrayCache
from rsam_core.runtime.given import given
from rsam_core.scene._default_view import Chosen, Layout
from rsam_core.scene.bands import BandRoles, ViewSettings
from rsam_core.scene.georeference import TYPE_GSD, Place, checked_crs
from rsam_core.scene.raster_file import RasterFile

if TYPE_CHECKING:
    from affine import Affine

MAX_GSD = 1000.0


@dataclass(frozen=True, eq=False)
class SceneFacts:
    """Name, size, bands, view and place of a `Scene`, which tells what each means."""

    name: str
    width: int
    height: int
    count: int
    dtype: str
    nodata: float | None
    crs: str | None
    transform: Affine | None
    gsd: float | None
    content_hash: str
    band_names: tuple[str, ...]
    _file: RasterFile = field(repr=False)
    _file_notes: tuple[str, ...] = field(repr=False)
    _place_notes: tuple[str, ...] = field(repr=False)
    _layout: Layout = field(repr=False)
    _chosen: Chosen = field(repr=False)
    _kept: ArrayCache = field(default_factory=ArrayCache, repr=False)
    attribution: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.height, self.width

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know about the file, its place and its view; may be empty."""
        return *self._file_notes, *self._place_notes, *self._chosen.notes

    @property
    def data_bands(self) -> tuple[int, ...]:
        """Bands that hold measurements, counted from 1: all but transparency."""
        return self._layout.data

    @property
    def roles(self) -> BandRoles:
        """Which bands measure red, green, blue and near infrared, as far as that is known."""
        return self._layout.roles

    @property
    def has_palette(self) -> bool:
        """Whether band 1 holds indices of a colour table."""
        return self._layout.palette is not None

    @property
    def nodata_share(self) -> float:
        """Share of the picture without a measurement, from 0 to 1, judged on a sample."""
        return self._chosen.nodata_share

    @property
    def view_settings(self) -> ViewSettings:
        """How the picture is made of the bands; see `with_view`."""
        return self._chosen.settings

    @property
    def view_bands(self) -> tuple[int, ...]:
        """Bands in the view from 1: one for grey, three for colours, two for a spectral index."""
        return self._chosen.view.bands

    @property
    def stretch(self) -> tuple[tuple[float, float], ...] | None:
        """Values shown as black and white, for each of `view_bands`; None if shown unchanged.

        Of a spectral index a single pair: the values at both ends of its colours.
        """
        return self._chosen.view.stretch

    @property
    def pixel_area_m2(self) -> float | None:
        """Ground area of one pixel in square metres; None without a ground sample distance."""
        return None if self.gsd is None else self.gsd**2

    @property
    def file_size(self) -> int:
        """Length in bytes of the file behind the scene."""
        return self._file.size

    def file_bytes(self) -> bytes:
        """Return the whole file behind the scene; a turned photo as it is shown."""
        source = self._file.source
        return bytes(source) if isinstance(source, bytes) else source.read_bytes()

    def pixel_to_map(self, x: float, y: float) -> tuple[float, float]:
        """Convert scene pixels to map coordinates of the CRS.

        Parameters
        ----------
        x, y : float or array
            Continuous pixel coordinates, origin at the top-left corner of the top-left pixel.

        Returns
        -------
        tuple of float or of arrays
            Easting and northing, or longitude and latitude.

        Raises
        ------
        SceneError
            The image is not georeferenced.
        """
        if self.transform is None:
            raise SceneError(
                f"“{self.name}” is not georeferenced, so its pixels have no map coordinates. Open "
                "a GeoTIFF, or an image with its world file beside it."
            )
        a, b, c, d, e, f = self.transform[:6]
        return a * x + b * y + c, d * x + e * y + f

    def with_crs(self, crs: str | int) -> Self:
        """Return the same scene with a coordinate system that the user typed.

        Parameters
        ----------
        crs : str or int
            EPSG code ("EPSG:32737" or 32737) or WKT. The ground distance is measured again.

        Raises
        ------
        SceneError
            There is no such system, the coordinates do not fit it, or there are none.
        """
        code = checked_crs(crs)
        if self.transform is None:
            raise SceneError(
                f"Nothing says where the pixels of “{self.name}” lie. Open it together with its "
                "world file (.tfw, .jgw, .pgw)."
            )
        place = Place.of(self.transform, code, self.width, self.height)
        if place.gsd is None:
            raise SceneError(
                f"The coordinates of “{self.name}” do not fit {code[:40]}: its pixels would lie "
                "outside that map. Check the code; degrees are EPSG:4326."
            )
        return replace(self, crs=place.crs, gsd=place.gsd, _place_notes=place.notes)

    def with_gsd(self, gsd: float) -> Self:
        """Return the same scene with a ground sample distance that the user typed.

        Parameters
        ----------
        gsd : float
            Metres on the ground per pixel, above 0 and at most 1000. It replaces what the file
            says.

        Raises
        ------
        SceneError
            The value is not a number in that range.
        """
        try:
            metres = float(gsd)
        except (TypeError, ValueError):
            metres = math.nan
        if not 0 < metres <= MAX_GSD:
            raise SceneError(
                f"A ground distance of {given(gsd)} metres per pixel is not possible. Type a "
                f"number above 0 and up to {MAX_GSD:,.0f}, for example 0.3 for a pixel of 30 cm."
            )
        notes = tuple(note for note in self._place_notes if not note.endswith(TYPE_GSD))
        return replace(self, gsd=metres, _place_notes=notes)

"""Choosing how to show a raster, from its colour tags, a sample of its pixels and the settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rsam_core.errors import SceneError
from rsam_core.runtime.given import given
from rsam_core.scene._sample import is_measurement, sampled
from rsam_core.scene.bands import BandRoles, ViewSettings, find_roles
from rsam_core.scene.checks import dtype_of
from rsam_core.scene.indices import INDICES
from rsam_core.scene.raster_file import colours
from rsam_core.scene.rendering import STRETCH_PERCENTILES, Sample, View, stretch_limits

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_WELL_SPREAD = 64
"""Levels of 255 that the tones of a good picture of 8 bits span, from percentile 2 to 98."""
_ROLE_NAMES = {"red": "red", "green": "green", "blue": "blue", "nir": "near infrared"}


@dataclass(frozen=True, eq=False)
class Layout:
    """What the bands of a raster are, whichever of them are shown.

    Attributes
    ----------
    data : tuple of int
        Bands that hold measurements, from 1.
    dtypes : tuple of str
        Data type of each band.
    nodata : tuple of float or None
        Value of each band that means "nothing measured here".
    alpha : int or None
        Band of transparency.
    masked : bool
        Whether the file carries a mask of valid pixels.
    palette : (N, 4) uint8 array or None
        Colours of band 1, if that holds indices of a colour table.
    picture : bool
        Whether it comes from a web format (PNG, GIF, ...), whose transparency means just that.
    roles : BandRoles
        What the bands measure.
    negative : bool
        Whether the only band is stored as a negative: low values are bright.
    """

    data: tuple[int, ...]
    dtypes: tuple[str, ...]
    nodata: tuple[float | None, ...]
    alpha: int | None
    masked: bool
    palette: np.ndarray | None
    picture: bool
    roles: BandRoles
    negative: bool = False


@dataclass(frozen=True, eq=False)
class Chosen:
    """A view, the settings it follows, and what was found on the way.

    Attributes
    ----------
    view : View
    settings : ViewSettings
        With the bands filled in.
    notes : tuple of str
        What the user should know about it.
    nodata_share : float
        Share of the sample without a measurement, from 0 to 1.
    """

    view: View
    settings: ViewSettings
    notes: tuple[str, ...]
    nodata_share: float


def survey(dataset: DatasetReader, *, picture: bool) -> tuple[Layout, tuple[str, ...]]:
    """Find out what the bands of a raster are, with notes on what is presumed or odd."""
    from rasterio.enums import ColorInterp, MaskFlags

    notes: list[str] = []
    tags = colours(dataset)
    alpha = tags.index(ColorInterp.alpha) + 1 if ColorInterp.alpha in tags[1:] else None
    if alpha is not None and not picture and is_measurement(dataset, alpha):
        notes.append(
            f"Band {alpha} is marked as transparency but holds measurements; it is treated as "
            "an ordinary band."
        )
        alpha = None
    data = tuple(band for band in dataset.indexes if band != alpha)
    flags = dataset.mask_flag_enums[0]
    names = tuple(description or "" for description in dataset.descriptions)
    roles = find_roles(names, tuple(tag.name for tag in tags), data)
    if roles.presumed:
        told = ", ".join(f"{getattr(roles, role)} {_ROLE_NAMES[role]}" for role in roles.presumed)
        how = (
            "Its bands are numbered like those of Sentinel-2"
            if names[roles.nir - 1]
            else "The file does not say what its bands are; as usual for aerial images"
        )
        notes.append(f"{how}, they are taken for: {told}.")
    nodata = tuple(dataset.nodatavals)
    different = {str(nodata[band - 1]) for band in data}
    if len(different) > 1:
        told = ", ".join(
            "none" if value is None else f"{value:g}" for value in (nodata[b - 1] for b in data)
        )
        notes.append(f"Its bands mark missing pixels by different values ({_cut(told)}).")
    # Others have none of this, and of a damaged JPEG 2000 asking may never end.
    structure = dataset.tags(ns="IMAGE_STRUCTURE") if dataset.driver == "GTiff" else {}
    palette = _palette(dataset) if ColorInterp.palette in tags[:1] else None
    negative = structure.get("MINISWHITE") == "YES" and len(data) == 1 and palette is None
    if negative:
        notes.append(
            "The file says that low values are bright, as in scanned film; it is shown that way."
        )
    return (
        Layout(
            data=data,
            dtypes=tuple(dtype_of(name).name for name in dataset.dtypes),
            nodata=nodata,
            alpha=alpha,
            masked=MaskFlags.per_dataset in flags and MaskFlags.alpha not in flags,
            palette=palette,
            picture=picture,
            roles=roles,
            negative=negative,
        ),
        tuple(notes),
    )


def choose_first_view(name: str, dataset: DatasetReader, layout: Layout) -> Chosen:
    """Choose how to show a raster that was just opened: its colours, or any band with data.

    Raises
    ------
    SceneError
        No pixel of any band holds data.
    """
    try:
        return choose_view(name, dataset, layout, ViewSettings())
    except _NoData as empty:
        first = default_bands(layout)
        for band in layout.data:
            if len(first) == 1 and band in first:
                continue
            try:
                chosen = choose_view(name, dataset, layout, ViewSettings((band,)))
            except _NoData:
                continue
            note = f"The first bands hold no data; band {band} is shown in their place."
            return replace(chosen, notes=(note, *chosen.notes))
        raise SceneError(
            f"“{name}” holds no data: every pixel is empty (nodata, NaN or transparent). Check "
            "that the file was exported completely, or open another one."
        ) from empty


def choose_view(
    name: str,
    dataset: DatasetReader,
    layout: Layout,
    settings: ViewSettings,
    remember: Callable[[tuple, Callable[[], Sample]], Sample] | None = None,
) -> Chosen:
    """Choose how to show a raster as the settings ask.

    Parameters
    ----------
    name : str
        File name for messages.
    dataset : rasterio.io.DatasetReader
        The open raster.
    layout : Layout
        What its bands are.
    settings : ViewSettings
        What the user wants; bands that are not given are chosen.
    remember : callable, optional
        Takes a key and a function that reads a sample; may return one read earlier.

    Returns
    -------
    Chosen
        Unless the settings say otherwise, palettes and three bands of uint8 (beside alpha) are
        shown unchanged, and so are three of more bands of uint8 that already use a good part of the
        tones: stretching would only burn out what is bright. All else is stretched.

    Raises
    ------
    SceneError
        There is no such band, or no pixel of it holds data.
    """
    settings = replace(settings, bands=_bands(name, layout, settings))
    bands = settings.bands
    view = View(
        bands=bands,
        nodata=tuple(layout.nodata[band - 1] for band in bands),
        alpha=layout.alpha,
        masked=layout.masked,
        palette=layout.palette if bands == (1,) else None,
        over_white=layout.picture,
        index=settings.index,
        gamma=settings.gamma,
        negative=layout.negative,
    )
    unchanged = view.palette is not None or (
        (settings.percentiles, settings.limits, settings.index) == (None, None, None)
        and len(layout.data) == len(bands) == 3
        and all(layout.dtypes[band - 1] == "uint8" for band in bands)
    )
    transparent = view.masked or view.alpha or view.palette is not None
    if unchanged and not transparent and set(view.nodata) == {None}:
        return Chosen(view, settings, (), 0.0)

    def read() -> Sample:
        return sampled(view, dataset)

    sample = remember(("sample", bands, settings.index), read) if remember else read()
    if not sample.valid.any():
        which = (
            f"Band {bands[0]}"
            if len(bands) == 1
            else "Each of the bands " + _cut(", ".join(map(str, bands)))
        )
        raise _NoData(
            f"{which} of “{name}” holds no data: every pixel is empty (nodata, NaN or "
            "transparent). Choose another band."
        )
    notes: list[str] = []
    if sample.values.dtype.kind == "f" and not np.isfinite(sample.values).all():
        share = 1 - np.isfinite(sample.values).all(axis=0).mean()
        notes.append(
            f"About {share:.1%} of the pixels are not numbers (NaN or infinite); they are shown "
            "black and left out."
        )
    if not unchanged and not _made_for_the_eye(view, settings, layout, sample):
        limits, more = _limits(view, settings, sample)
        view = replace(view, stretch=limits)
        notes += more
    return Chosen(view, settings, tuple(notes), float(1 - sample.valid.mean()))


def _made_for_the_eye(view: View, settings: ViewSettings, layout: Layout, sample: Sample) -> bool:
    """Whether three bands of 8 bits use a good part of the tones, all of them together."""
    if (settings.percentiles, settings.limits, settings.index) != (None, None, None):
        return False
    if len(view.bands) != 3 or any(layout.dtypes[band - 1] != "uint8" for band in view.bands):
        return False
    low, high = np.percentile(sample.values[:, sample.valid], STRETCH_PERCENTILES)
    return bool(high - low >= _WELL_SPREAD)


def default_bands(layout: Layout) -> tuple[int, ...]:
    """Return red, green and blue where they are known, else the first three bands, or the first."""
    if layout.palette is not None or len(layout.data) < 3:
        return (1,) if layout.palette is not None else layout.data[:1]
    return layout.roles.bands(("red", "green", "blue")) or layout.data[:3]


class _NoData(SceneError):
    """The bands wanted hold nothing; others may."""


def _bands(name: str, layout: Layout, settings: ViewSettings) -> tuple[int, ...]:
    """Return the bands wanted after checking that they are there."""
    bands = settings.bands
    if not bands and settings.index:
        return index_bands(name, layout.roles, settings.index)
    bands = bands or default_bands(layout)
    missing = [band for band in bands if band not in layout.data]
    if missing:
        there = _cut(", ".join(map(str, layout.data)))
        raise SceneError(f"“{name}” has no band {missing[0]} to show. Choose from {there}.")
    if settings.limits is not None and not settings.index and len(settings.limits) != len(bands):
        raise SceneError(
            f"{len(settings.limits)} pairs of limits do not fit {len(bands)} bands shown."
        )
    return bands


def index_bands(name: str, roles: BandRoles, index: str) -> tuple[int, int]:
    """Return the two bands of a spectral index, or say which one is unknown.

    Raises
    ------
    SceneError
        There is no such index, or the scene lacks a band for it.
    """
    if index not in INDICES:
        raise SceneError(
            f"There is no spectral index {given(index)}. Choose one of {', '.join(INDICES)}."
        )
    bands = roles.bands(INDICES[index].roles)
    if bands is None:
        missing = [_ROLE_NAMES[role] for role in INDICES[index].roles if not getattr(roles, role)]
        raise SceneError(
            f"{index.upper()} needs a band of {' and '.join(missing)}, and “{name}” does not say "
            "which of its bands that is. Open an image with near infrared whose bands are named, "
            "or give the two bands."
        )
    return bands


def _limits(
    view: View, settings: ViewSettings, sample: Sample
) -> tuple[tuple[tuple[float, float], ...], list[str]]:
    """Return the values shown as black and white for each band, or for the index."""
    percentiles = settings.percentiles or STRETCH_PERCENTILES
    given = settings.limits
    if view.index is not None:
        if given and given[0]:
            return (given[0],), []
        values = view.index_values(sample.values)[sample.valid]
        # The same on both sides of 0, so that the middle colour keeps its meaning.
        end = max(0.05, *(abs(limit) for limit in stretch_limits(values, percentiles)))
        return ((-end, end),), []
    limits, notes = [], []
    for place, (band, values) in enumerate(zip(view.bands, sample.values)):
        nodata = view.nodata[place]
        known = values[sample.valid if nodata is None else sample.valid & (values != nodata)]
        if known.size == 0:
            notes.append(f"Band {band} holds no data and is shown black.")
        fixed = given[place] if given else None
        limits.append(fixed or stretch_limits(known, percentiles))
    return tuple(limits), notes


def _palette(dataset: DatasetReader) -> np.ndarray | None:
    """Return the colour table as (N, 4) uint8, or None where band 1 has none."""
    try:
        entries = dataset.colormap(1)
    except ValueError:
        return None
    palette = np.zeros((max(entries) + 1, 4), np.uint8)
    for index, colour in entries.items():
        palette[index] = colour
    return palette


def _cut(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[:length].rsplit(",", 1)[0] + ", …"

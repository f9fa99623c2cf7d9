"""The samples a visitor is offered first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rsam_core.errors import SceneError
from rsam_core.runtime.language import N_
from rsam_core.samples.town import TownSample, render_town


@dataclass(frozen=True)
class GallerySample:
    """An entry of the gallery: `kwargs` go to :func:`render_town`."""

    key: str
    title: str
    caption: str
    kwargs: Mapping[str, object]


def _entry(key: str, title: str, caption: str, **kwargs: object) -> GallerySample:
    return GallerySample(key, title, caption, MappingProxyType(kwargs))


GALLERY: tuple[GallerySample, ...] = (
    _entry("suburb", N_("Garden suburb"), N_("Houses, drives and gardens, 0.3 m a pixel."),
           style="suburb", seed=3, gsd=0.3),
    _entry("suburb-later", N_("Garden suburb, years later"),
           N_("The same streets: some houses are new, some gone."),
           style="suburb", seed=3, gsd=0.3, date=1),
    _entry("village", N_("Village and fields"), N_("Farms, crops and a stream, 0.5 m a pixel."),
           style="village", seed=5, gsd=0.5),
    _entry("harbour", N_("Harbour"), N_("Halls, quays and boats, 0.3 m a pixel."),
           style="harbour", seed=3, gsd=0.3),
    _entry("drone", N_("Drone view"), N_("A close view of streets and cars, 0.1 m a pixel."),
           style="estate", seed=9, gsd=0.1),
    _entry("informal", N_("Dense settlement"), N_("Small tin roofs packed tightly, 0.2 m a pixel."),
           style="informal", seed=2, gsd=0.2),
)  # fmt: skip
"""Sample pictures, first the one that is shown first."""


def gallery_sample(key: str) -> TownSample:
    """Render an entry of the gallery.

    Raises
    ------
    SceneError
        If there is no entry of that name.
    """
    for entry in GALLERY:
        if entry.key == key:
            return render_town(title=entry.title, **entry.kwargs)  # type: ignore[arg-type]
    names = ", ".join(entry.key for entry in GALLERY)
    raise SceneError(f"There is no sample “{key}”. Choose one of: {names}.")

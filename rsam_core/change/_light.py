"""The light of the second date made that of the first, and what lies under clouds."""

from __future__ import annotations

from dataclasses import replace

from rsam_core.change._overviews import overviews
from rsam_core.change.aligned import Alignment, AlignSettings
from rsam_core.change.clouds import cloudy
from rsam_core.change.radiometry import ToneCurve
from rsam_core.errors import AlignError


def light_and_clouds(alignment: Alignment, settings: AlignSettings) -> tuple[Alignment, list[str]]:
    first, second, valid, _ = overviews(alignment)
    notes: list[str] = []
    overlap = float(valid.mean())
    if overlap == 0:
        raise AlignError(
            f"“{alignment.before.picture.name}” and “{alignment.after.picture.name}” have no "
            "pixel in common: where one shows the ground, the other is empty. Choose pictures "
            "that overlap."
        )
    if overlap < 0.98:
        notes.append(
            f"Only {overlap:.0%} of the area is shown at both dates. Nothing is said about the "
            "rest."
        )
    clouds = None
    shares = (0.0, 0.0)
    if settings.clouds:
        found = [cloudy(first, second, valid), cloudy(second, first, valid)]
        shares = tuple(float(f.mean()) for f in found)
        for which, share in zip(("first", "second"), shares):
            if share:
                notes.append(
                    f"About {share:.0%} of the {which} picture lies under clouds. Nothing is said "
                    "about that part."
                )
        joined = found[0] | found[1]
        clouds = joined if joined.any() else None
        valid = valid & ~joined
    tone = ToneCurve.unchanged()
    if settings.radiometry == "histogram":
        tone = ToneCurve.matching(second, first, valid)
    return (
        replace(alignment, tone=tone, overlap=overlap, cloud_share=shares, _clouds=clouds),
        notes,
    )

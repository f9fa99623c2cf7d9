"""What a comparison of two dates gives: a record an object, masks, a table."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from rsam_core.change.aligned import Alignment, AlignSettings
from rsam_core.change.areas import GAP, areas_of, changed_part
from rsam_core.change.decide import decide
from rsam_core.change.findings import KINDS, Candidate, Change, Growth
from rsam_core.change.judge import CLASSES
from rsam_core.change.kinds import UNSURE
from rsam_core.errors import ChangeError
from rsam_core.objects.crops import paste, span
from rsam_core.objects.instances import Instances
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.change.picture import Picture

_TILE = 1024


@dataclass(frozen=True)
class CompareSettings:
    """What is compared and what is reported.

    Parameters
    ----------
    align : AlignSettings
        How the dates are brought together.
    everything : EverythingSettings, optional
        How objects are looked for; as the model needs it by default.
    smallest : int
        Smallest object in pixels of the common grid.
    threshold : float, optional
        Probability from which on a change is reported; by default the calibrated one, at
        which at most 5 % of unchanged objects fire.
    tolerance : int
        Pixels by which outlines of an object may differ without a change.
    tile : int
        Side of the windows in which large scenes are worked through, pixels.
    """

    align: AlignSettings = field(default_factory=AlignSettings)
    everything: EverythingSettings | None = None
    smallest: int = 60
    threshold: float | None = None
    tolerance: int = 2
    tile: int = _TILE

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise ChangeError("The probability from which on changes count lies from 0 to 1.")
        if self.smallest < 1 or not 0 <= self.tolerance <= 20:
            raise ChangeError(
                "Objects have at least 1 pixel, and outlines may differ by 0 to 20 pixels."
            )
        if self.tile < 256:
            raise ChangeError("Windows need at least 256 pixels a side.")


@dataclass(frozen=True, eq=False)
class Found:
    """Changes between two dates, whoever found them.

    Attributes
    ----------
    alignment : Alignment
        The common grid; shift, residual and notes.
    changes : tuple of Change
        One record an object, those that changed first; outlines in pixels of the common grid.
    kinds : tuple of str
        Kinds of object that were asked for; empty for all.
    notes : tuple of str
        What people should know, the alignment's notes included.
    """

    alignment: Alignment
    changes: tuple[Change, ...]
    kinds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def scene(self) -> Picture:
        """The scene whose pixels are those of the common grid."""
        return self.alignment.reference

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the common grid."""
        return self.alignment.shape

    def of(self, changes: Collection[str]) -> tuple[Change, ...]:
        """The records of some kinds of change, such as ``("new", "gone")``.

        Raises
        ------
        ChangeError
            There is no such change.
        """
        wanted = [changes] if isinstance(changes, str) else list(changes)
        for name in wanted:
            if name not in KINDS:
                raise ChangeError(f"There is no change “{name}”. Choose from: {', '.join(KINDS)}.")
        return tuple(change for change in self.changes if change.change in wanted)

    def mask(
        self,
        changes: Collection[str] = KINDS[:-1],
        window: Window | None = None,
        gap: int = 0,
    ) -> NDArray[np.bool_]:
        """Where something changed.

        Parameters
        ----------
        changes : collection of str
            Some of :data:`rsam_core.change.findings.KINDS`; all but "unchanged" by default.
        window : Window, optional
            Part of the common grid; the whole by default.
        gap : int
            Join what lies up to twice so many pixels apart, as yards and lanes between new houses:
            the areas of change in place of the changed objects.

        Returns
        -------
        ndarray of bool, shape (H, W)
            Of objects that became larger or smaller, what came or went.

        Raises
        ------
        ChangeError
            There is no such change, or the gap is below 0.
        """
        window = window or Window(0, 0, self.shape[1], self.shape[0])
        if gap < 0:
            raise ChangeError("What lies 0 or more pixels apart may be joined.")
        if gap:
            return _joined(self.mask(changes, _wider(window, 2 * gap)), gap)[
                2 * gap : 2 * gap + window.height, 2 * gap : 2 * gap + window.width
            ]
        result = np.zeros((window.height, window.width), bool)
        for change in self.of(changes):
            x0, y0, x1, y1 = span([e for e in (change.before, change.after) if e is not None])
            across = x0 < window.x + window.width and x1 > window.x
            if across and y0 < window.y + window.height and y1 > window.y:
                paste(result, changed_part(change), window.x, window.y)
        return result

    def areas(self, gap: int = GAP) -> Found:
        """Changed objects that lie up to twice `gap` pixels apart, joined to areas.

        Returns
        -------
        Found
            Its changes are :class:`rsam_core.change.areas.Area`, each with its members; its mask is
            that of this result with the same `gap`.

        Raises
        ------
        ChangeError
            The gap is below 0.
        """
        joined = areas_of(self.changes, self.shape, gap)
        return Found(self.alignment, joined, self.kinds, self.notes)

    def instances(self, changes: Collection[str] = KINDS[:-1]) -> Instances:
        """Outlines of changed objects: label is the kind of change, number that of the record."""
        items = [
            replace(change.outline, id=change.id, label=change.change, score=change.probability)
            for change in self.of(changes)
        ]
        return Instances(items, self.shape)

    def thumbnails(
        self, change: Change, margin: int = 12
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """The place of a change at both dates, (h, w, 3) uint8 each."""
        height, width = self.shape
        x0, y0, x1, y1 = change.outline.bbox
        x0, y0 = max(x0 - margin, 0), max(y0 - margin, 0)
        x1, y1 = min(x1 + margin, width), min(y1 + margin, height)
        first, second, _ = self.alignment.read(Window(x0, y0, x1 - x0, y1 - y0))
        return first, second

    def table(self) -> pd.DataFrame:
        """One row an object.

        Returns
        -------
        pandas.DataFrame
            ``id``, ``change``, ``probability``, ``kind``, ``kind_probability``, ``reason``,
            ``area_before`` and ``area_after`` in pixels (0 where it is not there), ``centroid_x``,
            ``centroid_y`` in pixels; ``area_before_m2``, ``area_after_m2`` if the ground sample
            distance is known; ``map_x``, ``map_y`` if the grid is georeferenced.
        """
        import pandas as pd

        from rsam_core.objects.measurements import measure

        shown = Instances([replace(c.outline, id=c.id) for c in self.changes], self.shape)
        measured = measure(shown, self.scene)
        rows = pd.DataFrame(
            {
                "id": [c.id for c in self.changes],
                "change": [c.change for c in self.changes],
                "probability": [c.probability for c in self.changes],
                "kind": [c.kind for c in self.changes],
                "kind_probability": [c.kind_probability for c in self.changes],
                "reason": [c.reason for c in self.changes],
                "area_before": [c.before.area if c.before else 0 for c in self.changes],
                "area_after": [c.after.area if c.after else 0 for c in self.changes],
            }
        )
        rows["centroid_x"] = measured["centroid_x"].to_numpy()
        rows["centroid_y"] = measured["centroid_y"].to_numpy()
        if "area_m2" in measured:
            each = measured["area_m2"].to_numpy() / np.maximum(measured["area"].to_numpy(), 1)
            rows["area_before_m2"] = rows["area_before"] * each
            rows["area_after_m2"] = rows["area_after"] * each
        if "map_x" in measured:
            rows["map_x"], rows["map_y"] = (measured[n].to_numpy() for n in ("map_x", "map_y"))
        return rows


@dataclass(frozen=True, eq=False)
class Comparison(Found):
    """What `compare` found; see `Found`.

    Attributes
    ----------
    settings : CompareSettings
    candidates : tuple of Candidate
        Objects of both dates, from which the verdicts come.
    growths : tuple of Growth
        Objects that seem larger at one date.
    """

    settings: CompareSettings = field(default_factory=CompareSettings)
    candidates: tuple[Candidate, ...] = field(default=(), repr=False)
    growths: tuple[Growth, ...] = field(default=(), repr=False)

    def with_threshold(self, threshold: float | None) -> Comparison:
        """The same with another probability from which on changes count; nothing is decoded."""
        settings = replace(self.settings, threshold=threshold)
        return judged(
            self.alignment, self.candidates, self.growths, self.kinds, self.notes, settings
        )


def judged(
    alignment: Alignment,
    found: tuple[Candidate, ...],
    growths: tuple[Growth, ...],
    kinds: tuple[str, ...],
    notes: tuple[str, ...],
    settings: CompareSettings,
) -> Comparison:
    def asked(one: Candidate) -> bool:
        if not kinds or one.drawn:
            return True
        # What left is told by what was there, what came by what is there now.
        wanted = {*kinds, UNSURE}
        return one.kind in wanted or (one.kind_there in kinds and not _stands(one))

    changes = decide(
        [one for one in found if asked(one)],
        [g for g in growths if asked(g.small) or asked(g.large)],
        settings.threshold,
        settings.tolerance,
    )
    return Comparison(alignment, tuple(changes), kinds, notes, settings, found, growths)


def _wider(window: Window, margin: int) -> Window:
    return Window(
        window.x - margin, window.y - margin, window.width + 2 * margin,
        window.height + 2 * margin,
    )  # fmt: skip


def _joined(mask: NDArray[np.bool_], gap: int) -> NDArray[np.bool_]:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * gap + 1, 2 * gap + 1))
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel).astype(bool)


def _stands(one: Candidate) -> bool:
    """Whether it is more likely the same than come to light because something left."""
    return one.chances[CLASSES.index("revealed")] < one.chances[CLASSES.index("same")]

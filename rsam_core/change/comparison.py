"""What changed between two dates, object by object."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.change.alignment import Alignment, AlignSettings, align
from rsam_core.change.decide import KINDS, Candidate, Change, Growth, decide, load_judge
from rsam_core.change.evidence import DateView, Evidence, gather
from rsam_core.change.grid import tiles
from rsam_core.change.kinds import UNSURE, kinds_of
from rsam_core.change.objects_of import candidates, find_objects, places_of_difference
from rsam_core.change.pairing import contained, meeting, remainder
from rsam_core.errors import Cancelled, ChangeError
from rsam_core.objects.crops import clip, cut_out
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window
from rsam_core.segment.everything import EverythingSettings
from rsam_core.segment.segmenter import Segmenter

if TYPE_CHECKING:
    import pandas as pd

    from rsam_core.change.picture import Picture


_TILE = 1024
_OVERLAP = 160
_LARGER = 1.15
"""Ratio of areas from which on an object may be enlarged."""

_HELD = 0.8
"""Share of the smaller outline that the larger one must hold."""

_SOUND = 0.55
"""Predicted IoU that an outline needs to say anything about its size."""


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
        Probability from which on a change is reported; by default the one at which 5 % of
        unchanged objects fire.
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
class WindowEvidence:
    """What is known of one window.

    Attributes
    ----------
    views : tuple of DateView
    valid : ndarray of bool, shape (h, w)
    items : tuple of list of Instance
        Candidates of both dates, pixels of the window.
    evidence : tuple of Evidence
    """

    views: tuple[DateView, DateView]
    valid: NDArray[np.bool_]
    items: tuple[list[Instance], list[Instance]]
    evidence: tuple[Evidence, Evidence]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found.

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
    settings: CompareSettings = field(default_factory=CompareSettings)
    _candidates: tuple[Candidate, ...] = field(default=(), repr=False)
    _growths: tuple[Growth, ...] = field(default=(), repr=False)

    @property
    def scene(self) -> Picture:
        """The scene whose pixels are those of the common grid."""
        return self.alignment.reference

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the common grid."""
        return self.alignment.shape

    def with_threshold(self, threshold: float | None) -> Comparison:
        """The same with another probability from which on changes count; nothing is decoded."""
        settings = replace(self.settings, threshold=threshold)
        return _judged(
            self.alignment, self._candidates, self._growths, self.kinds, self.notes, settings
        )

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
        self, changes: Collection[str] = KINDS[:-1], window: Window | None = None
    ) -> NDArray[np.bool_]:
        """Where something changed.

        Parameters
        ----------
        changes : collection of str
            Some of :data:`rsam_core.change.decide.KINDS`; all but "unchanged" by default.
        window : Window, optional
            Part of the common grid; the whole by default.

        Returns
        -------
        ndarray of bool, shape (H, W)
            Of objects that became larger or smaller, what came or went.
        """
        window = window or Window(0, 0, self.shape[1], self.shape[0])
        box = (window.x, window.y, window.x + window.width, window.y + window.height)
        result = np.zeros((window.height, window.width), bool)
        for change in self.of(changes):
            ends = [item for item in (change.before, change.after) if item is not None]
            near = _joint_box(ends, box)
            if near is None:
                continue
            parts = [cut_out(item, near) for item in ends]
            sized = change.change in ("enlarged", "shrunk")
            joined = parts[0] ^ parts[1] if sized else np.logical_or.reduce(parts)
            rows = slice(near[1] - window.y, near[3] - window.y)
            columns = slice(near[0] - window.x, near[2] - window.x)
            result[rows, columns] |= joined
        return result

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


def compare(
    before: Any,
    after: Any,
    kinds: Sequence[str] = (),
    settings: CompareSettings | None = None,
    *,
    segmenter: Segmenter | None = None,
    objects: tuple[Instances | None, Instances | None] = (None, None),
    alignment: Alignment | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    **changes: Any,
) -> Comparison:
    """Find out what became of each object between two dates.

    Parameters
    ----------
    before, after : Scene or ndarray of uint8, shape (H, W, 3)
    kinds : sequence of str
        Report only such objects, for example ``("building",)``; all by default. Without effect,
        and said so, where the model cannot tell kinds.
    settings : CompareSettings, optional
        Single settings may be given by name instead, such as ``threshold=0.7``.
    segmenter : Segmenter, optional
        The embedded model by default.
    objects : tuple of (Instances or None)
        Objects of either date that a person or a layer gives, in pixels of that date's scene; they
        are compared as they are. Where both are None, objects are looked for.
    alignment : Alignment, optional
        From :func:`rsam_core.change.align`, if that is known already.
    progress : callable, optional
        Called with a share from 0 to 1 and a text.
    cancelled : callable, optional
        True ends the work.

    Returns
    -------
    Comparison

    Raises
    ------
    AlignError, ChangeError
        The dates cannot be compared; the message says why.
    Cancelled
        If `cancelled` said so.
    """
    settings = _settings(settings, changes)
    segmenter = segmenter or default_segmenter()
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)

    def tell(share: float, text: str) -> None:
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None:
            progress(share, text)

    if alignment is None:
        alignment = align(before, after, settings.align, cancelled=cancelled,
                          progress=lambda share, text: tell(0.1 * share, text))  # fmt: skip
    given = [
        None if some is None else [layer.to_grid(item) for item in some]
        for some, layer in zip(objects, (alignment.before, alignment.after))
    ]
    given = [None if some is None else [i for i in some if i is not None] for some in given]
    windows = tiles(alignment.shape, settings.tile, _OVERLAP)
    found: list[Candidate] = []
    growths: list[Growth] = []
    named = False
    for number, window in enumerate(windows):
        start = 0.1 + 0.9 * number / len(windows)

        def part(share: float, text: str, start: float = start, number: int = number) -> None:
            tell(start + 0.9 * share / len(windows), f"part {number + 1} of {len(windows)}, {text}")

        part(0.0, "reading")
        local = [None if some is None else _within(some, window) for some in given]
        if any(some is not None for some in given) and not any(local):
            continue
        evidence = prepare_window(
            segmenter, alignment, window, settings, local, progress=part, cancelled=cancelled
        )
        if evidence is None:
            continue
        some, more, told = _window_candidates(segmenter, evidence, window, windows, settings)
        found += some
        growths += more
        named = named or told
    notes = list(alignment.notes)
    if kinds and not named:
        notes.append(
            "The model cannot tell what the objects are, so all kinds are shown, not only "
            + ", ".join(kinds)
            + "."
        )
    tell(1.0, "compared")
    wanted = kinds if named else ()
    return _judged(alignment, tuple(found), tuple(growths), wanted, tuple(notes), settings)


def _settings(settings: CompareSettings | None, changes: dict[str, Any]) -> CompareSettings:
    known = {f.name for f in fields(CompareSettings)}
    unknown = [name for name in changes if name not in known]
    if unknown:
        raise ChangeError(
            f"There is no setting “{unknown[0]}”. Choose from: {', '.join(sorted(known))}."
        )
    return replace(settings or CompareSettings(), **changes)


@lru_cache(maxsize=1)
def default_segmenter() -> Segmenter:
    """The embedded model, loaded once."""
    from rsam_core.models.load import load_model

    return Segmenter(load_model())


def _within(items: list[Instance], window: Window) -> list[Instance]:
    """Objects as far as they lie in a window, in its pixels."""
    box = (window.x, window.y, window.x + window.width, window.y + window.height)
    result = []
    for item in items:
        part = clip(item, box)
        if part.mask.any():
            result.append(replace(item, mask=part.mask, x=part.x - window.x, y=part.y - window.y))
    return result


def prepare_window(
    segmenter: Segmenter,
    alignment: Alignment,
    window: Window,
    settings: CompareSettings,
    given: Sequence[list[Instance] | None] = (None, None),
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> WindowEvidence | None:
    """Find candidates of both dates in a window and compare each with the other date.

    None where hardly anything of the window is shown at both dates.
    """
    first, second, valid = alignment.read(window)
    if valid.mean() < 0.02:
        return None
    views = tuple(DateView(image, segmenter.embed(image)) for image in (first, second))
    search = all(some is None for some in given)
    places = places_of_difference(*views, valid, settings.smallest) if search else []
    items, evidence = [], []
    for date in (0, 1):
        half = 0.5 * date

        def tell(share: float, text: str, half: float = half) -> None:
            if progress is not None:
                progress(half + 0.4 * share, text)

        if search:
            found = find_objects(segmenter, views[date], settings.everything, tell, cancelled)
        else:
            found = list(given[date] or ())
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        some = candidates(
            segmenter, views[date], found, places, settings.smallest, valid, cancelled
        )
        items.append(some)
        tell(1.0, "comparing")
        evidence.append(gather(segmenter, some, *(views[date], views[1 - date]),
                               cancelled=cancelled))  # fmt: skip
    return WindowEvidence(views, valid, tuple(items), tuple(evidence))


def _window_candidates(
    segmenter: Segmenter,
    found: WindowEvidence,
    window: Window,
    windows: list[Window],
    settings: CompareSettings,
) -> tuple[list[Candidate], list[Growth], bool]:
    """Candidates of a window in pixels of the grid; those of which another window sees more go."""
    judge = load_judge()
    dates: list[list[Candidate]] = []
    named = False
    for date in (0, 1):
        chances = judge.probabilities(found.evidence[date].table)
        kinds = kinds_of(segmenter, found.views[date], found.items[date])
        named = named or kinds is not None
        dates.append([
            Candidate(item, date, chances[k], found.evidence[date].others[k],
                      *(kinds[k] if kinds else (None, float("nan"))))
            for k, item in enumerate(found.items[date])
        ])  # fmt: skip
    growths = _growths(segmenter, found, dates, settings)
    kept = [one for some in dates for one in some if _is_own(one.item, window, windows)]
    return (
        [_moved(one, window) for one in kept],
        [
            Growth(_moved(g.small, window), _moved(g.large, window), g.chances)
            for g in growths
            if _is_own(g.large.item, window, windows)
        ],
        named,
    )


def _moved(one: Candidate, window: Window) -> Candidate:
    def shifted(item: Instance | None) -> Instance | None:
        return item and replace(item, x=item.x + window.x, y=item.y + window.y)

    return replace(one, item=shifted(one.item), other=shifted(one.other))


def _is_own(item: Instance, window: Window, windows: list[Window]) -> bool:
    """Whether a window is the one in whose middle an object lies, of those that see it."""
    if len(windows) == 1:
        return True
    x = (item.bbox[0] + item.bbox[2]) / 2 + window.x
    y = (item.bbox[1] + item.bbox[3]) / 2 + window.y

    def depth(w: Window) -> float:
        return min(x - w.x, w.x + w.width - x, y - w.y, w.y + w.height - y)

    best = max(windows, key=depth)
    return best is window


def _growths(
    segmenter: Segmenter,
    found: WindowEvidence,
    dates: list[list[Candidate]],
    settings: CompareSettings,
) -> list[Growth]:
    """Objects whose outline at one date holds that of the other date, and much more."""
    result: list[Growth] = []
    sound = [
        [c for c in some if c.item.score >= _SOUND and c.item.source != "difference"]
        for some in dates
    ]
    for small_date in (0, 1):
        large_date = 1 - small_date
        smalls, larges = sound[small_date], sound[large_date]
        best: dict[int, tuple[float, int, Instance]] = {}
        for i, j in meeting([c.item for c in smalls], [c.item for c in larges]):
            small, large = smalls[i].item, larges[j].item
            if not _LARGER * small.area < large.area < 3 * small.area:
                continue
            if contained(small, large) < _HELD:
                continue
            rest = remainder(large, small, settings.tolerance)
            if rest is None or np.count_nonzero(rest.mask) < max(
                settings.smallest, 0.12 * small.area
            ):
                continue
            piece = Instance(rest.mask, rest.x, rest.y, large.score)
            rank = small.score + large.score
            if i not in best or rank > best[i][0]:
                best[i] = rank, j, piece
        pieces = [piece for _, _, piece in best.values()]
        views = found.views
        evidence = gather(segmenter, pieces, views[large_date], views[small_date])
        chances = load_judge().probabilities(evidence.table)
        for (i, (_, j, _)), chance in zip(best.items(), chances):
            result.append(Growth(smalls[i], larges[j], chance))
    return result


def _judged(
    alignment: Alignment,
    found: tuple[Candidate, ...],
    growths: tuple[Growth, ...],
    kinds: tuple[str, ...],
    notes: tuple[str, ...],
    settings: CompareSettings,
) -> Comparison:
    def asked(one: Candidate) -> bool:
        return not kinds or one.drawn or one.kind in kinds or one.kind == UNSURE

    changes = decide(
        [one for one in found if asked(one)],
        [g for g in growths if asked(g.small) or asked(g.large)],
        settings.threshold,
        settings.tolerance,
    )
    return Comparison(alignment, tuple(changes), kinds, notes, settings, found, growths)


def _joint_box(
    items: list[Instance], limits: tuple[int, int, int, int]
) -> tuple[int, int, int, int] | None:
    """The box around objects, cut to limits; None if nothing is left."""
    boxes = np.array([item.bbox for item in items])
    x0, y0 = np.maximum(boxes[:, :2].min(0), limits[:2])
    x1, y1 = np.minimum(boxes[:, 2:].max(0), limits[2:])
    return None if x0 >= x1 or y0 >= y1 else (int(x0), int(y0), int(x1), int(y1))

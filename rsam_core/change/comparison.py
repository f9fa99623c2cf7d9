"""What changed between two dates, object by object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import Any

from rsam_core.change.aligned import Alignment
from rsam_core.change.alignment import align
from rsam_core.change.compared import CompareSettings, Comparison, judged
from rsam_core.change.findings import Candidate, Growth
from rsam_core.change.grid import tiles
from rsam_core.change.window_evidence import LISTED, prepare_window, window_candidates
from rsam_core.errors import Cancelled, ChangeError
from rsam_core.objects.crops import clip
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.runtime.progress import Progress
from rsam_core.scene.window import Window
from rsam_core.segment.segmenter import Segmenter

_OVERLAP = 160
"""Pixels by which windows overlap."""


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
        some, more, told = window_candidates(segmenter, evidence, window, windows, settings)
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
    if len(windows) > LISTED:
        notes.append("In a scene of this size objects that did not change are not listed.")
    tell(1.0, "compared")
    wanted = kinds if named else ()
    return judged(alignment, tuple(found), tuple(growths), wanted, tuple(notes), settings)


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

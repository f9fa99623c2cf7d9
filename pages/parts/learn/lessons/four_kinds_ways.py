"""The four ways of lesson 5: each shows its picture and its control, and says what it gave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from scipy import ndimage

from pages.parts.learn.bars import bars
from pages.parts.learn.kept import kept
from pages.parts.learn.lessons import four_kinds_clicks as clicks
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark
from pages.parts.shared import resources
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.kind_names import ONE
from rsam_core.evaluate.learn.lessons import four_kinds_found as found
from rsam_core.evaluate.learn.lessons import four_kinds_pieces as pieces
from rsam_core.evaluate.learn.lessons.four_kinds import best_match, held
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.models.catalog import DEFAULT_MODEL
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import _, ngettext, number
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter

_SHOWN = ("building", "tree", "car", "pool")
"""Kinds of which objects can be shown alone."""
_CLASS = {"building": "roof", "tree": "tree", "car": "car", "pool": "pool"}
_RIM = (255, 255, 255)


@dataclass(frozen=True)
class Result:
    """What a way gave.

    Attributes
    ----------
    pieces : int
        How many regions.
    apart : int or None
        Counted true objects that are one of them; None without truth.
    named : float or None
        Share of the known pixels that got their true kind; None if it names nothing.
    report : mapping
        For the checks.
    """

    pieces: int
    apart: int | None = None
    named: float | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


def interactive(stage: Stage, subject: Subject, left: Any, right: Any) -> Result:
    """An object for each click."""
    objects = clicks.outlines(stage, subject)
    marks = clicks.marks(stage, subject)
    with left:
        stage.picture(
            f"clicked-{subject.key}", overlay(subject.image, objects),
            label=_("A place from above. Click an object to outline it."),
            marks=tuple(
                Mark(x, y, "include" if wanted else "exclude") for x, y, wanted in marks.points
            ),
            on_touch=lambda event: clicks.take(stage, subject, event),
        )  # fmt: skip
    report: dict[str, Any] = {}
    with right:
        st.markdown(
            _("**You** say where: click an object. The right button, or Shift, says *not this*.")
        )
        if len(objects):
            report = _judged(objects, subject)
        st.button(
            _("Start again"), key=stage.name("again"), icon=":material/restart_alt:",
            disabled=not len(objects), on_click=clicks.start_again, args=(stage, subject),
        )  # fmt: skip
        st.caption(_("It knows nothing of kinds, and outlines only what you ask for."))
    return Result(len(objects), _apart(objects, subject), None, report)


def _judged(objects: Instances, subject: Subject) -> dict[str, Any]:
    last = objects[len(objects) - 1]
    if subject.labels is None:
        st.caption(_("The last outline has {pixels} pixels.").format(pixels=number(last.area)))
        return {}
    mask = Instances([last], subject.shape).union_mask()
    match, iou = best_match(mask, subject)
    kind = subject.kinds.get(match, "")
    bars(
        [
            (
                _("Agreement (IoU)"),
                iou,
                _("of the last outline and the truth: shared area / area of both"),
            )
        ]
    )
    if match and kind in ONE:
        st.caption(_("In truth this is: {kind}.").format(kind=_(ONE[kind])))
    return {"kind": kind, "iou": iou}


def superpixels(stage: Stage, subject: Subject, left: Any, right: Any) -> Result:
    """Small patches of like colour."""
    with right:
        st.markdown(
            _("The picture is cut where **colours** change, into patches of about one size.")
        )
        size = st.select_slider(
            _("Size of a superpixel (pixels across)"),
            pieces.SIZES,
            24,
            persist_state="session",
            key=stage.name("size"),
        )
        mean = st.toggle(
            _("Show each in its mean colour"), persist_state="session", key=stage.name("mean")
        )
    patches = pieces.patches(subject, size)
    shown = (
        pieces.averaged(subject.image, patches)
        if mean
        else pieces.with_borders(subject.image, patches)
    )
    count = int(patches.max())
    with left:
        stage.picture(
            f"patches-{subject.key}", shown,
            label=_("The place cut into {count} superpixels.").format(count=number(count)),
        )  # fmt: skip
    report: dict[str, Any] = {"pieces": count}
    apart = None
    with right:
        if subject.labels is not None:
            apart = len(pieces.told_apart(patches, subject))
            again = list(pieces.put_together(patches, subject).values())
            good = sum(value >= pieces.PUT_TOGETHER for value in again)
            report["together"] = good / len(again)
            bars([(
                _("Houses"), report["together"],
                _("{good} of {all} can be put together from whole superpixels (IoU 80 % or more)")
                .format(good=number(good), all=number(len(again))),
            )])  # fmt: skip
        st.caption(
            ngettext("{count} superpixel. It has no name.", "{count} superpixels. None has a name.",
                     count).format(count=number(count))
        )  # fmt: skip
    return Result(count, apart, None, report)


def semantic(stage: Stage, subject: Subject, left: Any, right: Any) -> Result:
    """A kind for each pixel."""
    model, embedding = _small_model(subject)
    with right:
        st.markdown(
            _("Every pixel gets a **kind**. Click a patch of one colour to see what is in it.")
        )
        sure = st.slider(
            _("Name only what is surer than (%)"), 0, 95, 0, 5,
            persist_state="session", key=stage.name("sure"),
        ) / 100  # fmt: skip
    named = kept(
        stage, "named", subject, lambda: found.name_patches(model, embedding, subject),
        _("Naming superpixels…"),
    )  # fmt: skip
    kinds = named.kinds(sure)
    joined = pieces.connected(kinds)
    spot = st.session_state.get(stage.name("spot"))
    piece = None if spot is None else joined == joined[clicks.inside(spot, subject)]
    if piece is not None and kinds[clicks.inside(spot, subject)] == pieces.NOT_SURE:
        piece = None
    shown = pieces.coloured(subject.image, kinds)
    with left:
        stage.picture(
            f"kinds-{subject.key}", shown if piece is None else _lit(shown, piece),
            label=_("The place with a colour for each kind. Click a patch."),
            on_touch=lambda event: clicks.point(stage, event),
        )  # fmt: skip
        used = np.unique(kinds[kinds != pieces.NOT_SURE])
        chips([(_(pieces.KIND_NAMES[KINDS[k]]), pieces.KIND_COLOURS[k]) for k in used])
    count, apart, right_share = int(joined.max()), None, None
    report: dict[str, Any] = {"trees": 0}
    with right:
        if subject.labels is not None:
            apart = len(pieces.told_apart(joined, subject))
            share, good = pieces.rightly_named(kinds, subject)
            right_share = share * good
            bars([
                (_("Named"), share, _("of the pixels whose kind the truth knows")),
                (_("Right"), good, _("of those that are named")),
            ])  # fmt: skip
        if piece is not None:
            report["trees"] = _said(piece, kinds[clicks.inside(spot, subject)], subject)
        else:
            st.caption(_("It knows what, and not how many: neighbours of one kind run together."))
    return Result(count, apart, right_share, report)


def _said(piece: NDArray[np.bool_], kind: int, subject: Subject) -> int:
    """Say what lies in a patch; how many trees it holds."""
    name = _(pieces.KIND_NAMES[KINDS[kind]])
    pixels = number(int(piece.sum()))
    if subject.labels is None:
        st.caption(_("This patch: {kind}, {pixels} pixels.").format(kind=name, pixels=pixels))
        return 0
    trees, houses = held(piece, subject, "tree"), held(piece, subject, "roof")
    st.caption(
        _("This patch: {kind}, {pixels} pixels. In truth it holds trees: {trees}, houses: "
          "{houses}.").format(kind=name, pixels=pixels, trees=number(trees), houses=number(houses))
    )  # fmt: skip
    return trees


def instances(stage: Stage, subject: Subject, left: Any, right: Any) -> Result:
    """Every object by itself, with its kind."""
    model, embedding = _small_model(subject)
    names = {kind: _(pieces.KIND_NAMES[kind]) for kind in _SHOWN}
    with right:
        st.markdown(_("Every **object** gets its own outline and number, and here a kind as well."))
        quality = st.slider(
            _("Show outlines that the model expects to be at least so good (%)"),
            round(100 * found.LOWEST), round(100 * found.HIGHEST), 55, 5,
            persist_state="session", key=stage.name("quality"),
        ) / 100  # fmt: skip
        only = st.pills(
            _("Only"),
            list(names),
            format_func=names.__getitem__,
            persist_state="session",
            key=stage.name("only"),
        )
    everything = kept(
        stage, "all", subject, lambda: found.find_all(model, embedding),
        _("Looking for every object…"),
    )  # fmt: skip
    objects = everything.choose(quality)
    kinds, _sure = found.kinds_of(model, embedding, objects)
    shown = objects if only is None else _of_kind(objects, kinds, only)
    with left:
        style = OverlayStyle(opacity=0.5, contour_width=2)
        stage.picture(
            f"objects-{subject.key}", overlay(subject.image, shown, style),
            label=_("The place with {count} objects, each in its own colour.").format(
                count=number(len(shown))),
        )  # fmt: skip
    apart, right_share = None, None
    with right:
        if subject.labels is not None:
            apart = len(pieces.told_apart_by(objects, subject))
            painted = found.painted(objects, kinds, subject.shape)
            share, good = pieces.rightly_named(painted, subject)
            right_share = share * good
            _found_bars(objects, kinds, subject, only)
        else:
            st.caption(
                ngettext("{count} object", "{count} objects", len(shown)).format(
                    count=number(len(shown)))
            )  # fmt: skip
    return Result(len(objects), apart, right_share, {"objects": len(objects)})


def _of_kind(objects: Instances, kinds: NDArray[np.int64], name: str) -> Instances:
    wanted = found.is_kind(kinds, name)
    return Instances([item for item, yes in zip(objects, wanted) if yes], objects.shape)


def _found_bars(
    objects: Instances, kinds: NDArray[np.int64], subject: Subject, only: str | None
) -> None:
    entries = []
    for kind in _SHOWN if only is None else (only,):
        outlined = _of_kind(objects, kinds, kind)
        true = set(subject.numbers(_CLASS[kind], pieces.SMALLEST[_CLASS[kind]]))
        got = len(true & pieces.told_apart_by(outlined, subject))
        entries.append((
            _(pieces.KIND_NAMES[kind]), got / max(len(true), 1),
            _("{got} of {all} found; {outlines} outlines have this name").format(
                got=number(got), all=number(len(true)), outlines=number(len(outlined))),
        ))  # fmt: skip
    bars(entries)


def _small_model(subject: Subject) -> tuple[Segmenter, Embedding]:
    """The small model, which alone names kinds, and the picture as it sees it."""
    key = resources.embedding_key(subject.image, DEFAULT_MODEL)
    return resources.segmenter(DEFAULT_MODEL), resources.embed(subject.image, key)


def _apart(objects: Instances, subject: Subject) -> int | None:
    return None if subject.labels is None else len(pieces.told_apart_by(objects, subject))


def _lit(image: NDArray[np.uint8], piece: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """A picture in which a patch stands out: all else is dimmed, and it has a white rim."""
    shown = image.copy()
    shown[~piece] = (0.5 * shown[~piece]).astype(np.uint8)
    shown[ndimage.binary_dilation(piece, iterations=2) & ~piece] = _RIM
    return shown

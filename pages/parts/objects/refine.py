"""Refining: settings, preview on a few objects, then all of them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.objects.table import chosen_ids
from pages.parts.shared import banner, progress, resources
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.refine import PRESETS, SUGGESTED, TITLES, RefineSettings, refine
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _, current, ngettext, number
from rsam_core.scene.window import Window
from rsam_core.session.refining import JOB, difference, finish, refinement, start
from rsam_core.session.session import Session

_CLASS = "class "
_AREAS = ("speck_area", "hole_area", "smallest")
_NUMBERS = ("speck_area", "hole_area", "smooth", "opening", "closing", "simplify", "smallest")
_HELP = {
    "speck_area": N_("Loose pieces smaller than this are removed; the largest piece always stays."),
    "hole_area": N_("Holes smaller than this are filled."),
    "opening": N_("Cuts bridges, tails and spikes thinner than about twice this. Corners stay."),
    "closing": N_("Closes slits and bays narrower than about twice this. Corners stay."),
    "smooth": N_("Takes the jags off the outline. Objects keep their area: they do not shrink."),
    "simplify": N_("Straight sides with few corners; no side moves by more than about this."),
    "smallest": N_("Objects smaller than this are removed altogether at the end."),
}
_BEFORE, _AFTER = "#FFFFFF", "#FF7A00"
_SHOWN, _TRIED = 2, 24
"""Objects in the preview, and among how many those that change most are looked for."""
_PREVIEW_WIDTH, _PREVIEW_ASPECT = 500, 1.4
_PATIENCE = 1.5
"""Seconds after which a progress bar is shown instead of waiting."""


def refine_panel(session: Session, found: Instances) -> None:
    """Everything about better outlines."""
    if progress.shown(
        session.jobs, JOB, f"{_(refinement(session).what)}:", key="refine-stop",
        help=_("All objects stay as they are."), take_over=lambda: take_over(session),
    ):  # fmt: skip
        return
    # The steps stand last on the screen, but what they say is needed first.
    top, middle, steps = st.container(), st.container(), st.container()
    with top:
        first, second = st.columns(2, gap="small")
        with first:
            _presets(session)
        with second:
            ids = _scope(session, found)
    with steps.expander(_("Steps and strengths"), icon=":material/tune:"):
        settings = _form(session)
    with middle:
        _result(session, found, settings, ids)


def _result(session: Session, found: Instances, settings: RefineSettings, ids: list[int]) -> None:
    """What the steps do, and the button that takes them."""
    if not settings.steps:
        st.caption(_("All steps are off. Choose a preset, or set a step above 0."))
        return
    st.caption(_("Steps: {settings}.").format(settings=settings.describe()))
    with banner.guard():
        _preview(session, found, settings, ids)
    count = len(ids)
    st.button(
        ngettext("Apply to {count} object",
                 "Apply to {count} objects", count).format(count=number(count)),
        type="primary", icon=":material/check:", width="stretch", disabled=not count,
        key="refine-apply", on_click=_start, args=(session, settings, ids),
    )  # fmt: skip
    if refinement(session).told:
        st.caption(_(":material/check: Last time: {told}").format(told=refinement(session).told))


def _load(session: Session) -> None:
    """Set every step as the preset has it."""
    state, gsd = st.session_state, session.image.scene.gsd
    preset = PRESETS[state["refine-preset"]]
    unit = state.get("refine-unit") or "px" if gsd else "px"
    for name in _NUMBERS:
        state[f"refine-{name}-{unit}"] = _in_unit(name, getattr(preset, name), unit, gsd)
    state["refine-straight"] = preset.regularise
    state["refine-agreement"] = preset.min_agreement


def _presets(session: Session) -> None:
    st.selectbox(
        _("Start from"),
        list(PRESETS),
        key="refine-preset",
        format_func=_,
        on_change=_load,
        args=(session,),
        persist_state="session",
        help=_("Sets all steps; they can be changed below."),
    )


def _form(session: Session) -> RefineSettings:
    """Unit and strength of every step."""
    gsd, state = session.image.scene.gsd, st.session_state
    unit = "px"
    if gsd:
        unit = st.segmented_control(
            _("Unit"), ["px", "m"], default="px", required=True, key="refine-unit",
            on_change=_load, args=(session,), persist_state="session",
            label_visibility="collapsed",
        ) or "px"  # fmt: skip
    preset = PRESETS[state["refine-preset"]]
    values: dict[str, float] = {}
    columns = st.columns(2, gap="small")
    for index, name in enumerate(_NUMBERS):
        square = {"px": "px", "m": "m²"}[unit] if name in _AREAS else unit
        start = _in_unit(name, getattr(preset, name), unit, gsd)
        step = _in_unit(name, SUGGESTED.get(name, 30.0), unit, gsd) / (3 if name in _AREAS else 2)
        key = f"refine-{name}-{unit}"
        state.setdefault(key, start)
        values[name] = columns[index % 2].number_input(
            f"{_(TITLES[name])} ({square})", 0.0, None, step=step, format="%.4g", key=key,
            help=_(_HELP[name]) + " " + _("0 leaves it out."), persist_state="session",
        )  # fmt: skip
    state.setdefault("refine-straight", preset.regularise)
    straight = st.toggle(
        _("Straight walls and right angles"), key="refine-straight", persist_state="session",
        help=_("For buildings: the outline gets right angles along its main direction, where "
               "such an outline fits. Round objects, and those that the edge of the image cuts, "
               "stay."),
    )  # fmt: skip
    agreement = preset.min_agreement
    if straight:
        state.setdefault("refine-agreement", agreement)
        agreement = st.slider(
            _("Leave an outline as it is if less than this would agree"), 0.5, 1.0, step=0.01,
            key="refine-agreement", persist_state="session",
            help=_("Share of ground that the straight outline and the present one have in "
                   "common, of all that either covers. Lower straightens more objects, also "
                   "those that are not quite rectangular."),
        )  # fmt: skip
    return RefineSettings(regularise=straight, min_agreement=agreement, unit=unit, **values)


def _in_unit(name: str, pixels: float, unit: str, gsd: float | None) -> float:
    if unit == "px" or not gsd:
        return float(pixels)
    metres = pixels * (gsd**2 if name in _AREAS else gsd)
    return float(f"{metres:.2g}")


def _scope(session: Session, found: Instances) -> list[int]:
    """Numbers of the objects that the settings are for."""
    chosen = chosen_ids(session, found)
    by_class: dict[str, list[int]] = {}
    for item in found:
        if item.label:
            by_class.setdefault(item.label, []).append(item.id)
    scopes = {"all": found.ids.tolist(), "selected": chosen}
    scopes |= {f"{_CLASS}{label}": ids for label, ids in sorted(by_class.items())}
    words = {"all": _("All objects"), "selected": _("Selected objects")}

    def text(scope: str) -> str:
        name = words.get(scope) or _("Class “{name}”").format(name=scope.removeprefix(_CLASS))
        return f"{name} ({number(len(scopes[scope]))})"

    kept = st.session_state.get("refine-scope", "all")
    if kept not in scopes:
        st.session_state["refine-scope"] = "all"
    scope = st.selectbox(
        _("Apply to"), list(scopes), format_func=text, key="refine-scope", persist_state="session"
    )
    return scopes[scope]


def _preview(session: Session, found: Instances, settings: RefineSettings, ids: list[int]) -> None:
    """Before and after, on the selected objects or the largest ones."""
    some = found.select(ids)
    chosen = [item for item in some if item.id in session.marks.selected] or list(some)
    if not chosen:
        st.caption(_("No object is selected. Click one in the picture, or choose another group."))
        return
    key = (tuple(chosen), settings, session.image.scene, current())
    tried, views = session.memo.remember(
        "refine-preview", key, lambda: _views(session, chosen, settings)
    )
    if not views:
        if tried < len(chosen):
            told = ngettext(
                "This object needs none of these steps: nothing would change in the {count} "
                "looked at.",
                "These objects need none of these steps: nothing would change in the {count} "
                "looked at.",
                tried,
            ).format(count=tried)
        else:
            told = ngettext(
                "This object needs none of these steps: nothing would change.",
                "These objects need none of these steps: nothing would change.",
                tried,
            )
        st.info(told, icon=":material/check_circle:")
        return
    columns = st.columns(_SHOWN)
    for column, (content, caption) in zip(columns, views):
        column.image(
            content,
            caption=caption,
            width="stretch",
            alt=_("Before and after. {caption}").format(caption=caption),
        )
    st.caption(_("White: as it is. Orange: after the steps above. Shown is what changes most."))


def _views(
    session: Session, chosen: list[Instance], settings: RefineSettings
) -> tuple[int, list[tuple[bytes, str]]]:
    """How many objects were tried, and pictures of those that change most."""
    step = max(1, len(chosen) // _TRIED)
    some = sorted(chosen, key=lambda item: -item.area)[::step][:_TRIED]
    before = Instances(some, session.image.shape)
    after = {i.id: i for i in refine(before, settings, gsd=session.image.scene.gsd)}
    pairs = [(item, after.get(item.id)) for item in some]
    changes = [(sum(difference(*pair)) / pair[0].area, pair) for pair in pairs]
    most = sorted((c for c in changes if c[0] > 0), key=lambda c: -c[0])[:_SHOWN]
    return len(some), [_before_after(session, *pair) for _, pair in most]


def _before_after(session: Session, item: Instance, after: Instance | None) -> tuple[bytes, str]:
    """A picture of one object with both outlines, and what changes."""
    window = _around(item.bbox, session.image.shape)
    scale = _PREVIEW_WIDTH / window.width
    picture = session.image.scene.read_rgb(window, _PREVIEW_WIDTH)
    picture = _resized(picture, _PREVIEW_WIDTH, round(window.height * scale))
    for one, colour, width in ((item, _BEFORE, 4), (after, _AFTER, 3)):
        if one is not None:
            style = OverlayStyle(fill="none", contour_color=colour, contour_width=width)
            shown = Instances([one], session.image.shape)
            picture = overlay(picture, shown, style, origin=(window.x, window.y), scale=scale)
    if after is None:
        return resources.jpeg(picture), _("Object {id}: removed").format(id=item.id)
    gained, lost = difference(item, after)
    return resources.jpeg(picture), _("Object {id}: {gained} px added, {lost} taken away").format(
        id=item.id, gained=number(gained), lost=number(lost)
    )


def _around(bbox: tuple[int, int, int, int], shape: tuple[int, int]) -> Window:
    """The part of the scene around an object, of one aspect ratio for all where there is room."""
    x0, y0, x1, y1 = bbox
    margin = 6 + max(x1 - x0, y1 - y0) // 10
    height = max(y1 - y0 + 2 * margin, (x1 - x0 + 2 * margin) / _PREVIEW_ASPECT)
    size = (min(round(height * _PREVIEW_ASPECT), shape[1]), min(round(height), shape[0]))
    left, top = (
        min(max(round((low + high - side) / 2), 0), whole - side)
        for low, high, side, whole in ((x0, x1, size[0], shape[1]), (y0, y1, size[1], shape[0]))
    )
    return Window(left, top, *size)


def _resized(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    import cv2

    return cv2.resize(picture, (max(width, 1), max(height, 1)), interpolation=cv2.INTER_LINEAR)


def _start(session: Session, settings: RefineSettings, ids: list[int]) -> None:
    if start(session, settings, ids).wait(_PATIENCE):
        take_over(session)


def take_over(session: Session) -> None:
    """Take over what a finished refinement changed, and say so."""
    known = refinement(session)
    done = finish(session)
    if known.error is not None:
        banner.fail("refine", known.error)
        known.error = None
    elif done is not None:
        banner.forget("refine")
        undo = " " + _("Undo takes it back.") if done else ""
        st.toast(f"{_(known.told)}{undo}", icon=":material/check:" if done else ":material/info:")

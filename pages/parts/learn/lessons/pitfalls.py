"""Lesson 9 on the page: what hides, where borders lie, what was learnt, what follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.parts.learn.bars import bars
from pages.parts.learn.lessons import pitfalls_learnt, pitfalls_own, pitfalls_sorting
from pages.parts.learn.stage import Stage
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import current_session
from pages.parts.shared.legend import chips
from rsam_core.evaluate.learn.lessons import pitfalls_borders as borders
from rsam_core.evaluate.learn.lessons import pitfalls_hiding as hiding
from rsam_core.objects import palette
from rsam_core.runtime.language import _, ngettext, number, percent

_SCALE = 2
_KEPT = 24
"""Answers that are kept, so that a slider that goes back need not ask again."""


def show(stage: Stage) -> Mapping[str, Any]:
    """Show one of four experiments, and report what was found, taught and sorted."""
    parts = {
        "hiding": (_("What hides"), _hiding),
        "borders": (_("Borders"), _borders),
        "learnt": (_("Learnt elsewhere"), pitfalls_learnt.show),
        "claims": (_("What follows"), pitfalls_sorting.show),
    }
    names = {key: name for key, (name, _show) in parts.items()}
    return parts[stage.choice("part", _("Experiment"), names)][1](stage)


# -- haze, shadow, trees ------------------------------------------------------------------------
def _hiding(stage: Stage) -> Mapping[str, Any]:
    if stage.own is not None:
        return pitfalls_own.show(stage, stage.own)
    left, right = st.columns([62, 38], gap="medium")
    with right:
        kind, amount = _disturbance(stage)
    image = hiding.disturbed(kind, amount)
    found = _answer(stage, kind, amount)
    house = min(st.session_state.get(stage.name("house"), 0), len(hiding.houses()) - 1)
    middle = hiding.houses()[house]
    with left:
        stage.picture(
            "hiding", hiding.picture(image, found, _SCALE),
            marks=(Mark(middle.x * _SCALE, middle.y * _SCALE, "spot"),),
            label=_("Houses from above; true outlines in white, found ones in blue. Click on a "
                    "house to read its numbers."),
            on_touch=lambda event: _chosen(stage, event),
        )  # fmt: skip
        chips([(_("true outline"), "#d4d9de"), (_("found by the model"), palette.SINGLE)])
    with right:
        bars(
            [
                (_("Mean IoU"), found.mean_iou, _("one click in the middle of each house")),
                (_("Area found"), found.area_share, _("of the true area of all houses")),
            ]
        )
        st.markdown(
            _("The house with the ring: **{area} m²** found, {true} m² true, IoU {iou}.").format(
                area=number(found.areas[house]), true=number(found.true_areas[house]),
                iou=percent(found.ious[house]),
            )
        )  # fmt: skip
        st.caption(_hiding_words(kind))
    seen: list[float] = st.session_state.setdefault(stage.name("shares"), [])
    if found.area_share not in seen:
        seen.append(found.area_share)
    return {
        "kind": kind, "amount": amount, "mean_iou": found.mean_iou, "share": found.area_share,
        "smallest": min(seen), "largest": max(seen),
    }  # fmt: skip


def _disturbance(stage: Stage) -> tuple[str, float]:
    names = {"haze": _("Haze"), "shadow": _("Shadow"), "trees": _("Trees")}
    kind = stage.choice("kind", _("What lies before the houses"), names)
    # Each has a slider of its own, so that none begins where another was left.
    amount = st.slider(
        _("How much (percent)"), 0, round(100 * hiding.MOST), 0, 5,
        persist_state="session", key=stage.name(f"amount-{kind}"),
    )  # fmt: skip
    return kind, amount / 100


def _answer(stage: Stage, kind: str, amount: float) -> hiding.Found:
    kept: dict[tuple, hiding.Found] = st.session_state.setdefault(stage.name("found"), {})
    key = current_session.model_name(), kind if amount else "", amount
    if key not in kept:
        if len(kept) >= _KEPT:
            kept.pop(next(iter(kept)))
        embedding = stage.embedding(hiding.disturbed(kind, amount))
        kept[key] = hiding.find(stage.segmenter(), embedding)
    return kept[key]


def _chosen(stage: Stage, event: Touch) -> None:
    st.session_state[stage.name("house")] = hiding.house_at(event.x / _SCALE, event.y / _SCALE)


def _hiding_words(kind: str) -> str:
    return {
        "haze": _("Air adds its own light and takes contrast. Too much, and a click means all."),
        "shadow": _("All in the shadow does little harm. The shadow's edge across a roof does: it "
                    "looks like the roof's own edge."),
        "trees": _("What is under a crown is not in the picture. No model can outline it, only "
                   "guess it."),
    }[kind]  # fmt: skip


# -- borders ------------------------------------------------------------------------------------
def _borders(stage: Stage) -> Mapping[str, Any]:
    controls = st.columns(2, gap="medium")
    with controls[0]:
        gsd = st.select_slider(
            _("Metres of ground on one pixel"), borders.PIXELS, borders.PIXELS[1],
            persist_state="session", key=stage.name("gsd"),
            format_func=lambda at: _("{gsd} m").format(gsd=number(at, 1)),
        )  # fmt: skip
    with controls[1]:
        pixels = st.slider(
            _("Border too far out (pixels)"), -float(borders.FURTHEST), float(borders.FURTHEST),
            1.0, 0.5, format="%.1f",
            persist_state="session", key=stage.name("pixels"),
            help=_("Below 0 it lies too far inside."),
        )  # fmt: skip
    metres = gsd * pixels
    names = {"car": _("Car"), "roof": _("House"), "field": _("Field")}
    shares = {kind: borders.share_of_area(kind, metres) for kind in borders.KINDS}
    for column, kind in zip(st.columns(3, gap="small"), borders.KINDS):
        with column:
            stage.picture(
                f"border-{kind}", borders.picture(kind, metres),
                label=_("{thing} from above, its true outline in white, the moved one in orange.")
                .format(thing=names[kind]),
            )  # fmt: skip
            st.markdown(
                _("**{thing}**, {true} m²: measured {area} m², **{change}**").format(
                    thing=names[kind], true=number(borders.object_of(kind).area),
                    area=number(borders.object_of(kind).area * shares[kind]),
                    change=_signed(shares[kind] - 1),
                )
            )  # fmt: skip
    asked = _asked(stage, gsd)
    # Of the house that is shown, so that its square metres above come out.
    size = borders.object_of("roof").area / gsd**2
    st.markdown(
        _("**And the model?** At {gsd} m a pixel a house here has {pixels}. The model's outlines "
          "cover {share} of the true area of {count} houses.").format(
            gsd=number(gsd, 1),
            pixels=ngettext("{n} pixel", "{n} pixels", round(size)).format(n=number(size)),
            share=percent(asked["share"], 1), count=number(len(hiding.houses())))
    )  # fmt: skip
    return {"gsd": gsd, "pixels": pixels, "shares": shares, "model": asked["share"]}


def _signed(change: float) -> str:
    return ("+" if change > 0 else "−" if change < 0 else "±") + percent(abs(change))


def _asked(stage: Stage, gsd: float) -> Mapping[str, float]:
    kept: dict[tuple, Mapping[str, float]] = st.session_state.setdefault(stage.name("asked"), {})
    key = current_session.model_name(), gsd
    if key not in kept:
        kept[key] = borders.asked(stage.segmenter(), gsd)
    return kept[key]

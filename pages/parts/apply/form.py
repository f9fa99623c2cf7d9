"""What a question needs, in plain words: layers, dates, numbers, and the button that asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

import rsam_core as rsam
from pages.parts.apply import dates_there, draw_layer, sources
from pages.parts.shared import banner
from pages.parts.shared.names import plain
from rsam_core.change.apply import Features, Inputs, Need, Question, Setting, Site, read_layer
from rsam_core.change.apply.layers import LAYER_TYPES
from rsam_core.change.apply.site import NO_SCALE
from rsam_core.change.apply.slopes import slope_layer
from rsam_core.errors import RsamError, TruthChoice
from rsam_core.runtime.language import _
from rsam_core.session.apply import ApplyState, KeptLayer
from rsam_core.session.change import change_state
from rsam_core.session.session import Session

_NOT_DRAWN = ("slope", "damage")
"""Needs whose areas carry what nobody draws: degrees, grades."""
CHANGE, FOLLOW = "pages/screens/change.py", "pages/screens/follow.py"


def scale(session: Session) -> bool:
    """Whether the size of a pixel is known; offers to type it where it is not."""
    if session.image.scene.gsd:
        return True
    st.warning(_(NO_SCALE), icon=":material/straighten:")
    with st.form("apply-gsd", border=False):
        value = st.number_input(
            _("Metres a pixel"), 0.01, 1000.0, None, step=0.01, format="%.3f", placeholder="0.30",
            help=_("The ground sample distance: how many metres one pixel covers."),
        )  # fmt: skip
        if st.form_submit_button(_("Use it"), type="primary") and value:
            session.rescale(session.image.scene.with_gsd(float(value)))
            st.rerun()
    return False


def form(session: Session, state: ApplyState, question: Question) -> None:
    """All that is asked of a person, and the button."""
    token = session.image.token
    taken: dict[str, str] = {}
    values: dict[str, Any] = {}
    for need in question.needs:
        if need.beside and not taken.get(need.beside):
            continue
        name = f"{question.key}-{need.key}-{token}"
        taken[need.key] = _need(session, state, question, need, name)
        own = [s for s in question.settings if s.beside == need.key]
        if own and taken[need.key]:
            values |= _fields(state, question, own, token)
    values |= _series(session, state, question)
    dates = () if values.get(sources.SERIES) else _dates(session, question, taken)
    values |= _settings(state, question, token)
    missing = _missing(session, question, taken, values, dates)
    for one in missing:
        if one.key == "second date":
            st.info(_(one.text), icon=":material/difference:")
            st.page_link(CHANGE, label=_("Open the second picture"), icon=":material/difference:")
            if question.series:
                st.page_link(FOLLOW, label=_("Open a series"), icon=":material/timeline:")
    wanted = " ".join(plain(_(one.text)) for one in missing if one.key != "second date")
    if wanted:
        st.caption(_(":material/pending: Still missing: {wanted}").format(wanted=wanted))
    at_once = st.session_state.pop("apply-at-once", None) == question.key and not missing
    pressed = st.button(
        _("Answer"), type="primary", icon=":material/play_arrow:", width="stretch",
        key=f"answer-{question.key}", disabled=bool(missing),
    )  # fmt: skip
    draw_layer.dialog(session, state)
    if pressed or at_once:
        start(session, state, question, taken, values, dates)
        st.rerun()


def start(
    session: Session,
    state: ApplyState,
    question: Question,
    taken: Mapping[str, str],
    values: Mapping[str, Any],
    dates: tuple[str, ...],
) -> None:
    """Answer in the background; pictures of two dates are brought together first."""
    with banner.guard(f"answer-{question.key}"):
        state.start(
            question, lambda: sources.inputs(session, state, question, taken, values, dates)
        )


def _need(session: Session, state: ApplyState, question: Question, need: Need, key: str) -> str:
    options = sources.offered(session, state, question, need)
    now = sources.chosen(session, state, question, need, options)
    name = f"{question.key}/{need.key}"
    keys = [sources.NOTHING, *options]
    empty = _("nothing") if need.optional else _("choose, or give one")
    left, right = st.columns([5, 2], gap="small", vertical_alignment="bottom")
    widget = f"need-{key}-{len(keys)}-{now}"
    picked = left.selectbox(
        _("{title} (optional)").format(title=_(need.title)) if need.optional else _(need.title),
        keys,
        index=keys.index(now),
        format_func=lambda k: options.get(k, empty),
        key=widget,
        help=_(need.text),
    )
    if picked != now:
        state.choose(name, picked)
        st.rerun()
    with right.popover(
        _("Give"), icon=":material/add:", width="stretch",
        help=_("Give a layer: GeoPackage, GeoJSON, KML, zipped Shapefile, CSV; or draw it"),
        key=f"give-{key}-{draw_layer.opened()}",
    ):  # fmt: skip
        _upload(session, state, name, key)
        if 2 in need.dimensions and need.key not in _NOT_DRAWN:
            draw_layer.button(session, question, need.key, need.title)
        kind, _colon, given = now.partition(":")
        if kind == "layer":
            st.button(
                _("Close “{given}”").format(given=plain(given, 40)),
                icon=":material/close:",
                width="stretch",
                key=f"close-{key}",
                on_click=state.drop,
                args=(given,),
                help=_("It goes from all questions."),
            )
    return picked


def _upload(session: Session, state: ApplyState, need: str, key: str) -> None:
    """Give a layer as a file."""
    heights = need.endswith("/slope")
    file = st.file_uploader(
        _("A raster of heights in metres (GeoTIFF)") if heights else
        _("A layer: GeoPackage, GeoJSON, KML, Shapefile (zip), CSV with coordinates"),
        type=["tif", "tiff"] if heights else list(LAYER_TYPES), key=f"layer-{key}",
    )  # fmt: skip
    if file is None:
        return
    known = f"layer-done-{key}"
    options = _choices(key)
    if st.session_state.get(known) == (file.file_id, options):
        _told(key)
        return
    try:
        site = Site.of(session.image.scene)
        with st.spinner(_("Reading the layer…")):
            layer = (
                _slopes(session, site, file)
                if heights
                else read_layer(file.getvalue(), site, name=file.name, **dict(options))
            )
        state.give(KeptLayer.of(layer, site), need)
        st.session_state.pop(f"layer-error-{key}", None)
    except RsamError as error:
        st.session_state[f"layer-error-{key}"] = error
        st.session_state[known] = (file.file_id, options)
        _told(key)
        return
    st.session_state[known] = (file.file_id, options)
    st.rerun()


def _slopes(session: Session, site: Site, file: Any) -> Features:
    raster = rsam.open_scene(file.getvalue(), name=file.name)
    return slope_layer(raster, session.image.scene, site, f"Slope from {file.name}")


def _choices(key: str) -> tuple[tuple[str, str], ...]:
    """What a person chose where a file can be read in several ways."""
    error = st.session_state.get(f"layer-error-{key}")
    kept = st.session_state.get(f"layer-options-{key}", ())
    if not isinstance(error, TruthChoice):
        return kept
    words = dict(error.choices)
    value = st.selectbox(_("Which one?"), list(words), index=None, format_func=words.get,
                         key=f"layer-choice-{key}-{error.option}")  # fmt: skip
    if value is None:
        return kept
    kept = tuple((dict(kept) | {error.option: value}).items())
    st.session_state[f"layer-options-{key}"] = kept
    return kept


def _told(key: str) -> None:
    error = st.session_state.get(f"layer-error-{key}")
    if error is not None:
        banner.show(error)


def _dates(session: Session, question: Question, taken: Mapping[str, str]) -> tuple[str, ...]:
    """When both pictures were taken; only asked where it matters."""
    change = change_state(session)
    first, second = change.dates(session.image.scene)
    if not any(need.date is not None for need in question.needs) or question.key in (
        "permits", "sensitive", "services", "vacant", "density",
    ):  # fmt: skip
        return tuple(date for date in (first, second) if date)
    token = session.image.token
    left, right = st.columns(2, gap="small")
    help = _("2019, 2019-06 or 2019-06-30; empty if it is not known.")
    one = left.text_input(_("First date"), first, key=f"apply-date-1-{token}", help=help)
    last = _("Last date") if any(taken.get(f"between_{k}") for k in (1, 2)) else _("Second date")
    two = right.text_input(last, second, key=f"apply-date-2-{token}", help=help)
    if (one, two) != (first, second):
        change.type_dates(one.strip()[:40], two.strip()[:40])
    return (one.strip(), two.strip()) if one.strip() and two.strip() else ()


def _series(session: Session, state: ApplyState, question: Question) -> dict[str, bool]:
    """Whether all dates of the series that is open are looked at; only asked where there is one."""
    frames = dates_there.series_frames(session) if question.series else None
    if frames is None:
        return {}
    now = bool(state.values.get(question.key, {}).get(sources.SERIES, True))
    wanted = st.toggle(
        _("Use all {count} dates of the series").format(count=len(frames)), now,
        key=f"apply-series-{question.key}-{session.image.token}",
        help=_("The series that is open on the Follow page; what rises from date to date is "
               "told from what is seen at one date alone."),
    )  # fmt: skip
    if wanted != now:
        state.set(question.key, sources.SERIES, wanted)
    return {sources.SERIES: wanted}


def _settings(state: ApplyState, question: Question, token: object) -> dict[str, Any]:
    settings = [s for s in question.settings if not s.beside]
    if not settings:
        return {}
    typed = any(s.default is None and not s.optional for s in settings)
    with st.expander(_("Settings"), icon=":material/tune:", expanded=typed):
        return _fields(state, question, settings, token)


def _fields(
    state: ApplyState, question: Question, settings: Sequence[Setting], token: object
) -> dict[str, Any]:
    """Numbers, words and choices; in two columns where there are many, or where they belong
    together."""
    kept = state.values.get(question.key, {})
    values: dict[str, Any] = {}
    columns = st.columns(2 if len(settings) > 3 or settings[0].beside else 1, gap="small")
    for number, setting in enumerate(settings):
        with columns[number % len(columns)]:
            now = kept.get(setting.key, setting.default)
            value = _widget(setting, now, f"set-{question.key}-{setting.key}-{token}")
            if value != now:
                state.set(question.key, setting.key, value)
            values[setting.key] = value
    return values


def _widget(setting: Setting, now: Any, key: str) -> Any:
    title = f"{_(setting.title)} ({setting.unit})" if setting.unit else _(setting.title)
    help = _(setting.help) or None
    if setting.choices:
        place = setting.choices.index(now) if now in setting.choices else 0
        return st.selectbox(title, setting.choices, index=place, format_func=_, key=key, help=help)
    if isinstance(setting.default, str):
        return st.text_input(title, now or "", key=key, help=help)
    number = None if now is None else float(now)
    return st.number_input(title, float(setting.low), float(setting.high), number,
                           step=float(setting.step), key=key, help=help, format="%g")  # fmt: skip


def _missing(
    session: Session,
    question: Question,
    taken: Mapping[str, str],
    values: Mapping[str, Any],
    dates: tuple[str, ...],
) -> list[Any]:
    """What has to be given still; layers are only looked up by name here."""
    there = Features.of_shapes("", [])
    layers = {key: there for key, source in taken.items() if source}
    change = change_state(session)
    alignment = object() if change.second is not None else None
    site = Site.of(session.image.scene)
    series = dates_there.series_of(session) if values.get(sources.SERIES) else None
    return question.missing(Inputs(site, layers, values, dates, alignment, series))  # type: ignore[arg-type]

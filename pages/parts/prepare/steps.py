"""The list of steps: suggestions, switches, order, settings, and the catalogue to add from."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.prepare.form import form
from pages.parts.shared.names import plain
from rsam_core.prepare import STEPS, Step
from rsam_core.prepare.step import GROUPS
from rsam_core.runtime.language import N_, _
from rsam_core.session.preparation import PreparationState

COLUMNS = 2
GROUP_TITLES = {
    "Radiometric": N_("Tones and colours"),
    "Geometric": N_("Shape and place"),
    "Noise": N_("Noise"),
    "Resolution": N_("Sharpness and size"),
}
GROUP_HELP = {
    "Radiometric": N_("Too dark, too flat, hazy, wrongly coloured. To sharpen, see *Sharpness*."),
    "Geometric": N_("Turn, cut, straighten, put on the map."),
    "Noise": N_("Grain, specks and stripes. Look at these in the detail at 100 %."),
    "Resolution": N_("Sharper edges and more pixels."),
}
ALSO = {
    "unsharp-mask": N_("sharpen sharper sharpness blur blurry soft focus crisp"),
    "super-resolution": N_("finer upscale"),
    "enlarge": N_("upscale bigger zoom"),
    "haze": N_("fog mist veil smog dehaze"),
    "brightness": N_("dark light exposure"),
    "gamma": N_("dark shadows exposure"),
    "stretch": N_("dull flat levels contrast"),
    "white-balance": N_("colour color cast tint"),
    "bilateral": N_("denoise grain noise smooth"),
    "nonlocal": N_("denoise grain noise"),
    "reproject": N_("coordinate system crs utm"),
    "ground-control": N_("gcp georeference map"),
    "straighten": N_("perspective tilt oblique"),
    "crop": N_("cut clip"),
}
"""Words by which people look for a step that its title and help do not have."""


def suggestions(bench: PreparationState) -> None:
    """What the image needs, each with a click that adds the step."""
    for item in bench.advice:
        with st.container(border=True, key=f"advice-{item.step.key}", gap="xsmall"):
            st.markdown(f":material/lightbulb: {_(item.text)}")
            st.button(
                _("Add “{title}”").format(title=_(item.step.title)),
                icon=":material/add:",
                key=f"advise-{item.step.key}",
                on_click=bench.add,
                args=(item.step,),
                kwargs={"show": False},
            )


def step_list(bench: PreparationState) -> None:
    """All steps in their order; one at a time shows its settings."""
    for index, (number, stage) in enumerate(zip(list(bench.ids), bench.pipeline.stages)):
        with st.container(border=True, key=f"step-{number}", gap="xsmall"):
            _head(bench, number, index, stage.step, stage.on)
            if stage.step.missing():
                st.caption(f":orange[:material/pending:] {plain(_(stage.step.missing()))}")
            if bench.open == number:
                form(bench, number, stage.step)
            elif stage.step.summary():
                st.caption(plain(stage.step.summary()))


def _head(bench: PreparationState, number: int, index: int, step: Step, on: bool) -> None:
    """Switch, title that opens and closes, and the buttons for order and removal."""
    key = f"on-{number}"

    def switch() -> None:
        bench.switch(number, st.session_state[key])

    def unfold() -> None:
        bench.open = None if bench.open == number else number

    last = len(bench.ids) - 1
    buttons: tuple[tuple[str, str, bool, Callable, tuple], ...] = (
        ("arrow_upward", N_("Earlier"), index == 0, bench.move, (number, -1)),
        ("arrow_downward", N_("Later"), index == last, bench.move, (number, 1)),
        ("close", N_("Remove"), False, bench.remove, (number,)),
    )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="xsmall", wrap=False, key=f"head-{number}"
    ):
        st.toggle(
            _("{title} on").format(title=_(step.title)),
            on,
            key=key,
            on_change=switch,
            label_visibility="collapsed",
        )
        st.button(
            _(step.title),
            icon=":material/expand_less:" if bench.open == number else ":material/expand_more:",
            icon_position="right",
            type="tertiary",
            key=f"title-{number}",
            on_click=unfold,
            width="stretch",
            help=_(step.help) if bench.open != number else None,
        )
        for icon, title, disabled, action, args in buttons:
            st.button(
                "",
                icon=f":material/{icon}:",
                type="tertiary",
                key=f"{title}-{number}",
                help=_(title),
                disabled=disabled,
                on_click=action,
                args=args,
            )


_CATALOGUE = "prepare-catalogue"


def show_catalogue(shown: bool = True) -> None:
    """Open the catalogue of steps, or close it."""
    st.session_state[_CATALOGUE] = shown


def catalogue_shown() -> bool:
    """Whether the catalogue is open: it stays so when the page runs again for other reasons."""
    return bool(st.session_state.get(_CATALOGUE))


def catalogue(bench: PreparationState) -> None:
    """All steps by group, each with what it is for; or those that a word names."""
    # Here, because a decorator would know no language.
    st.dialog(_("Add a step"), width="large", on_dismiss=lambda: show_catalogue(False))(_catalogue)(
        bench
    )


def _catalogue(bench: PreparationState) -> None:
    wanted = st.text_input(
        _("What is wrong with the picture?"), key="step-search", icon=":material/search:",
        placeholder=_("blurry, hazy, dark, tilted …"), max_chars=60,
    )  # fmt: skip
    if wanted.strip():
        found = matching(wanted)
        if not found:
            st.caption(
                _("No step is known by that word. All steps are here when the line is empty.")
            )
        _cards(bench, found)
        return
    for tab, group in zip(st.tabs([_(GROUP_TITLES[group]) for group in GROUPS]), GROUPS):
        with tab:
            st.caption(_(GROUP_HELP[group]))
            _cards(bench, [kind for kind in STEPS.values() if kind.group == group])


def matching(wanted: str) -> list[type[Step]]:
    """Steps that a few words name, those first whose title or usual names have them."""
    words = wanted.casefold().split()
    ranked = []
    for kind in STEPS.values():
        names = f"{_(kind.title)} {_(ALSO.get(kind.key, ''))}".casefold()
        told = f"{names} {_(kind.help)} {_(GROUP_TITLES[kind.group])}".casefold()
        if all(word in told for word in words):
            ranked.append((sum(word not in names for word in words), kind))
    return [kind for _rank, kind in sorted(ranked, key=lambda pair: pair[0])]


def _cards(bench: PreparationState, members: list[type[Step]]) -> None:
    for first in range(0, len(members), COLUMNS):
        row = st.columns(COLUMNS, gap="small")
        for column, kind in zip(row, members[first : first + COLUMNS]):
            with column:
                _card(bench, kind)


def _card(bench: PreparationState, kind: type[Step]) -> None:
    """One step of the catalogue."""
    with st.container(border=True, gap="xsmall", height="stretch", key=f"card-{kind.key}"):

        def add() -> None:
            bench.add(bench.fresh(kind))
            show_catalogue(False)

        if st.button(
            _(kind.title),
            icon=":material/add:",
            type="tertiary",
            key=f"add-{kind.key}",
            width="stretch",
            on_click=add,
        ):
            # Closes the catalogue.
            st.rerun()
        st.caption(_(kind.help))

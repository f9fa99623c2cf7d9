"""The settings of one step as a form, drawn from what the step says about them."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared.names import MAX_LENGTH, full, paragraphs, plain
from rsam_core.prepare import ImageFile, Parameter, Step
from rsam_core.prepare.steps.noise import SIGMA
from rsam_core.runtime.language import _
from rsam_core.session.preparation import PreparationState

IMAGE_TYPES = ["tif", "tiff", "png", "jpg", "jpeg", "jp2"]
# A slider with more positions than this is hard to set with a mouse.
MAX_POSITIONS = 400


def form(bench: PreparationState, number: int, step: Step) -> None:
    """Draw the widgets of a step; each writes its setting into the bench at once."""
    st.caption(_(step.help))
    if any(parameter.help == SIGMA for parameter in step.parameters()):
        _measured(bench, number, step)
    for parameter in step.parameters():
        key = f"prepare-{number}-{parameter.name}"
        _widget(bench, number, step, parameter, key)
    if number in bench.notes:
        st.error(paragraphs(bench.notes[number]), icon=":material/error:")


def _widget(
    bench: PreparationState, number: int, step: Step, parameter: Parameter, key: str
) -> None:
    value = getattr(step, parameter.name)
    label = f"{_(parameter.title)} ({parameter.unit})" if parameter.unit else _(parameter.title)
    shared = {"key": key, "help": _(parameter.help) or None}

    def take() -> None:
        bench.change(number, **{parameter.name: st.session_state[key]})

    shared |= {"on_change": take}
    if parameter.kind in ("number", "integer"):
        _number(parameter, label, value, shared)
    elif parameter.kind == "choice":
        titles = dict(parameter.choices)
        names = list(titles)
        st.selectbox(label, names, names.index(value), format_func=lambda n: _(titles[n]), **shared)
    elif parameter.kind == "switch":
        st.toggle(label, value, **shared)
    elif parameter.kind == "text":
        st.text_input(label, value, **shared)
    elif parameter.kind == "band":
        names = ["", *bench.previewer.overview.band_names]
        at = names.index(value) if value in names else 0
        st.selectbox(label, names, at, format_func=lambda name: name or _("Choose…"), **shared)
    elif parameter.kind == "image":
        _image(bench, number, parameter, label, value, key)
    elif parameter.kind == "points":
        st.caption(
            _(
                "**{label}:** {count} set. Click them in the picture on the left, under *Points*."
            ).format(label=label, count=len(value))
        )


def _number(parameter: Parameter, label: str, value: float, shared: dict) -> None:
    whole = parameter.kind == "integer"
    kind = int if whole else float
    low, high = (None if end is None else kind(end) for end in (parameter.low, parameter.high))
    step = kind(parameter.step or (1 if whole else 0.1))
    form_ = "%d" if whole else "%g"
    if low is not None and high is not None and (high - low) / step <= MAX_POSITIONS:
        st.slider(label, low, high, kind(value), step, format=form_, **shared)
    else:
        st.number_input(label, low, high, kind(value), step, format=form_, **shared)


def _image(
    bench: PreparationState,
    number: int,
    parameter: Parameter,
    label: str,
    value: ImageFile | None,
    key: str,
) -> None:
    def take() -> None:
        file = st.session_state[key]
        # An upload goes when the page is left; the image that was chosen stays.
        if file is not None:
            bench.change(number, **{parameter.name: ImageFile(file.name, file.getvalue())})

    st.file_uploader(
        label, IMAGE_TYPES, key=key, on_change=take, help=_(parameter.help) or None,
        max_upload_size=200,
    )  # fmt: skip
    if value is not None:
        st.caption(
            _("In use: **{name}**").format(name=plain(value.name, MAX_LENGTH)),
            help=full(value.name),
        )


def _measured(bench: PreparationState, number: int, step: Step) -> None:
    """The noise measured, and a click that takes it over."""
    sigma = bench.noise

    def take() -> None:
        bench.change(number, sigma=sigma)
        st.session_state[f"prepare-{number}-sigma"] = sigma

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_("Measured in this image: σ ≈ {sigma:g}").format(sigma=sigma), width="content")
        if abs(step.sigma - sigma) > 0.01:
            st.button(_("Use it"), type="tertiary", key=f"prepare-{number}-measured", on_click=take)

"""How the dates lie on each other, how they are compared, and the comparison itself."""

from __future__ import annotations

import math

import streamlit as st

from pages.parts.shared import banner, progress, resources
from pages.parts.shared.current_session import model_name
from pages.parts.shared.names import plain
from rsam_core.change.aligned import Alignment
from rsam_core.change.decide import LOWEST
from rsam_core.change.differences import SCALES
from rsam_core.change.judge import load_judge
from rsam_core.change.vegetation import has_infrared
from rsam_core.models.tiny.kinds import KINDS
from rsam_core.runtime.language import N_, _
from rsam_core.session.change import ALIGN, COMPARE, ChangeState
from rsam_core.session.change_wishes import METHODS, OURS, Wishes
from rsam_core.session.session import Session

LIGHT = {"histogram": N_("Match the light of the dates"), "none": N_("Leave the light as it is")}
_HELP = {
    OURS: N_("Finds the objects of each date, and decides for each what became of it."),
    "anychange": N_(
        "As published (Segment Any Change, 2024), on the features of the model in "
        "use: everything whose features turned counts, cars and shadows too."
    ),
    "difference": N_(
        "Differences of grey values, with Otsu’s threshold: what a user would do without a model."
    ),
    "vectors": N_("Change vector analysis: length of the change of all colours, Otsu’s threshold."),
    "ndvi": N_("Difference of the vegetation index from near infrared."),
}


def sentence(alignment: Alignment) -> str:
    """How the dates lie on each other, in words."""
    gsd, moved = alignment.gsd, math.hypot(*alignment.shift)

    def metres(pixels: float) -> str:
        return f" ({pixels * gsd:.2f} m)" if gsd else ""

    if alignment.model == "none":
        return _("The dates lie as their georeference says; nothing was moved.")
    words = [
        _("The second date lay **{pixels:.1f} px**{metres} off").format(
            pixels=moved, metres=metres(moved)
        )
    ]
    if abs(alignment.turn) >= 0.05:
        words.append(_("turned by {turn:.1f}°").format(turn=alignment.turn))
    if abs(alignment.scale - 1) >= 0.002:
        words.append(_("{scale:.3f} times as large").format(scale=alignment.scale))
    left = alignment.residual_px
    text = ", ".join(words) + "; " + _("corrected.") + " "
    if math.isfinite(left):
        text += _("**{pixels:.1f} px**{metres} are left on average.").format(
            pixels=left, metres=metres(left)
        )
    return text


def alignment_lines(alignment: Alignment) -> None:
    """The sentence, and what people should know."""
    st.caption(f":material/my_location: {sentence(alignment)}")
    for note in alignment.notes:
        if alignment.doubtful:
            st.warning(plain(note), icon=":material/warning:")
        else:
            st.caption(f":material/info: {plain(note)}")


def running(state: ChangeState, session: Session) -> bool:
    """Show what runs in the background; whether something does."""
    stays = _("What was found before stays.")
    return progress.shown(
        session.jobs, ALIGN, _("Bringing the dates together:"), key="stop-align", help=stays
    ) or progress.shown(session.jobs, COMPARE, _("Comparing:"), key="stop-compare", help=stays)


def form(session: Session, state: ChangeState) -> None:
    """What to look for, and the button that starts it."""
    wishes = state.wishes
    pictures = state.pictures(session.image.scene)
    infrared = all(has_infrared(picture) for picture in pictures)
    methods = [key for key in METHODS if key != "ndvi" or infrared]
    token = session.image.token
    method = st.selectbox(
        _("Method"),
        methods,
        index=methods.index(wishes.method) if wishes.method in methods else 0,
        format_func=lambda key: _(METHODS[key]),
        key=f"change-method-{token}",
        help=_(_HELP[wishes.method]),
    )
    if method != wishes.method:
        state.choose(method)
        st.rerun()
    kinds = wishes.kinds
    if method == OURS and resources.segmenter(model_name()).model.names:
        chosen = st.multiselect(
            _("Only these kinds"), KINDS, default=[k for k in kinds if k in KINDS], format_func=_,
            key=f"change-kinds-{token}", placeholder=_("All kinds"),
            help=_("What the model cannot name for sure is shown as well."),
        )  # fmt: skip
        kinds = tuple(chosen)
    with st.expander(_("More settings"), icon=":material/tune:"):
        light = st.radio(
            _("Light"), list(LIGHT), index=list(LIGHT).index(wishes.radiometry),
            format_func=lambda key: _(LIGHT[key]), key=f"change-light-{token}",
            help=_("Matching gives the second date the histogram of the first."),
        )  # fmt: skip
        register = st.toggle(
            _("Measure and correct a displacement"),
            wishes.register,
            key=f"change-register-{token}",
            help=_(
                "Off: the dates lie as their georeference says. Without one it is always measured."
            ),
        )
        smallest = st.number_input(
            _("Smallest object (pixels)"), 4, 100_000, wishes.smallest, 10,
            key=f"change-smallest-{token}",
        )  # fmt: skip
    wanted = Wishes(method, kinds, light, register, int(smallest))
    if state.result is not None and wanted != wishes:
        st.caption(_("Press **Compare again** to apply these settings."))
    st.button(
        _("Find changes") if state.result is None else _("Compare again"),
        type="primary" if state.result is None else "secondary",
        icon=":material/difference:", key="find-changes", width="stretch", on_click=_start,
        args=(session, state, wanted),
    )  # fmt: skip


def _start(session: Session, state: ChangeState, wishes: Wishes) -> None:
    with banner.guard("find-changes"):
        segmenter = resources.segmenter(model_name())
        state.start_compare(session.image.scene, wishes, lambda: segmenter)


def threshold(session: Session, state: ChangeState) -> None:
    """More or less counts as a change, at once."""
    found, method = state.result, state.wishes.method
    token = session.image.token
    least = 0.0
    if method == OURS:
        own, least, top, step, unit = load_judge().fire, LOWEST, 0.99, 0.01, ""
        title = _("Count as a change from this probability on")
    else:
        scale = SCALES[method]
        own, top, unit = found.automatic, scale.top, scale.unit
        step, title = (
            top / 100,
            _("Count as a change from this difference on ({unit})").format(unit=unit.strip()),
        )
    key = f"change-threshold-{method}-{token}"
    now = state.thresholds.get(method, own)
    value = st.slider(
        title,
        max(least, step),
        max(top, own),
        min(max(now, least, step), max(top, own)),
        step,
        key=key,
        help=_("The method’s own value is {own:.3g}{unit}. Nothing is computed again.").format(
            own=own, unit=unit
        ),
    )
    if abs(value - now) > step / 2:
        state.threshold(float(value))
        st.rerun()

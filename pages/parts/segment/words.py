"""Words: a sentence, what was understood of it piece by piece, and what it finds."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from pages.parts.segment import by_model, ground
from pages.parts.segment.everything import panel as everything_panel
from pages.parts.shared import banner, progress, resources
from pages.parts.shared.destination import go
from pages.parts.shared.names import plain
from rsam_core.errors import RsamError
from rsam_core.objects.classify.classes import ClassList, set_label
from rsam_core.objects.classify.rules import Condition, Extreme, Relation
from rsam_core.objects.instances import Instances
from rsam_core.prompts.canvas_events import CanvasEvent
from rsam_core.runtime.language import N_, _, number
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.words.chips import counts, piece_text
from rsam_core.segment.words.colours import COLOURS
from rsam_core.segment.words.description import Description
from rsam_core.session import kinds as naming_kinds
from rsam_core.session.kinds_job import start_for_words
from rsam_core.session.search import JOB
from rsam_core.session.session import Session
from rsam_core.session.words import WordsState

PLACES = (N_("Everywhere"), N_("Box"), N_("Point"))
# For translators: what the mode Words understands in the language.
EXAMPLES = (N_("large buildings with red roofs"), N_("water"), N_("cars near buildings"))
COLUMNS = {
    "colour": N_("Colour"),
    "kind": N_("Kind"),
    "shape": N_("Shape"),
    "size": N_("Size"),
    "class": N_("Class"),
}
"""What the first words of a sentence's pieces are called."""
_ONE_SHOT = "pages/screens/one_shot.py"


def state(session: Session) -> WordsState:
    """What was asked on the open scene."""
    return session.attached(WordsState)


def canvas_mode() -> str:
    """What a click or a drag means on the canvas now."""
    choice = st.session_state.get("words-place", PLACES[0])
    return {"Box": "boxes", "Point": "points"}.get(choice, "select")


def mark(session: Session, event: CanvasEvent) -> None:
    """Take a click or a box on the picture as the place that is meant."""
    known = state(session)
    if event.kind == "box":
        known.place = (event.x, event.y, event.x1, event.y1)
    else:
        known.place = (event.x, event.y)


def meant(session: Session, found: Instances) -> Instances:
    """The objects to show: those that the sentence means, or all."""
    known = state(session)
    if known.query is None or not len(found):
        return found
    try:
        return known.found(known.describe(found, session.image.scene))
    except RsamError:
        # The column beside the picture says it.
        return found


def panel(session: Session, prompter: Prompter, found: Instances) -> None:
    """The right-hand column in the words mode."""
    known = state(session)
    if progress.shown(
        session.jobs, JOB, _("Looking for objects…"), key="stop-words",
        stop=_("Stop and keep what is found"),
        take_over=lambda: session.search.collect(session.marks),
    ):  # fmt: skip
        return
    _sentence(session, known, found)
    by_model.read_again(known, found, _classes(session, found))
    by_model.offer(session, prompter, known)
    if not len(found):
        st.info(
            _(
                "There is no list of objects yet. Find everything in this view once; then words "
                "choose among what was found."
            ),
            icon=":material/auto_awesome:",
        )
        everything_panel(session, prompter)
        return
    if known.problem is not None:
        st.info(plain(str(known.problem)), icon=":material/help:")
    if known.query is None:
        if known.problem is None:
            _examples(session, known, found)
        return
    _unknown(known)
    if _looking_for_kinds(session, known, found):
        return
    with st.spinner(_("Looking at the objects…")):
        described = known.describe(found, session.image.scene)
    if not known.settled:
        known.settle(described)
    if known.query.conditions is None and not known.query.here:
        return
    _place(known)
    left: list[int] | None = None
    some: Instances | None = None
    try:
        left = counts(described, known.items, known.query, known.place)
        some = known.found(described)
    except RsamError as error:
        # What is missing is a fact about the image that a person can add, no failure.
        st.info(plain(str(error)), icon=":material/straighten:")
    _pieces(known, described, left)
    ground.show(session, known, found)
    if some is not None:
        _result(session, some, len(found))


def _classes(session: Session, found: Instances) -> list[str]:
    classes = session.marks.classes or ClassList()
    return list(classes.including(item.label for item in found).names)


def _ask(session: Session, known: WordsState, found: Instances, text: str) -> None:
    known.ask(text, _classes(session, found))


def _looking_for_kinds(session: Session, known: WordsState, found: Instances) -> bool:
    """Ask the model what the objects are, where the sentence needs it; whether that goes on."""
    naming = naming_kinds.naming(session)
    known.guesser, known.surroundings = naming.of, naming.ground_of
    if known.asks_for_kinds:
        start_for_words(session, naming, found, resources, ground=known.asks_for_ground)
    if progress.shown(
        session.jobs, naming_kinds.JOB, _("Looking at what the objects are…"), key="stop-kinds",
        help=_("Then only objects with a class are known to be something."),
        take_over=naming.collect,
    ):  # fmt: skip
        return True
    if naming.error is not None:
        banner.show(naming.error)
    return False


def _sentence(session: Session, known: WordsState, found: Instances) -> None:
    def ask() -> None:
        with banner.guard("words"):
            _ask(session, known, found, st.session_state["words-text"])

    st.session_state.setdefault("words-text", known.text)
    st.text_input(
        _("What are you looking for?"), key="words-text", on_change=ask, max_chars=2000,
        placeholder=_("large buildings with red roofs"), persist_state="session",
        help=_("In English, French, Spanish or Vietnamese: kinds (building, road, car, tree, "
               "field, water…), sizes (large, over 200 m²), colours, shapes (round, long, "
               "square, L-shaped), near, within 50 m of, inside, on, between; and, or, not, "
               "except; the five largest."),
    )  # fmt: skip


def _examples(session: Session, known: WordsState, found: Instances) -> None:
    st.caption(_("Type a sentence, or try one:"))

    def take(text: str) -> None:
        with banner.guard("words"):
            st.session_state["words-text"] = text
            _ask(session, known, found, text)

    for place, example in enumerate(EXAMPLES):
        text = _(example)
        st.button(text, key=f"words-example-{place}", on_click=take, args=(text,), type="tertiary")


def _unknown(known: WordsState) -> None:
    """Words that were not understood, and the way to show one instead."""
    if known.query is None or not known.query.unknown:
        return
    for word, near in known.query.unknown.items():
        text = _("I do not know “{word}”.").format(word=plain(word))
        if near:
            others = _(" or ").join(f"“{plain(other)}”" for other in near)
            text += " " + _("Did you mean {others}?").format(others=others)
        st.info(text, icon=":material/help:")
    if st.button(
        _("Show me one, and I find the others"), key="words-one-shot", icon=":material/star:",
        width="stretch", help=_("Leads to the One-shot page."),
    ):  # fmt: skip
        go(_ONE_SHOT)


def _place(known: WordsState) -> None:
    def forget() -> None:
        if st.session_state["words-place"] == PLACES[0]:
            known.place = None

    st.segmented_control(
        _("Where"), PLACES, default=PLACES[0], key="words-place", required=True, on_change=forget,
        format_func=_, label_visibility="collapsed",
    )  # fmt: skip
    if canvas_mode() != "select" and known.place is None:
        st.caption(
            _("Drag a box in the picture: only objects there are meant.")
            if canvas_mode() == "boxes"
            else _("Click an object in the picture: only objects there are meant.")
        )
    elif known.query is not None and known.query.here and known.place is None:
        st.caption(_("“Here” needs a place: choose a box or a point above."))


def _pieces(known: WordsState, described: Description, left: list[int] | None) -> None:
    """One chip a condition, each with the count it leaves, to change and to remove."""
    if not known.items:
        return
    for position, item in enumerate(known.items):
        key = f"{known.version}-{position}"
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall"):
            text = plain(piece_text(item))
            if left is not None:
                text += f" · **{number(left[position])}**"
            if _editable(item):
                with st.popover(text, width="stretch", help=_("Change this condition")):
                    _edit(known, position, item, key, described)
            else:
                st.button(text, key=f"words-piece-{key}", disabled=True, width="stretch")
            st.button(
                "",
                key=f"words-drop-{key}",
                icon=":material/close:",
                type="tertiary",
                help=_("Leave out: {piece}").format(piece=plain(piece_text(item))),
                on_click=known.remove,
                args=(position,),
            )


def _editable(item: object) -> bool:
    if isinstance(item, Relation):
        return item.distance is not None
    return isinstance(item, Condition | Extreme)


def _edit(known: WordsState, position: int, item: object, key: str, described: Description) -> None:
    """The widgets of one condition."""

    def change(value: object) -> None:
        if isinstance(item, Condition):
            high = item.high
            if high is not None and isinstance(value, float):
                high = max(high, value)
            known.change(position, Condition(item.column, item.operator, value, high))  # type: ignore[arg-type]
        elif isinstance(item, Extreme):
            known.change(position, replace(item, count=int(value)))  # type: ignore[call-overload]
        elif isinstance(item, Relation):
            known.change(position, replace(item, distance=float(value)))  # type: ignore[arg-type]

    name = f"words-edit-{key}"

    def take() -> None:
        value = st.session_state.get(name)
        if value is not None:
            change(value)

    if isinstance(item, Condition) and isinstance(item.value, str):
        options = _options(item, described)
        st.selectbox(
            _(COLUMNS.get(item.column, item.column.capitalize())), options,
            options.index(item.value), format_func=_, key=name, on_change=take,
        )  # fmt: skip
    elif isinstance(item, Condition):
        st.number_input(
            piece_text(item), value=float(item.value), min_value=0.0, key=name, on_change=take,
            format="%g",
        )  # fmt: skip
    elif isinstance(item, Extreme):
        st.number_input(_("How many"), 1, 100_000, item.count, key=name, on_change=take)
    elif isinstance(item, Relation):
        st.number_input(
            _("Distance ({unit})").format(unit=item.unit),
            value=float(item.distance or 0),
            min_value=0.0,
            key=name,
            on_change=take,
            format="%g",
        )


def _options(item: Condition, described: Description) -> list[str]:
    """Words to choose from in place of one."""
    value = str(item.value)
    if item.column == "colour":
        options = list(COLOURS)
    elif item.column == "kind":
        options = sorted({str(kind) for kind in described.table["kind"].dropna()})
    elif item.column == "shape":
        options = [N_("round"), N_("long"), N_("square"), "L"]
    else:
        options = [N_("small"), N_("medium"), N_("large")]
    return options if value in options else [value, *options]


def _result(session: Session, some: Instances, whole: int) -> None:
    """How many, and what to do with them."""
    st.markdown(
        _("**{count} of {whole} objects**").format(count=number(len(some)), whole=number(whole))
    )
    if not len(some):
        st.caption(_("Nothing is all of this. Take a condition away, or change it."))
        return
    ids = some.ids.tolist()

    def select() -> None:
        session.marks.select(ids)

    def keep() -> None:
        shown = session.shown()
        wanted = shown.objects.select(ids)
        session.commit(
            shown, wanted, _("Keep {count} objects by words").format(count=number(len(ids)))
        )

    def label() -> None:
        name = st.session_state["words-class"]
        shown = session.shown()
        changed = set_label(shown.objects, ids, name)
        session.commit(
            shown,
            changed,
            _("Label {count} objects as {name} by words").format(count=number(len(ids)), name=name),
        )

    with st.container(horizontal=True, gap="small"):
        st.button(_("Select them"), key="words-select", icon=":material/done_all:", on_click=select)
        st.button(
            _("Keep only these"), key="words-keep", icon=":material/filter_alt:", on_click=keep,
            help=_("Removes all other objects. Can be undone."),
        )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(_("Class"), _classes(session, some), key="words-class", width=150)
        st.button(_("Label"), key="words-label", icon=":material/label:", on_click=label)

"""Objects made by prompts: their marks, the candidates of the current one, typed coordinates."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd
import streamlit as st

from pages.parts.shared import banner, resources
from pages.parts.shared.names import markup, paragraphs, plain
from pages.parts.shared.object_thumbnail import thumbnail
from rsam_core.errors import RsamError
from rsam_core.objects.certainty import ABOUT, certainty
from rsam_core.objects.edits import same_mask
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import PromptedObject
from rsam_core.render.overlays import candidate_thumbnail
from rsam_core.runtime.language import N_, _, ngettext, number
from rsam_core.segment.prompter import Answer, Prompter
from rsam_core.segment.segmenter import Candidates
from rsam_core.session.kinds import kind_columns, naming
from rsam_core.session.session import Session

MAX_LISTED = 12


def _describe(entry: PromptedObject) -> str:
    boxes = sum(m.kind == "box" for m in entry.marks)
    plus = sum(m.kind == "point" and m.label == 1 for m in entry.marks)
    minus = sum(m.kind == "point" and m.label == 0 for m in entry.marks)
    parts = [
        (boxes, ngettext("{count} box", "{count} boxes", boxes)),
        (plus, ngettext("{count} click", "{count} clicks", plus)),
        (minus, _("{count} taken away")),
    ]
    return " · ".join(text.format(count=count) for count, text in parts if count)


def _shared_frame(proposals: Candidates) -> tuple[float, float, float, float]:
    """One frame for all thumbnails, so that their sizes compare."""
    height, width = proposals.crops.shape[1:]
    return proposals.x, proposals.y, proposals.x + width, proposals.y + height


def _chosen(prompter: Prompter, entry: PromptedObject, answer: Answer) -> tuple[int, ...]:
    """Which candidates an object is made of; none where it was not made of the model's answer."""
    shown, decoded = prompter.instance(entry), answer.instance(entry)
    if shown is None or decoded is None:
        return answer.chosen
    return answer.chosen if same_mask(shown, decoded) else ()


def candidates(session: Session) -> None:
    """Thumbnails of what the model proposes for the current object, to choose from or combine."""
    entry = session.marks.book.entry(session.marks.book.current)
    if entry is None or session.answers.prompter is None:
        return
    try:
        answer = session.answers.prompter.answer(entry)
    except RsamError as error:
        st.info(paragraphs(error), icon=":material/ads_click:")
        return
    proposals = answer.candidates
    chosen = _chosen(session.answers.prompter, entry, answer)
    numbers = ", ".join(f"{k + 1}: {score:.2f}" for k, score in enumerate(proposals.scores))
    st.markdown(
        _("**Proposals for object {id}**").format(id=entry.id),
        help=_(
            "Choose the outline that fits; several together are joined to one object. "
            "{about} Here: {numbers}."
        ).format(about=_(ABOUT), numbers=numbers),
    )
    frame, image = _shared_frame(proposals), session.image.picture(answer.view)
    for k, column in enumerate(st.columns(3)[: len(proposals)]):
        picture = candidate_thumbnail(
            image,
            proposals.crops[k],
            x=proposals.x,
            y=proposals.y,
            size=150,
            frame=frame,
        )
        column.image(
            resources.jpeg(picture), width="stretch", alt=_("Proposal {k}").format(k=k + 1)
        )
    if not chosen:
        st.caption(_("The object is none of these: it was taken as it was shown, or saved before."))
    elif len(proposals) == 1:
        score = float(proposals.scores[0])
        st.caption(
            _("RSAM is **{certainty}** of this outline.").format(certainty=_(certainty(score))),
            help=f"{score:.2f}. {_(ABOUT)}",
        )
        return
    key = f"choice-{session.image.token}-{entry.id}-{[m.uid for m in entry.marks]}-{chosen}"

    def take() -> None:
        # The browser may report a choice again after the object was changed or removed.
        if session.marks.book.entry(entry.id) != entry:
            return
        picked = tuple(sorted(st.session_state[key]))
        if not picked:
            st.session_state[key] = list(chosen)
        elif picked != chosen:
            session.update(lambda book: book.choose(entry.id, picked))

    st.pills(
        _("Use"),
        list(range(len(proposals))),
        selection_mode="multi",
        default=list(chosen),
        format_func=lambda k: f"{k + 1} · {_(certainty(float(proposals.scores[k])))}",
        key=key,
        on_change=take,
        label_visibility="collapsed",
    )


@dataclass
class _Pictures:
    """Thumbnails of listed objects, drawn again only for objects that have changed."""

    by_number: dict[int, tuple[Instance, str]] = field(default_factory=dict)

    def of(self, session: Session, items: list[Instance]) -> dict[int, str]:
        view, known = session.image.overview, self.by_number
        kept = {
            item.id: known[item.id]
            if item.id in known and known[item.id][0] is item
            else (item, thumbnail(session.image.picture(view), item, view))
            for item in items
        }
        self.by_number = kept
        return {number: picture for number, (_item, picture) in kept.items()}


def entries(
    session: Session, problems: dict[int, str], found: Instances, table: pd.DataFrame
) -> None:
    """Prompts grouped by object; each object, and each mark of the current one, can be removed.

    Parameters
    ----------
    session : Session
    problems : dict of int to str
        What is wrong with an object, by its number.
    found : Instances
        The objects as they are shown.
    table : pandas.DataFrame
        Of these objects.
    """
    book = session.marks.book
    listed = book.entries[::-1][:MAX_LISTED]
    ids = set(found.ids.tolist())
    items = [found.get(entry.id) for entry in listed if entry.id in ids]
    pictures = session.attached(_Pictures).of(session, items)
    rows = table.set_index("id").loc[[item.id for item in items]]
    some = found.select(rows.index.tolist())
    kinds = dict(zip(some.ids.tolist(), kind_columns(some, naming(session))["kind"]))
    facts = {item.id: _facts(item, rows.loc[item.id], kinds[item.id]) for item in items}
    for entry in listed:
        is_current = entry.id == book.current
        with st.container(key=f"entry-{entry.id}", gap="xxsmall"):
            _entry_row(session, entry, is_current, pictures.get(entry.id), facts.get(entry.id, ""))
            if is_current:
                _marks(session, entry)
            if entry.id in problems:
                st.caption(f":material/info: {plain(problems[entry.id])}")
    if len(book.entries) > MAX_LISTED:
        st.caption(
            _("and {count} earlier objects (see the table)").format(
                count=len(book.entries) - MAX_LISTED
            )
        )


def _facts(item: Instance, row: pd.Series, guessed: str | None) -> str:
    """Class or kind, area, and how sure RSAM is, in a few words."""
    area = f"{number(row['area_m2'])} m²" if "area_m2" in row else f"{number(row['area'])} px"
    words = [item.label or guessed, area, _(certainty(item.score))]
    return " · ".join(word for word in words if word)


def _entry_row(
    session: Session, entry: PromptedObject, is_current: bool, picture: str | None, facts: str
) -> None:
    def select() -> None:
        session.update(lambda book: book.select(entry.id))
        _show(session, entry)

    def drop() -> None:
        session.update(lambda book: book.remove(entry.id))

    with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", wrap=False):
        if picture is not None:
            st.html(f'<img class="thumb" src="{picture}" alt="" width="32" height="32">', width=36)
        state = "checked" if is_current else "unchecked"
        st.button(
            _("Object {id} · {describe}").format(id=entry.id, describe=_describe(entry)),
            key=f"select-{session.image.token}-{entry.id}",
            type="tertiary",
            icon=f":material/radio_button_{state}:",
            help=_("Make this the current object, and show it: further clicks refine it."),
            width="stretch",
            on_click=select,
        )
        if facts:
            st.html(f'<span class="facts" title="{markup(_(ABOUT))}">{markup(facts)}</span>',
                    width="content")  # fmt: skip
        st.button(
            "",
            key=f"drop-{session.image.token}-{entry.id}",
            type="tertiary",
            icon=":material/delete:",
            help=_("Remove object {id}").format(id=entry.id),
            on_click=drop,
        )


def _show(session: Session, entry: PromptedObject) -> None:
    """Let the canvas look at an object that is out of sight."""
    seen, mark = session.canvas.viewport, entry.marks[-1]
    if seen is None:
        return
    inside = seen.within(session.image.scene.width, session.image.scene.height)
    if inside is None or not inside.contains(mark.x, mark.y, mark.x1, mark.y1):
        reach = 150 / seen.scale
        session.canvas.look(mark.x - reach, mark.y - reach, mark.x1 + reach, mark.y1 + reach)


def _marks(session: Session, entry: PromptedObject) -> None:
    if len(entry.marks) < 2:
        return
    for mark in entry.marks:
        kind = _("Box") if mark.kind == "box" else (_("Taken away"), _("Click"))[mark.label]

        def remove(uid: int = mark.uid) -> None:
            session.update(lambda book: book.remove_mark(uid))

        st.button(
            _("{kind} at {x:.0f}, {y:.0f}").format(kind=kind, x=mark.x, y=mark.y),
            key=f"unmark-{session.image.token}-{mark.uid}",
            type="tertiary",
            icon=":material/close:",
            help=_("Remove this mark"),
            on_click=remove,
        )


def typed_prompt(session: Session) -> None:
    """Points and boxes by numbers, where the canvas does not work or precision is wanted."""
    width, height = session.image.scene.width, session.image.scene.height
    with st.expander(_("Type coordinates instead"), icon=":material/keyboard:"):
        kind = st.segmented_control(
            _("What to add"), [N_("Point"), N_("Box")], default="Point", key="typed-kind",
            format_func=_, required=True,
        )  # fmt: skip
        with st.form("typed", border=False):
            left, right = st.columns(2)
            x = left.number_input("x", 0.0, float(width), width / 2, key="typed-x")
            y = right.number_input("y", 0.0, float(height), height / 2, key="typed-y")
            if kind == "Box":
                x1 = left.number_input(
                    _("x of the other corner"), 0.0, float(width), width / 2, key="typed-x1"
                )
                y1 = right.number_input(
                    _("y of the other corner"), 0.0, float(height), height / 2, key="typed-y1"
                )
            else:
                include = left.selectbox(
                    _("The point is"), [N_("on the object"), N_("not on it")], format_func=_,
                    key="typed-include",
                )  # fmt: skip
            st.caption(_("In image pixels, from the top-left corner, x to the right, y down."))
            if st.form_submit_button(_("Add"), icon=":material/add:"):
                with banner.guard("typed-prompt"):
                    view = session.image.view
                    corner = (x1, y1) if kind == "Box" else (x, y)
                    box = (
                        min(x, corner[0]),
                        min(y, corner[1]),
                        max(x, corner[0]),
                        max(y, corner[1]),
                    )
                    if not view.contains(*box):
                        view = session.image.overview
                    if kind == "Box":
                        session.update(lambda book: book.add_box(*box, view=view))
                    else:
                        label = 1 if include == "on the object" else 0
                        session.update(lambda book: book.add_point(x, y, label, view=view))
                    st.rerun()

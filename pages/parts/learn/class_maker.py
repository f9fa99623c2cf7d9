"""The exercise maker: which picture, which objects, which prompts, how long."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from pages.parts.learn import class_address, class_start
from pages.parts.learn.class_state import SCREEN, Work, boards, own_work, settle, stage, take, who
from pages.parts.learn.touch import Mark, Touch
from pages.parts.shared import banner, current_session, downloads
from pages.parts.shared.names import plain
from rsam_core.errors import LearnError
from rsam_core.evaluate.learn import exercise_drawing as drawing
from rsam_core.evaluate.learn.attempt import Attempt
from rsam_core.evaluate.learn.exercise import (
    MAX_TARGETS,
    MAX_TITLE,
    OWN,
    PROMPTS,
    SECONDS,
    Assignment,
    inner_spot,
    kind_name,
    make_exercise,
    usable,
)
from rsam_core.evaluate.learn.exercise_file import ENDING, link_of, write_exercise
from rsam_core.evaluate.learn.exercise_subject import own_part, parts_of, sample_subject, sources
from rsam_core.evaluate.learn.subject import Subject
from rsam_core.formats.names import safe_name
from rsam_core.runtime.language import _, ngettext, number

_SPLIT = (60, 40)
_CHOSEN = "learn-maker-chosen"


def show() -> None:
    """Show the maker."""
    with st.container(horizontal=True, vertical_alignment="center", key="learn-above"):
        st.button(
            _("Exercise and class"), icon=":material/arrow_back:", key="learn-maker-back",
            type="tertiary", on_click=class_start.go,
        )  # fmt: skip
    main, beside = st.columns(_SPLIT, gap="medium")
    with beside:
        found = _subject()
        if found is None:
            return
        subject, source = found
        numbers = _task(subject)
        settings = _settings()
    with main:
        _picture(subject, numbers)
        with banner.guard():
            made = _made(subject, source, numbers, settings)
            if made is not None:
                _hand_out(made)


def _subject() -> tuple[Subject, str] | None:
    """The picture that was chosen, and its source."""
    names = dict(sources())
    session = current_session.current()
    if session is not None:
        names[OWN] = _("The open image: {name}").format(name=session.image.scene.name)
    source = st.selectbox(
        _("Picture"), list(names), format_func=names.get, key="learn-maker-source"
    )
    with banner.guard():
        if source != OWN:
            with st.spinner(_("Drawing the picture…")):
                return sample_subject(source), source
        return _own()
    return None


def _own() -> tuple[Subject, str] | None:
    session = current_session.current()
    truth = session.truth.value
    objects = session.objects if truth is None else truth.objects
    parts = parts_of(session.image.scene, objects)
    if not parts:
        raise LearnError(
            _("The open image has no truth and no outlined objects yet. Outline some on the page "
              "Segment and check them, or choose a sample here.")
        )  # fmt: skip
    place = 0
    if len(parts) > 1:
        names = [
            ngettext("Part {number}: {count} object", "Part {number}: {count} objects", count)
            .format(number=number(index), count=number(count))
            for index, (_window, count) in enumerate(parts, 1)
        ]  # fmt: skip
        place = st.selectbox(
            _("Part"), range(len(parts)), format_func=names.__getitem__, key="learn-maker-part"
        )
    st.caption(
        _("The truth is what was outlined in it.") if truth is None
        else _("The truth is “{name}”.").format(name=plain(truth.name))
    )  # fmt: skip
    window = parts[place][0]
    subject = session.memo.remember(
        "learn-exercise", (session.image.scene, objects, window.x, window.y),
        lambda: own_part(session.image.scene, objects, window),
    )  # fmt: skip
    return subject, OWN


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs={Subject: lambda s: s.key})
def _usable(subject: Subject, _stamp: int) -> Mapping[int, str]:
    return dict(usable(subject))


def _task(subject: Subject) -> list[int]:
    """Which objects are to be outlined."""
    offered = _usable(subject, id(subject))
    way = st.segmented_control(
        _("Objects to outline"), ["kind", "clicked"], default="kind", required=True,
        format_func={"kind": _("All of a kind"), "clicked": _("Those I click")}.__getitem__,
        key="learn-maker-way",
    )  # fmt: skip
    if way == "clicked":
        chosen = [n for n in st.session_state.get(_CHOSEN, {}).get(subject.key, []) if n in offered]
        st.caption(
            _("Click objects in the picture to add them, and again to leave them out. {count} of "
              "at most {most} are chosen.").format(
                count=number(len(chosen)), most=number(MAX_TARGETS)
            )
        )  # fmt: skip
        return chosen
    kinds = sorted(set(offered.values()), key=lambda kind: (kind != "roof", kind_name(kind)))
    kind = st.selectbox(_("Kind"), kinds, format_func=kind_name, key="learn-maker-kind")
    found = [n for n, its in offered.items() if its == kind]
    most = min(len(found), MAX_TARGETS)
    count = most
    if most > 1:
        count = st.slider(
            _("How many, the largest first"), 1, most, min(most, 5), key="learn-maker-count"
        )
    return found[:count]


def _settings() -> dict[str, object]:
    words = {"points": _("Points"), "box": _("Box"), "both": _("Both")}
    prompts = st.segmented_control(
        _("Allowed prompts"), PROMPTS, default="both", required=True, key="learn-maker-prompts",
        format_func=words.__getitem__,
    )  # fmt: skip
    seconds = st.select_slider(
        _("Time for all"), SECONDS, SECONDS[0], key="learn-maker-seconds",
        format_func=lambda s: _("{seconds} s").format(seconds=number(s)) if s else _("no limit"),
    )  # fmt: skip
    shows = st.toggle(_("Show the IoU while they work"), True, key="learn-maker-iou")
    title = st.text_input(_("Title (may be empty)"), key="learn-maker-title", max_chars=MAX_TITLE)
    return {"prompts": prompts, "seconds": seconds, "shows_iou": shows, "title": title}


def _picture(subject: Subject, numbers: list[int]) -> None:
    masks = [subject.mask(n) for n in numbers]
    picture = drawing.targets(subject.image, masks)
    scale = picture.shape[1] / subject.shape[1]
    marks = [
        Mark(x * scale, y * scale, "label", text=str(index))
        for index, (x, y) in enumerate(map(inner_spot, masks), 1)
    ]
    clicked = st.session_state.get("learn-maker-way") == "clicked"
    stage().picture(
        "picture-maker", picture, marks=tuple(marks),
        label=_("The picture of the exercise with the objects to outline."),
        on_touch=(lambda event: _touched(event, scale, subject)) if clicked else None,
    )  # fmt: skip
    if subject.credit:
        st.caption(plain(subject.credit))


def _touched(event: Touch, scale: float, subject: Subject) -> None:
    chosen = st.session_state.setdefault(_CHOSEN, {})
    row, column = int(event.y / scale), int(event.x / scale)
    height, width = subject.shape
    found = int(subject.labels[min(row, height - 1), min(column, width - 1)])
    known = chosen.get(subject.key, [])
    if found in known:
        chosen[subject.key] = [n for n in known if n != found]
    elif found in _usable(subject, id(subject)) and len(known) < MAX_TARGETS:
        chosen[subject.key] = [*known, found]


def _made(
    subject: Subject, source: str, numbers: list[int], settings: dict[str, object]
) -> Assignment | None:
    if not numbers:
        st.info(_("Choose at least one object to outline."), icon=":material/ads_click:")
        return None
    return make_exercise(subject, source, numbers, **settings)


def _hand_out(made: Assignment) -> None:
    """Ways in which an exercise comes to the pupils."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            _("Open a class board"), type="primary", icon=":material/table_chart:",
            key="learn-maker-board", on_click=_open_board, args=(made,),
            help=_("Pupils on this server join by a code, and their results come in live."),
        )  # fmt: skip
        st.button(
            _("Try it"), icon=":material/play_arrow:", key="learn-maker-try", on_click=_try,
            args=(made,),
        )  # fmt: skip
        downloads.offer(
            _("Save as a file"), lambda: write_exercise(made),
            f"{safe_name(made.title, default='exercise')}{ENDING}", "application/zip",
            key="learn-maker-file",
            help=_("With the picture in it. Pupils open it on this page and hand in a small file."),
        )  # fmt: skip
    if made.exercise.own:
        st.caption(
            _("A link can name RSAM's own samples only. With your own image, use a file or a "
              "class board.")
        )  # fmt: skip
        return
    st.caption(_("Or pass on this link:"))
    st.code(f"{class_address.base()}?exercise={link_of(made.exercise)}", language=None)


def _open_board(made: Assignment) -> None:
    owner = settle()
    with banner.guard("learn-open-board"):
        code = boards().open(owner, made)
        class_start.go(f"board:{code}")


def _try(made: Assignment) -> None:
    found = own_work().find(who(), made.key)
    take(Work(made, found or Attempt.of(made)))
    st.session_state[SCREEN] = "work"

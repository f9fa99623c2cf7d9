"""Words by a model: what SAM 3, Grounding DINO or CLIPSeg finds becomes the list of objects."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from pages.parts.shared import banner
from pages.parts.shared import model_queue as queueing
from pages.parts.shared.names import plain
from rsam_core import load_model
from rsam_core.models.hub.text import TextModel, checked_words
from rsam_core.models.installed import ready_models
from rsam_core.objects.instances import Instances
from rsam_core.runtime.fair_queue import ENCODE
from rsam_core.runtime.language import N_, _
from rsam_core.segment.by_text import find_by_text, nouns, text_settings
from rsam_core.segment.everything import EverythingState
from rsam_core.segment.prompter import Prompter
from rsam_core.session.session import Session
from rsam_core.session.words import WordsState


@st.cache_resource(show_spinner=False, max_entries=1)
def _text_model(name: str) -> TextModel:
    return load_model(name)  # type: ignore[return-value]


def offer(session: Session, prompter: Prompter, known: WordsState) -> None:
    """Where a model of words is installed, let it look for what the sentence speaks of."""
    titles = {info.name: info.title for info in ready_models("words")}
    if not titles:
        return
    with st.expander(_("Look with another model"), icon=":material/travel_explore:"):
        name = next(iter(titles))
        if len(titles) > 1:
            name = st.selectbox(
                _("Model of words"), list(titles), key="by-model-name", persist_state="session",
                format_func=lambda one: plain(titles.get(one, one)),
            )  # fmt: skip
        suggested = ", ".join(nouns(known.query)) if known.query is not None else ""
        key = f"by-model-words-{known.version}"
        typed = st.text_input(
            _("What should it look for?"), value=suggested, key=key, max_chars=500,
            placeholder=_("building, car, red roof"),
            help=_("English words or short phrases, with commas between. What is found replaces "
                   "the objects found automatically, and each has its word as class, so that "
                   "the conditions of your sentence choose among them."),
        )  # fmt: skip

        def start() -> None:
            with banner.guard("by-model"):
                _start(session, prompter, name, checked_words(st.session_state[key].split(",")))

        st.button(
            _("Look with {titles}").format(titles=plain(titles[name])),
            key="by-model-start",
            on_click=start,
            icon=":material/travel_explore:",
            width="stretch",
            disabled=not typed.strip(),
        )


def read_again(known: WordsState, found: Instances, classes: list[str]) -> None:
    """Read the sentence again once what was not known of it has become a class."""
    if known.query is None:
        return
    labels = {str(item.label).lower() for item in found if item.label}
    if any(word.lower() in labels for word in known.query.unknown):
        known.ask(known.text, classes)


def _start(session: Session, prompter: Prompter, name: str, words: list[str]) -> None:
    view = session.image.view
    # Read here: pictures of the session belong to its own thread.
    image, whose = session.image.picture(view), queueing.owner()

    def search(
        progress: Callable[[float, str], None], cancelled: Callable[[], bool]
    ) -> EverythingState:
        progress(0.0, N_("loading the model"))
        return find_by_text(
            _text_model(name),
            image,
            words,
            prompter.segmenter,
            lambda: prompter.embed(view),
            turn=lambda: queueing.slot(whose, ENCODE),
            progress=progress,
            cancelled=cancelled,
        )

    session.search.start(search, name, view, text_settings())

"""What a lesson's part of the page is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from pages.parts.learn.touch import Mark, Touch, touch
from pages.parts.shared import current_session, resources
from rsam_core.evaluate.learn.subject import Subject, subject_of_scene
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.segmenter import Segmenter


@dataclass(frozen=True)
class Stage:
    """Where a lesson stands.

    Attributes
    ----------
    key : str
        Of the lesson; keys of widgets begin with it.
    projector : bool
        Large type, few words.
    width : int
        CSS pixels that a picture over the whole width of the main column has.
    own : Subject or None
        The open image, if somebody opened one and wants the lesson on it.
    """

    key: str
    projector: bool
    width: int
    own: Subject | None = None

    def name(self, widget: str) -> str:
        """Key of a widget of this lesson."""
        return f"learn-{self.key}-{widget}"

    def choice(
        self,
        name: str,
        label: str,
        names: Mapping[str, str],
        *,
        first: str | None = None,
        label_shown: bool = False,
    ) -> str:
        """Show a row of buttons of which one is always chosen, such as the lesson's experiments.

        Parameters
        ----------
        name : str
            Of the widget.
        label : str
            For those who hear the page; for all of them if it is to be shown.
        names : mapping of str to str
            What can be chosen, and how it is called.
        first : str, optional
            Chosen at first; the first one by default.
        label_shown : bool
        """
        first = next(iter(names)) if first is None else first
        chosen = st.segmented_control(
            label, list(names), default=first, format_func=names.__getitem__, key=self.name(name),
            required=True, label_visibility="visible" if label_shown else "collapsed",
            persist_state="session",
        )  # fmt: skip
        # A slow browser that has not yet heard which one was set says none.
        return chosen or first

    def picture(
        self,
        name: str,
        image: NDArray[np.uint8],
        *,
        label: str,
        marks: tuple[Mark, ...] = (),
        on_touch: Callable[[Touch], None] | None = None,
        **options: object,
    ) -> None:
        """Show a picture, that can be clicked where `on_touch` is given; see `touch`."""
        touch(self.name(name), image, label=label, marks=marks, on_touch=on_touch, **options)

    def segmenter(self) -> Segmenter:
        """The model in use, that answers in this session's turn."""
        return resources.segmenter(current_session.model_name())

    def embedding(self, image: NDArray[np.uint8]) -> Embedding:
        """A picture encoded by the model in use, at most once."""
        return resources.embed(image, resources.embedding_key(image, current_session.model_name()))


def own_subject() -> Subject | None:
    """The open image as a subject, read once as long as it is open."""
    session = current_session.current()
    if session is None:
        return None
    return session.memo.remember(
        "learn-subject", (session.image.scene,), lambda: subject_of_scene(session.image.scene)
    )


def open_image_wanted() -> bool:
    """Whether the person wants lessons on the open image."""
    return bool(st.session_state.get("learn-own")) and current_session.current() is not None

"""The session's prompter: the present model, ready to answer for any view of the scene."""

from __future__ import annotations

from pages.parts.shared import model_queue as queueing
from pages.parts.shared import resources
from pages.parts.shared import session_memory as memory
from pages.parts.shared.current_session import model_name
from rsam_core.errors import QueueFull
from rsam_core.segment.prompter import Prompter
from rsam_core.session.session import Session


def ready(session: Session) -> Prompter:
    """The prompter for the present scene and model, made if there is none yet.

    A scene that is seen whole is encoded now. Of a large one the present view is encoded in the
    background, so that the picture appears at once; a prompt that comes sooner waits for it.
    """
    memory.track_session()
    prompter = session.answers.ready(model_name(), resources)
    if session.image.view == session.image.overview:
        try:
            prompter.embed(session.image.view)
        except QueueFull as error:
            queueing.turned_away(error)
    else:
        # The picture is read here: only the model's work is left to the thread.
        session.image.picture(session.image.view)
        session.answers.look_ahead()
    return prompter

"""Sessions on a small picture with a quick model, and objects to put into them."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

import rsam_core as rsam
from rsam_core.objects.instance import Instance
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.automatic import Automatic
from rsam_core.segment.everything import EverythingSettings, EverythingState
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from rsam_core.session.session import Session
from tests.helpers.boxes import HEIGHT, WIDTH, painter, plain
from tests.helpers.waiting import PATIENCE


def fresh(**settings) -> Session:
    """A session on a grey picture; a model that fills boxes answers its prompts."""
    made = Session(rsam.open_scene(plain(), name="plain.png"), **settings)
    segmenter = Segmenter(painter())
    made.answers.use(
        Prompter(segmenter, lambda view: segmenter.embed(made.image.shown), made.image.overview)
    )
    return made


def squares(sides: list[int], at: int = 0, scores: tuple[float, ...] = ()) -> EverythingState:
    """Squares of these sides, side by side, ten pixels apart, from a row downwards."""
    masks, x, y = [], 0, at
    for k, side in enumerate(sides):
        if x + side > WIDTH:
            x, y = 0, y + 10
        masks.append(Instance(np.ones((side, side), bool), x, y, (scores or [0.9] * 999)[k]))
        x += 10
    return EverythingState(tuple(masks), np.ones(len(masks), np.float32), (HEIGHT, WIDTH), 9, True)


def automatic(state: EverythingState) -> Automatic:
    """What a search found, all of it chosen."""
    view = Frame(0, 0, WIDTH, HEIGHT, WIDTH, HEIGHT)
    settings = EverythingSettings(min_area=0, max_overlap=1, min_quality=0.5)
    return Automatic(state, settings, "rsam-tiny", view)


def side_by_side(*work: Callable[[], object]) -> list[object]:
    """What several threads give that begin at once."""
    ready = threading.Barrier(len(work))
    results: list[object] = [None] * len(work)

    def run(k: int) -> None:
        ready.wait(PATIENCE)
        results[k] = work[k]()

    threads = [threading.Thread(target=run, args=(k,)) for k in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    return results


def areas(session: Session) -> dict[int, int]:
    """Areas of the objects by their numbers."""
    return {item.id: item.area for item in session.objects}

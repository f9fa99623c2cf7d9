"""Answers are kept by their bytes, within the session's share of what all may hold."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import rsam_core as rsam
from rsam_core.prompts.history import PromptHistory
from rsam_core.runtime.budgets import Store
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.prompter import Prompter
from rsam_core.segment.segmenter import Segmenter
from tests.helpers.boxes import HEIGHT, WIDTH, painter, plain
from tests.helpers.session import fresh

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

VIEW = Frame(0, 0, WIDTH, HEIGHT, WIDTH, HEIGHT)
ONE = HEIGHT * WIDTH
"""Bytes of one mask of the whole picture at most; a click brings three."""


def prompter(store: Store) -> Prompter:
    model = painter()
    # What refines a mask of SAM: 256 × 256 numbers of four bytes.
    decode = model.decode

    def heavy(*args, **kwargs):
        made = decode(*args, **kwargs)
        made.lowres[:] = [np.zeros((256, 256), np.float32) for _ in made.lowres]
        return made

    model.decode = heavy
    segmenter = Segmenter(model)
    embedding = segmenter.embed(np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    return Prompter(segmenter, lambda view: embedding, VIEW, store)


def clicks(of: Prompter, count: int) -> None:
    for k in range(count):
        of.instance(PromptHistory().add_point(10.0 + k % 140, 20.0 + k // 140).entries[0])


def test_four_hundred_answers_stay_within_the_share_of_the_session():
    store = Store(10 << 20, 2 << 20)
    first, second = prompter(store), prompter(store)
    clicks(first, 400)
    assert 1 << 20 < first.held <= 2 << 20, "three logits of 262,144 bytes each click"
    clicks(second, 3)
    assert 2 * 3 * 256 * 256 * 4 <= second.held <= 2 << 20, "of three answers two have room"
    assert store.nbytes <= 10 << 20
    first.forget()
    assert (first.held, store.nbytes) == (0, second.held)


def test_what_had_to_go_is_decoded_again_and_is_the_same():
    store = Store(1 << 20, 1 << 20)
    one = prompter(store)
    entry = PromptHistory().add_point(50, 50).entries[0]
    before = one.answer(entry).instance(entry)
    clicks(one, 40)
    calls = len(one.segmenter.model.calls)
    after = one.answer(entry).instance(entry)
    assert len(one.segmenter.model.calls) == calls + 1
    assert np.array_equal(before.mask, after.mask)


def test_a_prompter_that_nobody_holds_gives_back_what_it_held():
    store = Store(10 << 20)
    one = prompter(store)
    clicks(one, 3)
    assert store.nbytes > 0
    del one
    gc.collect()
    assert store.nbytes == 0


def test_answers_that_come_after_closing_are_not_kept():
    store = Store(10 << 20)
    one = prompter(store)
    one.forget()
    clicks(one, 3)
    assert store.nbytes == 0


def test_closing_a_session_and_another_model_let_go_of_answers():
    store = Store(10 << 20)
    session = fresh()
    one, two = prompter(store), prompter(store)
    session.answers.use(one, "one")
    session.update(lambda book: book.add_point(50, 50))
    assert len(session.objects) == 1
    assert one.held > 0
    session.answers.use(two, "two")
    assert one.held == 0
    assert len(session.objects) == 1
    assert two.held > 0
    session.close()
    assert store.nbytes == 0


def test_outlines_stay_on_another_rendering_and_are_asked_anew_of_another_model():
    session = fresh()
    session.update(lambda book: book.add_box(20, 10, 60, 40))
    known = session.objects[0]
    quiet = painter()
    quiet.answer = lambda prompt, multimask: (_ for _ in ()).throw(AssertionError("asked"))
    segmenter = Segmenter(quiet)
    session.change_scene(rsam.open_scene(plain(), name="brighter.png"))
    session.answers.use(Prompter(segmenter, segmenter.embed, VIEW))
    assert session.objects[0] is known

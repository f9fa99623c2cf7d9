"""Many prompts answered turn by turn: each once, the same on any number of cores."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pytest
import torch

from rsam_core.models.parallel import while_time
from rsam_core.models.queued import QueuedModel
from rsam_core.models.tiny import TinyModel
from rsam_core.models.tiny._decoding import Decoding, Request, _shares
from rsam_core.models.tiny._traced import TracedDecoder, _example
from rsam_core.models.tiny.prompt_maps import PromptBatch, coarse_maps, fine_maps, grown
from rsam_core.prompts.prompt import Prompt
from tests.helpers.cores import with_cores
from tests.helpers.models import FakeModel, rectangle
from tests.helpers.tiny import DiscModel, DiscNetwork

SHAPE = (20, 30)


@pytest.fixture(scope="module")
def prompts() -> list[Prompt]:
    """Boxes from 10 to 180 pixels all over the town, in no order, and a click."""
    rng = np.random.default_rng(2)
    corners = np.column_stack([rng.uniform(0, 400, 20), rng.uniform(0, 280, 20)])
    sides = np.exp(rng.uniform(np.log(10), np.log(180), (20, 2)))
    boxes = np.column_stack([corners, np.minimum(corners + sides, (448, 320))])
    return [Prompt(box=box) for box in boxes] + [Prompt(points=[(200, 150)])]


@pytest.mark.parametrize("multimask", [False, True])
def test_answers_are_the_same_to_the_last_bit_on_any_number_of_cores(
    tiny: TinyModel, town_embedding, prompts, multimask
):
    features = town_embedding.features
    found = []
    for count in (1, 3):
        with with_cores(count):
            turns = list(tiny.decode_in_turns(features, prompts, multimask))
            found.append(dict(chain.from_iterable(turns)))
            # Each prompt once; and somebody can stop in between.
            assert sum(map(len, turns)) == len(found[-1]) == len(prompts)
    assert any(answer.masks.any() for answer in found[0].values())
    for other in found[1:]:
        for i in range(len(prompts)):
            one, two = found[0][i], other[i]
            assert (one.x, one.y) == (two.x, two.y)
            assert np.array_equal(one.masks, two.masks)
            assert np.array_equal(one.scores, two.scores)
            assert np.array_equal(one.stability, two.stability)
            assert all(torch.equal(a.logits, b.logits) for a, b in zip(one.lowres, two.lowres))


def test_decoding_many_quickly_is_all_turns_in_the_order_of_the_prompts(
    tiny: TinyModel, town_embedding, prompts
):
    features = town_embedding.features
    whole = tiny.decode_many(features, prompts, False, quick=True)
    parts = dict(chain.from_iterable(tiny.decode_in_turns(features, prompts, False)))
    assert len(whole) == len(prompts)
    for i, answer in enumerate(whole):
        assert np.array_equal(answer.masks, parts[i].masks)
    # In batches with others, prompts are answered as alone.
    for i in (0, 7, 20):
        (alone,) = tiny.decode_many(features, [prompts[i]], False, quick=True)
        assert alone.scores == pytest.approx(whole[i].scores, abs=1e-4)
    assert tiny.decode_many(features, [], False, quick=True) == []
    assert list(tiny.decode_in_turns(features, [], False)) == []


def test_earlier_answers_are_refined_whichever_turn_they_come_in(
    tiny: TinyModel, town_embedding, prompts
):
    features, boxes = town_embedding.features, prompts[:8]
    first = tiny.decode_many(features, boxes, False, quick=True)
    before = [answer.lowres[0] if len(answer.lowres) else None for answer in first]
    plain = tiny.decode_many(features, boxes, False, quick=True)
    together = dict(
        chain.from_iterable(tiny.decode_in_turns(features, boxes, False, previous=before))
    )
    differing = 0
    for i, box in enumerate(boxes):
        (alone,) = tiny.decode_many(features, [box], False, quick=True, previous=[before[i]])
        assert together[i].scores == pytest.approx(alone.scores, abs=1e-4)
        differing += not np.allclose(together[i].scores, plain[i].scores)
    assert differing > 4


@pytest.mark.parametrize("most", [1, 4, 16])
def test_shares_are_alike_hold_everything_and_are_never_too_large(most):
    for count in range(1, 70):
        shares = _shares(count, most)
        sizes = [stop - start for start, stop in shares]
        assert [start for start, _ in shares] == [0, *np.cumsum(sizes)[:-1]]
        assert sum(sizes) == count
        assert max(sizes) <= most
        assert max(sizes) - min(sizes) <= 1
        assert len(shares) % 2 == 0 or len(shares) == count
        # No more than it takes, but for the even number.
        assert len(shares) <= -(-count // most) + 1


def test_a_click_that_starts_in_the_widest_window_is_answered():
    # Of a view that only the widest window shows there is no window wider still.
    model = DiscModel(DiscNetwork(2000, 2000, 60))
    features = model.encode(np.zeros((4096, 4096, 3), np.uint8))
    earlier = Decoding(model, Request(features, [Prompt(points=[(2000, 2000)])], [None], True))
    widest = max(b.rung for b in earlier.batches())
    spans = Prompt(points=[(10, 10), (4000, 4000)], labels=[1, 0])
    decoding = Decoding(model, Request(features, [spans], [None], True))
    (batch,) = decoding.batches()
    assert batch.rung > widest
    assert len(decoding.prompts) == 1
    decoding.note(batch, decoding.decode(batch))
    assert decoding.batches() == []
    assert [i for i, _ in decoding.answered()] == [0]


def test_a_model_without_turns_of_its_own_answers_a_few_at_a_time():
    def answer(prompt, multimask):
        return [rectangle(SHAPE, 0, 0, 2, 2)], [prompt.box[0] / 100]

    model = FakeModel(answer)
    boxes = [Prompt(box=(x, 0, x + 1, 5)) for x in range(25)]
    previous = [f"before {i}" for i in range(25)]
    turns = list(model.decode_in_turns(None, boxes, True, previous=previous))
    assert len(turns) > 1
    assert [i for turn in turns for i, _ in turn] == list(range(25))
    for i, found in chain.from_iterable(turns):
        assert found.scores == pytest.approx([i / 100])
    assert [call.previous for call in model.calls] == previous
    assert all(call.multimask for call in model.calls)


def test_behind_a_queue_each_turn_waits_for_a_slot_and_gives_it_back():
    events = []

    @contextmanager
    def slot(line):
        events.append("taken")
        yield
        events.append("given back")

    class Turning(FakeModel):
        def decode_in_turns(self, features, prompts, multimask, *, previous=None, hurry=None):
            for i, _ in enumerate(prompts):
                events.append(f"decoded {i}")
                yield [(i, previous[i])]

    plain = Turning(lambda prompt, multimask: ([], []))
    boxes = [Prompt(box=(0, 0, 5, 5))] * 2
    seen = []
    for turn in QueuedModel(plain, slot).decode_in_turns(None, boxes, False, previous=["a", "b"]):
        seen += turn
        # Meanwhile a click can have it.
        events.append("between")
    assert seen == [(0, "a"), (1, "b")]
    round_of = ["taken", "decoded {}", "given back", "between"]
    expected = [text.format(i) for i in range(2) for text in round_of]
    assert events == [*expected, "taken", "given back"]


@pytest.mark.parametrize("count", [1, 3])
def test_work_goes_on_until_it_is_enough_and_each_piece_has_one_core(count):
    with with_cores(count):

        def work(item: int) -> tuple[int, int]:
            return item, torch.get_num_threads()

        everything = while_time(work, list(range(20)), lambda: False)
        assert everything == [(item, 1) for item in range(20)]
        assert while_time(work, [], lambda: True) == []
        # The first piece is done in any case, or a turn would lead nowhere.
        assert while_time(work, list(range(20)), lambda: True) == [(0, 1)]
        asked = iter([False] * 4)
        some = while_time(work, list(range(20)), lambda: next(asked, True))
        assert some == [(item, 1) for item in range(5)]
        with pytest.raises(ZeroDivisionError):
            while_time(lambda item: 1 // item, [2, 1, 0], lambda: False)


@pytest.mark.parametrize("count", [1, 2])
def test_a_turn_ends_with_its_batches_where_somebody_is_in_a_hurry(
    tiny: TinyModel, town_embedding, prompts, count
):
    features = town_embedding.features
    with with_cores(count):
        calm = list(tiny.decode_in_turns(features, prompts, False))
        hurried = list(tiny.decode_in_turns(features, prompts, False, hurry=lambda: True))
    assert len(hurried) > len(calm)
    # One batch a turn: no more prompts than are decoded at once.
    assert max(map(len, hurried)) <= 16
    answers = dict(chain.from_iterable(hurried))
    for i, answer in chain.from_iterable(calm):
        assert np.array_equal(answer.masks, answers[i].masks)


def test_behind_a_queue_a_turn_ends_when_somebody_waits_who_goes_first():
    waits = [False, True]

    @contextmanager
    def slot(line):
        yield lambda: waits[0]

    told = []

    class Asking(FakeModel):
        def decode_in_turns(self, features, prompts, multimask, *, previous=None, hurry=None):
            told.append(hurry())
            waits.reverse()
            told.append(hurry())
            yield []

    model = QueuedModel(Asking(lambda prompt, multimask: ([], [])), slot)
    assert list(model.decode_in_turns(None, [], False)) == [[]]
    assert told == [False, True]
    # Whoever asks may be in a hurry, too.
    waits[:] = [False, False]
    list(model.decode_in_turns(None, [], False, hurry=lambda: True))
    assert told[2:] == [True, True]


@pytest.mark.parametrize("kind", ["boxes", "clicks", "refined"])
def test_what_is_recorded_computes_the_same_to_the_last_bit(tiny: TinyModel, kind):
    random = torch.Generator().manual_seed(1)
    recorded = TracedDecoder(tiny.network.decoder)
    for n, h, w in ((3, 12, 12), (1, 32, 20), (4, 16, 16), (2, 1, 3)):
        image, key, skip, *rest = _example(n, h, w)
        points, labels, boxes, has_box, previous, has_previous = rest
        if kind != "clicks":
            labels = -labels
        if kind != "refined":
            has_previous = torch.zeros(n)
        boxes = boxes + 5 * torch.rand(n, 4, generator=random)
        batch = PromptBatch(points, labels, boxes, has_box, previous, has_previous)
        with torch.inference_mode():
            found = recorded(image, key, skip, batch)
            plain = tiny.network.decoder(image, key, skip, batch)
        assert all(map(torch.equal, found, plain))
    (steps,) = recorded._recorded.values()
    assert steps is not None


def test_where_nothing_can_be_recorded_decoding_goes_on_as_ever(tiny: TinyModel, monkeypatch):
    def refuse(*arguments, **settings):
        raise RuntimeError("not in this PyTorch")

    monkeypatch.setattr(torch.jit, "trace", refuse)
    decoder = TracedDecoder(tiny.network.decoder)
    image, key, skip, *rest = _example(2, 8, 8)
    with torch.inference_mode():
        found = decoder(image, key, skip, PromptBatch(*rest))
        plain = tiny.network.decoder(image, key, skip, PromptBatch(*rest))
    assert all(map(torch.equal, found, plain))
    assert list(decoder._recorded.values()) == [None]


def test_maps_about_clicks_and_earlier_masks_are_empty_without_them():
    _, key, skip, *rest = _example(2, 6, 5)
    points, labels, boxes, has_box, previous, _ = rest
    batch = PromptBatch(points, -labels, boxes, has_box, previous, torch.zeros(2))

    @dataclass
    class Unsure(PromptBatch):
        clicked: bool = True
        refines: bool = True

    assert not batch.clicked
    assert not batch.refines
    assert PromptBatch(*rest).clicked
    assert PromptBatch(*rest).refines
    long = Unsure(**vars(batch))
    unit = torch.nn.functional.normalize(skip, dim=1)
    assert torch.equal(coarse_maps(key, batch), coarse_maps(key, long))
    assert torch.equal(fine_maps(unit, batch), fine_maps(unit, long))


@pytest.mark.parametrize("width", [1, 2, 3])
def test_maximum_along_one_axis_after_the_other_is_that_over_squares(width):
    maps = torch.randn(2, 3, 9, 14, generator=torch.Generator().manual_seed(width))
    square = torch.nn.functional.max_pool2d(maps, 2 * width + 1, 1, width)
    assert torch.equal(grown(maps, width), square)

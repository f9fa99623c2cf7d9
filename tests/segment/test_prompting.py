"""From marks to a mask: replay, memory, choices, and the way back to scene pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsam_core.errors import PromptError
from rsam_core.objects.instance import Instance
from rsam_core.objects.resample import to_scene
from rsam_core.prompts.history import PromptHistory
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.prompter import Prompter, join_candidates
from rsam_core.segment.segmenter import Candidates, Segmenter
from tests.helpers.models import FakeModel, disc, rectangle

SHAPE = (60, 80)
SINGLE = rectangle(SHAPE, 10, 10, 30, 30)
LEFT, RIGHT, TALL = (
    rectangle(SHAPE, 2, 5, 20, 20),
    rectangle(SHAPE, 30, 5, 50, 20),
    rectangle(SHAPE, 60, 0, 65, 60),
)


def answer(prompt, multimask):
    """Three masks, the last of them the best, or the single one."""
    if multimask:
        return [LEFT, RIGHT, TALL], [0.5, 0.6, 0.7]
    return [SINGLE], [0.8]


@pytest.fixture
def model() -> FakeModel:
    return FakeModel(answer)


@pytest.fixture
def prompter(model) -> Prompter:
    segmenter = Segmenter(model)
    embedding = segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))
    return Prompter(segmenter, lambda view: embedding, Frame(0, 0, 80, 60, 80, 60))


def full(instance: Instance, shape: tuple[int, int]) -> np.ndarray:
    mask = np.zeros(shape, bool)
    x0, y0, x1, y1 = instance.bbox
    mask[y0:y1, x0:x1] = instance.mask
    return mask


def candidates(*masks: np.ndarray, scores: tuple[float, ...]) -> Candidates:
    count = len(masks)
    return Candidates(
        np.stack(masks),
        0,
        0,
        np.array(scores, np.float32),
        np.full(count, 0.5, np.float32),
        SHAPE,
        [f"{scores[k]}" for k in range(count)],
    )


# ------------------------------------------------------------------ replay


def test_lone_click_gives_three_candidates_best_first(model, prompter):
    found = prompter.answer(PromptHistory().add_point(12, 8).entries[0])
    assert [c.multimask for c in model.calls] == [True]
    assert found.chosen == (0,)
    assert np.array_equal(found.candidates.masks, np.stack([TALL, RIGHT, LEFT]))
    assert found.score == pytest.approx(0.7)


def test_clear_prompt_gives_the_single_mask_first_and_the_best_of_three_after_it(model, prompter):
    found = prompter.answer(PromptHistory().add_box(5, 5, 30, 30).entries[0])
    assert [c.multimask for c in model.calls] == [False, True]
    assert np.array_equal(found.candidates.masks, np.stack([SINGLE, TALL, RIGHT]))
    assert found.candidates.scores == pytest.approx([0.8, 0.7, 0.6])
    assert found.candidates.refinement == ["0/0", "1/2", "1/1"]


def test_marks_are_replayed_one_by_one_and_each_refines_the_one_before(model, prompter):
    book = PromptHistory().add_point(12, 8).add_point(40, 10).add_point(70, 50, 0)
    prompter.answer(book.entries[0])
    asked = [(c.prompt.labels.tolist(), c.multimask, c.previous) for c in model.calls]
    assert asked == [
        ([1], True, None),
        # The best of the three for the lone click is what the second click refines.
        ([1, 1], False, "0/2"),
        ([1, 1], True, "0/2"),
        ([1, 1, 0], False, "1/0"),
        ([1, 1, 0], True, "1/0"),
    ]
    assert model.calls[-1].prompt.points.tolist() == [[12, 8], [40, 10], [70, 50]]


def test_marks_before_the_one_that_names_the_object_go_together_with_it(model, prompter):
    book = PromptHistory().add_point(70, 50, 0).add_point(75, 50, 0).add_point(12, 8)
    prompter.answer(book.entries[0])
    assert {tuple(c.prompt.labels.tolist()) for c in model.calls} == {(0, 0, 1)}
    assert all(c.previous is None for c in model.calls)


def test_point_after_a_box_refines_the_mask_of_the_box(model, prompter):
    prompter.answer(PromptHistory().add_box(5, 5, 30, 30).add_point(12, 8).entries[0])
    assert [c.previous for c in model.calls] == [None, None, "0/0", "0/0"]
    assert [len(c.prompt.points) for c in model.calls] == [0, 0, 1, 1]
    assert all(c.prompt.box.tolist() == [5, 5, 30, 30] for c in model.calls)


def test_nothing_is_decoded_twice(model, prompter):
    book = PromptHistory().add_point(12, 8)
    prompter.answer(book.entries[0])
    prompter.answer(book.entries[0])
    assert len(model.calls) == 1
    book = book.add_point(40, 10)
    first = prompter.answer(book.entries[0])
    assert len(model.calls) == 3
    assert prompter.answer(book.entries[0]).candidates is first.candidates
    assert prompter.answer(book.undo().redo().entries[0]).candidates is first.candidates
    # The same marks in an object of another number are the same question.
    other = PromptHistory().add_point(9, 9).remove(1).add_point(12, 8).add_point(40, 10)
    assert other.entries[0].id == 2
    prompter.answer(other.entries[0])
    assert len(model.calls) == 3


def test_a_click_after_a_union_carries_all_of_the_union_on(model, prompter):
    book = PromptHistory().add_point(12, 8).choose(1, (0, 2)).add_point(70, 40, 0)
    joined = prompter.answer(PromptHistory().add_point(12, 8).choose(1, (0, 2)).entries[0])
    before = full(joined.instance(book.entries[0]), SHAPE)
    assert np.array_equal(before, TALL | LEFT), "best first: 0 is the tall one, 2 the left one"
    prompter.answer(book.entries[0])
    asked = model.calls[-1]
    assert np.array_equal(asked.prompt.mask, before)
    assert asked.previous is None, "a refinement would carry on one of them alone"


def test_an_object_of_two_proposals_keeps_both_when_it_is_refined():
    """A model that keeps to the mask it is given, or to the refinement of one proposal."""

    def honest(prompt, multimask):
        if prompt.mask is not None:
            return [prompt.mask & ~disc(SHAPE, *prompt.points[-1], 3)], [0.9]
        return answer(prompt, multimask)

    model = FakeModel(honest)
    segmenter = Segmenter(model)
    embedding = segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))
    prompter = Prompter(segmenter, lambda view: embedding, Frame(0, 0, 80, 60, 80, 60))
    book = PromptHistory().add_point(12, 8).choose(1, (0, 2)).add_point(62, 10, 0)
    drawn = full(prompter.instance(book.entries[0]), SHAPE)
    assert drawn[10, 10], "the left proposal is there"
    assert drawn[40, 62], "the tall one, too"
    assert not drawn[10, 62], "but for what was excluded"


def test_chosen_candidate_is_what_the_next_click_refines(model, prompter):
    book = PromptHistory().add_point(12, 8).choose(1, [2])
    found = prompter.answer(book.entries[0])
    assert np.array_equal(found.candidates.masks[found.chosen[0]], LEFT)
    assert found.score == pytest.approx(0.5)
    prompter.answer(book.add_point(40, 10).entries[0])
    # Third by score is the model's mask 0.
    assert [c.previous for c in model.calls] == [None, "0/0", "0/0"]


def test_other_choice_earlier_is_another_question(model, prompter):
    book = PromptHistory().add_point(12, 8)
    prompter.answer(book.add_point(40, 10).entries[0])
    assert len(model.calls) == 3
    prompter.answer(book.choose(1, [1]).add_point(40, 10).entries[0])
    assert len(model.calls) == 5
    assert model.calls[-1].previous == "0/1"


def test_choice_of_the_last_step_decodes_nothing(model, prompter):
    book = PromptHistory().add_point(12, 8)
    prompter.answer(book.entries[0])
    prompter.answer(book.choose(1, [1]).entries[0])
    assert len(model.calls) == 1


def test_union_of_the_chosen_candidates(prompter):
    entry = PromptHistory().add_point(12, 8).choose(1, [1, 2]).entries[0]
    found = prompter.answer(entry)
    instance = found.instance(entry)
    assert np.array_equal(full(instance, SHAPE), LEFT | RIGHT)
    assert instance.area == 18 * 15 + 20 * 15
    assert instance.score == pytest.approx(0.6)
    assert (instance.id, instance.source) == (1, "point")


def test_choice_beyond_the_candidates_falls_back_to_the_best(prompter):
    found = prompter.answer(PromptHistory().add_point(12, 8).choose(1, [9]).entries[0])
    assert found.chosen == (0,)


def test_entry_without_an_object_says_so(prompter):
    entry = PromptHistory().add_point(12, 8, 0).entries[0]
    with pytest.raises(PromptError, match="only “not this” points"):
        prompter.answer(entry)


def test_mark_outside_the_view_says_so(prompter):
    with pytest.raises(PromptError, match="outside the image"):
        prompter.answer(PromptHistory().add_point(81, 8).entries[0])


def test_empty_mask_is_no_object():
    model = FakeModel(lambda prompt, many: ([np.zeros(SHAPE, bool)], [0.1]))
    segmenter = Segmenter(model)
    embedding = segmenter.embed(np.zeros((*SHAPE, 3), np.uint8))
    view = Frame(0, 0, 80, 60, 80, 60)
    entry = PromptHistory().add_point(12, 8).entries[0]
    assert Prompter(segmenter, lambda _: embedding, view).instance(entry) is None


# ------------------------------------------------------------------ joining answers


def test_masks_that_look_alike_are_offered_once():
    almost = SINGLE.copy()
    almost[10, 10] = False  # 399 of 400 pixels
    smaller = rectangle(SHAPE, 10, 10, 30, 27)  # 340 of 400: IoU 0.85
    joined = join_candidates(
        candidates(SINGLE, scores=(0.4,)),
        candidates(almost, smaller, LEFT, TALL, scores=(0.9, 0.8, 0.3, 0.2)),
    )
    # Three are offered at most.
    assert np.array_equal(joined.masks, np.stack([SINGLE, smaller, LEFT]))
    assert joined.scores == pytest.approx([0.4, 0.8, 0.3])
    assert joined.refinement == ["0.4", "0.8", "0.3"]


def test_empty_masks_are_not_offered_unless_there_is_nothing_else():
    empty = np.zeros(SHAPE, bool)
    joined = join_candidates(
        candidates(empty, scores=(0.9,)), candidates(LEFT, empty, scores=(0.5, 0.4))
    )
    assert np.array_equal(joined.masks, LEFT[None])
    nothing = join_candidates(candidates(empty, scores=(0.9,)), candidates(empty, scores=(0.1,)))
    assert len(nothing) == 1
    assert not nothing.masks.any()


def test_crops_from_different_places_keep_their_places():
    def at(x: int, y: int, score: float) -> Candidates:
        one = np.array([score], np.float32)
        return Candidates(np.ones((1, 4, 6), bool), x, y, one, one, SHAPE, [None])

    joined = join_candidates(at(10, 20, 0.9), at(50, 3, 0.5))
    expected = np.stack([rectangle(SHAPE, 10, 20, 16, 24), rectangle(SHAPE, 50, 3, 56, 7)])
    assert np.array_equal(joined.masks, expected)


# ------------------------------------------------------------------ back to the scene


def test_native_view_only_shifts():
    found = to_scene(Instance(np.ones((3, 4), bool), 5, 6, 0.5, 7), Frame(100, 200, 80, 60, 80, 60))
    assert found.bbox == (105, 206, 109, 209)
    assert (found.id, found.score) == (7, 0.5)


@pytest.mark.parametrize("factor", [2, 2.5, 3.7, 8])
def test_disc_of_a_shrunk_view_has_its_size_and_place_in_the_scene(factor):
    view = Frame(0, 0, 100 * factor, 80 * factor, 100, 80)
    small = Instance.from_mask(disc((80, 100), 60, 30, 15))
    large = to_scene(small, view)
    radius = 15 * factor
    assert large.area == pytest.approx(math.pi * radius**2, rel=0.03)
    rows, columns = np.nonzero(large.mask)
    assert large.x + columns.mean() + 0.5 == pytest.approx(60 * factor, abs=0.05 * factor)
    assert large.y + rows.mean() + 0.5 == pytest.approx(30 * factor, abs=0.05 * factor)
    distance = np.hypot(
        large.x + columns + 0.5 - 60 * factor, large.y + rows + 0.5 - 30 * factor
    ).max()
    assert distance == pytest.approx(radius, abs=factor)


def test_shrunk_window_inside_the_scene():
    # A window of 200 × 100 scene pixels at (1000, 500), shown at half its size.
    view = Frame(1000, 500, 200, 100, 100, 50)
    found = to_scene(Instance.from_mask(rectangle((50, 100), 20, 10, 40, 30)), view)
    assert found.bbox == (1040, 520, 1080, 560)
    assert found.area == pytest.approx(40 * 40, rel=0.02)


def test_object_along_the_edge_of_the_view_reaches_the_edge_of_the_window_and_no_farther():
    view = Frame(30, 40, 201, 99, 100, 50)
    whole = to_scene(Instance.from_mask(np.ones((50, 100), bool)), view)
    assert whole.bbox == (30, 40, 231, 139)
    assert whole.area == pytest.approx(201 * 99, rel=0.02)
    corner = to_scene(Instance.from_mask(rectangle((50, 100), 90, 40, 100, 50)), view)
    assert corner.bbox[2:] == (231, 139)
    assert corner.area == pytest.approx(20.1 * 19.8, rel=0.06)


def test_single_pixel_survives():
    view = Frame(0, 0, 400, 400, 100, 100)
    found = to_scene(Instance.from_mask(rectangle((100, 100), 50, 20, 51, 21)), view)
    assert found.area >= 1
    assert 200 <= found.x < 204
    assert 80 <= found.y < 84


def test_prompts_and_masks_of_a_shrunk_view():
    target = disc((200, 300), 150, 100, 40)
    model = FakeModel(lambda prompt, many: ([target], [0.9]))
    segmenter = Segmenter(model)
    embedding = segmenter.embed(np.zeros((200, 300, 3), np.uint8))
    view = Frame(0, 0, 1200, 800, 300, 200)
    entry = PromptHistory().add_point(600, 400).entries[0]
    found = Prompter(segmenter, lambda _: embedding, view).instance(entry)
    assert model.calls[0].prompt.points.tolist() == [[150, 100]]
    assert found.area == pytest.approx(math.pi * 160**2, rel=0.02)


# ------------------------------------------------------------------ several views of one scene

LEFT_VIEW, RIGHT_VIEW = Frame(0, 0, 80, 60, 80, 60), Frame(60, 0, 80, 60, 80, 60)
WIDE_VIEW = Frame(0, 0, 160, 120, 80, 60)
"""Two native windows that share 20 columns, and one of twice the size at half the resolution."""


class Views:
    """Embeddings by view, and a note of which were asked for."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter, self.asked = segmenter, []

    def __call__(self, view: Frame):
        self.asked.append(view)
        shade = int(view.x)
        return self.segmenter.embed(np.full((view.rows, view.columns, 3), shade, np.uint8))


@pytest.fixture
def views(model) -> Prompter:
    segmenter = Segmenter(model)
    return Prompter(segmenter, Views(segmenter), LEFT_VIEW)


def test_each_mark_is_decoded_in_its_own_view(views):
    book = PromptHistory().add_box(5, 5, 30, 30, view=LEFT_VIEW)
    book = book.add_box(70, 10, 90, 30, view=RIGHT_VIEW)
    left, right = (views.instance(entry) for entry in book.entries)
    # SINGLE is 10 to 30 in either view; the right one starts at column 60.
    assert left.bbox == (10, 10, 30, 30)
    assert right.bbox == (70, 10, 90, 30)
    assert set(views.embed.asked) == {LEFT_VIEW, RIGHT_VIEW}


def test_a_mask_goes_along_to_the_next_view_and_what_lies_outside_it_stays(model, views):
    book = PromptHistory().add_box(5, 5, 30, 30, view=LEFT_VIEW).add_point(75, 20, view=RIGHT_VIEW)
    # In the left view the mask is made to reach over into the right one.
    wide = rectangle(SHAPE, 50, 10, 78, 30)
    model.answer = lambda prompt, many: ([wide if prompt.box is not None else SINGLE], [0.8])
    found = views.instance(book.entries[0])
    second = model.calls[-1].prompt
    assert second.box is None, "the box lies outside the second view"
    assert second.points.tolist() == [[15, 20]]
    expected = np.zeros(SHAPE, bool)
    expected[10:30, 0:18] = True
    assert np.array_equal(second.mask, expected), "columns 60 to 78 of the scene"
    assert model.calls[-1].previous is None, "low-resolution masks belong to their view"
    # Columns 50 to 60 are outside the right view and stay; inside it the new mask stands.
    whole = np.zeros((60, 140), bool)
    whole[10:30, 50:60] = True
    whole[10:30, 70:90] = True
    assert np.array_equal(full(found, (60, 140)), whole)


def test_an_object_is_refined_from_a_wider_view(model, views):
    book = PromptHistory().add_box(5, 5, 30, 30, view=LEFT_VIEW).add_point(100, 100, view=WIDE_VIEW)
    found = views.instance(book.entries[0])
    refined = model.calls[-1].prompt
    assert refined.box.tolist() == [2.5, 2.5, 15, 15]
    assert refined.points.tolist() == [[50, 50]]
    assert refined.mask.sum() == pytest.approx(100, abs=10), "10 × 10 of the 80 × 60 pixels"
    # 10 to 30 of the wide view is 20 to 60 of the scene.
    assert found.bbox == (20, 20, 60, 60)


def test_a_mark_far_from_everything_that_names_the_object_changes_nothing(views):
    far = Frame(5000, 0, 80, 60, 80, 60)
    book = PromptHistory().add_box(5, 5, 30, 30, view=LEFT_VIEW).add_point(5010, 20, 0, view=far)
    assert views.instance(book.entries[0]).bbox == (10, 10, 30, 30)


def test_settled_objects_need_no_model(model, views):
    entry = PromptHistory().add_box(5, 5, 30, 30).entries[0]
    views.set_mask(entry, Instance(np.ones((4, 4), bool), 7, 8, id=1))
    assert views.instance(entry).bbox == (7, 8, 11, 12)
    other = Prompter(views.segmenter, views.embed, LEFT_VIEW)
    other.take_over(views)
    assert other.instance(entry).bbox == (7, 8, 11, 12)
    assert model.calls == []

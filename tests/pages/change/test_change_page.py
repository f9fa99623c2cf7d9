"""Change: the page with no, one and two dates; checking, filtering, sums, truth, settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.change.second_date import by_likeness
from pages.parts.change.settings import sentence
from pages.parts.change.shown import ACCEPTED, AREAS, REFUSED, UNCHECKED, Filter, at, title
from rsam_core.change import Alignment, ArrayPicture
from rsam_core.change.against_truth import TrueChanges
from rsam_core.objects.instances import Instances
from rsam_core.session.change import ChangeState, change_state
from rsam_core.session.change_review import Review, place_of
from rsam_core.session.session import Session
from tests.helpers.dates import SHAPE, compared, house, laid, pictures, scenes
from tests.helpers.pages import click, fine, put, texts, wait_for
from tests.helpers.waiting import PATIENCE

PAGE = "pages/screens/change.py"


@pytest.fixture
def two(app: AppTest) -> tuple[AppTest, ChangeState]:
    """The page with two compared dates."""
    first, second = scenes()
    session = Session(first)
    state = change_state(session)
    state.open(second)
    state.resume(first, compared(first, second))
    page = app
    put(page, session)
    page.switch_page(PAGE).run()
    fine(page)
    return page, state


def test_without_an_image_a_pair_is_offered(app: AppTest):
    page = app.switch_page(PAGE).run()
    fine(page)
    assert [title.value for title in page.title] == ["Change"]
    assert "Try an invented pair" in [button.label for button in page.button]


def test_with_one_date_the_other_is_asked_for(app: AppTest):
    session = Session(scenes()[0])
    page = app
    put(page, session)
    page.switch_page(PAGE).run()
    fine(page)
    assert "same place at another time" in page.subheader[0].value
    assert change_state(session).second is None


def test_checking_goes_from_change_to_change(two):
    page, state = two
    labels = [button.label for button in page.button]
    assert "Check 3 one by one" in labels
    click(page, "Check 3 one by one").run()
    first = state.selected
    assert first is not None
    page.button(key="change-accept").click().run()
    fine(page)
    assert state.review.checks.marks[first] is True
    assert state.selected not in (None, first)
    page.button(key="change-refuse").click().run()
    assert list(state.review.checks.marks.values()) == [True, False]
    page.button(key="change-undo").click().run()
    fine(page)
    assert list(state.review.checks.marks.values()) == [True]


def test_thresholds_filters_and_sums_act_at_once(two):
    page, state = two
    assert "4.0 years lie between the dates" in texts(page)
    sure = {c.change: c.probability for c in state.result.changes}
    # Between what is gone, which is the least sure, and what is new.
    assert sure["gone"] < sure["new"] < sure["enlarged"]
    page.slider[0].set_value(round((sure["gone"] + sure["new"]) / 2, 2)).run()
    fine(page)
    assert {c.change for c in state.result.changes} == {"new", "enlarged", "unchanged"}
    assert "Check 2 one by one" in [button.label for button in page.button]
    least = next(box for box in page.number_input if "change-least" in box.key)
    least.set_value(400.0).run()
    fine(page)
    assert "Check 1 one by one" in [button.label for button in page.button]
    assert [metric.value for metric in page.metric] == ["1", "576", "0"]


def test_areas_are_shown_checked_and_summed(two):
    page, state = two
    view = next(g for g in page.button_group if "change-view" in g.key)
    view.set_value(AREAS).run()
    fine(page)
    apart = next(box for box in page.number_input if "change-apart" in box.key)
    assert apart.label == "Join what is up to (px) apart"
    apart.set_value(40.0).run()
    fine(page)
    assert "Check 2 areas one by one" in [button.label for button in page.button]
    assert [metric.label for metric in page.metric] == ["Areas", "Ground (px)", "Changes"]
    assert [page.metric[0].value, page.metric[2].value] == ["2", "3"]
    click(page, "Check 2 areas one by one").run()
    page.button(key="change-accept").click().run()
    fine(page)
    assert sorted(place[0] for place in state.review.checks.marks) == ["gone", "new"]


def test_truth_and_another_method(two):
    page, state = two
    state.truth = TrueChanges.of_objects(Instances([house("new", 1)], SHAPE), "drawn mask")
    page.run()
    fine(page)
    assert "Compared with: drawn mask" in texts(page)
    table = next(t.value for t in page.dataframe if "F1 (pixels)" in t.value.index)
    assert list(table.columns) == ["RSAM: objects first", "RSAM: joined to areas"]
    page.selectbox(key=next(b.key for b in page.selectbox if "change-method" in b.key)).set_value(
        "vectors"
    ).run()
    fine(page)
    assert state.result is None
    click(page, "Find changes").run()
    wait_for(state._jobs, "change")
    page.run()
    fine(page)
    assert {c.change for c in state.result.changes} == {"different"}


def test_the_same_file_twice_is_one_clear_message(app: AppTest):
    first = scenes()[0]
    session = Session(first)
    state = change_state(session)
    state.open(first)
    state.start_align(first).wait(PATIENCE)
    page = app
    put(page, session)
    page.switch_page(PAGE).run()
    assert not page.exception
    assert ["same picture" in error.value for error in page.error] == [True]
    click(page, "Choose another second date").run()
    fine(page)
    assert state.second is None


# --- without the app ------------------------------------------------------------------------


def test_filter_by_kind_area_and_check():
    found = compared(*(ArrayPicture(p) for p in pictures()))
    new, gone, grown = (
        next(c for c in found.changes if c.change == kind) for kind in ("new", "gone", "enlarged")
    )
    review = Review()
    review.check([gone], False)
    review.check([new], True)

    def left(**wanted) -> set[str]:
        return {c.change for c in Filter(**wanted).choose(found.changes, review, SHAPE)}

    assert left() == {"new", "enlarged"}
    assert left(checked=UNCHECKED) == {"enlarged"}
    assert left(checked=ACCEPTED) == {"new"}
    assert left(checked=REFUSED) == {"gone"}
    assert left(kinds=("new", "gone")) == {"new"}
    # The third house grew by 320 pixels, though it has 720.
    assert left(smallest=321) == {"new"}
    assert place_of(grown)[0] == "enlarged"


def test_the_smallest_change_under_a_click():
    changes = compared(*(ArrayPicture(p) for p in pictures())).changes
    assert at(changes, 100, 40).change == "new"
    assert at(changes, 35, 125).change == "enlarged"
    assert at(changes, 5, 5) is None


def test_areas_are_formed_of_what_is_shown_and_measured_as_a_whole():
    found = compared(*(ArrayPicture(p) for p in pictures()))
    review = Review()

    def areas(**wanted) -> list[str]:
        some = Filter(gap=20, **wanted).choose(found.changes, review, SHAPE)
        return [title(area) for area in some]

    # 40 pixels lie between the house that went and the one that came; 320 pixels came at the third.
    assert areas() == ["1 new, 1 gone", "1 enlarged"]
    assert areas(smallest=400) == ["1 new, 1 gone"]
    assert areas(kinds=("gone",)) == ["1 gone"]
    review.check([c for c in found.changes if c.change == "new"], False)
    assert areas() == ["1 gone", "1 enlarged"]
    assert areas(checked=REFUSED) == ["1 new"]


def test_likely_files_come_first():
    paths = [Path(n) for n in ("lake_2016.tif", "houses_2020.tif", "houses_old.tif", "a.tif")]
    assert by_likeness("houses_2016.tif", paths)[0].name == "houses_2020.tif"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "as their georeference says"),
        (
            {"model": "shift", "shift": (3.0, 4.0), "residual_px": 0.25},
            "**5.0 px** off; corrected.",
        ),
        ({"model": "shift", "shift": (3.0, 4.0), "residual_px": 0.25}, "**0.2 px** are left"),
        ({"model": "similarity", "turn": 2.0, "scale": 1.1}, "turned by 2.0°, 1.100 times"),
    ],
)
def test_alignment_in_words(changes, words):
    given = laid(*(ArrayPicture(p) for p in pictures()))
    said = sentence(Alignment(given.before, given.after, **changes))
    assert words in said

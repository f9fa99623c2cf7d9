"""One-shot: an example is chosen, its likes are found, accepted, refused, and compared."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.parts.shared import current_session, resources
from rsam_core.formats.truth import truth_from_labels
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.prompts.history import PromptHistory
from rsam_core.segment.one_shot import OneShotSettings, search
from rsam_core.session.one_shot import OTHERS, shot
from tests.helpers.pages import TWO_BOXES, fine, opened, png, put, texts
from tests.helpers.shots import BLUES, REDS, SHAPE, SIZE, lawn, mask_at, roofs_hit, segmenter
from tests.helpers.waiting import PATIENCE

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

PAGE = "pages/screens/one_shot.py"


def given(*boxes: tuple[int, int]) -> PromptHistory:
    book = PromptHistory()
    for x, y in boxes:
        book = book.add_box(x, y, x + SIZE, y + SIZE)
    return book


@pytest.fixture
def one_shot(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """Start the app on the One-shot page, with the lawn open and roofs outlined by boxes."""
    from rsam_core.session import one_shot as logic

    monkeypatch.setattr(resources, "segmenter", lambda name: segmenter())
    # Coarser than usual, for speed.
    quick = partial(search, settings=OneShotSettings(spacing=32, peaks=12))
    monkeypatch.setattr(logic, "search", quick)

    def start(*corners: tuple[int, int]) -> AppTest:
        work = current_session.load(png(lawn()), "lawn.png")
        work.update(lambda book: given(*corners))
        put(app, work)
        app.run()
        app.switch_page(PAGE).run()
        fine(app)
        return app

    return start


def known(at: AppTest):
    return shot(opened(at))


def button(at: AppTest, key: str):
    return next((b for b in at.button if b.key == key), None)


def searched(at: AppTest) -> AppTest:
    """Take the chosen object as the example and find others like it."""
    at.button(key="use-example").click().run()
    fine(at)
    at.button(key="find-alike").click().run()
    job = known(at).job
    assert job is None or job.wait(PATIENCE)
    at.run()
    assert known(at).job is None
    return at


def headline(at: AppTest) -> int:
    line = next(m.value for m in at.markdown if "more found" in m.value)
    return int(line.split("**")[1].split()[0].replace(",", ""))


def kept(at: AppTest) -> Instances:
    shot = known(at)
    result = shot.result()
    return result.choose(shot.threshold)


def test_without_an_image_the_page_says_what_it_is_for(app: AppTest):
    app.run()
    app.switch_page(PAGE).run()
    fine(app)
    assert "one example" in texts(app)


def test_without_an_example_the_page_says_how_to_begin(one_shot):
    at = one_shot()
    assert "Start here" in at.info[0].value
    # There is nothing to choose from yet, so the mouse draws boxes.
    assert at.button_group(key="one-shot-mode").value == "Box"
    assert button(at, "find-alike") is None
    assert button(at, "use-example") is None
    assert "zero-shot" in texts(at).lower()


def test_the_time_is_told_before_the_first_search_only(one_shot, monkeypatch):
    from rsam_core.session import one_shot as logic

    monkeypatch.setattr(logic, "estimate_search", lambda segmenter, embedding: 150.0)
    at = one_shot(REDS[0])
    assert "Takes about" not in texts(at)
    at.button(key="use-example").click().run()
    fine(at)
    assert "Takes about **2.5 minutes**" in texts(at)
    at.button(key="find-alike").click().run()
    job = known(at).job
    assert job is None or job.wait(PATIENCE)
    at.run()
    fine(at)
    assert "Takes about" not in texts(at)


def test_one_example_finds_the_others_and_the_slider_acts_at_once(one_shot):
    at = searched(one_shot(REDS[0]))
    fine(at)
    assert at.button_group(key="one-shot-mode").value == "Choose"
    assert roofs_hit(kept(at), REDS[1:]) == 5
    assert headline(at) == len(kept(at))
    state, suggested = known(at).state, at.slider(key="alike").value
    at.slider(key="alike").set_value(0).run()
    fine(at)
    everything = headline(at)
    at.slider(key="alike").set_value(100).run()
    assert headline(at) == 0
    assert at.button(key="accept-all").disabled
    assert everything > 5
    assert known(at).state is state, "nothing was outlined again"
    at.button(key="suggested").click().run()
    assert at.slider(key="alike").value == suggested
    assert button(at, "suggested") is None
    # Nothing has changed, so there is no reason to search again.
    assert button(at, "find-alike") is None


def test_all_can_be_accepted_and_undone(one_shot):
    at = searched(one_shot(REDS[0]))
    expected = len(kept(at))
    at.button(key="accept-all").click().run()
    fine(at)
    work = opened(at)
    now = work.objects
    # The example is there already, as the object it was taken from.
    assert len(now) == 1 + expected
    assert roofs_hit(now, REDS) == 6
    assert {item.source for item in now} == {"box", "one-shot"}
    at.button(key="accept-all").click().run()
    assert len(work.objects) == 1 + expected, "twice is once"
    at.switch_page("pages/screens/objects.py").run()
    fine(at)
    at.switch_page(PAGE).run()
    fine(at)
    assert headline(at) == expected, "what was found is there after other pages"
    at.button(key="one-shot-undo").click().run()
    assert len(work.objects) == 1


def select(at: AppTest, corner: tuple[int, int], limit: float = 0.6) -> AppTest:
    """Click the find on a roof."""
    shot = known(at)
    shot.selected = next(
        item.id for item in shot.result().objects
        if roofs_hit(Instances([item], SHAPE), (corner,), limit)
    )  # fmt: skip
    return at.run()


def score_at(at: AppTest, corner: tuple[int, int]) -> float:
    objects = known(at).result().objects
    hits = [i.score for i in objects if roofs_hit(Instances([i], SHAPE), (corner,))]
    return max(hits, default=0.0)


def forget(at: AppTest, index: int):
    """The button that takes back the example of that place in the list."""
    return [b for b in at.button if (b.key or "").startswith("forget-")][index]


def test_a_refused_one_is_a_negative_example_at_once(one_shot):
    at = searched(one_shot(REDS[0]))
    at.slider(key="alike").set_value(0).run()
    before = score_at(at, BLUES[1])
    select(at, BLUES[0])
    assert "alike" in texts(at)
    at.button(key="reject-one").click().run()
    fine(at)
    assert [g.positive for g in known(at).given] == [True, False]
    assert score_at(at, BLUES[0]) == 0
    assert score_at(at, BLUES[1]) < before
    assert "Not this one" in texts(at)
    # Taken back, it counts no more.
    forget(at, 1).click().run()
    assert score_at(at, BLUES[1]) == pytest.approx(before)


def test_an_accepted_one_is_a_further_example(one_shot):
    at = searched(one_shot(REDS[0]))
    select(at, REDS[3])
    at.button(key="accept-one").click().run()
    fine(at)
    assert [g.positive for g in known(at).given] == [True, True]
    work = opened(at)
    assert roofs_hit(work.objects, (REDS[0], REDS[3])) == 2
    assert score_at(at, REDS[3]) == 0, "an example is no find"
    assert roofs_hit(kept(at), (REDS[1], REDS[2], REDS[4], REDS[5])) == 4
    # With another example there are other places to look at closely.
    assert button(at, "find-alike").label == "Look closer with all examples"


def test_starting_anew_forgets_the_example_but_no_object(one_shot):
    at = searched(one_shot(REDS[0]))
    at.button(key="accept-all").click().run()
    count = len(opened(at).objects)
    at.button(key="anew").click().run()
    fine(at)
    assert known(at).given == ()
    assert len(opened(at).objects) == count
    assert not any("more found" in m.value for m in at.markdown)


def test_the_heat_map_lies_over_the_picture(one_shot, shown: dict):
    at = one_shot(REDS[0])
    assert at.toggle(key="heat").disabled
    searched(at)
    assert shown["extra"] is None
    at.toggle(key="heat").set_value(True).run()
    fine(at)
    assert shown["extra"]["box"] == [0, 0, SHAPE[1], SHAPE[0]]
    assert shown["extra"]["url"].startswith("data:image/png;base64,")


def test_the_canvas_shows_examples_and_finds_in_their_colours(one_shot, shown: dict):
    from tests.helpers.pages import over

    searched(one_shot(REDS[0]))
    x, y = (v + SIZE // 2 for v in REDS[0])
    blue = over(shown, x, y)
    x, y = (v + SIZE // 2 for v in REDS[4])
    pink = over(shown, x, y)
    assert blue[2] > blue[0] + 60
    # No meadow, wood, roof or water is of that colour.
    assert min(pink[0], pink[2]) > pink[1] + 60


def test_zero_shot_and_one_shot_are_compared_with_the_truth(one_shot):
    at = one_shot(REDS[0])
    labels = np.zeros(SHAPE, np.int32)
    for number, corner in enumerate(REDS, start=1):
        labels[mask_at(corner)] = number
    opened(at).truth.give(truth_from_labels(labels, "roof"))
    searched(at)
    fine(at)
    rows = next(d.value for d in at.dataframe if "Zero-shot" in d.value).set_index("")
    zero, one = rows["Zero-shot"], rows["One-shot"]
    assert zero["True objects"] == one["True objects"] == "5"
    assert int(one["of these right"]) == 5
    found = int(one["Objects found"])
    assert one["Precision"] == f"{5 / found:.2f}"
    assert one["F1"] == f"{2 * 5 / (found + 5):.2f}"
    assert float(one["F1"]) > float(zero["F1"])
    assert "Zero-shot:" in texts(at)


def test_without_truth_both_pictures_are_shown_and_truth_is_asked_for(one_shot):
    at = searched(one_shot(REDS[0]))
    assert "With ground truth" in texts(at)
    token = opened(at).image.token
    truth = np.zeros(SHAPE, np.uint8)
    truth[np.any([mask_at(c) for c in REDS], axis=0)] = 255
    at.file_uploader(key=f"truthone-shot-{token}").upload("truth.png", png(truth)).run()
    fine(at)
    assert any("Zero-shot" in d.value for d in at.dataframe)


def test_other_images_are_searched_with_the_same_example(one_shot):
    at = one_shot(REDS[0])
    token = opened(at).image.token
    assert not [u for u in at.file_uploader if u.key == f"others-{token}"]
    searched(at)
    turned = np.ascontiguousarray(lawn()[:, ::-1])
    at.file_uploader(key=f"others-{token}").set_value(
        [("turned.png", png(turned), "image/png"), ("broken.png", b"nothing", "image/png")]
    ).run()
    assert at.button(key="search-others").label == "Search 2 images"
    at.button(key="search-others").click().run()
    job = opened(at).jobs.get(OTHERS)
    assert job is None or job.wait(PATIENCE)
    at.run()
    fine(at)
    table: pd.DataFrame = next(d.value for d in at.dataframe if "Image" in d.value)
    assert table["Image"].tolist() == ["turned.png", "broken.png"]
    assert table["Found"].iloc[0] >= 5
    assert np.isnan(table["Found"].iloc[1])
    assert table["Note"].iloc[1]
    mirrored = tuple((SHAPE[1] - x - SIZE, y) for x, y in REDS)
    assert roofs_hit(known(at).others[0].choose(), mirrored) >= 5


def test_stopping_keeps_what_was_found(one_shot, monkeypatch):
    from rsam_core.session import one_shot as logic

    def stopped(*args, **options):
        options["cancelled"] = iter([False] + [True] * 1000).__next__
        return search(*args, **options)

    monkeypatch.setattr(logic, "search", stopped)
    at = searched(one_shot(REDS[0]))
    fine(at)
    assert not known(at).state.complete
    assert "Stopped early" in texts(at)


def test_an_example_that_is_the_whole_image_is_refused_in_plain_words(one_shot):
    at = one_shot(REDS[0])
    work = opened(at)
    whole = Instances([Instance(np.ones(SHAPE, bool))], SHAPE)
    work.commit(work.shown(), whole, "Draw")
    work.marks.select({1})
    at.run()
    searched(at)
    assert not at.exception
    assert any("whole image" in error.value for error in at.error)
    assert known(at).given, "the example is still there, to be taken back"


def test_a_model_that_cannot_be_shown_an_example_says_so(app: AppTest, model):
    work = current_session.load(png(lawn()[:120, :160]), "part.png")
    work.update(lambda book: TWO_BOXES)
    put(app, work)
    app.run()
    app.switch_page(PAGE).run()
    fine(app)
    searched(app)
    assert not app.exception
    assert len(app.error) == 1
    assert known(app).given

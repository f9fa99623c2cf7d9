"""Apply: the questions that no browser test asks, from the invented place to figures and a PDF."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from streamlit.testing.v1 import AppTest

import rsam_core as rsam
from pages.parts.apply.sample import KEY, PAGE, files, give_layers
from rsam_core.change.apply.questions import QUESTIONS
from rsam_core.change.apply.reports import pdf_of, sections_of
from rsam_core.session.apply import APPLY, apply_state
from rsam_core.session.change import ALIGN, change_state
from rsam_core.session.change_wishes import Origin
from rsam_core.session.session import Session
from tests.helpers.pages import click, fine, put, texts, wait_for

PICTURE = np.full((40, 60, 3), 120, np.uint8)
ASKED = ("cost", "sensitive", "forest", "services", "deterioration", "vacant")


def test_each_question_is_answered_and_printed(app: AppTest):
    first, second = files()
    made = Session(rsam.open_scene(first, name="before.tif", examine=False))
    later = rsam.open_scene(second, name="after.tif", examine=False)
    change = change_state(made)
    change.open(later, Origin("sample", KEY))
    # The residual displacement is measured in other tests; here it would cost most of the time.
    change.wishes = replace(change.wishes, register=False)
    state = apply_state(made)
    give_layers(state, made.image.scene)
    put(app, made)
    # Cost is reckoned from the grades of damage, which are asked for before.
    state.ask("damage")
    app.switch_page(PAGE).run()
    wait_for(made.jobs, ALIGN)
    page = app.switch_page(PAGE).run()
    for key in ("damage", *ASKED):
        state.ask(key)
        page.run()
        click(page, "Answer")
        wait_for(made.jobs, APPLY)
        page.run()
        fine(page)
        answer = state.answers[key]
        assert answer.question == key
        assert len(answer.findings), key
        assert QUESTIONS[key].title in texts(page)
        assert answer.status(state.checks(key)) in texts(page)
        assert pdf_of(answer, sections_of(answer, PICTURE)).startswith(b"%PDF-")

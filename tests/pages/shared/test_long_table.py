"""A table of very many objects is listed in part, and its selection is not lost."""

from __future__ import annotations

import pandas as pd
from streamlit.testing.v1 import AppTest

from pages.parts.shared import long_table
from tests.helpers.waiting import PATIENCE


def _page(count: int) -> None:
    import pandas as pd
    import streamlit as st

    from pages.parts.shared.long_table import shortened

    st.dataframe(shortened(pd.DataFrame({"id": range(count)})))


def test_a_long_table_is_cut_and_says_so(monkeypatch) -> None:
    monkeypatch.setattr(long_table, "MAX_ROWS", 10)
    at = AppTest.from_function(_page, args=(25,), default_timeout=PATIENCE).run()
    assert at.dataframe[0].value["id"].tolist() == list(range(10))
    assert "first 10 of 25" in at.caption[0].value


def test_a_table_of_that_length_is_shown_whole(monkeypatch) -> None:
    monkeypatch.setattr(long_table, "MAX_ROWS", 10)
    at = AppTest.from_function(_page, args=(10,), default_timeout=PATIENCE).run()
    assert len(at.dataframe[0].value) == 10
    assert not at.caption


def test_nothing_is_copied_where_all_fits() -> None:
    table = pd.DataFrame({"id": range(3)})
    assert long_table.shortened(table) is table

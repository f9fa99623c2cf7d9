"""What an answer says in numbers, and what it rests on."""

from __future__ import annotations

import streamlit as st

from pages.parts.shared.names import plain
from rsam_core.change.apply import Answer
from rsam_core.change.apply.answer import INDICATION
from rsam_core.change.apply.charts import chart_of
from rsam_core.change.apply.reports import cell_text
from rsam_core.render.figures import to_png
from rsam_core.runtime.language import _
from rsam_core.session.apply import ApplyState


def figures(state: ApplyState, answer: Answer) -> None:
    """The numbers, and tables by zone or kind."""
    summary = answer.summary(state.checks(answer.question))
    for chart in summary.charts:
        told = ", ".join(f"{date}: {cell_text(values[at])}" for values in chart.lines.values()
                         for at, date in enumerate(chart.dates))  # fmt: skip
        st.image(to_png(chart_of(chart)), width="stretch", alt=f"{_(chart.title)}. {told}")
    st.dataframe(
        {
            _("Figure"): [_(f.label) for f in summary.figures],
            _("Value"): [f.text + (f" ({f.note})" if f.note else "") for f in summary.figures],
        },
        hide_index=True, key="apply-figures", height=40 + 35 * len(summary.figures),
    )  # fmt: skip
    for title, table in summary.tables.items():
        if len(table):
            st.markdown(f"**{_(title)}**")
            rounded = table.copy()
            for name in rounded:
                if rounded[name].dtype.kind == "f":
                    rounded[name] = rounded[name].round(2)
            st.dataframe(rounded, hide_index=True, key=f"apply-table-{title}")


def basis(answer: Answer) -> None:
    """What the answer rests on: caution, inputs, settings, assumptions, notes."""
    st.warning(_(INDICATION), icon=":material/info:")
    facts = {
        **{_("Date {k}").format(k=k): date for k, date in enumerate(answer.dates, 1)},
        _("Ground sample distance"): _("{gsd:.3g} m a pixel").format(gsd=answer.site.gsd),
        **answer.inputs,
        **answer.settings,
    }
    st.dataframe(
        {_("What"): [_(name) for name in facts], _("Value"): [str(v) for v in facts.values()]},
        hide_index=True,
        key="apply-facts",
    )
    for title, texts in ((_("How it was reckoned"), answer.assumptions),
                         (_("What was done to the layers"), answer.notes)):  # fmt: skip
        if texts:
            st.markdown(f"**{title}**")
            for text in texts:
                st.caption(plain(_(text), 600))

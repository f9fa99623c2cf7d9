"""The results of an evaluation: table, figures, comparisons, pictures and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from pages.parts.shared import banner, downloads
from pages.parts.shared.legend import chips
from pages.parts.shared.names import plain
from rsam_core.evaluate import MEASURES, Evaluation, compare_methods
from rsam_core.evaluate.report import figures
from rsam_core.evaluate.report.files import report_html, results_csv, results_json
from rsam_core.evaluate.report.image_figures import box_plots
from rsam_core.evaluate.report.sentences import abstract, warnings
from rsam_core.evaluate.studies import StudyResult
from rsam_core.formats.names import safe_name
from rsam_core.render.figures import to_svg
from rsam_core.render.overlays import confusion_legend
from rsam_core.runtime.language import N_, _, percent

BOUNDS = N_("95 % interval. Images are drawn, or objects where there is one image only.")


def show(
    evaluation: Evaluation,
    key: str,
    *,
    studies: Sequence[StudyResult] = (),
    worst: Sequence[tuple[str, bytes]] = (),
    draw_worst: Callable[[], None] | None = None,
) -> None:
    """Show an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
    key : str
        Unique on the page.
    studies : sequence of StudyResult
        For the report.
    worst : sequence of (str, bytes)
        Pictures of the worst objects, if they were drawn.
    draw_worst : callable, optional
        Draws them; a button calls it.
    """
    if not len(evaluation.objects):
        st.info(_("It was stopped before the first image was done, so there is nothing to show."))
        return
    if not evaluation.complete:
        st.warning(
            _(
                "Stopped after {count} of {whole} images; the figures are those of "
                "the images that were done."
            ).format(count=evaluation.images_done, whole=evaluation.images_total),
            icon=":material/pause_circle:",
        )
    st.markdown(abstract(evaluation))
    _table(evaluation, key)
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(_("Every object, by method"))
        values = {info.title: evaluation.of(info.key)["iou"] for info in evaluation.methods}
        st.image(to_svg(box_plots(values)), width="stretch", alt=_("Overlap by method"))
    with right:
        st.caption(_("By size of the object (pixels)"))
        st.image(to_svg(figures.size_figure(evaluation)), width="stretch", alt=_("Overlap by size"))
    left, right = st.columns(2, gap="medium")
    with left:
        st.caption(_("Accuracy and time; numbers are rows of the table"))
        st.image(
            to_svg(figures.accuracy_by_time(evaluation)), width="stretch", alt=_("Overlap by time")
        )
    with right:
        _difference(evaluation, key)
    _detection(evaluation, key)
    if evaluation.images_total > 1:
        _by_image(evaluation, key)
    _worst(worst, draw_worst, key)
    _remarks(evaluation)
    files(evaluation, key, studies=studies, worst=worst)


def _table(evaluation: Evaluation, key: str) -> None:
    table = evaluation.table()
    number = st.column_config.NumberColumn
    table.insert(0, "row", range(1, len(table) + 1))
    config: dict[str, object] = {
        "row": number("#", format="%d", width="small"),
        "title": st.column_config.TextColumn(_("Method"), width="medium"),
        "prompt": _("Prompt"),
        "objects": number(_("Objects"), format="%d", width="small"),
        "iou": st.column_config.ProgressColumn(
            _("Mean IoU"), min_value=0.0, max_value=1.0, format="%.3f"
        ),
        "iou_low": number(_("from"), format="%.3f", help=_(BOUNDS)),
        "iou_high": number(_("to"), format="%.3f", help=_(BOUNDS)),
        "iou_median": number(_("Median"), format="%.3f"),
        "iou_over_50": number("IoU ≥ 0.5", format="percent", help=_("Share of the objects.")),
        "iou_over_75": number("IoU ≥ 0.75", format="percent", help=_("Share of the objects.")),
        "seconds": number(_("s an object"), format="%.3g", help=_("Median time of one object.")),
        "image_seconds": number(
            _("s an image"), format="%.3g", help=_("Median time of what is done once an image.")
        ),
    }
    for measure in evaluation.measures[1:]:
        config[measure] = number(_(MEASURES[measure]), format="%.3f")
    st.dataframe(
        table,
        hide_index=True,
        column_order=[name for name in config if name in table],
        column_config=config,
        height="content",
        key=f"{key}-table",
    )
    if table["sees_truth"].any():
        names = ", ".join(table.loc[table["sees_truth"].astype(bool), "title"])
        st.caption(
            _(
                ":material/visibility: Chosen by looking at the truth, so a limit and no method "
                "for use: {names}."
            ).format(names=names)
        )


def _difference(evaluation: Evaluation, key: str) -> None:
    keys = [info.key for info in evaluation.methods]
    if len(keys) < 2:
        return
    titles = {info.key: info.title for info in evaluation.methods}
    st.markdown(_("**Is one better than the other?** On the same objects, with the interval:"))
    first = st.selectbox(_("This"), keys, index=0, format_func=titles.get, key=f"{key}-first")
    second = st.selectbox(
        _("against this"), keys, index=1, format_func=titles.get, key=f"{key}-second"
    )
    measure = st.selectbox(
        _("in"), evaluation.measures, format_func=lambda m: _(MEASURES[m]), key=f"{key}-measure"
    )
    if first == second:
        st.caption(_("Choose two different methods."))
        return
    with banner.guard():
        found = compare_methods(evaluation, second, first, measure)
        told = found.text
        if not np.isnan(found.share_better):
            told += " " + _("It is better for {share} of the objects.").format(
                share=percent(found.share_better)
            )
        st.info(plain(told), icon=":material/balance:")


def _detection(evaluation: Evaluation, key: str) -> None:
    table = evaluation.detection()
    if not len(table):
        return
    st.markdown(_("**Finding objects without a click**, all images together, with the interval:"))
    titles = {
        "precision": _("Precision"),
        "recall": _("Recall"),
        "f1": _("F1 at IoU 0.5"),
        "f1_mean": _("F1, IoU 0.5 to 0.95"),
        "panoptic_quality": _("Panoptic quality"),
        "mean_best_iou": _("IoU of a true object"),
        "count_error": _("Count error"),
    }
    rows = []
    for row in table.to_dict("records"):
        told = {_("Method"): _(row["title"]), _("Images"): row["images"]}
        for name, title in titles.items():
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            bounds = f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else ""
            told[title] = f"{row[name]:.2f}{bounds}"
        rows.append(told)
    st.dataframe(pd.DataFrame(rows), hide_index=True, key=f"{key}-detection", height="content")


def _by_image(evaluation: Evaluation, key: str) -> None:
    titles = {info.key: info.title for info in evaluation.methods}
    row = st.columns([4, 7], vertical_alignment="bottom")
    method = row[0].selectbox(
        _("Images, the worst first, by"),
        list(titles),
        format_func=titles.get,
        key=f"{key}-image-method",
    )
    number = st.column_config.NumberColumn
    st.dataframe(
        evaluation.by_image(method),
        hide_index=True,
        column_config={
            "image": st.column_config.TextColumn(_("Image"), width="large"),
            "objects": number(_("Objects"), format="%d"),
            "mean": st.column_config.ProgressColumn(
                _("Mean IoU"), min_value=0.0, max_value=1.0, format="%.3f"
            ),
            "lowest": number(_("Lowest"), format="%.3f"),
        },
        height=280,
        key=f"{key}-images",
    )


def _worst(
    worst: Sequence[tuple[str, bytes]], draw_worst: Callable[[], None] | None, key: str
) -> None:
    if worst:
        st.markdown(_("**Worst objects first**, by the best method:"))
        for start in range(0, len(worst), 4):
            for column, (text, picture) in zip(st.columns(4), worst[start : start + 4]):
                column.image(picture, width="stretch", caption=text, alt=text)
        chips(confusion_legend())
    elif draw_worst is not None:
        st.button(
            _("Show the worst objects"),
            icon=":material/image_search:",
            key=f"{key}-draw-worst",
            on_click=draw_worst,
        )


def _remarks(evaluation: Evaluation) -> None:
    remarks = [*evaluation.notes, *warnings(evaluation)]
    remarks += [
        _("Left out: {name} ({why})").format(name=name, why=why)
        for name, why in evaluation.failures
    ]
    if remarks:
        with st.expander(_("What to keep in mind ({count})").format(count=len(remarks))):
            for text in remarks:
                st.markdown(f"- {plain(text)}")


def files(
    evaluation: Evaluation,
    key: str,
    *,
    studies: Sequence[StudyResult] = (),
    worst: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Downloads of an evaluation."""
    stem = safe_name(evaluation.name, default="evaluation")
    offers = (
        (_("Report (HTML)"), "html", "text/html",
         lambda: report_html(evaluation, studies=studies, worst=worst).encode()),
        (_("Every object (CSV)"), "csv", "text/csv",
         lambda: results_csv(evaluation).encode("utf-8-sig")),
        (_("Everything (JSON)"), "json", "application/json",
         lambda: results_json(evaluation, studies=studies).encode()),
    )  # fmt: skip
    with st.container(horizontal=True):
        for title, ending, mime, make in offers:
            downloads.offer(
                title,
                make,
                f"{stem}.evaluation.{ending}",
                mime,
                key=f"{key}-file-{ending}",
                type="primary" if ending == "html" else "secondary",
            )

"""This image: the objects of the session against the truth, in numbers and pictures."""

from __future__ import annotations

import numpy as np
import streamlit as st

from pages.parts.evaluate import tables as evaluate_tables
from pages.parts.evaluate import truth as evaluate_truth
from pages.parts.shared import banner, resources
from pages.parts.shared.legend import chips
from pages.parts.shared.screen_size import room
from pages.parts.shared.swipe import TRUTH_OUTLINED, swipe
from rsam_core.evaluate.metrics import METRICS
from rsam_core.evaluate.metrics.scene import SceneComparison, compare_scene
from rsam_core.evaluate.report import pictures as pictures
from rsam_core.evaluate.statistics.bootstrap import Interval
from rsam_core.formats.truth import Truth
from rsam_core.objects.instances import Instances
from rsam_core.render.overlays import overlay
from rsam_core.render.style import OverlayStyle
from rsam_core.runtime.language import N_, _, number
from rsam_core.scene.window import Window
from rsam_core.session.session import Session

VIEWS = (N_("Right and wrong"), N_("Overlap of each object"), N_("Both outlines"), N_("Swipe"))
WORST = 8
_COMING = (
    N_("how many of the true objects were found, and how many of the outlines are right"),
    N_("this picture with what is right, what is too much, and what was missed"),
    N_("how well the outlines fit, object by object, the worst first"),
    N_("all of it as a report and as tables to take along"),
)
TALLEST = 680
"""Height of the swipe slider at most, in CSS pixels."""


def tab(session: Session) -> None:
    """Everything about the open image."""
    found = evaluate_truth.present(session)
    truth = session.truth.value
    if truth is None:
        left, right = st.columns([6, 5], gap="large")
        with left:
            evaluate_truth.choose(session, found)
        with right:
            _preview(session)
        return
    evaluate_truth.summary(session, truth)
    if not len(found):
        st.info(
            _(
                "There are no objects to compare yet. Outline some on the Segment page, or "
                "compare methods on the true objects in the next tab."
            ),
            icon=":material/ads_click:",
        )
        st.page_link(
            "pages/screens/segment.py", label=_("Go to Segment"), icon=":material/arrow_forward:"
        )
        return
    with banner.guard():
        _results(session, truth, found)


def _preview(session: Session) -> None:
    """What will be here as soon as there is a truth."""
    view = session.image.overview
    with st.container(border=True, gap="small"):
        coming = "\n".join(f"- {_(line)}" for line in _COMING)
        st.markdown("**" + _("Here you will then see") + f"**\n{coming}")
        picture = session.memo.remember(
            "evaluate-empty", (session.image.scene, view),
            lambda: resources.jpeg(session.image.picture(view)),
        )  # fmt: skip
        st.image(picture, width="stretch", alt=_("The open image"))


def _results(session: Session, truth: Truth, found: Instances) -> None:
    tolerance = float(st.session_state.get("evaluate-tolerance", 2.0))
    with st.spinner(_("Comparing…"), show_time=True):
        comparison = session.memo.remember(
            "comparison",
            (truth, found, tolerance),
            lambda: compare_scene(truth, found, tolerance=tolerance),
        )
    _headline(comparison)
    left, right = st.columns([7, 6], gap="medium")
    with left:
        _picture(session, truth, comparison)
    with right:
        objects_tab, pixels_tab, outlines_tab, curves_tab, files_tab = st.tabs(
            [_("Objects"), _("Pixels"), _("Outlines"), _("Curves"), _("Files")]
        )
        with objects_tab:
            evaluate_tables.object_metrics(comparison)
        with pixels_tab:
            evaluate_tables.pixel_metrics(comparison)
        with outlines_tab:
            evaluate_tables.outline_metrics(comparison)
        with curves_tab:
            evaluate_tables.curves(session, comparison)
        with files_tab:
            evaluate_tables.files(session, truth, comparison)
    _worst(session, comparison)


def _headline(comparison: SceneComparison) -> None:
    scores, matching = comparison.scores, comparison.matching
    intervals = comparison.object_intervals
    tiles = (
        (
            _("Found"),
            _("{count} of {whole}").format(count=matching.tp, whole=matching.n_truth),
            intervals["recall"],
            _("True objects that an outlined one overlaps by an IoU of at least 0.5: the recall."),
        ),
        (
            _("Right"),
            _("{count} of {whole}").format(count=matching.tp, whole=matching.n_predicted),
            intervals["precision"],
            _("Outlined objects that overlap a true one by an IoU of at least 0.5: the precision."),
        ),
        (
            _("Overlap of an object"),
            f"{scores.mean_best_iou:.3f}",
            intervals["mean_best_iou"],
            _(
                "IoU, intersection over union: the ground that a true object and the best "
                "outlined one share, divided by all that either covers; 1 is perfect, 0 missed. "
                "Mean over the true objects."
            ),
        ),
        (
            _("Overlap of all pixels"),
            f"{comparison.pixel['iou'].value:.3f}",
            comparison.pixel["iou"],
            _("IoU, intersection over union.") + f" {_(METRICS[0].help)}",
        ),
        (
            _("Found and how well"),
            f"{scores.panoptic_quality:.3f}",
            intervals["panoptic_quality"],
            _(
                "Panoptic quality: the share that was found times the overlap of what was found, "
                "in one number (Kirillov et al., CVPR 2019)."
            ),
        ),
    )
    for column, (title, value, bounds, help) in zip(st.columns(len(tiles)), tiles):
        column.metric(
            title,
            value,
            _bounds(bounds),
            delta_color="off",
            delta_arrow="off",
            help=f"{help} " + _("Below: the 95 % interval of the share or mean."),
            border=True,
        )
    told = _("95 % intervals by bootstrap: objects are drawn, and for pixels parts of the image.")
    if comparison.left_out:
        told += " " + _(
            "{count} objects lie where the truth says nothing and do not count."
        ).format(count=number(comparison.left_out))
    st.caption(told)


def _bounds(bounds: Interval) -> str:
    if not np.isfinite(bounds.low):
        return _("too few for an interval")
    return _("{low:.2f} to {high:.2f}").format(low=bounds.low, high=bounds.high)


def _picture(session: Session, truth: Truth, comparison: SceneComparison) -> None:
    view = st.segmented_control(
        _("Picture"),
        VIEWS,
        default=VIEWS[0],
        format_func=_,
        key="evaluate-view",
        persist_state="session",
        label_visibility="collapsed",
        required=True,
    )
    frame = session.image.overview
    image = session.image.picture(frame)
    place = {"origin": (frame.x, frame.y), "scale": frame.scale[0]}
    key = (comparison, truth, session.image.scene)
    if view == VIEWS[1]:
        ious = comparison.table["iou"].to_numpy()
        content = session.memo.remember(
            "evaluate-iou",
            key,
            lambda: resources.jpeg(pictures.iou_picture(image, comparison.truth, ious, **place)),
        )
        legend = pictures.iou_legend()
    elif view == VIEWS[3]:
        pair = session.memo.remember("evaluate-swipe", key, lambda: _pair(image, comparison, place))
        rows, columns = image.shape[:2]
        width, _height = room(650)
        swipe(
            *pair,
            size=(columns, rows),
            height=min(TALLEST, round(width * rows / columns)),
            key=f"swipe-{session.image.token}",
            words=TRUTH_OUTLINED,
        )
        return
    elif view == VIEWS[2]:
        content = session.memo.remember(
            "evaluate-outlines",
            key,
            lambda: resources.jpeg(
                pictures.contour_picture(image, comparison.truth, comparison.predicted, **place)
            ),
        )
        legend = pictures.contour_legend()
    else:
        content = session.memo.remember(
            "evaluate-confusion",
            key,
            lambda: resources.jpeg(
                pictures.confusion_picture(
                    image, truth.mask, comparison.predicted.union_mask(), valid=truth.valid
                )
            ),
        )
        legend = pictures.confusion_legend()
    st.image(content, width="stretch", alt=_("The image: {view}").format(view=_(view)))
    chips(legend)


def _pair(
    image: np.ndarray, comparison: SceneComparison, place: dict[str, object]
) -> tuple[bytes, bytes]:
    """The image with the truth, and with what was outlined."""
    colors = dict(pictures.contour_legend())
    both = ((comparison.truth, colors["truth"]), (comparison.predicted, colors["prediction"]))
    styles = (
        (found, OverlayStyle(fill="single", color=color, opacity=0.35, contour_width=2))
        for found, color in both
    )
    first, second = (
        resources.jpeg(overlay(image, found, style, **place)) for found, style in styles
    )
    return first, second


def _worst(session: Session, comparison: SceneComparison) -> None:
    """The objects to look at first: those that were missed or cut wrongly."""
    table = comparison.table.sort_values("iou", kind="stable")
    st.subheader(_("Worst objects first"))
    if not len(table):
        st.caption(_("The truth holds no object."))
        return
    shown = table.head(WORST)

    def draw() -> list[bytes]:
        crops = []
        for row in shown.itertuples():
            box = comparison.truth.get(int(row.id)).bbox
            window = Window(*pictures.crop_window(box, comparison.truth.shape))
            crops.append(
                resources.jpeg(
                    pictures.object_crop(
                        session.image.scene.read_rgb(window),
                        comparison.truth,
                        comparison.predicted,
                        box,
                        220,
                    )
                )
            )
        return crops

    crops = session.memo.remember("worst", (comparison, session.image.scene), draw)
    for column, row, crop in zip(st.columns(WORST, gap="small"), shown.itertuples(), crops):
        with column:
            st.image(
                crop, width="stretch", alt=_("Object {id}, true and outlined").format(id=row.id)
            )
            st.caption(
                _("Object {id}: missed").format(id=row.id)
                if row.iou == 0
                else _("Object {id}: IoU {iou:.2f}").format(id=row.id, iou=row.iou)
            )
    chips(pictures.contour_legend())
    column = st.column_config.NumberColumn
    st.dataframe(
        table.drop(columns="label") if table["label"].isna().all() else table,
        hide_index=True,
        column_config={
            "id": column(_("Object"), format="%d"),
            "label": _("Class"),
            "area": column(_("True area (px)"), format="%d"),
            "found": st.column_config.CheckboxColumn(_("Found")),
            "predicted": column(_("Best match"), format="%d", help=_("0: none touches it.")),
            "predicted_area": column(_("Its area (px)"), format="%d"),
            "iou": st.column_config.ProgressColumn(
                "IoU", min_value=0.0, max_value=1.0, format="%.3f"
            ),
            "dice": column("Dice", format="%.3f"),
            "precision": column(_("Precision"), format="%.3f"),
            "recall": column(_("Recall"), format="%.3f"),
            "area_error_percent": column(_("Area error (%)"), format="%.1f"),
            "boundary_f": column(_("Boundary F"), format="%.3f"),
            "boundary_iou": column(_("Boundary IoU"), format="%.3f"),
            "hausdorff_95": column(_("Hausdorff 95 % (px)"), format="%.1f"),
        },
        key="evaluate-worst",
        height=320,
    )

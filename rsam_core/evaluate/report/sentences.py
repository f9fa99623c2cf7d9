"""Sentences of a report, made of the results: nothing in them is written by hand."""

from __future__ import annotations

import numpy as np

from rsam_core.evaluate.report.method_sources import classical_methods
from rsam_core.evaluate.results import Evaluation
from rsam_core.evaluate.statistics.compare import Comparison, compare_methods
from rsam_core.runtime.durations import duration

FEW_IMAGES = 10
"""With fewer images an interval is rough."""


def abstract(evaluation: Evaluation) -> str:
    """The findings in a few sentences."""
    best = evaluation.best()
    if best is None:
        return (
            f"{evaluation.name} holds no object of {evaluation.settings.min_area} pixels or more "
            "in the images that were evaluated, so that nothing could be measured."
        )
    table = evaluation.table().set_index("method")
    row, mean = table.loc[best], evaluation.mean(best)
    images = evaluation.objects["image"].nunique()
    fair = int((~table["sees_truth"].astype(bool)).sum())
    text = f"On {counted(len(evaluation.of(best)), 'object')} in {counted(images, 'image')} of "
    text += f"{evaluation.name}, {row['title']} reached a mean IoU of {mean.value:.3f}"
    if np.isfinite(mean.low):
        text += f" (95 % interval {mean.low:.3f} to {mean.high:.3f})"
    text += (
        f", the highest of the {fair} methods compared that a user could apply."
        if fair > 1
        else "."
    )
    text += (
        f" {100 * row['iou_over_50']:.0f} % of the objects reached an IoU of 0.5 and "
        f"{100 * row['iou_over_75']:.0f} % of 0.75."
    )
    rivals = table[~table["sees_truth"].astype(bool)].drop(index=best)
    if len(rivals):
        # What one would use without a model says more than the same model with another prompt.
        classical = [key for key in rivals.index if evaluation.info(key).model is None]
        rival = rivals.loc[classical or rivals.index, "iou"].idxmax()
        text += f" {compare_methods(evaluation, rival, best).text}"
    text += f" It took {duration(row['seconds'])} an object"
    if row["image_seconds"] > 0:
        text += f", after {duration(row['image_seconds'])} once an image"
    return text + " (medians)."


def comparisons(evaluation: Evaluation) -> list[Comparison]:
    """The best method against each other one that a user could apply, the closest first."""
    best = evaluation.best()
    if best is None:
        return []
    table = evaluation.table()
    others = table[(table["method"] != best) & ~table["sees_truth"].astype(bool)]
    others = others.sort_values("iou", ascending=False)
    return [compare_methods(evaluation, key, best) for key in others["method"]]


def methods_paragraph(evaluation: Evaluation) -> list[str]:
    """How it was done, paragraph by paragraph."""
    settings = evaluation.settings
    one = evaluation.objects.drop_duplicates(["image", "object"])
    areas = one["area"]
    size = (
        f" Their areas range from {areas.min():,} to {areas.max():,} pixels (median "
        f"{areas.median():,.0f})."
        if len(areas)
        else ""
    )
    data = (
        f"The data set {evaluation.name} was evaluated on "
        f"{counted(evaluation.images_done, 'image')}. An "
        f"object is a connected piece of a true instance of at least {settings.min_area} pixels; "
        f"there are {len(one)} of them in "
        f"{counted(one['image'].nunique(), 'image')}.{size} Images with a side of more than "
        f"{settings.max_side:,} pixels are cut into equal tiles, which count as images."
    )
    prompts = (
        "Every method was asked for the same objects. Prompts were simulated from the truth, as a "
        "careful user would give them: the box is the tight bounding box; the first point is the "
        "pixel farthest from the object's border, each further one lies deepest in the largest "
        "connected error of the mask so far, missed or too much, and refines it. For a single "
        "point the model offers three masks; the one with the highest predicted IoU counts. "
        "Methods marked † choose by the truth (the best of several masks, the best region) and are "
        "upper bounds that no user reaches without looking."
    )
    statistics = (
        "Means are over objects. Intervals are 95 % percentile bootstrap intervals of 2,000 draws "
        f"(seed {settings.seed}) of whole images with all their objects, because objects of one "
        "image resemble one another. Differences between methods are paired by object. Times are "
        "medians; the simulated user's own computing time is not counted."
    )
    images = one["image"].nunique()
    if images == 1:
        statistics += (
            " With objects in one image only, objects are drawn instead of images: the intervals "
            "speak of other objects of this image, not of other images."
        )
    elif images < FEW_IMAGES:
        statistics += (
            f" With only {counted(images, 'image')} with objects, the intervals are rough."
        )
    classical = classical_methods(evaluation.methods)
    return [data, prompts, *([classical] if classical else []), statistics]


def warnings(evaluation: Evaluation) -> list[str]:
    """What limits the results."""
    notes = list(evaluation.notes)
    if not evaluation.complete:
        notes.append(
            f"The evaluation was stopped after {evaluation.images_done} of "
            f"{evaluation.images_total} images; the figures are preliminary."
        )
    notes += [f"{name} could not be evaluated: {why}" for name, why in evaluation.failures]
    load = evaluation.environment.get("load of the computer at the end", "")
    if load:
        notes.append(
            f"Times are as measured on this computer, whose load was {load} at the end; other "
            "programs slow them down."
        )
    return notes


def counted(number: int, noun: str) -> str:
    """A number with its noun, such as "1 image" and "1,200 images"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def definitions() -> list[tuple[str, str, str, str]]:
    """Title, formula, meaning and source of each metric in the report."""
    from rsam_core.evaluate.metrics import METRICS

    shown = ("iou", "dice", "precision", "tpr", "fpr")
    rows = [(m.title, m.formula, m.help, m.source) for m in METRICS if m.key in shown]
    rows += [
        (
            "Boundary F",
            "2 P R / (P + R)",
            "P is the share of predicted outline pixels within the tolerance of a true one, R the "
            "share of true ones within it of a predicted one.",
            'G. Csurka et al., "What is a good evaluation measure for semantic segmentation?", '
            "BMVC 2013",
        ),
        (
            "Boundary IoU",
            "IoU of the inner bands",
            "IoU of the pixels near the outlines, within a fifth of the true object's depth (half "
            "the width of a square), so that the size of the image does not matter.",
            'B. Cheng et al., "Boundary IoU", CVPR 2021',
        ),
        (
            "Hausdorff 95 %",
            "max of the 95th percentiles",
            "The distance in pixels within which 95 % of each outline lies from the other; left "
            "out of means where nothing was found.",
            'D. P. Huttenlocher et al., "Comparing images using the Hausdorff distance", 1993',
        ),
        (
            "Panoptic quality",
            "Σ IoU / (TP + FP / 2 + FN / 2)",
            "For objects matched one to one above IoU 0.5: how many were found, and how well.",
            'A. Kirillov et al., "Panoptic segmentation", CVPR 2019',
        ),
        (
            "NoC@20",
            "mean number of clicks",
            "Clicks until an IoU is first reached; 20 where it never is.",
            'K. Sofiiuk et al., "Reviving Iterative Training with Mask Guidance", ICIP 2022',
        ),
    ]
    return rows

"""Studies: one question each, answered on one's own image, repeatable by its seed.

>>> from rsam_core.evaluate.studies import STUDIES
>>> study = STUDIES["resolution"]                                # doctest: +SKIP
>>> result = study.run(samples, segmenter, study.settings())     # doctest: +SKIP
>>> print(result.answer); result.table; result.figure()          # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rsam_core.evaluate.studies.base import StudyResult, StudySettings
from rsam_core.evaluate.studies.clicks import ClicksSettings, clicks_study
from rsam_core.evaluate.studies.jitter import JitterSettings, jitter_study
from rsam_core.evaluate.studies.quality import HazeSettings, NoiseSettings, haze_study, noise_study
from rsam_core.evaluate.studies.resolution import ResolutionSettings, resolution_study
from rsam_core.evaluate.studies.size import (
    PointOrBoxSettings,
    SizeSettings,
    point_or_box_study,
    size_study,
)
from rsam_core.evaluate.studies.words import WordsSettings, words_study


@dataclass(frozen=True)
class Study:
    """A study as a page offers it.

    Attributes
    ----------
    key, title : str
    help : str
        What it answers, for somebody who never heard of it.
    settings : type
        Its settings; all fields have defaults.
    run : callable
        ``run(samples, segmenter, settings, progress=..., cancelled=...)`` to a
        :class:`StudyResult`.
    """

    key: str
    title: str
    help: str
    settings: type[StudySettings]
    run: Callable[..., StudyResult]


STUDIES: Mapping[str, Study] = {
    study.key: study
    for study in (
        Study(
            "resolution",
            "Image resolution",
            "How coarse may the image be? The image is blurred and made coarser, up to 16 times, "
            "as a lesser satellite would take it.",
            ResolutionSettings,
            resolution_study,
        ),
        Study(
            "noise",
            "Noise",
            "How much grain from a poor sensor or low light does the model bear?",
            NoiseSettings,
            noise_study,
        ),
        Study(
            "haze",
            "Haze",
            "How much haze or thin cloud does the model bear?",
            HazeSettings,
            haze_study,
        ),
        Study(
            "jitter",
            "Careless prompts",
            "How exactly must one draw? Boxes are made too large, too small or shifted, and "
            "clicks fall beside the centre.",
            JitterSettings,
            jitter_study,
        ),
        Study(
            "clicks",
            "Number of clicks",
            "How many clicks does a good mask take? Up to 20 corrective clicks are simulated.",
            ClicksSettings,
            clicks_study,
        ),
        Study(
            "size",
            "Object size",
            "Are small objects outlined less well than large ones?",
            SizeSettings,
            size_study,
        ),
        Study(
            "point_or_box",
            "Point or box?",
            "It is said that small objects are best marked by a point and large ones by a box. "
            "Is that so here?",
            PointOrBoxSettings,
            point_or_box_study,
        ),
        Study(
            "words",
            "Words",
            "Are words as good as a click, a box or one example, and do they suffer most from "
            "coarse images?",
            WordsSettings,
            words_study,
        ),
    )
}
"""All studies by key, in the order of a page."""

__all__ = [
    "STUDIES",
    "ClicksSettings",
    "HazeSettings",
    "JitterSettings",
    "NoiseSettings",
    "PointOrBoxSettings",
    "ResolutionSettings",
    "SizeSettings",
    "Study",
    "StudyResult",
    "StudySettings",
    "WordsSettings",
    "clicks_study",
    "haze_study",
    "jitter_study",
    "noise_study",
    "point_or_box_study",
    "resolution_study",
    "size_study",
    "words_study",
]

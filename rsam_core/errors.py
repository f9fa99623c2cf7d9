"""Errors a person can act on: every message says what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class RsamError(Exception):
    """Base class of every error that RSAM raises on purpose."""

    @property
    def facts(self) -> tuple[Any, ...]:
        """What makes the same error again in another process, as plain data."""
        return (str(self),)


class SceneError(RsamError):
    """An image cannot be opened, read or georeferenced."""


class PromptError(RsamError):
    """A prompt is empty, lies outside the image or is otherwise unusable."""


class ModelError(RsamError):
    """A model is unknown, not installed or damaged."""


class DownloadError(ModelError):
    """A checkpoint could not be downloaded or failed its check."""


class MetricError(RsamError):
    """Truth and prediction cannot be compared."""


class DatasetError(RsamError):
    """A folder or archive of images with truth cannot be read."""


class EvaluationError(RsamError):
    """An evaluation or a study cannot be run as it was set up."""


class ExportError(RsamError):
    """A result cannot be written in the wanted format."""


class RefineError(RsamError):
    """Objects cannot be refined, combined or edited as asked."""


class ClassifyError(RsamError):
    """Classes, rules or examples cannot be used, or there is too little to learn from."""


class ProjectError(RsamError):
    """A project file is damaged, too new or not a project."""


class PrepareError(RsamError):
    """A step that prepares an image has unusable settings, or a recipe cannot be read."""


class Cancelled(RsamError):
    """The user stopped a long operation; what was finished so far is kept by the caller."""


class OneShotError(RsamError):
    """An example cannot be used, or does not suit the image that is searched."""


class WordsError(RsamError):
    """A sentence cannot be understood, or what it asks for is not known of the objects.

    Parameters
    ----------
    message : str
    reason : str
        In one word: ``"empty"``, ``"long"``, ``"markup"``, ``"numbers"``, ``"script"``,
        ``"contradiction"``, ``"unknown"`` or ``"data"``.
    """

    def __init__(self, message: str, reason: str = "data") -> None:
        super().__init__(message)
        self.reason = reason


class QueueFull(RsamError):
    """Too many people wait for the model already."""


class BudgetError(RsamError):
    """Something needs more memory than this computer sets aside for it."""


class BatchError(RsamError):
    """A recipe, a folder or a cluster cannot be used for a batch of scenes."""


class ChangeError(RsamError):
    """Two dates cannot be compared as asked."""


class AlignError(ChangeError):
    """Two scenes do not show the same place, or it cannot be found where they fit together."""


class ApplyError(ChangeError):
    """A question about a place cannot be answered with what was given."""


class FollowError(RsamError):
    """An object cannot be followed through these frames."""


class LearnError(RsamError):
    """A link, an exercise, a result or a class board cannot be used."""


class VideoError(FollowError):
    """A video cannot be read, or is too long to be read unasked."""


class TruthChoice(MetricError):
    """Truth can be read in several ways, and a person has to say which.

    Parameters
    ----------
    message : str
    option : str
        Which argument of :func:`rsam_core.formats.truth.read_truth` says it: ``"layer"``,
        ``"placed"`` or ``"values"``.
    choices : sequence of (str, str)
        Its possible values, each with words for people.
    """

    def __init__(
        self, message: str, option: str = "", choices: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.option, self.choices = option, tuple((value, words) for value, words in choices)

    @property
    def facts(self) -> tuple[Any, ...]:
        return str(self), self.option, [list(choice) for choice in self.choices]

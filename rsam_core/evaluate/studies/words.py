"""Words against click, box and one example, and against the resolution of the image.

What a sentence means is told by the true outlines; the same sentence is then asked of what the
model found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import EvaluationError, RsamError
from rsam_core.evaluate.datasets import Sample
from rsam_core.evaluate.metrics import confusion, iou
from rsam_core.evaluate.sample import full_mask
from rsam_core.evaluate.studies import base, degrade
from rsam_core.evaluate.studies.figures import line_figure
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.objects.matching import match, overlaps
from rsam_core.objects.resample import to_scene
from rsam_core.prompts.prompt import MIN_BOX, Prompt
from rsam_core.prompts.simulated import centre_click, tight_box
from rsam_core.scene.coordinates import Frame
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.everything import generate, initialize, settings_for
from rsam_core.segment.one_shot.candidate_search import search
from rsam_core.segment.one_shot.descriptors import ArrayScene
from rsam_core.segment.one_shot.examples import EmbeddedView, make_example
from rsam_core.segment.one_shot.ranking import rank
from rsam_core.segment.one_shot.settings import OneShotSettings
from rsam_core.segment.words import Description, describe, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rsam_core.segment.segmenter import Segmenter

Guesser = Callable[["Segmenter", Embedding, Instances], NDArray[np.floating] | None]
"""Probability of each kind, (N, 10), of objects in view pixels."""

SENTENCES = ("large objects", "small objects", "long objects", "round objects")
WAYS = ("words", "box", "1 point", "one example")
_FOUND = 0.5


@dataclass(frozen=True)
class WordsSettings(base.StudySettings):
    """Settings of the words study.

    Parameters
    ----------
    max_objects : int
        Objects of a sentence and image that are prompted by box and point, at most.
    sentences : tuple of str
        What is asked; without any, large, small, long and round objects, each colour that a
        quarter of the true objects or more have, and each class of the truth if kinds can be told.
    factors : tuple of float
        How many times as large the pixels become, 1 to 16.
    spacing : float
        Grid of everything mode in pixels of the original; see
        `rsam_core.segment.everything.EverythingSettings`.
    """

    max_objects: int = 20
    sentences: tuple[str, ...] = ()
    factors: tuple[float, ...] = (1, 2, 4)
    spacing: float = 32.0

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "factors", tuple(dict.fromkeys(self.factors)))
        object.__setattr__(self, "sentences", tuple(dict.fromkeys(self.sentences)))
        if not self.factors or any(not 1 <= factor <= 16 for factor in self.factors):
            raise EvaluationError("Choose factors from 1 (as it is) to 16.")
        for sentence in self.sentences:
            try:
                query = words(sentence)
            except RsamError as error:
                raise EvaluationError(str(error)) from error
            if query.unknown:
                strange = ", ".join(f"“{word}”" for word in query.unknown)
                raise EvaluationError(f"The study does not know {strange}. Choose other words.")


def words_study(
    samples: base.Samples,
    segmenter: Segmenter,
    settings: WordsSettings | None = None,
    *,
    guesser: Guesser | None = None,
    progress: base.Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> base.StudyResult:
    """How good are words, beside click, box and one example?

    Parameters, returns and raises as :func:`rsam_core.evaluate.studies.resolution_study`.
    ``condition`` is the factor; the table has ``precision``, ``recall`` and ``f1`` (objects
    that agree to an IoU of 0.5), means over sentences and images, besides the mean IoU of the
    objects meant. `guesser` tells the kinds of what was found; without it, classes are not asked
    for.
    """
    import pandas as pd

    settings = settings or WordsSettings()
    rows: list[dict[str, Any]] = []
    scores: list[dict[str, Any]] = []
    asked: dict[str, None] = {}
    options = {"progress": progress, "cancelled": cancelled}
    for sample, _, share in base.drawn_objects(samples, _drawn_from(settings), **options):
        base.report(progress, share, sample)
        real = _large_enough(sample, settings.min_area)
        known = describe(real, ArrayScene(sample.image))
        meant = _meant(known, settings, guesser is not None)
        asked |= dict.fromkeys(meant)
        for factor in settings.factors:
            base.check(cancelled)
            if factor > min(sample.image.shape[:2]) or not meant:
                continue
            view = _View(sample, segmenter, factor, settings, guesser, cancelled)
            for sentence, ids in meant.items():
                base.check(cancelled)
                for way, told in view.answers(sentence, real.select(ids)):
                    scores.append({"condition": factor, "prompt": way, **told.score()})
                    rows += [
                        {
                            "image": sample.name,
                            "object": f"{sentence}: {item.id}",
                            "area": item.area,
                            "condition": factor,
                            "prompt": way,
                            "iou": value,
                        }
                        for item, value in zip(told.meant, told.ious)
                    ]
    if not rows:
        raise EvaluationError(
            "No sentence means any of the true objects. Choose other sentences, or an image with "
            "more objects."
        )
    table = pd.DataFrame(rows)
    means = pd.DataFrame(scores).groupby(["condition", "prompt"], sort=False).mean()
    curve = base.summary(table, settings.seed)
    curve = curve.merge(means.reset_index(), on=["condition", "prompt"], how="left")
    return base.StudyResult(
        "words",
        "Words against click, box and one example",
        "How good are words, and do they suffer most from coarse images?",
        _answer(curve, settings),
        "What each sentence means was told by the true outlines: "
        + ", ".join(f"“{text}”" for text in asked)
        + ". Words chose among what everything mode found by itself; box and point were given for "
        f"each object meant (at most {settings.max_objects} a sentence and image), and one object "
        "in a box was the example for the others. An object counts as found from an IoU of "
        f"{_FOUND:g}. Coarser images as in the study of resolution.",
        settings,
        curve,
        table,
        segmenter.model.name,
        _figure,
    )


@dataclass(frozen=True, eq=False)
class _Told:
    """What one way found of the objects meant."""

    meant: Instances
    ious: list[float]
    right: int
    given: int

    def score(self) -> dict[str, float]:
        precision = self.right / self.given if self.given else 0.0
        recall = self.right / len(self.meant)
        both = precision + recall
        f1 = 2 * precision * recall / both if both else 0.0
        return {"precision": precision, "recall": recall, "f1": f1}


class _View:
    """An image with larger pixels, and what the model finds in it."""

    def __init__(
        self,
        sample: Sample,
        segmenter: Segmenter,
        factor: float,
        settings: WordsSettings,
        guesser: Guesser | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        self.shape, self.segmenter, self.factor = sample.image.shape[:2], segmenter, factor
        self.settings, self.cancelled = settings, cancelled
        self.image = degrade.coarser(sample.image, factor)
        self.embedding = segmenter.embed(self.image)
        rows, columns = self.image.shape[:2]
        height, width = self.shape
        self.frame = Frame(0, 0, width, height, columns, rows)
        chosen = settings_for(
            segmenter.model.name,
            spacing=max(4.0, settings.spacing / factor),
            min_area=max(4.0, settings.min_area / factor**2),
            max_share=0.6,
        )
        state = initialize(segmenter, self.embedding, chosen, cancelled=cancelled)
        base.check(cancelled)
        self.found = generate(state, chosen)
        shares = guesser(segmenter, self.embedding, self.found) if guesser else None
        self.known = describe(self.found, ArrayScene(self.image), probabilities=shares)

    def answers(self, sentence: str, meant: Instances) -> Iterator[tuple[str, _Told]]:
        """What each way finds of the objects that a sentence means."""
        some = words(sentence).select(self.found, known=self.known)
        yield "words", _matched(meant, self._in_scene(some))
        few = meant
        if len(meant) > self.settings.max_objects:
            generator = np.random.default_rng(self.settings.seed)
            ids = generator.choice(meant.ids, self.settings.max_objects, replace=False)
            few = meant.select(ids.tolist())
        for way in ("box", "1 point"):
            ious = []
            for item in few:
                truth = full_mask(item, self.shape)
                mask = self.segmenter.predict(self.embedding, self._prompt(truth, way)).masks[0]
                ious.append(iou(confusion(truth, self._enlarged(mask))))
            right = sum(value >= _FOUND for value in ious)
            yield way, _Told(few, ious, right, len(few))
        yield "one example", _matched(meant, self._in_scene(self._alike(meant[0])))

    def _alike(self, first: Instance) -> Instances:
        """What one-shot finds from one object in a box, in view pixels."""
        truth = full_mask(first, self.shape)
        prompt = self._prompt(truth, "box")
        drawn = self.segmenter.predict(self.embedding, prompt).instance(source="box")
        rows, columns = self.image.shape[:2]
        if drawn is None:
            return Instances.empty((rows, columns))
        scene, view = ArrayScene(self.image), Frame(0, 0, columns, rows, columns, rows)
        options = OneShotSettings()
        try:
            shown = EmbeddedView(self.embedding, 0, 0, 1.0)
            example = make_example(self.segmenter, scene, shown, drawn)
            state = search(
                self.segmenter, scene, view, self.embedding, [example], options,
                cancelled=self.cancelled,
            )  # fmt: skip
            alike = rank(state, [example], options).choose()
        except RsamError:
            base.check(self.cancelled)
            return Instances([drawn], (rows, columns))
        return Instances.concat([Instances([drawn], (rows, columns)), alike])

    def _prompt(self, truth: base.Mask, way: str) -> Prompt:
        height, width = self.image.shape[:2]
        if way == "1 point":
            x, y = (value / self.factor for value in centre_click(truth))
            return Prompt(points=[(min(x, width - 1e-6), min(y, height - 1e-6))])
        x0, y0, x1, y1 = (value / self.factor for value in tight_box(truth))
        grow_x, grow_y = max(0, MIN_BOX - x1 + x0) / 2, max(0, MIN_BOX - y1 + y0) / 2
        left, top = max(0, min(x0 - grow_x, width - 1)), max(0, min(y0 - grow_y, height - 1))
        return Prompt(box=(left, top, max(x1 + grow_x, left + 1), max(y1 + grow_y, top + 1)))

    def _enlarged(self, mask: base.Mask) -> base.Mask:
        if self.factor == 1:
            return mask
        return degrade.enlarged_mask(mask, self.factor, self.shape)

    def _in_scene(self, objects: Instances) -> Instances:
        if self.factor == 1:
            return objects
        return Instances([to_scene(item, self.frame) for item in objects], self.shape)


def _drawn_from(settings: WordsSettings) -> base.StudySettings:
    """Every image counts: what is drawn of it is decided by sentence."""
    return base.StudySettings(10**9, settings.min_area, settings.seed)


def _large_enough(sample: Sample, least: int) -> Instances:
    return sample.truth.filter_area(min=least)


def _meant(known: Description, settings: WordsSettings, kinds: bool) -> dict[str, list[int]]:
    """The sentences that mean some of the true objects, with their numbers."""
    asked = list(settings.sentences)
    if not asked:
        asked = list(SENTENCES)
        cells = known.table["colour"]
        for name in ("red", "blue", "green", "white", "grey", "brown", "dark", "light"):
            if sum(name in str(cell).split("|") for cell in cells) >= max(2, len(cells) / 4):
                asked.append(f"{name} objects")
        if kinds:
            found = known.table["kind"].dropna().value_counts()
            asked += [str(name) for name, count in found.items() if count > 1]
    result = {}
    for sentence in asked:
        try:
            some = words(sentence).select(known.objects, known=known)
        except RsamError:
            continue
        if len(some):
            result[sentence] = some.ids.tolist()
    return result


def _matched(meant: Instances, found: Instances) -> _Told:
    """Agreement of what was found with what was meant."""
    if not len(found):
        return _Told(meant, [0.0] * len(meant), 0, 0)
    shared = overlaps(meant, found)
    best = np.zeros(len(meant))
    np.maximum.at(best, shared.rows, shared.ious)
    return _Told(meant, best.tolist(), match(meant, found, _FOUND).tp, len(found))


def _answer(curve: pd.DataFrame, settings: WordsSettings) -> str:
    first, last = settings.factors[0], curve["condition"].max()

    def at(factor: float, way: str) -> Any:
        row = curve[(curve["condition"] == factor) & (curve["prompt"] == way)]
        return row.iloc[0] if len(row) else None

    parts = []
    for way in WAYS:
        row = at(first, way)
        if row is not None:
            parts.append(
                f"{way} F1 {row.f1:.2f} (precision {row.precision:.2f}, recall {row.recall:.2f}, "
                f"mean IoU {row['mean']:.3f})"
            )
    text = f"At ×{first:g}: " + "; ".join(parts) + "."
    if last == first:
        return text
    falls = {}
    for way in WAYS:
        one, two = at(first, way), at(last, way)
        if one is not None and two is not None:
            falls[way] = one.f1 - two.f1
    worst = max(falls, key=lambda way: falls[way])
    changes = ", ".join(f"{way} {-fall:+.2f}" for way, fall in falls.items())
    return f"{text} At ×{last:g} F1 changes by: {changes}; {worst} loses most."


def _figure(result: base.StudyResult) -> Figure:
    return line_figure(
        result,
        "Pixel size against the original",
        log=True,
        ticks=[f"×{c:g}" for c in dict.fromkeys(result.table["condition"])],
    )

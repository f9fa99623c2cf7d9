"""PerSAM and PerSAM-F: one example, one object a pass, no training of the model.

Written against `rsam_core.models.guided`, so that each kind of model guides its own decoder.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import Cancelled, OneShotError
from rsam_core.models.base import Decoded
from rsam_core.models.guided import ExampleGuidance, Guidance, Target
from rsam_core.objects.instance import Instance
from rsam_core.prompts.prompt import Prompt
from rsam_core.prompts.simulated import tight_box
from rsam_core.segment.embedding import Embedding
from rsam_core.segment.one_shot.persam_f import ScaleWeights, tune_scales
from rsam_core.segment.segmenter import Segmenter

Method = Literal["persam", "persam-f"]


@dataclass(frozen=True)
class PersamSettings:
    """Which parts of PerSAM act; all of them in the published method.

    Parameters
    ----------
    method : {"persam", "persam-f"}
        Training-free, or with the two tuned weights.
    negative : bool
        The place least like the example is a background point (PerSAM only).
    attention, semantic : bool
        Target-guided attention and target-semantic prompting (PerSAM only).
    refinement : bool
        Cascaded refinement.
    """

    method: Method = "persam"
    negative: bool = True
    attention: bool = True
    semantic: bool = True
    refinement: bool = True

    def __post_init__(self) -> None:
        if self.method not in ("persam", "persam-f"):
            raise OneShotError(
                f"There is no method called “{self.method}”. Choose persam or persam-f."
            )


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned from an example, for one model.

    Attributes
    ----------
    target : Target
    weights : ScaleWeights or None
        Only for PerSAM-F.
    mask : ndarray of bool, shape (H, W)
        The example.
    settings : PersamSettings
    model : str
        Name of the model.
    """

    target: Target
    weights: ScaleWeights | None
    mask: NDArray[np.bool_]
    settings: PersamSettings
    model: str


def check_example(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask of an example, as bool.

    Raises
    ------
    OneShotError
        If it is empty, has fewer than four pixels, or covers more than nine tenths of the image.
    """
    mask = np.asarray(mask, bool)
    area = int(mask.sum())
    if mask.ndim != 2 or not area:
        raise OneShotError("The example is empty. Choose an object, or draw one.")
    if area < 4:
        raise OneShotError(
            f"The example has only {area} pixel{'s' if area > 1 else ''}: too few to tell what it "
            "looks like. Zoom in and outline a whole object."
        )
    if area > 0.9 * mask.size:
        raise OneShotError(
            "The example covers almost the whole image, so that nothing is left to find or to "
            "compare it with. Choose a single object."
        )
    return mask


def learn(
    segmenter: Segmenter,
    embedding: Embedding,
    mask: NDArray[np.bool_],
    settings: PersamSettings | None = None,
) -> Learned:
    """Learn from an example.

    Parameters
    ----------
    segmenter : Segmenter
    embedding : Embedding
        Of the image that shows the example.
    mask : ndarray of bool, shape (H, W)
        The example in that image.
    settings : PersamSettings, optional

    Raises
    ------
    OneShotError
        If the example is empty, almost nothing, or almost the whole image.
    ModelError
        If the model cannot be shown an example.
    """
    settings = settings or PersamSettings()
    mask = check_example(mask)
    model = segmenter.model.guided()
    tuned = settings.method == "persam-f"
    target = model.target(embedding.features, mask, "mean-max" if tuned else "mean")
    weights = None
    if tuned:
        # As published, the point is where the example itself is most like its own feature.
        cells = model.similarity(embedding.features, target)
        x, y = _place(np.where(mask, model.enlarge(embedding.features, cells), -2.0))
        scales = model.scales(embedding.features, Prompt(points=[(x, y)]), mask)
        weights = tune_scales(scales.logits, scales.sample(mask))
    return Learned(target, weights, mask, settings, segmenter.model.name)


@dataclass(frozen=True, eq=False)
class Found:
    """An object that PerSAM found.

    Attributes
    ----------
    instance : Instance
        In view pixels; its score is the predicted IoU.
    similarity : float
        Cosine similarity with the example at the place where it was found, −1 to 1.
    point : tuple of float
        That place.
    """

    instance: Instance
    similarity: float
    point: tuple[float, float]


def segment(
    segmenter: Segmenter,
    embedding: Embedding,
    learned: Learned,
    similarity: NDArray[np.float32] | None = None,
    blocked: NDArray[np.bool_] | None = None,
) -> Found | None:
    """Find the one object that is most like the example.

    Parameters
    ----------
    segmenter : Segmenter
        With the model that learned.
    embedding : Embedding
        Of the image to search.
    learned : Learned
    similarity : ndarray of float32, shape (h, w), optional
        Over cells, if it is at hand.
    blocked : ndarray of bool, shape (H, W), optional
        Where no object is to be found.

    Returns
    -------
    Found or None
        None if nothing was outlined there.
    """
    if learned.model != segmenter.model.name:
        raise OneShotError(
            f"The example was learned by {learned.model} but the model is now "
            f"{segmenter.model.name}. Choose the example again."
        )
    model, features = segmenter.model.guided(), embedding.features
    cells = model.similarity(features, learned.target) if similarity is None else similarity
    large = model.enlarge(features, cells)
    free = large if blocked is None else np.where(blocked, -2.0, large)
    point = _place(free)
    value = float(free[int(point[1]), int(point[0])])
    if value <= -2:
        return None
    if learned.weights is not None:
        answer = _by_weights(model, features, learned, point)
    else:
        prompt = _points(point, _place(-large), learned.settings.negative)
        answer = _guided(model, features, learned, cells, prompt)
    if learned.settings.refinement and answer is not None:
        answer = _refined(segmenter, embedding, learned, answer, point, large)
    if answer is None or not answer.masks[0].any():
        return None
    item = Instance(answer.masks[0], answer.x, answer.y, float(answer.scores[0]), 0, "one-shot")
    return Found(item, value, point)


def repeat(
    segmenter: Segmenter,
    embedding: Embedding,
    learned: Learned,
    *,
    lowest: float = 0.8,
    most: int = 200,
    progress: Callable[[float, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> list[Found]:
    """Find objects one after another, each time where nothing was found before.

    The natural use of the published method for many objects: what was found is taken out of the
    similarity, until what is left is no longer like the example.

    Parameters
    ----------
    segmenter, embedding, learned
        See :func:`segment`.
    lowest : float
        Ends when the highest similarity left falls below this. The default gave the highest F1
        with ``rsam-tiny`` on 40 tiles of Zanzibar, two examples each, among 0.3, 0.35, ... 0.95.
    most : int
        Ends after so many passes.

    Raises
    ------
    Cancelled
        If `cancelled` said so.
    """
    model = segmenter.model.guided()
    cells = model.similarity(embedding.features, learned.target)
    blocked = np.zeros(embedding.shape, bool)
    found: list[Found] = []
    for number in range(most):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped. Nothing was changed.")
        if progress is not None:
            progress(number / most, f"{len(found)} found")
        left = np.where(blocked, -2.0, model.enlarge(embedding.features, cells))
        x, y = _place(left)
        if left[int(y), int(x)] < lowest:
            break
        one = segment(segmenter, embedding, learned, cells, blocked)
        # The place itself is taken out, too: an empty or distant mask would be found for ever.
        blocked[max(int(y) - 4, 0) : int(y) + 5, max(int(x) - 4, 0) : int(x) + 5] = True
        if one is None:
            continue
        x0, y0, x1, y1 = one.instance.bbox
        part = blocked[y0:y1, x0:x1]
        taken = np.count_nonzero(part & one.instance.mask) > 0.5 * one.instance.area
        part |= one.instance.mask
        if not taken:
            found.append(one)
    return found


def _place(values: NDArray[np.floating]) -> tuple[float, float]:
    """Centre x, y of the pixel with the highest value."""
    row, column = np.unravel_index(int(values.argmax()), values.shape)
    return float(column) + 0.5, float(row) + 0.5


def _points(point: tuple[float, float], far: tuple[float, float], negative: bool) -> Prompt:
    if negative and far != point:
        return Prompt(points=[point, far], labels=[1, 0])
    return Prompt(points=[point])


def _guided(
    model: ExampleGuidance,
    features: Any,
    learned: Learned,
    cells: NDArray[np.float32],
    prompt: Prompt,
) -> Decoded | None:
    """First pass: one mask under guidance."""
    guidance = Guidance(learned.settings.attention, learned.settings.semantic)
    answer = model.decode(features, prompt, learned.target, cells, guidance, False)
    return _best(answer)


def _by_weights(
    model: ExampleGuidance, features: Any, learned: Learned, point: tuple[float, float]
) -> Decoded | None:
    """First pass of PerSAM-F: the three masks of a point, weighed as on the example."""
    scales = model.scales(features, Prompt(points=[point]), learned.mask)
    weights = learned.weights.all
    score = float(np.dot(weights, scales.scores))
    return _best(scales.finish(np.tensordot(weights, scales.logits, axes=1), score))


def _refined(
    segmenter: Segmenter,
    embedding: Embedding,
    learned: Learned,
    answer: Decoded,
    point: tuple[float, float],
    large: NDArray[np.float32],
) -> Decoded | None:
    """Passes two and three: the mask itself, then also its box, are prompts."""
    negative = learned.settings.negative and learned.weights is None
    prompt = _points(point, _place(-large), negative)
    features, model = embedding.features, segmenter.model
    second = _best(model.decode(features, prompt, True, answer.lowres[0]))
    if second is None:
        return answer
    x0, y0, x1, y1 = tight_box(second.masks[0])
    box = (x0 + second.x, y0 + second.y, x1 + second.x, y1 + second.y)
    boxed = replace(prompt, box=box)
    return _best(model.decode(features, boxed, True, second.lowres[0])) or second


def _best(answer: Decoded) -> Decoded | None:
    """The mask of the highest predicted IoU alone; None if none holds a pixel."""
    filled = [k for k in range(len(answer.scores)) if answer.masks[k].any()]
    if not filled:
        return None
    k = max(filled, key=lambda i: answer.scores[i])
    return Decoded(
        answer.masks[k : k + 1],
        answer.x,
        answer.y,
        answer.scores[k : k + 1],
        [answer.lowres[k]],
        answer.stability[k : k + 1],
    )

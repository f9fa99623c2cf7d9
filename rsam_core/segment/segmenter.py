"""Prompting: embed a view once, then turn prompts into ranked candidate masks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError, SceneError
from rsam_core.objects.crops import paste_all
from rsam_core.prompts.prompt import Prompt, as_list
from rsam_core.segment.embedding import Embedding, content_key
from rsam_core.segment.everything import (
    EverythingSettings,
    generate,
    initialize,
    settings_for,
)

if TYPE_CHECKING:
    from rsam_core.models.base import Decoded, PromptableModel
    from rsam_core.objects.instance import Instance
    from rsam_core.objects.instances import Instances


@dataclass(frozen=True, eq=False)
class Candidates:
    """The masks that a model proposes for one prompt, best first.

    Attributes
    ----------
    crops : ndarray of bool, shape (K, h, w)
        The masks within a common window of the view.
    x, y : int
        Top-left corner of that window in view pixels.
    scores : ndarray of float32, shape (K,)
        Predicted IoU, descending.
    stability : ndarray of float32, shape (K,)
        IoU between a stricter and a looser threshold.
    shape : tuple of int
        Height and width of the view.
    refinement : list
        What to hand to `Segmenter.predict` as ``previous`` to refine mask k.
    """

    crops: NDArray[np.bool_]
    x: int
    y: int
    scores: NDArray[np.float32]
    stability: NDArray[np.float32]
    shape: tuple[int, int]
    refinement: list[Any]

    @classmethod
    def from_decoded(cls, decoded: Decoded, shape: tuple[int, int]) -> Candidates:
        """Order a model's answer by predicted IoU."""
        order = np.argsort(-decoded.scores, kind="stable")
        return cls(
            decoded.masks[order],
            decoded.x,
            decoded.y,
            decoded.scores[order],
            decoded.stability[order],
            shape,
            [decoded.lowres[int(k)] for k in order],
        )

    def __len__(self) -> int:
        return len(self.scores)

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """All masks at the view's size, (K, H, W) bool."""
        return paste_all(self.crops, self.x, self.y, self.shape)

    @property
    def areas(self) -> NDArray[np.int64]:
        """Pixels of each mask, (K,)."""
        return self.crops.sum((1, 2))

    def instance(self, k: int = 0, *, source: str = "point", id: int = 0) -> Instance | None:
        """Candidate ``k`` as an object in view pixels, or None if its mask is empty."""
        from rsam_core.objects.instance import Instance

        if not self.crops[k].any():
            return None
        return Instance(self.crops[k], self.x, self.y, float(self.scores[k]), id, source)


class Segmenter:
    """Prompts in, masks out. Keeps no state between calls: threads may share one.

    Parameters
    ----------
    model : PromptableModel
        From :func:`rsam_core.load_model`.

    Examples
    --------
    >>> segmenter = Segmenter(load_model())                     # doctest: +SKIP
    >>> embedding = segmenter.embed(image)                      # doctest: +SKIP
    >>> best = segmenter.predict(embedding, Prompt(points=[(40, 60)])).masks[0]  # doctest: +SKIP
    """

    def __init__(self, model: PromptableModel) -> None:
        self.model = model

    def embed(self, image: NDArray[np.uint8]) -> Embedding:
        """Encode a view.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3)
            RGB.

        Raises
        ------
        SceneError
            If the array is not an 8-bit RGB image.
        """
        array = np.asarray(image)
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
            raise SceneError(
                f"The image must be (H, W, 3) and uint8; got shape {array.shape}, type "
                f"{array.dtype}. Open the file with open_scene and use read_rgb."
            )
        features = self.model.encode(array)
        return Embedding(features, array.shape[:2], content_key(array, self.model.name))

    @overload
    def predict(
        self,
        embedding: Embedding,
        prompts: Prompt,
        multimask: bool | None = None,
        previous: Any | None = None,
    ) -> Candidates: ...

    @overload
    def predict(
        self,
        embedding: Embedding,
        prompts: Sequence[Prompt],
        multimask: bool | None = None,
        previous: None = None,
    ) -> list[Candidates]: ...

    def predict(
        self,
        embedding: Embedding,
        prompts: Prompt | Sequence[Prompt],
        multimask: bool | None = None,
        previous: Any | None = None,
    ) -> Candidates | list[Candidates]:
        """Answer one prompt, or several at once (one object each).

        Parameters
        ----------
        embedding : Embedding
            From :meth:`embed` of a segmenter with the same model.
        prompts : Prompt or sequence of Prompt
            In view pixels.
        multimask : bool, optional
            True for three masks, False for one. By default three for a lone click, which is
            ambiguous, and one for anything clearer.
        previous : Any, optional
            ``refinement[k]`` of an earlier answer to the same object; one prompt only.

        Returns
        -------
        Candidates or list of Candidates
            As the prompts came.

        Raises
        ------
        PromptError
            If a prompt is empty or outside the image, the list is empty, or the embedding was
            made by another model.
        """
        if embedding.key[1] != self.model.name:
            raise PromptError(
                f"This image was encoded by {embedding.key[1]} but the model is now "
                f"{self.model.name}. Encode the image again."
            )
        checked = [prompt.clipped(embedding.shape) for prompt in as_list(prompts)]
        if not checked:
            raise PromptError("No prompt was given. Click an object or draw a box around it.")
        if previous is not None and len(checked) > 1:
            raise PromptError("An earlier answer can refine one prompt only.")
        many = [p.ambiguous if multimask is None else multimask for p in checked]
        answers: list[Decoded | None] = [None] * len(checked)
        if previous is not None:
            answers[0] = self.model.decode(embedding.features, checked[0], many[0], previous)
        else:
            for wanted in (True, False):
                chosen = [i for i, m in enumerate(many) if m == wanted]
                if chosen:
                    decoded = self.model.decode_many(
                        embedding.features, [checked[i] for i in chosen], wanted
                    )
                    for i, answer in zip(chosen, decoded):
                        answers[i] = answer
        found = [Candidates.from_decoded(a, embedding.shape) for a in answers if a is not None]
        return found[0] if isinstance(prompts, Prompt) else found

    def everything(
        self,
        embedding: Embedding,
        settings: EverythingSettings | None = None,
        *,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Instances:
        """All objects of the view; see :mod:`rsam_core.segment.everything`."""
        settings = settings or settings_for(self.model.name)
        state = initialize(self, embedding, settings, progress=progress, cancelled=cancelled)
        return generate(state, settings)

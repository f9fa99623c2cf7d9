"""What one-shot segmentation asks of a model: target features, similarity, guided decoding.

The five parts of PerSAM reach into a model's decoder, so each kind of model brings its own
implementation of `ExampleGuidance`; `rsam_core.segment.one_shot` is written against it alone. What
all kinds do alike, from the features of cells to their similarity, is in `CellGuidance`.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from rsam_core.errors import PromptError
from rsam_core.models.base import Decoded, PromptLike

Pooling = Literal["mean", "mean-max"]
"""How a target feature is taken: the mean (PerSAM), or half mean and half maximum (PerSAM-F)."""


@dataclass(frozen=True, eq=False)
class Target:
    """What the example looks like to a model.

    Attributes
    ----------
    feature : ndarray of float32, shape (C,)
        Unit length: compared with the features of an image by cosine.
    embedding : ndarray of float32, shape (C,)
        Before normalisation: what semantic prompting adds to the decoder's queries.
    extra : Any
        Whatever else the model's own decoder needs.
    """

    feature: NDArray[np.float32]
    embedding: NDArray[np.float32]
    extra: Any = None


@dataclass(frozen=True)
class Guidance:
    """Which parts of the guidance act in a decoding.

    Parameters
    ----------
    attention : bool
        Target-guided attention.
    semantic : bool
        Target-semantic prompting.
    """

    attention: bool = True
    semantic: bool = True


class ExampleGuidance(Protocol):
    """A model that can be shown an example.

    It keeps no state between calls, so that threads may share one.
    """

    def target(self, features: Any, mask: NDArray[np.bool_], pooling: Pooling = "mean") -> Target:
        """What the model sees under a mask (H, W) of the view.

        Raises
        ------
        PromptError
            If the mask has another size than the view, or is empty.
        """
        ...

    def similarity(self, features: Any, target: Target) -> NDArray[np.float32]:
        """Cosine similarity of each cell of the view with the target, shape (h, w), −1 to 1."""
        ...

    def enlarge(self, features: Any, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring a map over cells (h, w) to the view's size (H, W), bilinearly."""
        ...

    def decode(
        self,
        features: Any,
        prompt: PromptLike,
        target: Target,
        similarity: NDArray[np.float32],
        guidance: Guidance,
        multimask: bool,
        previous: Any | None = None,
    ) -> Decoded:
        """Answer a prompt under the guidance of a target; `similarity` is over cells (h, w)."""
        ...

    def scales(
        self, features: Any, prompt: PromptLike, like: NDArray[np.bool_] | None = None
    ) -> Scales:
        """The logits of the three masks of a prompt on one grid, for PerSAM-F to weigh.

        Parameters
        ----------
        features : Any
        prompt : PromptLike
        like : ndarray of bool, shape (H, W), optional
            A mask as large as the wanted one, for models that look at several scales.
        """
        ...


class Scales(Protocol):
    """Three masks of one prompt as logits, to be weighed.

    Attributes
    ----------
    logits : ndarray of float32, shape (3, h, w)
        Positive is object.
    scores : ndarray of float32, shape (3,)
        Predicted IoU.
    """

    logits: NDArray[np.float32]
    scores: NDArray[np.float32]

    def sample(self, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Share of each cell of the logits that a mask (H, W) of the view covers, (h, w)."""
        ...

    def finish(self, logits: NDArray[np.float32], score: float) -> Decoded:
        """A weighed map of logits (h, w) as an answer of one mask."""
        ...


class CellGuidance(ExampleGuidance):
    """A model whose features lie on cells: the target is pooled from them and compared by cosine.

    A kind of model says where its cells are and how much of each an example takes.
    """

    def view_size(self, features: Any) -> tuple[int, int]:
        """Height and width of the view."""
        raise NotImplementedError

    def cells(self, features: Any) -> NDArray[np.float32]:
        """Features of the cells that lie in the view, without its padding, shape (C, h, w)."""
        raise NotImplementedError

    def weights(self, features: Any, mask: NDArray[np.bool_]) -> NDArray[np.float32]:
        """How much each cell counts under a mask (H, W) that is not empty, (h, w), 0 to 1."""
        raise NotImplementedError

    def extra(self, features: Any, mask: NDArray[np.bool_]) -> Any:
        """What else the decoder needs of the example; nothing unless a kind of model says so."""
        return None

    def target(self, features: Any, mask: NDArray[np.bool_], pooling: Pooling = "mean") -> Target:
        """What the model sees under a mask (H, W) of the view; see `ExampleGuidance.target`."""
        height, width = self.view_size(features)
        if mask.shape != (height, width):
            raise PromptError(
                f"The example has {mask.shape[1]} × {mask.shape[0]} pixels, the image "
                f"{width} × {height}. Choose the example in this image."
            )
        if not mask.any():
            raise PromptError("The example is empty. Choose an object as the example.")
        found = pooled(self.cells(features), self.weights(features, mask), pooling)
        unit = found / max(float(np.linalg.norm(found)), 1e-9)
        return Target(unit, found, self.extra(features, mask))

    def similarity(self, features: Any, target: Target) -> NDArray[np.float32]:
        """Cosine similarity of each cell with the target; see `ExampleGuidance.similarity`."""
        cells = self.cells(features)
        lengths = np.linalg.norm(cells, axis=0).clip(1e-9)
        return np.tensordot(target.feature, cells, axes=1) / lengths


def pooled(
    cells: NDArray[np.float32], weights: NDArray[np.float32], pooling: Pooling
) -> NDArray[np.float32]:
    """One feature (C,) of cells (C, h, w), each counted by its weight (h, w)."""
    mean = np.tensordot(cells, weights, axes=([1, 2], [0, 1])) / weights.sum()
    if pooling == "mean":
        return mean.astype(np.float32)
    return ((mean + cells[:, weights > 0].max(axis=1)) / 2).astype(np.float32)

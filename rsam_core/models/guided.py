"""What one-shot segmentation asks of a model: target features, similarity, guided decoding.

The five parts of PerSAM reach into a model's decoder, so each kind of model brings its own
implementation of `ExampleGuidance`; `rsam_core.segment.one_shot` is written against it alone.

References
----------
Zhang et al., *Personalize Segment Anything Model with One Shot*, ICLR 2024.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

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

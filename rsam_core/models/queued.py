"""A model that many share: each computation waits for its slot in a queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsam_core.models.base import Decoded, MaskFilter, PromptableModel, PromptLike
from rsam_core.models.guided import ExampleGuidance, Guidance, Pooling, Scales, Target
from rsam_core.objects.crops import Cropped
from rsam_core.runtime.fair_queue import ENCODE, INTERACTIVE

if TYPE_CHECKING:
    from rsam_core.models.tiny.proposal_head import Proposals

Slot = Callable[[int], AbstractContextManager[Any]]
"""Gives the slot to be held during a computation, for a line of the queue:
``lambda line: queue.slot("somebody", line=line)``. What the block is given may be a function that
says whether somebody waits who would go first."""


class QueuedModel(PromptableModel):
    """The same model, each call of which waits for its slot.

    A call is short, so that a long job gives way to others between its calls.

    Parameters
    ----------
    model : PromptableModel
        It stays as it is; its weights are shared.
    slot : callable
        See `Slot`. It is called with `ENCODE` or `INTERACTIVE`.
    """

    def __init__(self, model: PromptableModel, slot: Slot) -> None:
        self.model, self.slot = model, slot
        self.name = model.name

    def encode(self, image: NDArray[np.uint8]) -> Any:
        """See `PromptableModel.encode`."""
        with self.slot(ENCODE):
            return self.model.encode(image)

    def decode(
        self, features: Any, prompt: PromptLike, multimask: bool, previous: Any | None = None
    ) -> Decoded:
        """See `PromptableModel.decode`."""
        with self.slot(INTERACTIVE):
            return self.model.decode(features, prompt, multimask, previous)

    def decode_many(
        self,
        features: Any,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool | MaskFilter = False,
        previous: Sequence[Any] | None = None,
    ) -> list[Decoded]:
        """See `PromptableModel.decode_many`."""
        with self.slot(INTERACTIVE):
            return self.model.decode_many(
                features, prompts, multimask, quick=quick, previous=previous
            )

    def decode_in_turns(
        self,
        features: Any,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        previous: Sequence[Any] | None = None,
        hurry: Callable[[], bool] | None = None,
    ) -> Iterator[list[tuple[int, Decoded]]]:
        """See `PromptableModel.decode_in_turns`; each turn waits for its slot."""
        somebody: list[Callable[[], bool] | None] = [hurry]

        def hurried() -> bool:
            return any(each is not None and each() for each in somebody)

        turns = self.model.decode_in_turns(
            features, prompts, multimask, previous=previous, hurry=hurried
        )
        while True:
            with self.slot(INTERACTIVE) as wanted:
                somebody[1:] = [wanted]
                answers = next(turns, None)
            if answers is None:
                return
            yield answers

    @property
    def proposes(self) -> bool:
        """See `PromptableModel.proposes`."""
        return self.model.proposes

    def propose(self, features: Any, most: int = 400, lowest: float = 0.05) -> Proposals:
        """See `PromptableModel.propose`."""
        with self.slot(INTERACTIVE):
            return self.model.propose(features, most, lowest)

    @property
    def names(self) -> bool:
        """See `PromptableModel.names`."""
        return self.model.names

    @property
    def sure(self) -> float:
        """See `PromptableModel.sure`."""
        return self.model.sure

    def neck_norm(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """See `PromptableModel.neck_norm`."""
        return self.model.neck_norm()

    def name_objects(self, features: Any, objects: Sequence[Cropped]) -> NDArray[np.float32]:
        """See `PromptableModel.name_objects`."""
        with self.slot(INTERACTIVE):
            return self.model.name_objects(features, objects)

    def guided(self) -> QueuedGuidance:
        """See `PromptableModel.guided`."""
        return QueuedGuidance(self.model.guided(), self.slot)


class QueuedGuidance(ExampleGuidance):
    """The side of a model that is shown an example, each call of which waits for its slot.

    Parameters
    ----------
    guidance : ExampleGuidance
    slot : callable
        See `Slot`.
    """

    def __init__(self, guidance: ExampleGuidance, slot: Slot) -> None:
        self.guidance, self.slot = guidance, slot

    def target(self, features: Any, mask: NDArray[np.bool_], pooling: Pooling = "mean") -> Target:
        """See `ExampleGuidance.target`."""
        with self.slot(INTERACTIVE):
            return self.guidance.target(features, mask, pooling)

    def similarity(self, features: Any, target: Target) -> NDArray[np.float32]:
        """See `ExampleGuidance.similarity`."""
        with self.slot(INTERACTIVE):
            return self.guidance.similarity(features, target)

    def enlarge(self, features: Any, cells: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `ExampleGuidance.enlarge`; it asks nothing of the network and waits for nobody."""
        return self.guidance.enlarge(features, cells)

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
        """See `ExampleGuidance.decode`."""
        with self.slot(INTERACTIVE):
            return self.guidance.decode(
                features, prompt, target, similarity, guidance, multimask, previous
            )

    def scales(
        self, features: Any, prompt: PromptLike, like: NDArray[np.bool_] | None = None
    ) -> Scales:
        """See `ExampleGuidance.scales`."""
        with self.slot(INTERACTIVE):
            return self.guidance.scales(features, prompt, like)

"""What every promptable model offers, whatever network is inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rsam_core.errors import ModelError
from rsam_core.objects.crops import Cropped, paste_all

if TYPE_CHECKING:
    from rsam_core.models.guided import ExampleGuidance
    from rsam_core.models.tiny.proposal_head import Proposals

_TURN = 16
"""Prompts that a model answers between two looks at whether somebody waits."""


class PromptLike(Protocol):
    """The part of a prompt that a model reads; see `rsam_core.prompts.prompt.Prompt`.

    Attributes
    ----------
    points : ndarray of float, shape (N, 2), or None
        Clicks as x, y in continuous view pixels (the centre of the first pixel is 0.5, 0.5).
    labels : ndarray of int, shape (N,), or None
        1 for a click on the object, 0 for a click beside it.
    box : ndarray of float, shape (4,), or None
        x0, y0, x1, y1: the outer edges in continuous view pixels.
    mask : ndarray of bool, shape (H, W), or None
        A rough mask of the object, of the view's size.
    """

    points: np.ndarray | None
    labels: np.ndarray | None
    box: np.ndarray | None
    mask: np.ndarray | None


@dataclass(frozen=True)
class MaskFilter:
    """What the automatic mode can use; see `PromptableModel.decode_many`.

    Parameters
    ----------
    quality : float
        Lowest predicted IoU.
    stability : float
        Lowest stability.
    """

    quality: float = 0.0
    stability: float = 0.0


@dataclass(frozen=True, eq=False)
class Decoded:
    """The answer to one prompt: K masks in the order in which the model gives them.

    Attributes
    ----------
    masks : ndarray of bool, shape (K, h, w)
        All masks, cropped to one common window. At least 1 × 1 pixel, even if nothing was found.
    x, y : int
        Top-left corner of that window in view pixels.
    scores : ndarray of float32, shape (K,)
        Predicted IoU of each mask, **not** sorted.
    lowres : Any
        Low-resolution logits, meant only for the model that made them: ``lowres[k]`` is what
        `PromptableModel.decode` takes as `previous` to refine mask ``k``.
    stability : ndarray of float32, shape (K,)
        IoU between the masks at a stricter and at a looser threshold, 0 to 1.
    """

    masks: np.ndarray
    x: int
    y: int
    scores: np.ndarray
    lowres: Any
    stability: np.ndarray

    def full(self, shape: tuple[int, int]) -> np.ndarray:
        """Paste the masks back into the view.

        Parameters
        ----------
        shape : tuple of int
            Height and width of the view.

        Returns
        -------
        ndarray of bool, shape (K, H, W)
        """
        return paste_all(self.masks, self.x, self.y, shape)


class PromptableModel(Protocol):
    """A model that looks at an image once and then answers any number of prompts.

    Attributes
    ----------
    name : str
        Name in the catalogue, for example ``"rsam-tiny"``.

    Notes
    -----
    A model keeps no state between calls, so that several threads may share one. Subclass this
    protocol to inherit `decode_many`.
    """

    name: str

    def encode(self, image: np.ndarray) -> Any:
        """Embed an image.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, 3)
            The view, RGB.

        Returns
        -------
        Any
            Immutable features with an attribute ``nbytes`` (int), to be handed to `decode`.
        """
        ...

    def decode(
        self, features: Any, prompt: PromptLike, multimask: bool, previous: Any | None = None
    ) -> Decoded:
        """Answer one prompt.

        Parameters
        ----------
        features : Any
            What `encode` returned.
        prompt : PromptLike
            Points, box and mask of one object, in view pixels.
        multimask : bool
            Three masks for an ambiguous prompt instead of one.
        previous : Any, optional
            ``lowres[k]`` of an earlier answer, to refine that mask.

        Returns
        -------
        Decoded
        """
        ...

    def decode_many(
        self,
        features: Any,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool | MaskFilter = False,
        previous: Sequence[Any] | None = None,
    ) -> list[Decoded]:
        """Answer several prompts, one object each, in their order.

        Parameters
        ----------
        features : Any
            What `encode` returned.
        prompts : sequence of PromptLike
            One prompt an object.
        multimask : bool
            Three masks for each prompt instead of one.
        quick : bool or MaskFilter
            Spend less on each prompt where the model can: very large objects may be left out, and
            masks that are not what is wanted. Used by the automatic mode, which asks about
            hundreds of points.
        previous : sequence, optional
            For each prompt ``lowres[k]`` of an earlier answer, to refine that mask.

        Returns
        -------
        list of Decoded
        """
        earlier = [None] * len(prompts) if previous is None else previous
        return [self.decode(features, p, multimask, e) for p, e in zip(prompts, earlier)]

    def decode_in_turns(
        self,
        features: Any,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        previous: Sequence[Any] | None = None,
        hurry: Callable[[], bool] | None = None,
    ) -> Iterator[list[tuple[int, Decoded]]]:
        """Answer many prompts as `decode_many` does with ``quick``, a little at a time.

        Whoever asks can stop between two turns, tell how far it is, or let a click go ahead.

        Parameters
        ----------
        features, prompts, multimask, previous
            As for `decode_many`.
        hurry : callable, optional
            Whether somebody waits for the turn to end. A model may ask it within a turn, from any
            thread, and then ends the turn early.

        Yields
        ------
        list of (int, Decoded)
            What the turn gave, maybe nothing: positions of prompts, and their answers. Each
            prompt comes once, in any order.
        """
        earlier = [None] * len(prompts) if previous is None else previous
        for start in range(0, len(prompts), _TURN):
            part = slice(start, start + _TURN)
            answers = self.decode_many(
                features, prompts[part], multimask, quick=MaskFilter(), previous=earlier[part]
            )
            yield list(enumerate(answers, start))

    @property
    def proposes(self) -> bool:
        """Whether the model can say by itself where objects are."""
        return False

    def propose(self, features: Any, most: int = 400, lowest: float = 0.05) -> Proposals:
        """Where objects are, most likely first.

        Parameters
        ----------
        features : Any
            What `encode` returned.
        most : int
            Proposals at most.
        lowest : float
            Proposals less likely than this, 0 to 1, are left out.

        Raises
        ------
        ModelError
            If the model cannot propose objects.
        """
        raise ModelError(
            f"The model {self.name} cannot propose objects. Search on a grid, or choose rsam-tiny "
            "on the Models page."
        )

    @property
    def names(self) -> bool:
        """Whether the model can say what objects are."""
        return False

    @property
    def sure(self) -> float:
        """Probability, 0 to 1, from which a kind is worth saying; below it is "not sure"."""
        return 0.5

    def neck_norm(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Weight and bias of the layer norm that ends the image encoder, (C,) each.

        None where its features are not normalised. Methods that compare features of two images
        undo it (AnyChange).
        """
        return None

    def name_objects(self, features: Any, objects: Sequence[Cropped]) -> np.ndarray:
        """How likely each kind is for each object.

        Parameters
        ----------
        features : Any
            What `encode` returned.
        objects : sequence of Cropped
            Cropped masks in view pixels; what lies beside the view is not looked at.

        Returns
        -------
        ndarray of float32, shape (N, 10)
            Probabilities, in the order of `rsam_core.models.tiny.kinds.KINDS`.

        Raises
        ------
        ModelError
            If the model cannot say what objects are.
        """
        raise ModelError(
            f"The model {self.name} cannot say what objects are. Choose rsam-tiny on the Models "
            "page, or give the objects classes by hand."
        )

    def guided(self) -> ExampleGuidance:
        """The side of the model that can be shown an example.

        Raises
        ------
        ModelError
            If the model cannot be shown one.
        """
        raise ModelError(
            f"The model {self.name} cannot learn from an example. Choose rsam-tiny or an official "
            "SAM model on the Models page."
        )

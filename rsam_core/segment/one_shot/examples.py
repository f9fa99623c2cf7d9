"""Examples: objects to find more of, and objects to keep clear of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rsam_core.errors import OneShotError
from rsam_core.models.guided import Target
from rsam_core.objects.instance import Instance
from rsam_core.objects.instances import Instances
from rsam_core.segment.features.pooling import EmbeddedView
from rsam_core.segment.features.view_crops import in_view
from rsam_core.segment.one_shot.descriptors import Descriptions, describe
from rsam_core.segment.one_shot.persam import check_example
from rsam_core.segment.segmenter import Segmenter

FARTHEST = 4.0
"""Pixels of the example's image may be so many times as large, or as small, as the other's."""


@dataclass(frozen=True, eq=False)
class Example:
    """An object to find more of.

    Attributes
    ----------
    instance : Instance
        In scene pixels of its image.
    description : Descriptions
        Of this one object.
    target : Target
        What it looks like to the model.
    positive : bool
        False for "not this one".
    image : str
        Name of its image.
    """

    instance: Instance
    description: Descriptions
    target: Target
    positive: bool = True
    image: str = ""


def make_example(
    segmenter: Segmenter,
    scene: Any,
    view: EmbeddedView,
    instance: Instance,
    *,
    positive: bool = True,
) -> Example:
    """Learn what an object looks like.

    Parameters
    ----------
    segmenter : Segmenter
    scene : Scene
        The image that shows it.
    view : EmbeddedView
        The encoded view that shows it, by the same model.
    instance : Instance
        In scene pixels.
    positive : bool
        False for "not this one".

    Raises
    ------
    OneShotError
        If the object has fewer than four pixels in the view, covers almost all of it, or lies
        outside.
    """
    mask = in_view(instance, view)
    if not mask.any():
        raise OneShotError(
            "The example lies outside the part of the image that the model has looked at. Choose "
            "one in that part, or move the view there."
        )
    check_example(mask)
    target = segmenter.model.guided().target(view.embedding.features, mask)
    one = Instances([instance], (scene.height, scene.width))
    description = describe(one, scene, [view], segmenter.model.name, namer=segmenter.model)
    return Example(instance, description, target, positive, getattr(scene, "name", ""))


def check_examples(
    examples: Sequence[Example], model: str, gsd: float | None
) -> tuple[list[Example], list[str]]:
    """Examples as they count in an image, and what is to be said of them.

    Sizes are compared on the ground where both images know their ground sample distance, in
    pixels otherwise.

    Parameters
    ----------
    examples : sequence of Example
    model : str
        Name of the model in use.
    gsd : float or None
        Ground sample distance of the image to search.

    Returns
    -------
    examples : list of Example
    notes : list of str

    Raises
    ------
    OneShotError
        If there is no positive example, one was learned by another model, or its image has a
        resolution more than four times finer or coarser.
    """
    if not any(example.positive for example in examples):
        raise OneShotError("Choose at least one example of what is to be found.")
    notes: list[str] = []
    suited = []
    for example in examples:
        if example.description.model != model:
            raise OneShotError(
                f"The example was learned by {example.description.model} but the model is now "
                f"{model}. Choose the example again."
            )
        own = example.description.gsd
        if own and gsd:
            ratio = max(own / gsd, gsd / own)
            if ratio > FARTHEST:
                finer, coarser = sorted((own, gsd))
                raise OneShotError(
                    f"The example comes from an image with {own:.3g} m a pixel, this one has "
                    f"{gsd:.3g}: objects look too different at {finer:.3g} and {coarser:.3g} m. "
                    "Choose an example in this image, or resample one of the images on the "
                    "Prepare page."
                )
            if ratio > 1.5:
                notes.append(
                    f"The example's pixels measure {own:.3g} m, those of this image {gsd:.3g} m: "
                    "sizes are compared in metres, but the look may differ."
                )
        elif own != gsd:
            notes.append(
                "Only one of the two images knows the size of its pixels: sizes are compared in "
                "pixels."
            )
        suited.append(replace(example, description=example.description.at(gsd)))
    return suited, list(dict.fromkeys(notes))


def positives(examples: Iterable[Example]) -> list[Example]:
    """The examples of what is to be found."""
    return [example for example in examples if example.positive]

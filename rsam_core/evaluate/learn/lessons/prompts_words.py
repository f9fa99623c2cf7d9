"""Words in lesson 3: what a sentence means among all that is found around an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rsam_core.evaluate.learn.asking import jaccard
from rsam_core.evaluate.learn.lessons.prompts_objects import Mask, Picture, Target, View
from rsam_core.prompts.simulated import tight_box

if TYPE_CHECKING:
    from rsam_core.segment.embedding import Embedding
    from rsam_core.segment.segmenter import Segmenter
    from rsam_core.segment.words.description import Description


def described(model: Segmenter, embedding: Embedding, picture: Picture, gsd: float) -> Description:
    """Everything that a model finds in a picture, with what words can ask of it.

    Parameters
    ----------
    model : Segmenter
        One that names kinds, such as ``rsam-tiny``.
    embedding : Embedding
        Of the picture.
    picture : (H, W, 3) ndarray of uint8
    gsd : float
        Metres a pixel.
    """
    from rsam_core.scene.scene import open_scene
    from rsam_core.segment.kinds import guess_kinds
    from rsam_core.segment.words.description import describe

    content = cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1].tobytes()
    scene = open_scene(content, name="part.png", examine=False).with_gsd(gsd)
    objects = model.everything(embedding)
    kinds = guess_kinds(objects, scene, model)
    return describe(objects, scene, probabilities=kinds.probabilities)


def around(target: Target) -> View:
    """What words are asked of: the place around the object, a quarter of it."""
    height, width = target.truth.shape
    x0, y0, x1, y1 = tight_box(target.truth)
    left = min(max(round((x0 + x1) / 2 - 160), 0), width - 320)
    top = min(max(round((y0 + y1) / 2 - 100), 0), height - 200)
    return View(left, top, 320, 200)


def by_words(known: Description, target: Target, sentence: str) -> tuple[list[Mask], int | None]:
    """The objects that a sentence means, as masks of the place, and which of them fits best.

    Raises
    ------
    WordsError
        If nothing of the sentence was understood.
    """
    from rsam_core.segment.words.query import words

    view = around(target)
    masks = []
    for item in words(sentence).select(known.objects, known=known):
        whole = np.zeros(target.truth.shape, bool)
        top, left = view.y + item.y, view.x + item.x
        whole[top : top + item.mask.shape[0], left : left + item.mask.shape[1]] = item.mask
        masks.append(whole)
    fits = [jaccard(target.truth, mask) for mask in masks]
    return masks, int(np.argmax(fits)) if fits and max(fits) > 0 else None

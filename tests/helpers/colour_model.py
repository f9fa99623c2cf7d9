"""A model that segments by colour: what is red."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.ndimage import label

from rsam_core.models.base import Decoded, PromptableModel


class ColourModel(PromptableModel):
    """Its mask is what is red in the box, or the red piece under the click."""

    name = "colour"

    def encode(self, image):
        red = image[..., 0].astype(int) > image[..., 1].astype(int) + 60
        return SimpleNamespace(nbytes=1, red=red)

    def decode(self, features, prompt, multimask, previous=None):
        mask = np.zeros(features.red.shape, bool)
        if prompt.box is not None:
            x0, y0, x1, y1 = (round(float(v)) for v in prompt.box)
            mask[y0:y1, x0:x1] = features.red[y0:y1, x0:x1]
        else:
            pieces = label(features.red)[0]
            x, y = prompt.points[0]
            number = pieces[int(y), int(x)]
            mask = (pieces == number) if number else mask
        score = 0.9 if mask.any() else 0.1
        return Decoded(mask[None], 0, 0, np.array([score], np.float32), ["0"],
                       np.array([0.9], np.float32))  # fmt: skip

"""``rsam-tiny`` as a promptable model: encode a view once, decode prompts in windows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, MaskFilter, PromptableModel, PromptLike
from rsam_core.models.parallel import all_cores, cores, side_by_side
from rsam_core.models.tiny._looks import best_of, look_again
from rsam_core.models.tiny._views import TinyFeatures, as_input, place_scaled, scaled
from rsam_core.models.tiny._windowed import Lowres, box_limits, cut_off, finish, merge, prompt_batch
from rsam_core.models.tiny._windows import (
    CELL,
    LEVELS,
    RUNGS,
    SCALED_LEVEL,
    SMALL_SIDES,
    Window,
    is_single_click,
    level_for,
    place,
    prompt_span,
    small_rung,
)
from rsam_core.models.tiny.encoder import FeatureMaps
from rsam_core.models.tiny.guided import TinyGuidance
from rsam_core.models.tiny.kind_head import describe
from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.prompt_maps import Guide, anchored
from rsam_core.models.tiny.proposal_head import Proposals, find_peaks
from rsam_core.objects.crops import Cropped

WEIGHTS = Path(__file__).with_name("rsam_tiny.safetensors")

_CELLS_AT_ONCE = 4096
"""Feature cells decoded at a time, four windows of 256 pixels: more fall out of the processor's
cache and gain nothing, fewer leave it waiting for the next operation."""

_MAX_AT_ONCE = 16

_LEAST, _PORTION = 4, 16
"""Prompts that one core gets at a time."""

_QUICK_LEVEL = 1
"""Largest window in which the automatic mode looks."""


class TinyModel(PromptableModel):
    """The embedded model.

    Stateless after construction, so that threads may share it.

    Parameters
    ----------
    network : TinyNetwork
        With weights, in evaluation mode.
    """

    name = "rsam-tiny"

    def __init__(self, network: TinyNetwork) -> None:
        self.network = network.eval().requires_grad_(False)
        self.network.to(memory_format=torch.channels_last)

    def guided(self) -> TinyGuidance:
        """See `PromptableModel.guided`."""
        return TinyGuidance(self)

    @torch.inference_mode()
    def encode(self, image: np.ndarray) -> TinyFeatures:
        """Embed a view; see `PromptableModel.encode`."""
        with all_cores():
            maps = self.network.encode(as_input(image))
        return TinyFeatures(maps, *image.shape[:2], np.array(image))

    @torch.inference_mode()
    def look(self, features: TinyFeatures, window: Window) -> FeatureMaps:
        """Feature maps of a window encoded at its own scale, enlarged or reduced.

        Parameters
        ----------
        features : TinyFeatures
            From `encode`.
        window : Window
            From `rsam_core.models.tiny._views.place_scaled`.
        """
        return self.network.encode(as_input(scaled(features.picture, window)))

    @property
    def proposes(self) -> bool:
        """Whether the weights hold the head that proposes objects."""
        return self.network.proposals is not None

    @torch.inference_mode()
    def propose(self, features: TinyFeatures, most: int = 400, lowest: float = 0.05) -> Proposals:
        """Where objects are, most likely first.

        Parameters
        ----------
        features : TinyFeatures
            From `encode`.
        most : int
            Proposals at most.
        lowest : float
            Peaks below this height, 0 to 1, are left out.

        Returns
        -------
        Proposals
            In view pixels.

        Raises
        ------
        ModelError
            If the weights lack the head.
        """
        if not self.proposes:
            raise ModelError(
                "These weights of the embedded model cannot propose objects. Search on a grid, or "
                "install RSAM again."
            )
        with all_cores():
            maps = self.network.propose(features.maps)
        return find_peaks(maps, (features.height, features.width), most=most, lowest=lowest)

    @property
    def names(self) -> bool:
        """Whether the weights hold the head that says what objects are."""
        return self.network.kinds is not None

    @property
    def sure(self) -> float:
        """See `PromptableModel.sure`; found on places that the head has not seen."""
        return float(self.network.kinds.sure) if self.names else super().sure

    @torch.inference_mode()
    def name_objects(self, features: TinyFeatures, objects: Sequence[Cropped]) -> np.ndarray:
        """How likely each kind is for each object; see `PromptableModel.name_objects`.

        Raises
        ------
        ModelError
            If the weights lack the head.
        """
        if not self.names:
            raise ModelError(
                "These weights of the embedded model cannot say what objects are. Give the objects "
                "classes by hand, or install RSAM again."
            )
        inputs = describe(features.maps, [(one.mask, one.x, one.y) for one in objects])
        return self.network.kinds.probabilities(inputs).numpy()

    def decode(
        self,
        features: TinyFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Tensor | None = None,
    ) -> Decoded:
        """Answer one prompt; see `PromptableModel.decode`.

        The window grows while the best mask is cut off by its border. A lone click is answered
        in two windows, a fine and a wide one, because it may mean a small thing or a large one;
        the best proposals of both are returned. What is most likely meant is looked at again; see
        `rsam_core.models.tiny._looks`.
        """
        return self._answer(features, [prompt], multimask, [previous])[0]

    def decode_guided(
        self,
        features: TinyFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Tensor | None,
        guide: Guide,
    ) -> Decoded:
        """Answer one prompt under the guidance of an example; see `TinyGuidance`."""
        return self._decode(features, [prompt], multimask, [previous], guide=guide)[0]

    def decode_many(
        self,
        features: TinyFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        quick: bool | MaskFilter = False,
        previous: Sequence[Lowres | None] | None = None,
    ) -> list[Decoded]:
        """Answer several prompts; see `PromptableModel.decode_many`.

        With ``quick`` a window grows once only, masks that are still cut off are left out, small
        boxes are looked at in small windows, and masks may reach further beyond their box.
        """
        highest = _QUICK_LEVEL if quick else len(LEVELS) - 1
        earlier = [None] * len(prompts) if previous is None else previous

        def work(portion: Sequence[tuple[PromptLike, Lowres | None]]) -> list[Decoded]:
            asked, before = [p for p, _ in portion], [e for _, e in portion]
            if not quick:
                return self._answer(features, asked, multimask, before)
            return self._decode(features, asked, multimask, before, highest, proposed=True)

        # Windows of one size are decoded together, so prompts of one size go to one core.
        order = sorted(range(len(prompts)), key=lambda i: _reach(prompts[i]))
        share = min(max(-(-len(prompts) // cores()), _LEAST), _PORTION)
        answers = side_by_side(work, [(prompts[i], earlier[i]) for i in order], share)
        return [answer for _, answer in sorted(zip(order, answers), key=lambda pair: pair[0])]

    @torch.inference_mode()
    def _answer(
        self,
        features: TinyFeatures,
        prompts: list[PromptLike],
        multimask: bool,
        previous: list[Lowres | None],
    ) -> list[Decoded]:
        """Answers to what a person marked: decoded, and looked at again."""
        prompts = [anchored(prompt) for prompt in prompts]
        # One more than are returned, for the case that two become alike.
        answers = self._decode(features, prompts, multimask, previous, spare=1)
        count = 3 if multimask else 1
        return [
            look_again(self, features, prompt, answer, count)
            if not multimask or is_single_click(prompt)
            else best_of(answer, count)
            for prompt, answer in zip(prompts, answers)
        ]

    @torch.inference_mode()
    def _decode(
        self,
        features: TinyFeatures,
        prompts: list[PromptLike],
        multimask: bool,
        previous: list[Lowres | None],
        highest: int = len(LEVELS) - 1,
        guide: Guide | None = None,
        proposed: bool = False,
        spare: int = 0,
    ) -> list[Decoded]:
        prompts = [anchored(prompt) for prompt in prompts]
        spans = [prompt_span(prompt) for prompt in prompts]
        limits = [box_limits(prompt, proposed) for prompt in prompts]
        height = features.maps.image.shape[2] * CELL
        width = features.maps.image.shape[3] * CELL
        shape = (features.height, features.width)
        waiting: dict[int, list[int]] = defaultdict(list)
        for i, prompt in enumerate(prompts):
            first = level_for(spans[i], shape)
            if previous[i] is not None:
                first = max(first, previous[i].level)
            small = small_rung(spans[i]) if proposed and prompt.box is not None else None
            if not first and small is not None:
                waiting[small].append(i)
                continue
            rung = len(SMALL_SIDES) + first
            waiting[rung].append(i)
            if multimask and previous[i] is None and is_single_click(prompt):
                waiting[rung + 1].append(i)
        found: list[list[Decoded]] = [[] for _ in prompts]
        cut: list[list[Decoded]] = [[] for _ in prompts]
        kept = slice(0, 3) if multimask else slice(3, 4)
        for rung, (level, side) in enumerate(RUNGS):
            now = waiting.pop(rung, [])
            if not now:
                continue
            pool = LEVELS[level][1]
            # Under guidance the features must be those that the example was described by.
            anew = level >= SCALED_LEVEL and guide is None
            maps = features.maps if anew else features.pooled(pool)
            at_once = min(_CELLS_AT_ONCE // (side // pool // CELL) ** 2, _MAX_AT_ONCE)
            at_once = 1 if anew else at_once
            for start in range(0, len(now), at_once):
                chunk = now[start : start + at_once]
                asked, before = [prompts[i] for i in chunk], [previous[i] for i in chunk]
                if anew:
                    windows = [place_scaled(spans[i], side, pool, shape) for i in chunk]
                    logits, quality = self.scaled_window(features, windows[0], asked, before)
                else:
                    windows = [place(spans[i], level, width, height, side) for i in chunk]
                    logits, quality = self.windows(maps, windows, asked, before, guide)
                for i, window, z, q in zip(chunk, windows, logits[:, kept], quality[:, kept]):
                    whole = [not cut_off(m, window, width, height) for m in z]
                    if level == len(LEVELS) - 1:
                        whole = [True] * len(z)
                    grow = not whole[int(q.argmax())] and level < highest
                    # A small window grows to the usual one of its level.
                    wider = max(rung + 1, len(SMALL_SIDES))
                    if grow and i not in waiting[wider]:
                        waiting[wider].append(i)
                    if any(whole):
                        found[i].append(finish(z[whole], q[whole], window, level, shape, limits[i]))
                    if not all(whole) and highest == len(LEVELS) - 1:
                        part = [not w for w in whole]
                        cut[i].append(finish(z[part], q[part], window, level, shape, limits[i]))
        count = 3 + spare if multimask else 1
        return [merge(answers, count, left) for answers, left in zip(found, cut)]

    def scaled_window(
        self,
        features: TinyFeatures,
        window: Window,
        prompts: list[PromptLike],
        previous: list[Lowres | None],
    ) -> tuple[Tensor, Tensor]:
        """Decode a window that is encoded at its own scale; see `windows`."""
        maps = self.look(features, window)
        batch = prompt_batch(prompts, [window] * len(prompts), previous)
        many = (len(prompts), -1, -1, -1)
        return self.network.decoder(
            maps.image.expand(many), maps.key.expand(many), maps.skip.expand(many), batch
        )

    def windows(
        self,
        maps: FeatureMaps,
        windows: list[Window],
        prompts: list[PromptLike],
        previous: list[Lowres | None],
        guide: Guide | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Decode windows of one level; they share one size because the view is one size.

        Returns
        -------
        logits : Tensor
            (N, 4, h, w), four view pixels of the level a cell.
        quality : Tensor
            (N, 4) predicted IoU.
        """

        def cut(source: Tensor, cell: int) -> Tensor:
            pieces = []
            for w in windows:
                size = cell * w.pool
                x, y = w.x // size, w.y // size
                pieces.append(source[:, :, y : y + w.height // size, x : x + w.width // size])
            # Averaging down may leave a last odd cell; its window is filled by repetition.
            rows, columns = (
                windows[0].height // (cell * windows[0].pool),
                windows[0].width // (cell * windows[0].pool),
            )
            pieces = [
                F.pad(p, (0, columns - p.shape[3], 0, rows - p.shape[2]), mode="replicate")
                if p.shape[2:] != (rows, columns)
                else p
                for p in pieces
            ]
            return torch.cat(pieces).contiguous(memory_format=torch.channels_last)

        batch = prompt_batch(prompts, windows, previous, guide)
        return self.network.decoder(
            cut(maps.image, CELL), cut(maps.key, CELL), cut(maps.skip, CELL // 2), batch
        )


def _reach(prompt: PromptLike) -> float:
    """Longer side of everything that a prompt marks, in view pixels."""
    x0, y0, x1, y1 = prompt_span(anchored(prompt))
    return max(x1 - x0, y1 - y0)


def load_tiny(path: Path = WEIGHTS) -> TinyModel:
    """Load the embedded model.

    Parameters
    ----------
    path : Path
        A float16 safetensors file with folded batch normalisation.

    Raises
    ------
    ModelError
        If the file is missing or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = {name: value.float() for name, value in load_file(str(path)).items()}
        # Each part that came later is there if its weights are.
        parts = {name.partition(".")[0] for name in state}
        network = TinyNetwork(True, proposing="proposals" in parts, naming="kinds" in parts)
        network.load_state_dict(state)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelError(
            "The embedded model's weights are missing or damaged. Install RSAM again."
        ) from error
    return TinyModel(network)

"""``rsam-tiny`` as a promptable model: encode a view once, decode prompts in windows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from rsam_core.errors import ModelError
from rsam_core.models.base import Decoded, MaskFilter, PromptableModel, PromptLike
from rsam_core.models.parallel import all_cores, cores, side_by_side, while_time
from rsam_core.models.tiny._decoding import Decoding, Request
from rsam_core.models.tiny._looks import best_of, look_again
from rsam_core.models.tiny._traced import TracedDecoder
from rsam_core.models.tiny._views import TinyFeatures, as_input, scaled
from rsam_core.models.tiny._windowed import Lowres, prompt_batch
from rsam_core.models.tiny._windows import (
    CELL,
    Window,
    is_single_click,
    prompt_span,
)
from rsam_core.models.tiny.encoder import FeatureMaps
from rsam_core.models.tiny.guided import TinyGuidance
from rsam_core.models.tiny.kind_head import describe
from rsam_core.models.tiny.network import TinyNetwork
from rsam_core.models.tiny.prompt_maps import Guide, anchored
from rsam_core.models.tiny.proposal_head import Proposals, find_peaks
from rsam_core.objects.crops import Cropped

WEIGHTS = Path(__file__).with_name("rsam_tiny.safetensors")

_LEAST, _PORTION = 4, 16
"""Prompts that one core gets at a time."""

_PORTIONS = 4
"""Portions for each core where there are prompts enough."""

_TURN = 0.5
"""Seconds after which a turn of many prompts ends, though nobody waits."""

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
        self._in_one_step = TracedDecoder(network.decoder)

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

    def look_reduced(self, features: TinyFeatures, pool: int) -> FeatureMaps:
        """Feature maps of the whole view, encoded at a pixel for ``pool`` of its own.

        Kept with the features: where many objects are large, all their windows are parts of it.
        """
        if pool not in features.encoded_reduced:
            width, height = (-(-n // pool) * pool for n in (features.width, features.height))
            whole = Window(0, 0, width, height, pool)
            # Two threads may both encode it; either result will do.
            features.encoded_reduced[pool] = self.look(features, whole)
        return features.encoded_reduced[pool]

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
        return self._answer(features, [prompt], [previous], multimask)[0]

    def decode_guided(
        self,
        features: TinyFeatures,
        prompt: PromptLike,
        multimask: bool,
        previous: Tensor | None,
        guide: Guide,
    ) -> Decoded:
        """Answer one prompt under the guidance of an example; see `TinyGuidance`."""
        request = Request(features, [prompt], [previous], multimask, guide=guide)
        return Decoding(self, request).answers()[0]

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
        earlier = [None] * len(prompts) if previous is None else list(previous)
        if quick:
            turns = self.decode_in_turns(features, prompts, multimask, previous=earlier)
            return [answer for _, answer in sorted(chain.from_iterable(turns), key=_first)]

        def work(portion: Sequence[tuple[PromptLike, Lowres | None]]) -> list[Decoded]:
            return self._answer(features, *map(list, zip(*portion)), multimask)

        # Windows of one size are decoded together, so prompts of one size go to one core; those
        # that take longest go first, so that no core has to wait for another in the end.
        order = sorted(range(len(prompts)), key=lambda i: _reach(prompts[i]), reverse=True)
        share = min(max(-(-len(prompts) // (_PORTIONS * cores())), _LEAST), _PORTION)
        answers = side_by_side(work, [(prompts[i], earlier[i]) for i in order], share)
        return [answer for _, answer in sorted(zip(order, answers), key=_first)]

    def decode_in_turns(
        self,
        features: TinyFeatures,
        prompts: Sequence[PromptLike],
        multimask: bool,
        *,
        previous: Sequence[Lowres | None] | None = None,
        hurry: Callable[[], bool] | None = None,
    ) -> Iterator[list[tuple[int, Decoded]]]:
        """Answer many prompts as `decode_many` does with ``quick``, a little at a time.

        See `PromptableModel.decode_in_turns`. Where somebody is in a hurry a turn ends with the
        batches that are being decoded, within a few hundredths of a second.
        """
        earlier = [None] * len(prompts) if previous is None else list(previous)
        request = Request(
            features, prompts, earlier, multimask, highest=_QUICK_LEVEL, proposed=True
        )
        decoding = Decoding(self, request)
        while batches := decoding.batches():
            while batches:
                end = time.monotonic() + _TURN
                looks = while_time(
                    decoding.decode,
                    batches,
                    lambda end=end: time.monotonic() > end or (hurry is not None and hurry()),
                )
                for batch, look in zip(batches, looks):
                    decoding.note(batch, look)
                batches = batches[len(looks) :]
                yield decoding.answered()

    @torch.inference_mode()
    def _answer(
        self,
        features: TinyFeatures,
        prompts: list[PromptLike],
        previous: list[Lowres | None],
        multimask: bool,
    ) -> list[Decoded]:
        """Answers to what a person marked: decoded, and looked at again."""
        prompts = [anchored(prompt) for prompt in prompts]
        # One more than are returned, for the case that two become alike.
        answers = Decoding(self, Request(features, prompts, previous, multimask, spare=1)).answers()
        count = 3 if multimask else 1
        return [
            look_again(self, features, prompt, answer, count)
            if not multimask or is_single_click(prompt)
            else best_of(answer, count)
            for prompt, answer in zip(prompts, answers)
        ]

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
        many: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Decode windows of one level; they share one size because the view is one size.

        ``many`` says that there will be many such calls, so that it is worth preparing for them.

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
        decoder = self._in_one_step if many else self.network.decoder
        return decoder(cut(maps.image, CELL), cut(maps.key, CELL), cut(maps.skip, CELL // 2), batch)


def _first(pair: tuple[int, Decoded]) -> int:
    return pair[0]


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

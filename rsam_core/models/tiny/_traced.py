"""The decoder as one step outside Python, so that two cores can decode at a time.

Python runs one thread at a time. Decoding a few windows is hundreds of short steps, between which
a thread waits until the other lets go of the interpreter: two cores were used 1.3-fold. So the
steps are recorded once and then run as a whole, as PyTorch's TorchScript does. What it computes is
the same to the last bit. Where a PyTorch cannot record them, they are taken one by one.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rsam_core.models.tiny.decoder import MaskDecoder
from rsam_core.models.tiny.encoder import DECODER_CHANNELS, KEY_CHANNELS, SKIP_CHANNELS
from rsam_core.models.tiny.prompt_maps import PromptBatch

Recorded = Callable[..., tuple[Tensor, Tensor]]


@dataclass
class _Told(PromptBatch):
    """Prompts of which it is known whether there are clicks and earlier masks."""

    clicked: bool = True
    refines: bool = True


class _Steps(nn.Module):
    """A decoder that takes tensors alone."""

    def __init__(self, decoder: MaskDecoder, clicked: bool, refines: bool) -> None:
        super().__init__()
        self.decoder, self.clicked, self.refines = decoder, clicked, refines

    def forward(
        self, image: Tensor, key: Tensor, skip: Tensor, *prompts: Tensor
    ) -> tuple[Tensor, Tensor]:
        """See `MaskDecoder`; ``prompts`` are the tensors of a `PromptBatch`."""
        batch = _Told(*prompts, clicked=self.clicked, refines=self.refines)
        return self.decoder(image, key, skip, batch)


class TracedDecoder:
    """Answers as a decoder does; see `MaskDecoder.forward`. Threads may share it.

    Parameters
    ----------
    decoder : MaskDecoder
        Its weights are shared. Any other module is called as it is.
    """

    def __init__(self, decoder: nn.Module) -> None:
        self.decoder = decoder
        self._lock = threading.Lock()
        self._recorded: dict[tuple[bool, bool], Recorded | None] = {}

    def __call__(
        self, image: Tensor, key: Tensor, skip: Tensor, batch: PromptBatch
    ) -> tuple[Tensor, Tensor]:
        """Decode one window a prompt."""
        recorded = self._for(image, batch)
        if recorded is None:
            return self.decoder(image, key, skip, batch)
        # Without PyTorch's own improvement of the steps, which takes a sixth of a second at the
        # first calls and gains nothing: what could be joined was joined by hand.
        with torch.jit.optimized_execution(False):
            return recorded(image, key, skip, *_tensors(batch))

    def _for(self, image: Tensor, batch: PromptBatch) -> Recorded | None:
        if not isinstance(self.decoder, MaskDecoder) or batch.guide is not None:
            return None
        if image.device.type != "cpu" or torch.is_grad_enabled():
            return None
        kind = batch.clicked, batch.refines
        with self._lock:
            if kind not in self._recorded:
                self._recorded[kind] = _record(self.decoder, *kind)
            return self._recorded[kind]


def _record(decoder: MaskDecoder, clicked: bool, refines: bool) -> Recorded | None:
    """The steps for one kind of prompts; None if recording fails or changes the answer."""
    steps = _Steps(decoder, clicked, refines).eval()
    try:
        with warnings.catch_warnings():
            # It is to be replaced by ways that need a compiler, which few people have.
            warnings.simplefilter("ignore")
            recorded = torch.jit.trace(steps, _example(5, 6, 7), check_trace=False)
        # Sizes must not have been taken for constants.
        example = _example(2, 4, 3)
        with torch.jit.optimized_execution(False):
            found = recorded(*example)
        if not all(map(torch.equal, found, steps(*example))):
            return None
    except Exception:  # whatever this PyTorch has against it, decoding works without
        return None
    return recorded


def _tensors(batch: PromptBatch) -> tuple[Tensor, ...]:
    return (
        batch.points, batch.labels, batch.boxes, batch.has_box, batch.previous,
        batch.has_previous,
    )  # fmt: skip


def _example(n: int, h: int, w: int) -> tuple[Tensor, ...]:
    """Input of n windows of h × w coarse cells."""
    random = torch.Generator().manual_seed(n)

    def maps(channels: int, times: int) -> Tensor:
        drawn = torch.randn(n, channels, h * times, w * times, generator=random)
        return drawn.contiguous(memory_format=torch.channels_last)

    box = torch.rand(n, 4, generator=random) * 20 + torch.tensor([0, 0, 30, 30])
    return (
        maps(DECODER_CHANNELS, 1),
        nn.functional.normalize(maps(KEY_CHANNELS, 1), dim=1),
        maps(SKIP_CHANNELS, 2),
        torch.rand(n, 1, 2, generator=random) * 20,
        torch.ones(n, 1, dtype=torch.int64),
        box,
        torch.ones(n),
        torch.rand(n, 1, 2 * h, 2 * w, generator=random),
        torch.ones(n),
    )

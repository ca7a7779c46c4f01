"""VGG16 in the form of single-shot detectors: fc6 and fc7 reduced to convolutions, more levels on top."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from refinedet.model.backbones.weight_files import check_shapes

REDUCED_FC = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33)
"""Numbers N of the 30 tensors `N.weight` and `N.bias` of the public `vgg16_reducedfc.pth`: places of the convolutions
in a VGG16 without batch norm."""

_STAGES = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
_LEVELS = {4: 256, 8: 512, 16: 512, 32: 1024}
"""Stride -> channels of conv3_3, conv4_3, conv5_3 and fc7."""
_NORM_SCALES = {4: 10.0, 8: 10.0, 16: 8.0}
"""Stride -> first scale of the L2Norm of the shallow levels."""
_EXTRA = {64: (256, 512), 128: (128, 256)}
"""Stride -> widths of the 1x1 and the strided 3x3 convolution that make the level."""


class L2Norm(nn.Module):
    """Channel-wise L2 normalisation with a learned scale (ParseNet, Liu et al. 2015)."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), scale))

    def forward(self, features: Tensor) -> Tensor:
        """Scale each pixel's vector of (B, C, H, W) to unit length, then each channel by its scale."""
        return F.normalize(features, dim=1) * self.weight[:, None, None]


class Vgg16(nn.Module):
    """VGG16 with fc6 / fc7 reduced to convolutions, and L2Norm on the shallow levels, as published.

    Without batch norm, `layers` has the indices of the public `vgg16_reducedfc.pth`.

    Args:
        batch_norm: build VGG16-BN.
        strides: strides of the levels, consecutive powers of two from 4, 8 or 16 to 32, 64 or 128.
    """

    def __init__(self, batch_norm: bool, strides: tuple[int, ...]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        ends: dict[int, int] = {}
        channels = 3
        for stage, widths in enumerate(_STAGES):
            for width in widths:
                layers += _conv_relu(channels, width, batch_norm=batch_norm)
                channels = width
            ends[2**stage] = len(layers)
            layers.append(nn.MaxPool2d(2, 2, ceil_mode=True))
        layers += _conv_relu(512, 1024, kernel=3, dilation=3, batch_norm=batch_norm)
        layers += _conv_relu(1024, 1024, kernel=1, batch_norm=batch_norm)
        ends[32] = len(layers)
        self.layers = nn.Sequential(*layers)
        native = [s for s in strides if s in _LEVELS]
        self._cuts = (0, *(ends[s] for s in native))
        self.norms = nn.ModuleList(
            [L2Norm(_LEVELS[s], _NORM_SCALES[s]) if s in _NORM_SCALES else nn.Identity() for s in native]
        )
        extra: list[nn.Module] = []
        self._extra_cuts = [0]
        channels = 1024
        for squeezed, width in (_EXTRA[s] for s in strides if s in _EXTRA):
            extra += _conv_relu(channels, squeezed, kernel=1, batch_norm=batch_norm)
            extra += _conv_relu(squeezed, width, stride=2, batch_norm=batch_norm)
            channels = width
            self._extra_cuts.append(len(extra))
        self.extra = nn.Sequential(*extra)
        self.channels = tuple(_LEVELS[s] if s in _LEVELS else _EXTRA[s][1] for s in strides)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Compute one feature map for each stride from images (B, 3, H, W)."""
        levels, x = [], images
        for (start, end), norm in zip(pairwise(self._cuts), self.norms, strict=True):
            x = self.layers[start:end](x)
            levels.append(norm(x))
        for start, end in pairwise(self._extra_cuts):
            x = self.extra[start:end](x)
            levels.append(x)
        return levels

    def load_reduced_fc(self, tensors: dict[str, Tensor], source: str) -> None:
        """Load the tensors of `vgg16_reducedfc.pth` into the convolutions, in order; batch norms stay fresh.

        Raises:
            InputError: a tensor is missing or has another shape.
        """
        convolutions = [layer for layer in self.layers if isinstance(layer, nn.Conv2d)]
        places = {
            f"{number}.{part}": parameter
            for number, layer in zip(REDUCED_FC, convolutions, strict=True)
            for part, parameter in layer.named_parameters()
        }
        check_shapes({name: parameter.shape for name, parameter in places.items()}, tensors, source)
        with torch.no_grad():
            for name, parameter in places.items():
                parameter.copy_(tensors[name])


def _conv_relu(
    channels: int, width: int, *, kernel: int = 3, stride: int = 1, dilation: int = 1, batch_norm: bool
) -> list[nn.Module]:
    conv = nn.Conv2d(channels, width, kernel, stride, padding=dilation * (kernel // 2), dilation=dilation)
    return [conv, *([nn.BatchNorm2d(width)] if batch_norm else []), nn.ReLU(inplace=True)]

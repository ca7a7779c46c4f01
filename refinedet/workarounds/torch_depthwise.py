"""Large and strided depthwise convolutions, kept in float32 under autocast.

Problem: on a CPU, the bf16 backward pass of such kernels in channels_last is three times slower than in float32 (144
channels of 64 x 64, kernel 5: 81 against 28 ms), although their forward pass is faster. It was a third of a training
step.
Upstream: https://github.com/pytorch/pytorch/issues/183815 is similar (slow bf16 convolutions, forward; since 2.13). The
problem shows in a profile of `refinedet train`.
Versions: torch 2.14, two Zen 5 cores.
Remove: when the bf16 backward pass is the faster one.
"""

from __future__ import annotations

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn

_LARGEST_FAST_PX = 3
"""Side of the largest kernel that is fast in bf16, unless it is strided."""


class _Float32(nn.Module):
    """Mixin for a convolution that stays in float32 under autocast."""

    def forward(self, features: Tensor) -> Tensor:
        """Convolve (B, C, H, W) to (B, C, H', W') in float32."""
        with torch.autocast(features.device.type, enabled=False):
            out: Tensor = super().forward(features.float())
            return out


class _Float32Conv2d(_Float32, nn.Conv2d):
    pass


class _Float32Conv2dSame(_Float32, Conv2dSame):
    pass


def keep_slow_depthwise_float32(model: nn.Module) -> None:
    """Change the class of these convolutions in a network; their weights stay."""
    for module in model.modules():
        if not isinstance(module, nn.Conv2d) or module.groups == 1:
            continue
        if module.kernel_size[0] > _LARGEST_FAST_PX or module.stride[0] > 1:
            module.__class__ = _Float32Conv2dSame if isinstance(module, Conv2dSame) else _Float32Conv2d

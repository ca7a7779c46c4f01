"""AlignConv: a 3x3 convolution whose taps sample the refined box instead of the neighbouring cells.

Source: RefineDet++ (Zhang et al., TCSVT 2020). B batch, A anchor shapes, C channels in, O channels out, H W cells.

Convolution and bilinear sampling are linear and commute. So the features are first projected to the few output channels
of each tap, and only those are sampled. The result is the same with far fewer numbers.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import deform_conv2d

from refinedet.config import AlignBackend, AlignSampling
from refinedet.errors import MissingExtra
from refinedet.model.box_coder import CENTRE_VARIANCE, SIZE_VARIANCE, decode

TAPS = 9

_MAX_PUBLISHED_DELTA = math.log(1000.0 / SIZE_VARIANCE)
"""Size offset at which the published size reaches 1000 anchors, which is the limit of decode() too."""


def alignment_points(arm_deltas: Tensor, shapes: Tensor, sampling: AlignSampling = "decode") -> Tensor:
    """Sampling points of the taps, relative to their own cell, in cells.

    The points are the centres of a 3x3 partition of the refined box, row-major (y outer).

    Args:
        arm_deltas: (B, A, 4, H, W) offsets [dx, dy, dw, dh] of the ARM.
        shapes: (A, 2) anchor width and height in cells.
        sampling: `decode`, or `published` for the size exp(d) * 0.2 of a published implementation, which samples a
            fifth of the anchor at d = 0.

    Returns:
        (B, A, 9, 2, H, W), [y, x] on the axis of size 2.
    """
    deltas = arm_deltas.permute(0, 1, 3, 4, 2)  # (B, A, H, W, 4); movedim exports with a negative axis
    cell = F.pad(shapes.to(deltas), (2, 0))[:, None, None, :]  # (A, 1, 1, 4): centre at 0, 0
    to_box = _published_box if sampling == "published" else decode
    box = to_box(cell, deltas).permute(0, 1, 4, 2, 3)  # (B, A, 4, H, W)
    thirds = torch.arange(-1, 2, device=box.device, dtype=box.dtype) / 3
    tap_y, tap_x = thirds.repeat_interleave(3)[:, None, None], thirds.repeat(3)[:, None, None]
    x = box[:, :, None, 0] + tap_x * box[:, :, None, 2]
    y = box[:, :, None, 1] + tap_y * box[:, :, None, 3]
    return torch.stack([y, x], dim=3)


def align_conv_fused(features: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """AlignConv by project-then-sample: one 1x1 convolution, then `grid_sample` on its few channels.

    Args:
        features: (B, C, H, W).
        points: (B, A, 9, 2, H, W) from `alignment_points`.
        weight: (A, O, C, 3, 3).

    Returns:
        (B, A, O, H, W) float32.
    """
    batch, _, rows, columns = features.shape
    shapes, out = weight.shape[:2]
    taps = weight.flatten(3).permute(0, 3, 1, 2).reshape(shapes * TAPS * out, -1, 1, 1)  # (A * 9 * O, C, 1, 1)
    projected = F.conv2d(features, taps).float().reshape(batch * shapes * TAPS, out, rows, columns)
    sampled = F.grid_sample(projected, _grid(points.float()), align_corners=False)
    return sampled.reshape(batch, shapes, TAPS, out, rows, columns).sum(dim=2)


def align_conv_torchvision(features: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """AlignConv by `torchvision.ops.deform_conv2d`, one call for each anchor shape: the reference for tests."""
    return _by_deformable(features, points, weight, deform_conv2d)


def align_conv_mmcv(features: Tensor, points: Tensor, weight: Tensor) -> Tensor:
    """AlignConv by `mmcv.ops.deform_conv2d`; it needs mmcv.

    Raises:
        MissingExtra: mmcv.ops cannot be imported.
    """
    try:
        kernel = importlib.import_module("mmcv.ops").deform_conv2d
    except ImportError as error:
        raise MissingExtra(
            "align_backend 'mmcv' needs an importable mmcv.ops (mmcv-full 1.x, mmcv 2.x or onedl-mmcv), found none; "
            "install one that matches your torch, or use align_backend 'fused', which gives the same numbers"
        ) from error
    return _by_deformable(features, points, weight, lambda x, offset, w, padding: kernel(x, offset, w, 1, padding))


def _published_box(anchors_cxcywh: Tensor, deltas: Tensor) -> Tensor:
    """Decode with the size variance outside the exponential, as a published implementation does."""
    centre = anchors_cxcywh[..., :2] + CENTRE_VARIANCE * deltas[..., :2] * anchors_cxcywh[..., 2:]
    size = anchors_cxcywh[..., 2:] * SIZE_VARIANCE * torch.exp(deltas[..., 2:].clamp(max=_MAX_PUBLISHED_DELTA))
    return torch.cat([centre, size], dim=-1)


def _by_deformable(features: Tensor, points: Tensor, weight: Tensor, kernel: Callable[..., Tensor]) -> Tensor:
    # deformable convolution adds its offsets to the ordinary 3x3 grid, so that grid is subtracted first
    steps = torch.arange(-1, 2, device=points.device, dtype=points.dtype)
    grid = torch.stack([steps.repeat_interleave(3), steps.repeat(3)], dim=1)[..., None, None]  # (9, 2, 1, 1)
    offsets = (points - grid).flatten(2, 3)  # (B, A, 18, H, W)
    outputs = [
        kernel(features.float(), offsets[:, a].contiguous(), weight[a].float(), padding=1) for a in range(len(weight))
    ]
    return torch.stack(outputs, dim=1)


def _grid(points: Tensor) -> Tensor:
    """Convert points relative to cells to grid_sample's coordinates, (B * A * 9, H, W, 2) [x, y]."""
    rows, columns = points.shape[-2:]
    y = points[:, :, :, 0] + torch.arange(rows, device=points.device, dtype=points.dtype)[:, None]
    x = points[:, :, :, 1] + torch.arange(columns, device=points.device, dtype=points.dtype)
    grid = torch.stack([(2 * x + 1) / columns - 1, (2 * y + 1) / rows - 1], dim=-1)
    return grid.reshape(-1, rows, columns, 2)


BACKENDS: dict[AlignBackend, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "fused": align_conv_fused,
    "torchvision": align_conv_torchvision,
    "mmcv": align_conv_mmcv,
}


class AlignConv(nn.Module):
    """Prediction layer of the ODM: (B, C, H, W) features and ARM offsets to (B, A, O, H, W).

    The offsets are computed from the detached ARM output, not learned. Weights have the same names and shapes for every
    sampling. With sampling `none` the layer is a plain 3x3 convolution, that of the original RefineDet.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        shapes: Tensor,
        backend: AlignBackend = "fused",
        sampling: AlignSampling = "decode",
    ) -> None:
        super().__init__()
        self.backend, self.sampling = backend, sampling
        self.weight = nn.Parameter(torch.empty(len(shapes) * out, channels, 3, 3))
        self.bias = nn.Parameter(torch.zeros(len(shapes), out))
        self.register_buffer("shapes", shapes, persistent=False)
        nn.init.normal_(self.weight, std=0.01)

    def forward(self, features: Tensor, arm_deltas: Tensor) -> Tensor:
        """Features (B, C, H, W) and ARM offsets (B, A, 4, H, W) to predictions (B, A, O, H, W) float32."""
        if self.sampling == "none":
            flat = F.conv2d(features, self.weight, padding=1).float()
            out = flat.reshape(flat.shape[0], *self.bias.shape, *flat.shape[2:])
        else:
            points = alignment_points(arm_deltas.detach().float(), self.get_buffer("shapes"), self.sampling)
            weight = self.weight.reshape(*self.bias.shape, *self.weight.shape[1:])
            out = BACKENDS[self.backend](features, points, weight)
        return out + self.bias[None, :, :, None, None]

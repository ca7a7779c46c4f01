"""What a model can be set to: strides, backbones by name, weights by source."""

from __future__ import annotations

from typing import Any

import pytest

from refinedet.config import ModelConfig
from refinedet.errors import InputError


@pytest.mark.parametrize(
    "values",
    [
        {"strides": (4, 8, 16, 32, 64), "input_px": 640},
        {"strides": [8, 16, 32, 64, 128], "input_px": 1024},
        {"backbone": "timm/resnet18"},
        {"backbone_weights": "weights/vgg16_reducedfc.pth"},
        {"backbone_weights": "https://example.org/a/vgg16_reducedfc.pth"},
        {"backbone_weights": "file:///tmp/a.safetensors"},
        {"align_conv": "none", "refined_anchors": False, "fused_features": False},
    ],
)
def test_a_member_of_the_family_survives_plain_values(values: dict[str, Any]) -> None:
    config = ModelConfig.from_dict(values)
    assert ModelConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"backbone": "resnet51"}, r"`backbone`: expected .*timm/<name.*did you mean resnet5?0?1?"),
        ({"backbone": "timm/"}, "`backbone`: expected"),
        ({"backbone_weights": "hubb"}, "`backbone_weights`: expected .*'hub'.*found 'hubb'"),
        ({"backbone_weights": "weights/vgg16"}, "`backbone_weights`: expected"),
        ({"strides": ()}, "`strides`: expected"),
        ({"strides": (8, 16, 64)}, "`strides`: expected doubling"),
        ({"strides": (2, 4, 8, 16, 32)}, "`strides`: expected"),
        ({"strides": (8, 16)}, "`strides`: expected"),
        ({"strides": (64, 32, 16, 8)}, "`strides`: expected"),
        ({"strides": (8, 16, 32, 64, 128), "input_px": 320}, "`input_px`: expected .*128"),
        ({"align_conv": "learned"}, "`align_conv`: expected one of"),
        ({"strides": (4, 8, 16, 32), "detail": True}, "`detail`: expected false"),
        ({"tcb_lateral_kernel": 2}, "`tcb_lateral_kernel`: expected one of 1 or 3"),
    ],
)
def test_a_model_that_cannot_be_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        ModelConfig.from_dict(values)


def test_the_input_is_a_multiple_of_the_models_own_largest_stride() -> None:
    assert ModelConfig(strides=(8, 16, 32), input_px=352).input_px == 352  # 11 times 32, no multiple of 64

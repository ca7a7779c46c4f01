"""The whole network: shapes, order of anchors, gradients, batch independence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from refinedet.config import ModelConfig
from refinedet.errors import InputError
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.backbones import build_backbone
from refinedet.model.network import RefineDet

SMALL = ModelConfig(backbone_weights="none", tcb_channels=16)


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, tcb_norm="batch", arm_channels=16),
        replace(SMALL, backbone="vgg16"),
        replace(SMALL, backbone="vgg16_bn", num_classes=20),
    ],
    ids=["lite0", "lite0 with norms and an ARM tower", "vgg16 as published", "vgg16_bn with 20 classes"],
)
def test_every_backbone_runs_forward_and_backward(config: ModelConfig) -> None:
    model = RefineDet(config)
    raw = model(torch.randint(0, 255, (2, 3, 64, 128), dtype=torch.uint8))
    count = sum(level_sizes(64, 128, config))
    assert raw.anchors_cxcywh.shape == (count, 4)
    assert raw.arm_logits.shape == (2, count)
    assert raw.arm_deltas.shape == raw.odm_deltas.shape == (2, count, 4)
    assert raw.odm_logits.shape == (2, count, config.num_classes)
    total = sum(t.square().mean() for t in (raw.arm_logits, raw.arm_deltas, raw.odm_logits, raw.odm_deltas))
    total.backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]


def test_anchors_are_ordered_by_level_row_column_shape() -> None:
    boxes = anchors(64, 128, ModelConfig())
    assert level_sizes(64, 128, ModelConfig()) == [384, 96, 24, 6]
    assert boxes[0].tolist() == [4, 4, 32, 32]
    assert boxes[1].tolist() == pytest.approx([4, 4, 32 * 2**0.5, 32 / 2**0.5])  # 2:1 is wide
    assert boxes[3].tolist() == [12, 4, 32, 32]  # next column
    assert boxes[384].tolist() == [8, 8, 64, 64]  # next level


def test_outputs_are_in_the_order_of_the_anchors() -> None:
    model = RefineDet(SMALL).eval()
    quiet, bright = torch.zeros(1, 3, 64, 128), torch.zeros(1, 3, 64, 128)
    bright[:, :, :8, :8] = 255  # the first cell
    difference = (model(bright).arm_logits - model(quiet).arm_logits).abs()[0, :384].reshape(8, 16, 3)
    assert difference[:4, :4].mean() > 2 * difference[4:, 12:].mean()


def test_an_image_is_seen_alike_in_any_batch() -> None:
    model = RefineDet(SMALL).eval()
    images = torch.randint(0, 255, (3, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        together, alone = model(images), model(images[1:2])
    torch.testing.assert_close(together.odm_logits[1:2], alone.odm_logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(together.odm_deltas[1:2], alone.odm_deltas, atol=1e-4, rtol=1e-4)


def test_a_canvas_that_is_no_multiple_of_the_stride_is_refused() -> None:
    with pytest.raises(InputError, match="multiples of 64"):
        RefineDet(SMALL)(torch.zeros(1, 3, 64, 100))


def test_packaged_weights_land_in_the_right_layers() -> None:
    backbone = build_backbone(replace(SMALL, backbone_weights="package")).eval()
    torch.manual_seed(0)
    levels = backbone(torch.randn(1, 3, 64, 64))
    assert [tuple(level.shape[1:]) for level in levels] == [(40, 8, 8), (112, 4, 4), (320, 2, 2), (192, 1, 1)]
    # trained batch norms keep features near unit scale; weights in the wrong place explode or vanish
    assert all(0.05 < float(level.detach().std()) < 20 for level in levels[:3])


def test_vgg_has_the_layout_of_the_public_reduced_weights() -> None:
    backbone = build_backbone(replace(SMALL, backbone="vgg16"))
    names = {name.split(".")[1] for name in backbone.state_dict() if name.startswith("layers.")}
    assert names == {str(n) for n in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28, 31, 33)}


def test_package_weights_exist_for_lite0_only() -> None:
    with pytest.raises(InputError, match="only efficientnet_lite0"):
        build_backbone(replace(SMALL, backbone="vgg16", backbone_weights="package"))

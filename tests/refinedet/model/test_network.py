"""The whole network: shapes, order of anchors, gradients, batch independence."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from refinedet.config import ModelConfig
from refinedet.errors import InputError
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.network import RefineDet

SMALL = ModelConfig(backbone_weights="none", tcb_channels=16)


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, tcb_norm="batch", arm_channels=16),
        replace(SMALL, detail=True),
        replace(SMALL, backbone="vgg16_bn", detail=True, fused_features=False),
        replace(SMALL, backbone="vgg16"),
        replace(SMALL, backbone="vgg16_bn", num_classes=20),
    ],
    ids=[
        "lite0",
        "lite0 with norms and an ARM tower",
        "with detail",
        "vgg16_bn with detail alone",
        "vgg16 as published",
        "vgg16_bn with 20 classes",
    ],
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


def test_detail_starts_without_effect_and_then_moves_the_shallowest_level_alone() -> None:
    torch.manual_seed(0)
    plain, fine = RefineDet(SMALL).eval(), RefineDet(replace(SMALL, detail=True)).eval()
    assert fine.load_state_dict(plain.state_dict(), strict=False).missing_keys == ["tcb.0.fold.weight"]
    images = torch.randint(0, 255, (1, 3, 128, 128), dtype=torch.uint8)
    before = plain(images).odm_logits
    torch.testing.assert_close(fine(images).odm_logits, before)
    torch.nn.init.normal_(fine.get_parameter("tcb.0.fold.weight"))
    moved = (fine(images).odm_logits != before).flatten()
    assert moved[:768].any()
    assert not moved[768:].any()


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


@pytest.mark.parametrize(
    ("strides", "counts"), [((4, 8, 16, 32), [3072, 768, 192, 48]), ((8, 16, 32, 64, 128), [768, 192, 48, 12, 3])]
)
def test_levels_follow_the_strides(strides: tuple[int, ...], counts: list[int]) -> None:
    config = replace(SMALL, strides=strides)
    assert level_sizes(128, 128, config) == counts
    boxes = anchors(128, 128, config)
    assert boxes[0].tolist() == [strides[0] / 2, strides[0] / 2, 4 * strides[0], 4 * strides[0]]
    raw = RefineDet(config).eval()(torch.zeros(1, 3, 128, 128))
    assert raw.arm_logits.shape == (1, sum(counts))
    with pytest.raises(InputError, match=f"multiples of {strides[-1]}"):
        RefineDet(config)(torch.zeros(1, 3, 128, 128 + strides[-1] // 2))

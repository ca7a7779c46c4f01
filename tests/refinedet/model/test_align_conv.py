"""AlignConv against torchvision, against a plain convolution, and against vectors of the real mmcv-full kernel."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from refinedet.config import ModelConfig
from refinedet.errors import MissingExtra
from refinedet.model.align_conv import (
    AlignConv,
    align_conv_fused,
    align_conv_mmcv,
    align_conv_torchvision,
    alignment_points,
)
from refinedet.model.anchors import anchor_shapes

GOLDEN = Path(__file__).parents[2] / "golden" / "align_conv_mmcv_full_1_7_2.npz"
"""A cut of random inputs and the outputs that mmcv-full 1.7.2's own kernel computed for them."""


def _random(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _inputs(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor, Tensor]:
    features, deltas, weight = _random(0, 2, 5, 6, 9), _random(1, 2, 3, 4, 6, 9) * 2, _random(2, 3, 4, 5, 3, 3)
    return features.to(dtype), alignment_points(deltas.to(dtype), anchor_shapes(ModelConfig())), weight.to(dtype)


def test_zero_offsets_sample_the_centres_of_a_three_by_three_partition_of_the_anchor() -> None:
    shapes = torch.tensor([[4.0, 4.0], [6.0, 3.0]])
    points = alignment_points(torch.zeros(1, 2, 4, 1, 1), shapes)[0, :, :, :, 0, 0]
    assert points[0, 0].tolist() == pytest.approx([-4 / 3, -4 / 3])  # top left, [y, x]
    assert points[1, 5].tolist() == pytest.approx([0, 2])  # middle right of the wide one
    assert points[1, 6].tolist() == pytest.approx([1, -2])  # bottom left


def test_a_box_three_cells_wide_gives_an_ordinary_convolution() -> None:
    features, weight = _random(0, 1, 4, 7, 8), _random(1, 1, 3, 4, 3, 3)
    points = alignment_points(torch.zeros(1, 1, 4, 7, 8), torch.tensor([[3.0, 3.0]]))
    torch.testing.assert_close(
        align_conv_fused(features, points, weight)[:, 0], F.conv2d(features, weight[0], padding=1), atol=1e-5, rtol=1e-5
    )


def test_fused_equals_torchvision_in_values_and_gradients() -> None:
    results = []
    for backend in (align_conv_fused, align_conv_torchvision):
        features, points, weight = (t.float().requires_grad_() for t in _inputs())
        out = backend(features, points, weight)
        out.pow(2).sum().backward()
        results.append((out, features.grad, weight.grad, points.grad))
    for fused, oracle in zip(*results, strict=True):
        torch.testing.assert_close(fused, oracle, atol=2e-3, rtol=1e-4)  # gradients of a sum of squares reach 1e3
    torch.testing.assert_close(results[0][0], results[1][0], atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("backend", [align_conv_fused, align_conv_torchvision])
@pytest.mark.parametrize("head", ["loc", "conf"])  # 4 and 2 outputs for each anchor shape
def test_agrees_with_mmcv_full(backend: Callable[[Tensor, Tensor, Tensor], Tensor], head: str) -> None:
    golden = {key: torch.from_numpy(value) for key, value in np.load(GOLDEN).items()}
    points = alignment_points(golden["arm_deltas"], anchor_shapes(ModelConfig()))
    out = backend(golden["features"], points, golden[f"weight_{head}"])
    rows = golden["features"].shape[2]
    lowest = points[:, :, :, 0].amax(2) + torch.arange(rows)[:, None]  # (B, A, H, W)
    # the cut has the upper rows of the map; a cell that samples below them had other neighbours in the original
    whole = (lowest <= rows - 1)[:, :, None].expand_as(out)
    assert whole.float().mean() > 0.5
    torch.testing.assert_close(out[whole], golden[f"{head}_decoded"][whole], atol=2e-5, rtol=0)


@pytest.mark.parametrize("head", ["loc", "conf"])
def test_agrees_with_all_of_the_mmcv_full_vectors(head: str, sample_data: Path) -> None:
    golden = {k: torch.from_numpy(v) for k, v in np.load(sample_data / "golden" / GOLDEN.name).items()}
    points = alignment_points(golden["arm_deltas"], anchor_shapes(ModelConfig()))
    torch.testing.assert_close(points, golden["points_decoded"], atol=2e-6, rtol=0)
    out = align_conv_fused(golden["features"], points, golden[f"weight_{head}"])
    torch.testing.assert_close(out, golden[f"{head}_decoded"], atol=2e-5, rtol=0)


def test_published_sampling_agrees_with_mmcv_full() -> None:
    golden = {key: torch.from_numpy(value) for key, value in np.load(GOLDEN).items()}
    points = alignment_points(golden["arm_deltas"], anchor_shapes(ModelConfig()), "published")
    out = align_conv_fused(golden["features"], points, golden["weight_conf"])
    rows = golden["features"].shape[2]
    lowest = points[:, :, :, 0].amax(2) + torch.arange(rows)[:, None]
    whole = (lowest <= rows - 1)[:, :, None].expand_as(out)  # as above
    assert whole.float().mean() > 0.5
    torch.testing.assert_close(out[whole], golden["conf_seed"][whole], atol=2e-5, rtol=0)


@pytest.mark.parametrize("head", ["loc", "conf"])
def test_published_sampling_agrees_with_all_of_the_mmcv_full_vectors(head: str, sample_data: Path) -> None:
    golden = {k: torch.from_numpy(v) for k, v in np.load(sample_data / "golden" / GOLDEN.name).items()}
    points = alignment_points(golden["arm_deltas"], anchor_shapes(ModelConfig()), "published")
    torch.testing.assert_close(points, golden["points_seed"], atol=2e-6, rtol=0)
    out = align_conv_fused(golden["features"], points, golden[f"weight_{head}"])
    torch.testing.assert_close(out, golden[f"{head}_seed"], atol=2e-5, rtol=0)


def test_published_sampling_looks_at_a_fifth_of_the_anchor_and_stays_finite() -> None:
    shapes = torch.tensor([[15.0, 30.0]])
    points = alignment_points(torch.zeros(1, 1, 4, 1, 1), shapes, "published")[0, 0, :, :, 0, 0]
    assert points[0].tolist() == pytest.approx([-2, -1])  # top left, [y, x]
    wild = alignment_points(torch.full((1, 1, 4, 1, 1), 1e4), shapes, "published")
    assert wild.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_sampling_none_is_a_plain_convolution(dtype: torch.dtype) -> None:
    layer = AlignConv(4, 5, anchor_shapes(ModelConfig()), sampling="none")
    torch.nn.init.normal_(layer.bias)
    features = _random(0, 2, 4, 6, 7)
    with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
        out = layer(features, _random(1, 2, 3, 4, 6, 7))
    plain = F.conv2d(features, layer.weight, layer.bias.flatten(), padding=1).reshape(2, 3, 5, 6, 7)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, plain, atol=1e-5 if dtype == torch.float32 else 2e-3, rtol=0)


def test_points_outside_the_map_count_as_zero() -> None:
    far = torch.full((1, 1, 4, 3, 3), 0.0)
    far[:, :, 0] = 1000  # the box lies far to the right
    out = align_conv_fused(
        torch.ones(1, 2, 3, 3), alignment_points(far, torch.tensor([[3.0, 3.0]])), torch.ones(1, 1, 2, 3, 3)
    )
    assert out.abs().max() == 0


def test_no_gradient_reaches_the_arm() -> None:
    layer = AlignConv(4, 5, anchor_shapes(ModelConfig()))
    deltas = torch.zeros(1, 3, 4, 4, 4, requires_grad=True)
    features = _random(0, 1, 4, 4, 4).requires_grad_()
    layer(features, deltas).sum().backward()
    assert deltas.grad is None
    assert features.grad is not None
    assert features.grad.abs().sum() > 0


@pytest.mark.skipif(importlib.util.find_spec("mmcv") is not None, reason="mmcv is installed, so nothing is missing")
def test_the_mmcv_backend_says_what_to_install() -> None:
    with pytest.raises(MissingExtra, match=r"mmcv\.ops.*fused"):
        align_conv_mmcv(*_inputs(torch.float32))


@pytest.mark.skipif(importlib.util.find_spec("mmcv") is None, reason="needs an installed mmcv with compiled ops")
def test_fused_equals_mmcv() -> None:
    inputs = _inputs(torch.float32)
    torch.testing.assert_close(align_conv_fused(*inputs), align_conv_mmcv(*inputs), atol=2e-5, rtol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_gpu_gives_the_numbers_of_the_cpu() -> None:
    features, points, weight = _inputs(torch.float32)
    out = align_conv_fused(features.cuda(), points.cuda(), weight.cuda()).cpu()
    torch.testing.assert_close(out, align_conv_fused(features, points, weight), atol=1e-3, rtol=1e-3)

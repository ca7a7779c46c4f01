"""Fusion of convolutions and batch norms: equal outputs, the given network unchanged, wrong guesses undone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from refinedet.config import ModelConfig
from refinedet.model.fusion import fuse_conv_bn
from refinedet.model.network import RawOutputs, RefineDet
from refinedet.model.norms import batch_norms
from refinedet.model.variants import VARIANTS
from tests.refinedet.model.variant_names import slow_unless_shipped

SMALL = ModelConfig(backbone_weights="none", tcb_channels=16, input_px=128)


def trained(config: ModelConfig) -> RefineDet:
    """A network whose norms do something, as after training."""
    torch.manual_seed(0)
    model = RefineDet(replace(config, backbone_weights="none")).eval()
    for norm in batch_norms(model):
        nn.init.uniform_(norm.weight, 0.3, 0.6)  # or what a residual network adds up outgrows float32
        nn.init.uniform_(norm.bias, -0.5, 0.5)
        nn.init.uniform_(norm.get_buffer("running_mean"), -0.5, 0.5)
        nn.init.uniform_(norm.get_buffer("running_var"), 0.5, 1.5)
    return model


def outputs(model: RefineDet) -> RawOutputs:
    side = model.config.strides[-1]
    with torch.inference_mode():
        return model(255 * torch.rand(2, 3, 2 * side, side, generator=torch.Generator().manual_seed(1)))


@pytest.mark.parametrize("name", slow_unless_shipped(name for name in VARIANTS if "resnext" not in name))
def test_outputs_stay_and_no_norm_is_left(name: str) -> None:
    model = trained(VARIANTS[name])
    once = fuse_conv_bn(model)
    assert not batch_norms(once)
    a, b = outputs(model), outputs(once)
    for field in ("arm_logits", "arm_deltas", "odm_logits", "odm_deltas"):
        wanted = getattr(a, field)
        torch.testing.assert_close(getattr(b, field), wanted, rtol=0, atol=1e-5 * max(1.0, float(wanted.abs().max())))


def test_the_given_network_stays_as_it_is() -> None:
    model = trained(SMALL)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert fuse_conv_bn(model) is not model
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_network_without_norms_is_handed_back() -> None:
    model = trained(ModelConfig(backbone="vgg16", backbone_weights="none", tcb_channels=16, tcb_norm="none"))
    assert not batch_norms(model)
    assert fuse_conv_bn(model) is model


class Misleading(nn.Module):
    """Lists a norm after its second convolution, and works with it before."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 1)
        self.second = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.uniform_(self.norm.bias, 1, 2)
        nn.init.uniform_(self.norm.weight, 2, 3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Convolve features to as many channels."""
        done: torch.Tensor = self.second(self.norm(self.first(features)))
        return done


def test_a_network_that_works_in_another_order_is_handed_back() -> None:
    model = trained(SMALL)
    head = model.arm[0]
    model.arm[0] = nn.Sequential(Misleading(model.backbone.channels[-len(model.config.strides)]), head)
    assert fuse_conv_bn(model.eval()) is model


def test_a_norm_without_statistics_of_its_own_stays() -> None:
    model = trained(SMALL)
    width = model.backbone.channels[-len(model.config.strides)]
    plain = nn.Sequential(nn.Conv2d(width, width, 1), nn.BatchNorm2d(width, track_running_stats=False))
    model.arm[0] = nn.Sequential(plain, model.arm[0])
    assert len(batch_norms(fuse_conv_bn(model.eval()))) == 1

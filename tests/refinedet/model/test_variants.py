"""Every named member of the family is built, and learns from a small image with and without a ship."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
import torch

from refinedet.config import LossConfig, ModelConfig
from refinedet.model.anchors import anchors, level_sizes
from refinedet.model.box_coder import decode
from refinedet.model.losses.loss import Target, detection_losses
from refinedet.model.network import RefineDet
from refinedet.model.variants import VARIANTS
from tests.refinedet.model.variant_names import slow_unless_shipped

SMALL = ModelConfig(backbone_weights="none", tcb_channels=16)


def losses_of(model: RefineDet) -> dict[str, torch.Tensor]:
    """Losses of two images of the smallest canvas, one with a ship."""
    side = model.config.strides[-1]
    images = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0)) * 255
    none = torch.zeros(0, 4)
    ship = Target(torch.tensor([[10.0, 12.0, 50.0, 40.0]]), torch.zeros(1, dtype=torch.int64), none)
    empty = Target(none, torch.zeros(0, dtype=torch.int64), none)
    return detection_losses(model.train()(images), [ship, empty], level_sizes(side, side, model.config), LossConfig())


@pytest.mark.parametrize("name", slow_unless_shipped(VARIANTS))
def test_a_variant_runs_forward_and_backward(name: str) -> None:
    model = RefineDet(replace(VARIANTS[name], backbone_weights="none"))
    losses = losses_of(model)
    total = torch.stack(list(losses.values())).sum()
    assert total.isfinite()
    assert total > 0
    total.backward()
    assert not [n for n, p in model.named_parameters() if p.grad is None or not p.grad.isfinite().all()]


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_survives_a_checkpoint_header(name: str) -> None:
    assert ModelConfig.from_dict(VARIANTS[name].to_dict()) == VARIANTS[name]


def test_the_variants_have_the_sizes_that_they_are_named_for() -> None:
    assert all(f"{config.input_px}_" in name for name, config in VARIANTS.items())
    assert VARIANTS["refinedetpp640_vgg16"].strides[0] == 4
    assert VARIANTS["refinedetpp1024_vgg16"].strides[-1] == 128


def layout(config: ModelConfig) -> str:
    """Digest of the names and shapes of all weights."""
    state = RefineDet(config).state_dict()
    return hashlib.sha256(str([(name, tuple(value.shape)) for name, value in state.items()]).encode()).hexdigest()[:16]


@pytest.mark.parametrize(
    ("config", "digest"),
    [
        (ModelConfig(backbone_weights="none"), "849938b700a1dd36"),
        (replace(VARIANTS["refinedetpp512_lite0"], backbone_weights="none"), "ec8044e0afae8d6e"),
        (replace(VARIANTS["refinedetpp512_lite0"], backbone_weights="none", detail=False), "5f56dfae546bf967"),
        (replace(SMALL, backbone="vgg16"), "950c9e30a78fb5e2"),
        (replace(SMALL, backbone="vgg16_bn"), "acf930735c9d07a5"),
    ],
    ids=["default", "shipped", "ssdd", "vgg16", "vgg16_bn"],
)
def test_weights_of_checkpoints_that_exist_keep_their_names_and_shapes(config: ModelConfig, digest: str) -> None:
    assert layout(config) == digest, "a checkpoint of today would not load"


def test_what_is_sampled_changes_no_weight() -> None:
    """The rows of an ablation then start from equal numbers."""
    states = []
    for sampling in ("decode", "published", "none"):
        torch.manual_seed(0)
        states.append(RefineDet(replace(SMALL, align_conv=sampling)).state_dict())  # type: ignore[arg-type]
    for state in states[1:]:
        assert list(state) == list(states[0])
        assert all(torch.equal(state[name], value) for name, value in states[0].items())


def test_without_refined_anchors_the_odm_starts_from_the_default_ones() -> None:
    torch.manual_seed(0)
    model = RefineDet(replace(SMALL, refined_anchors=False))
    raw = model.eval()(torch.rand(1, 3, 64, 64) * 255)
    assert torch.equal(decode(raw.anchors_cxcywh, raw.arm_deltas)[0], anchors(64, 64, SMALL))
    losses = losses_of(model)
    assert losses["arm_box"].isfinite()  # a constant: it is reported, and teaches nothing
    (losses["arm_objectness"] + losses["arm_box"]).backward()
    gradient = model.arm[0].get_parameter("0.weight").grad
    assert gradient is not None
    by_output = gradient.reshape(3, 5, -1).abs().sum((0, 2))
    assert by_output[0] > 0
    assert by_output[1:].sum() == 0


def test_without_fusion_a_level_does_not_see_the_deeper_ones() -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, 64, 64) * 255
    changed = {}
    for fused in (True, False):
        model = RefineDet(replace(SMALL, fused_features=fused)).eval()
        with torch.no_grad():
            before = model(image).odm_logits
            model.tcb[-1].get_parameter("output.1.bias").add_(1.0)  # of the deepest block
            difference = (model(image).odm_logits - before).abs()[0, :, 0]
        counts = level_sizes(64, 64, SMALL)
        changed[fused] = [float(part.max()) > 0 for part in difference.split(counts)]
    assert changed == {True: [True] * 4, False: [False, False, False, True]}

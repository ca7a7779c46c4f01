"""Initial weights: what fits is taken, what does not is named, and another network is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from refinedet.config import ModelConfig, Radiometry
from refinedet.errors import FileError, InputError
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.initial import initial_checkpoint, load_initial, other_classes
from refinedet.model.network import RefineDet

CONFIG = ModelConfig(backbone_weights="none", tcb_channels=8)


@pytest.fixture
def given(tmp_path: Path) -> tuple[RefineDet, Path]:
    """A network for one class, and its checkpoint in half precision."""
    torch.manual_seed(1)
    model = RefineDet(CONFIG)
    halves = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    save_checkpoint(tmp_path / "given.safetensors", halves, Header(CONFIG, ("ship",), Radiometry(), {}))
    return model, tmp_path / "given.safetensors"


def test_a_network_of_the_same_shape_takes_every_tensor(given: tuple[RefineDet, Path]) -> None:
    source, path = given
    torch.manual_seed(2)
    model = RefineDet(CONFIG)
    assert load_initial(model, path) == []
    for name, weights in model.state_dict().items():
        assert weights.dtype == source.state_dict()[name].dtype
        torch.testing.assert_close(weights, source.state_dict()[name], rtol=1e-3, atol=1e-6)


def test_other_classes_keep_the_box_rows_and_start_fresh(given: tuple[RefineDet, Path]) -> None:
    source, path = given
    torch.manual_seed(2)
    model = RefineDet(replace(CONFIG, num_classes=3))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fresh = load_initial(model, path)
    assert fresh == [f"odm.{level}.{part}" for level in range(4) for part in ("weight", "bias")]
    after, ours = model.state_dict(), source.state_dict()
    for name in fresh:
        rows = (3, 7, *after[name].shape[2:]) if name.endswith("bias") else (3, 7, *after[name].shape[1:])
        old_rows = (3, 5, *rows[2:])
        now, was, theirs = after[name].view(rows), before[name].view(rows), ours[name].view(old_rows)
        torch.testing.assert_close(now[:, :4], theirs[:, :4], rtol=1e-3, atol=1e-6)
        assert torch.equal(now[:, 4:], was[:, 4:])


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"anchor_ratios": (1.0, 2.0)}, {"arm", "odm"}),
        ({"anchor_scale": 3.0}, {"arm", "odm"}),
        ({"refined_anchors": False}, {"arm", "odm"}),
        ({"strides": (16, 32, 64)}, {"arm", "odm", "tcb"}),
    ],
    ids=["ratios", "scale", "refinement", "strides"],
)
def test_other_anchors_leave_the_heads_fresh(
    given: tuple[RefineDet, Path], changes: dict[str, Any], parts: set[str]
) -> None:
    torch.manual_seed(2)
    model = RefineDet(replace(CONFIG, **changes))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    fresh = load_initial(model, given[1])
    assert {name.split(".")[0] for name in fresh} == parts
    assert all(torch.equal(before[name], model.state_dict()[name]) for name in fresh)


def test_another_architecture_is_refused(given: tuple[RefineDet, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected initial weights.*vgg16.*found efficientnet_lite0.*tensors fit"):
        load_initial(RefineDet(replace(CONFIG, backbone="vgg16", tcb_channels=16)), given[1])
    save_file({"w": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="expected a refinedet checkpoint"):
        load_initial(given[0], tmp_path / "other.safetensors")


def test_a_name_becomes_a_file_that_exists(given: tuple[RefineDet, Path], tmp_path: Path) -> None:
    assert initial_checkpoint(str(given[1])) == given[1]
    with pytest.raises(FileError, match=r"'shipped' or a checkpoint to start from, found no file .*gone\.safetensors"):
        initial_checkpoint(str(tmp_path / "gone.safetensors"))


@pytest.mark.parametrize(
    ("known", "classes", "told"),
    [
        (("ship", "buoy"), ("ship", "buoy"), None),
        (("ship",), ("vessel",), None),
        (("ship",), ("ship", "buoy"), None),
        (("ship", "buoy"), ("buoy", "ship"), "(buoy from ship, ship from buoy)"),
        (("ship", "buoy"), ("ship", "turbine"), "(turbine from buoy)"),
    ],
)
def test_other_classes_in_the_same_places_are_told(
    tmp_path: Path, known: tuple[str, ...], classes: tuple[str, ...], told: str | None
) -> None:
    config = replace(CONFIG, num_classes=len(known))
    save_checkpoint(tmp_path / "w.safetensors", RefineDet(config).state_dict(), Header(config, known, Radiometry(), {}))
    found = other_classes(tmp_path / "w.safetensors", classes)
    assert found is None if told is None else found is not None and found.endswith(told)

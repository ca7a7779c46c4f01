"""The mean of several checkpoints: of equal networks, and it says of which."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from refinedet.config import ModelConfig, PostprocessConfig, Radiometry, TrainedOn
from refinedet.config.base import Settings
from refinedet.errors import InputError
from refinedet.files import sha256_file
from refinedet.model.averaging import average_checkpoints
from refinedet.model.checkpoint import Header, read_header, save_checkpoint

HEADER = Header(ModelConfig(), ("ship",), Radiometry(), {"dataset": "made", "weights": "EMA"})


def checkpoint(path: Path, seed: int, header: Header = HEADER, **changes: Any) -> Path:
    """A file with three tensors that differ by seed, one of them a counter."""
    generator = torch.Generator().manual_seed(seed)
    weights = {
        "conv": torch.randn(2, 3, generator=generator),
        "norm": torch.rand(2, generator=generator).half(),
        "count": torch.tensor(10 * seed),
    }
    told = {**header.provenance, "train": {"seed": seed}, "val": {"AP": 60.0 + seed}}
    save_checkpoint(path, weights | changes, replace(header, provenance=told, operating_score=0.3 + seed / 10))
    return path


def test_it_is_the_mean_and_says_of_which(tmp_path: Path) -> None:
    paths = [checkpoint(tmp_path / f"{seed}.safetensors", seed) for seed in (1, 2, 3)]
    header = average_checkpoints(paths, tmp_path / "mean.safetensors")
    each, mean = [load_file(path) for path in paths], load_file(tmp_path / "mean.safetensors")
    for name in ("conv", "norm"):
        torch.testing.assert_close(mean[name], torch.stack([one[name] for one in each]).mean(0))
        assert mean[name].dtype == each[0][name].dtype
    assert mean["count"] == 10
    assert header == read_header(tmp_path / "mean.safetensors")
    assert header.operating_score == 0.5
    assert header.provenance == {
        "dataset": "made",
        "weights": "mean of 3 checkpoints",
        "averaged": [
            {"sha256": sha256_file(path), "train": {"seed": seed}, "val": {"AP": 60.0 + seed}}
            for seed, path in enumerate(paths, 1)
        ],
    }


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("model", ModelConfig(input_px=640)),
        ("classes", ("boat",)),
        ("radiometry", Radiometry(headroom=1.5)),
        ("postprocess", PostprocessConfig(nms_iou=0.4)),
        ("trained_on", TrainedOn(ships=True)),
    ],
)
def test_other_networks_and_uses_are_refused(name: str, other: Settings, tmp_path: Path) -> None:
    first = checkpoint(tmp_path / "a.safetensors", 1)
    second = checkpoint(tmp_path / "b.safetensors", 2, replace(HEADER, **{name: other}))
    with pytest.raises(InputError, match=rf"agree in `{name}`, found another one in .*b\.safetensors"):
        average_checkpoints([first, second], tmp_path / "mean.safetensors")
    assert not (tmp_path / "mean.safetensors").exists()


def test_one_checkpoint_and_its_copy_are_refused(tmp_path: Path) -> None:
    first, copy = (checkpoint(tmp_path / f"{name}.safetensors", 1) for name in "ab")
    for paths in ([first], [first, copy]):
        with pytest.raises(InputError, match=f"two or more different checkpoints to average, found 1 in {len(paths)}"):
            average_checkpoints(paths, tmp_path / "mean.safetensors")


def test_tensors_of_another_type_are_refused(tmp_path: Path) -> None:
    first = checkpoint(tmp_path / "a.safetensors", 1)
    halved = checkpoint(tmp_path / "b.safetensors", 2, conv=torch.zeros(2, 3).half())
    with pytest.raises(InputError, match=r"expected the tensors of .*a\.safetensors in .*b\.safetensors"):
        average_checkpoints([first, halved], tmp_path / "mean.safetensors")

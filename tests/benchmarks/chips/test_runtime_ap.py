"""The table of AP and time: it judges what each runtime finds, and says why one cannot run."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.chips import runtime_ap
from refinedet.config import ModelConfig
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.errors import InputError
from refinedet.model.fusion import fuse_conv_bn
from refinedet.model.network import RefineDet


@pytest.fixture
def arguments(tmp_path: Path) -> argparse.Namespace:
    """Nine chips, each with two bright rectangles, and what the script is told of them."""
    boxes = np.array([[4, 4, 20, 12], [30, 40, 38, 60]], np.float32)
    chips = []
    for index in range(9):
        pixels = np.full((64, 64), 20, np.uint8)
        for x1, y1, x2, y2 in boxes.astype(int):
            pixels[y1:y2, x1:x2] = 250
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        chips.append(Annotated(f"{index}.png", 64, 64, boxes, np.zeros(2, np.int64), np.zeros(2, np.bool_)))
    write_record(tmp_path / "test.json", build_record(chips, ("ship",)))
    return argparse.Namespace(
        record=tmp_path / "test.json", chips=None, rounds=2, int8=None, runtimes=["openvino fp32", "openvino bf16"]
    )


def test_ap_is_of_all_chips_or_of_the_first(
    arguments: argparse.Namespace, bright_blobs: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime_ap, "load", lambda *_: bright_blobs)
    for chips in (None, 3):
        arguments.chips = chips
        found = runtime_ap.measure("openvino fp32", arguments)
        assert found["AP"] == found["AP50"] == pytest.approx(100)
        assert found["ms"] > 0


def test_what_cannot_run_is_a_row_with_the_reason(
    arguments: argparse.Namespace,
    bright_blobs: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(name: str, _: object) -> object:
        if name.endswith("bf16"):
            raise InputError("expected a processor with bfloat16")
        return bright_blobs

    monkeypatch.setattr(runtime_ap, "load", load)
    monkeypatch.setattr(runtime_ap, "in_child", lambda name: runtime_ap.measure(name, arguments))
    runtime_ap.compare(arguments)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "| runtime | AP | AP50 | AP75 | ms a chip |"
    assert lines[2].startswith("| openvino fp32 | 100.00 | 100.00 | 100.00 | ")
    assert lines[3] == "| openvino bf16 | not here: expected a processor with bfloat16 | | | |"


def test_emulated_bf16_is_what_autocast_gives() -> None:
    torch.manual_seed(0)
    network = fuse_conv_bn(RefineDet(ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64)))
    picture = 255 * torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        exact = network(picture)
        with torch.autocast("cpu", torch.bfloat16):
            wanted = network(picture)
            with runtime_ap.emulated_bf16():
                found = network(picture)
    for name in ("arm_logits", "arm_deltas", "odm_logits", "odm_deltas"):
        near, true, plain = (getattr(one, name).float() for one in (found, wanted, exact))
        assert not torch.equal(near, plain)
        assert (near - true).abs().mean() < 0.5 * (near - plain).abs().mean() + 1e-6

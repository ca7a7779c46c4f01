"""The search runs as its help says, on validation chips alone, and runs no pass twice."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

from refinedet.boxes import as_boxes
from refinedet.config import ModelConfig, MultiscaleConfig, Radiometry
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.network import RefineDet

_SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "chips" / "multiscale_search.py"


def _script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("multiscale_search", _SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "multiscale_search", module)  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def _chips(folder: Path) -> None:
    """Two noisy chips with one ship each, as the validation split; there is no other split."""
    images = []
    for index in range(2):
        pixels = np.random.default_rng(index).integers(0, 255, (40, 60), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
        none = np.zeros(1, np.int64)
        images.append(Annotated(f"{index}.png", 60, 40, as_boxes([[5, 5, 25, 20]]), none, none.astype(bool), {}))
    write_record(folder / "val.json", build_record(images, ("ship",)))


def test_table_is_sorted_and_can_be_used_as_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _chips(tmp_path)
    torch.manual_seed(0)
    config = ModelConfig(backbone_weights="none", tcb_channels=8, input_px=64)
    weights, table = tmp_path / "model.safetensors", tmp_path / "table.json"
    save_checkpoint(weights, RefineDet(config).state_dict(), Header(config, ("ship",), Radiometry(), {}))
    script = _script(monkeypatch)
    monkeypatch.setattr(script, "MERGES", dict(list(script.MERGES.items())[:2]))
    options = ["--scales", "1", "0.5 1", "--presets", "published", "--keep", "1", "--write", table]
    monkeypatch.setattr(sys, "argv", [str(_SCRIPT), "--weights", str(weights), "--chips", str(tmp_path)])
    sys.argv += map(str, options)
    script.main()
    printed = capsys.readouterr()
    ran = printed.err.splitlines()
    assert len(ran) == len({line.split(":")[0] for line in ran}) == 12, "the sets of passes reuse those of the preset"
    rows = json.loads(table.read_text())
    values = [float(m[1]) for m in re.finditer(r" +([\d.]+) +[\d.]+ +[\d.]+ +[\d.]+$", printed.out, re.MULTILINE)]
    assert len(values) == len(rows) >= 1 + 4 + 3
    assert values == sorted(values)
    for row in rows:
        MultiscaleConfig.from_dict(row["config"])

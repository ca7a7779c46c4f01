"""exporting.py: settings that go together, files that are never replaced unasked, and chips for 8 bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from refinedet import exporting
from refinedet.config import ModelConfig, Radiometry
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.errors import FileError, InputError
from refinedet.exporting import CalibrationChips, ExportSettings, export_and_measure
from refinedet.files import read_json, sha256_file
from refinedet.model.checkpoint import Header, save_checkpoint
from refinedet.model.network import RefineDet


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a small, untrained network."""
    torch.manual_seed(0)
    model = RefineDet(ModelConfig(backbone_weights="none", input_px=64, tcb_channels=8))
    path = tmp_path_factory.mktemp("network") / "tiny.safetensors"
    save_checkpoint(path, model.state_dict(), Header(model.config, ("ship",), Radiometry(), {}))
    return path


@pytest.fixture
def tiles(tmp_path: Path) -> Path:
    """Noise as stage tile would leave it: five chips to calibrate on, two to judge by."""
    for split, count in (("train", 5), ("val", 2)):
        (tmp_path / split).mkdir()
        chips = []
        for index in range(count):
            name, width = f"{split}/{index}.png", 40 + 24 * (index % 2)
            pixels = np.random.default_rng(index).integers(0, 255, (64, width), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name)
            box, label = np.array([[8, 8, 24, 20]], np.float32), np.zeros(1, np.int64)
            chips.append(Annotated(name, width, 64, box, label, np.zeros(1, np.bool_)))
        write_record(tmp_path / f"{split}.json", build_record(chips, ("ship",)))
    return tmp_path


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"format": "onnx", "int8": True, "calibration": Path("x")}, 'expected `format="openvino"` for `int8`'),
        ({"format": "openvino", "int8": True}, "expected chips for `int8`, found none"),
        ({"format": "openvino", "calibration": Path("x")}, "expected `int8` with `calibration`"),
        ({"format": "openvino", "max_drop": 1.0}, "expected `int8` with `max_drop`, found 1"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as refused:
        ExportSettings(**settings)
    assert sentence in str(refused.value)


def test_the_report_lies_beside_the_file_and_says_how_far_it_is(network: Path, tiles: Path, tmp_path: Path) -> None:
    for name in ("onnx", "onnxruntime"):
        pytest.importorskip(name)
    made = export_and_measure(ExportSettings("onnx", chips=tiles / "val.json"), weights=network, out=tmp_path / "made")
    assert [path.name for path in made.files] == ["tiny.onnx", "tiny.onnx.parity.json"]
    assert read_json(made.files[-1]) == made.report
    assert made.report["onnx_sha256"] == sha256_file(made.files[0])
    assert made.report["weights_sha256"] == sha256_file(network)
    assert made.report["parity"]["chips"] == 6
    assert made.report["parity"]["score_max"] < 1e-4
    assert set(made.report["accuracy"]) == {"torch", "onnx"}
    assert "int8" not in made.report


@pytest.mark.parametrize("name", ["tiny.xml", "tiny.bin", "tiny.openvino.parity.json"])
def test_no_file_is_replaced_unasked(network: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileError, match=rf"no .*{name} yet, found one; name another `out`, or set `overwrite`"):
        export_and_measure(ExportSettings("openvino"), weights=network, out=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_chips_to_calibrate_on_are_spread_over_all_names(tiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_CHIPS_MAX", 2)
    canvases = CalibrationChips.read(tiles, ("ship",)).canvases(ModelConfig(backbone_weights="none", input_px=64))
    assert [make.args[0].name for make in canvases] == ["0.png", "2.png"]  # type: ignore[attr-defined]
    assert [make().shape for make in canvases] == [(1, 3, 64, 64)] * 2


def test_chips_of_other_classes_or_without_objects_are_refused(tiles: Path) -> None:
    with pytest.raises(InputError, match="expected chips of the classes"):
        CalibrationChips.read(tiles, ("boat",))
    nothing = Annotated("a.png", 64, 64, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    write_record(tiles / "val.json", build_record([nothing], ("ship",)))
    with pytest.raises(InputError, match=r"expected chips with objects in .*val\.json"):
        CalibrationChips.read(tiles, ("ship",))
    (tiles / "val.json").unlink()
    with pytest.raises(FileError, match=r"found no val\.json; name a folder such as outputs/tile as `calibration`"):
        CalibrationChips.read(tiles, ("ship",))

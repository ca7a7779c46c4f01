"""refinedet export, and refinedet detect by what it wrote or by a runtime of choice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import Result

from refinedet.data.coco import ImageRecord, Record, write_record

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parent.parent.parent
FORMATS = {"onnx": "tiny.onnx", "openvino": "tiny.xml"}
_TORCH_FREE = """
import sys
from cli.app import app
try:
    app(sys.argv[1:])
except SystemExit as done:
    print(done.code, sorted({"torch", "torchvision", "timm"} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    """All of these need both runtimes."""
    for name in ("onnx", "onnxruntime", "openvino"):
        pytest.importorskip(name)


def features(folder: Path) -> list[Any]:
    found: list[Any] = json.loads((folder / "scene.geojson").read_text())["features"]
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_comes_with_its_parity_and_is_enough_to_detect_with(
    run: Run, scene: Path, tiny_network: Path, tmp_path: Path, format: str
) -> None:
    ran = run("export", "--format", format, "--weights", tiny_network, "--out", tmp_path / "made", "--json")
    assert ran.exit_code == 0, ran.output
    report = json.loads((tmp_path / "made" / f"tiny.{format}.parity.json").read_text())
    assert report["parity"]["px_max"] < 5e-3
    assert report["parity"]["score_max"] < 1e-4
    assert json.loads(ran.stdout)["parity"] == report["parity"]
    model = tmp_path / "made" / FORMATS[format]
    assert str(model) in json.loads(ran.stdout)["files"]

    options = ("--score-min", "0.02", "--device", "cpu", "--no-map", "--no-quicklook")
    by_file = run("detect", scene, "--weights", model, "--out", tmp_path / "file", *options)
    assert by_file.exit_code == 0, by_file.output
    by_torch = run(
        "detect", scene, "--weights", tiny_network, "--runtime", "torch", "--out", tmp_path / "torch", *options
    )
    assert by_torch.exit_code == 0, by_torch.output
    ours, theirs = features(tmp_path / "torch"), features(tmp_path / "file")
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        assert one["properties"]["score"] == pytest.approx(other["properties"]["score"], abs=1e-3)
    record = json.loads((tmp_path / "file" / "scene.run.json").read_text())
    assert (record["settings"]["runtime"], record["settings"]["precision"]) == (format, "fp32")
    assert record["settings"]["tile_px"] == 64, "what the checkpoint was trained on"


def test_an_export_is_never_replaced_unasked(run: Run, tiny_network: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_text("mine")
    ran = run("export", "--format", "onnx", "--weights", tiny_network, "--out", tmp_path)
    assert ran.exit_code == 1
    assert "--overwrite" in ran.stderr
    assert (tmp_path / "tiny.onnx").read_text() == "mine"


def test_ap_on_annotated_chips_is_part_of_the_report(run: Run, tiny_network: Path, tmp_path: Path) -> None:
    from PIL import Image

    chip = np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8)
    Image.fromarray(chip).save(tmp_path / "chip.png")
    box, label = np.array([[8, 8, 24, 20]], np.float32), np.zeros(1, np.int64)
    image = ImageRecord(1, "chip.png", 64, 64)
    truth = Record((image,), {1: box}, {1: label}, {1: np.zeros(1, np.bool_)}, ("ship",))
    write_record(tmp_path / "chips.json", truth)
    ran = run(
        *("export", "--format", "onnx", "--weights", tiny_network, "--out", tmp_path / "made"),
        *("--chips", tmp_path / "chips.json", "--json"),
    )
    assert ran.exit_code == 0, ran.output
    accuracy = json.loads(ran.stdout)["accuracy"]
    assert set(accuracy) == {"torch", "onnx"}
    assert accuracy["torch"]["AP"] == pytest.approx(accuracy["onnx"]["AP"], abs=0.5)


@pytest.mark.parametrize("runtime", ["onnx", "openvino", "auto"])
def test_after_the_first_time_no_torch_is_loaded(scene: Path, tiny_network: Path, tmp_path: Path, runtime: str) -> None:
    command = [sys.executable, "-c", _TORCH_FREE, "detect", "scene.tif", "--weights", str(tiny_network)]
    options = ["--runtime", runtime, "--device", "cpu", "--overwrite", "--score-min", "0.02"]
    told = [
        subprocess.run(
            [*command, *options, "--out", str(tmp_path / f"out{turn}")],
            cwd=scene.parent,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for turn in range(2)
    ]
    assert told[1] == "0 []"
    first, second = (tmp_path / f"out{turn}" / "scene.geojson" for turn in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert len(features(first.parent)) > 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--runtime", "onnx", "--precision", "bf16"), "use --runtime openvino"),
        (("--runtime", "openvino", "--device", "cuda"), "use --runtime torch"),
    ],
)
def test_what_a_runtime_cannot_do_is_one_sentence(
    run: Run, scene: Path, tiny_network: Path, options: tuple[str, ...], sentence: str
) -> None:
    ran = run("detect", scene, "--weights", tiny_network, *options)
    assert ran.exit_code == 1
    assert sentence in ran.stderr


def test_an_exported_file_has_its_own_runtime(run: Run, scene: Path, tiny_network: Path, tmp_path: Path) -> None:
    assert run("export", "--format", "onnx", "--weights", tiny_network, "--out", tmp_path).exit_code == 0
    ran = run("detect", scene, "--weights", tmp_path / "tiny.onnx", "--runtime", "openvino")
    assert ran.exit_code == 1
    assert "which runs by onnx; leave the option out" in ran.stderr


def test_a_journal_of_another_runtime_is_refused(
    run: Run, scene: Path, tiny_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from refinedet.runtimes.predictor import ExportedPredictor

    predict_at, calls = ExportedPredictor.predict_at, []

    def stopped(self: ExportedPredictor, chips: Any, *how: Any) -> Any:
        calls.append(len(chips))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return predict_at(self, chips, *how)

    monkeypatch.setattr(ExportedPredictor, "predict_at", stopped)
    common = ("detect", scene, "--weights", tiny_network, "--device", "cpu", "--batch-size", "2")
    assert run(*common, "--runtime", "onnx").exit_code == 130
    ran = run(*common, "--runtime", "torch")
    assert ran.exit_code == 1
    assert "made_by.runtime was onnx, is torch" in ran.stderr

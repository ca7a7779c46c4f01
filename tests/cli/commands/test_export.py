"""refinedet export --int8, and refinedet detect by what it wrote."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cli.quantizing import Calibration
from PIL import Image
from typer.testing import Result

from cli import quantizing
from refinedet.config import ModelConfig
from refinedet.data.coco import Annotated, build_record, write_record
from refinedet.files import sha256_file

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parent.parent.parent
_FREE = """
import sys
from cli.app import app
try:
    app(sys.argv[1:])
except SystemExit as done:
    print(done.code, sorted({"torch", "torchvision", "timm", "nncf"} & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise as stage tile would leave it: five chips to calibrate on, two to judge by."""
    folder = tmp_path_factory.mktemp("tiles")
    for split, count in (("train", 5), ("val", 2)):
        (folder / split).mkdir()
        names = [f"{split}/{index}.png" for index in range(count)]
        for index, name in enumerate(names):
            chip = np.random.default_rng(index).integers(0, 255, (64, 40 + 24 * (index % 2)), dtype=np.uint8)
            Image.fromarray(chip).save(folder / name)
        box, label = np.array([[8, 8, 24, 20]], np.float32), np.zeros(1, np.int64)
        sides = [40 + 24 * (index % 2) for index in range(count)]
        chips = [
            Annotated(name, side, 64, box, label, np.zeros(1, np.bool_))
            for name, side in zip(names, sides, strict=True)
        ]
        write_record(folder / f"{split}.json", build_record(chips, ("ship",)))
    return folder


@pytest.mark.slow
def test_an_int8_export_tells_what_it_cost_and_is_enough_to_detect_with(
    run: Run, scene: Path, tiny_network: Path, tiles: Path, tmp_path: Path
) -> None:
    for name in ("onnx", "openvino", "nncf"):
        pytest.importorskip(name)
    asked = ("export", "--format", "openvino", "--weights", tiny_network, "--out", tmp_path / "made", "--json")
    ran = run(*asked, "--int8", "--calibration", tiles)
    assert ran.exit_code == 0, ran.output
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == [
        *("tiny_int8.bin", "tiny_int8.openvino.parity.json", "tiny_int8.xml")
    ]
    told = json.loads(ran.stdout)
    report = json.loads((tmp_path / "made" / "tiny_int8.openvino.parity.json").read_text())
    assert told["int8"] == report["int8"]
    assert report["parity"]["score_max"] > 0, "8 bits do change scores"
    assert report["int8"]["AP_val_float"] - report["int8"]["AP_val_int8"] <= report["int8"]["max_drop"] == 0.5
    assert report["int8"]["calibration_chips"] == 5
    assert report["int8"]["layers"] > len(report["int8"]["layers_in_float"])
    assert report["int8"]["val_sha256"] == sha256_file(tiles / "val.json")

    done = subprocess.run(
        [
            *(sys.executable, "-c", _FREE, "detect", str(scene), "--weights", str(tmp_path / "made" / "tiny_int8.xml")),
            *("--score-min", "0.02", "--no-map", "--no-quicklook", "--out", str(tmp_path / "found")),
        ],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
    settings = json.loads((tmp_path / "found" / "scene.run.json").read_text())["settings"]
    assert (settings["runtime"], settings["precision"]) == ("openvino", "int8")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--format", "onnx", "--int8", "--calibration", "x"), "expected --format openvino for --int8, found onnx"),
        (("--format", "openvino", "--int8"), "expected chips for --int8, found none"),
        (("--format", "openvino", "--calibration", "x"), "expected --int8 with --calibration"),
        (("--format", "openvino", "--int8", "--calibration", "x"), "in x, found no train.json"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(
    run: Run, tiny_network: Path, options: tuple[str, ...], sentence: str
) -> None:
    ran = run("export", "--weights", tiny_network, *options)
    assert ran.exit_code == 1
    assert sentence in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


def test_chips_of_other_classes_or_without_objects_are_refused(run: Run, tiny_network: Path, tmp_path: Path) -> None:
    asked = ("export", "--weights", tiny_network, "--format", "openvino", "--int8", "--calibration", tmp_path)
    for classes, sentence in ((("boat",), "expected chips of the classes"), (("ship",), "expected chips with objects")):
        empty = Annotated("a.png", 64, 64, np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.bool_))
        for split in ("train", "val"):
            write_record(tmp_path / f"{split}.json", build_record([empty], classes))
        ran = run(*asked)
        assert ran.exit_code == 1
        assert sentence in " ".join(ran.stderr.split())


def test_chips_to_calibrate_on_are_spread_over_all_names(tiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantizing, "_CHIPS_MAX", 2)
    canvases = Calibration.read(tiles, ("ship",)).canvases(ModelConfig(backbone_weights="none", input_px=64))
    assert [make.args[0].name for make in canvases] == ["0.png", "2.png"]  # type: ignore[attr-defined]
    assert [make().shape for make in canvases] == [(1, 3, 64, 64)] * 2

"""refinedet export, with and without --int8, and refinedet detect by what it wrote."""

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
from PIL import Image
from typer.testing import Result

from refinedet.data.coco import Annotated, ImageRecord, Record, build_record, write_record
from refinedet.files import sha256_file

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[4]
FORMATS = {"onnx": "tiny.onnx", "openvino": "tiny.xml"}
_FREE = """
import sys
from cli.app import app
try:
    app(sys.argv[1:])
except SystemExit as done:
    print(done.code, sorted({"torch", "torchvision", "timm", "nncf"} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    """All of these need both runtimes."""
    for name in ("onnx", "onnxruntime", "openvino"):
        pytest.importorskip(name)


def features(folder: Path) -> list[Any]:
    found: list[Any] = json.loads((folder / "scene.geojson").read_text())["features"]
    return found


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


def test_an_export_is_never_replaced_unasked(run: Run, tiny_network: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.onnx").write_text("mine")
    ran = run("export", "--format", "onnx", "--weights", tiny_network, "--out", tmp_path)
    assert ran.exit_code == 1
    assert "--overwrite" in ran.stderr
    assert (tmp_path / "tiny.onnx").read_text() == "mine"


@pytest.mark.slow
def test_ap_on_annotated_chips_is_part_of_the_report(run: Run, tiny_network: Path, tmp_path: Path) -> None:
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

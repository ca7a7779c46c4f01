"""refinedet detect by an exported file, or by a runtime of choice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]

ROOT = Path(__file__).resolve().parents[5]
_NEEDLESS = {
    *("asyncio", "boto3.session", "botocore", "requests", "unittest", "urllib3"),
    *("dvc", "matplotlib", "mlflow", "onnx", "pandas", "pyarrow", "ray", "timm", "torch", "torchvision", "zarr"),
    *("numpy.f2py.f2py2e", "numpy.testing.overrides", "scipy.fft", "scipy.integrate", "scipy.interpolate"),
    *("scipy.io", "scipy.optimize", "scipy.signal", "scipy.stats"),
    *("cli.commands.scenes.serve", "cli.commands.training.train", "pipeline", "refinedet.ais", "refinedet.catalogues"),
    *("refinedet.cloud.transport", "refinedet.data", "refinedet.downloads", "refinedet.evaluation"),
    *("refinedet.training", "refinedet.traffic"),
}
"""Modules that a plain run has no use for; they would take longer than its network."""
_LOADED = f"""
import sys
from cli.app import main
try:
    main()
except SystemExit as done:
    print(done.code, sorted({_NEEDLESS} & set(sys.modules)))
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    """All of these need both runtimes."""
    for name in ("onnx", "onnxruntime", "openvino"):
        pytest.importorskip(name)


def features(folder: Path) -> list[Any]:
    found: list[Any] = json.loads((folder / "scene.geojson").read_text())["features"]
    return found


@pytest.mark.parametrize("runtime", ["onnx", pytest.param("openvino", marks=pytest.mark.slow), "auto"])
def test_after_the_first_time_nothing_needless_is_loaded(
    scene: Path, tiny_network: Path, tmp_path: Path, runtime: str
) -> None:
    command = [sys.executable, "-c", _LOADED, "detect", "scene.tif", "--weights", str(tiny_network)]
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
        (
            ("--runtime", "openvino", "--precision", "fp16"),
            "runtime torch for --precision fp16, found openvino",
        ),
        (("--runtime", "onnx", "--torch-mode", "eager"), "runtime torch for --torch-mode eager, found onnx"),
        (
            ("--runtime", "torch", "--device", "cpu", "--torch-mode", "graph"),
            "a CUDA GPU for --torch-mode graph",
        ),
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
    assert "which runs by onnx; leave the setting out" in ran.stderr


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
    assert "detector.runtime was onnx, is torch" in ran.stderr

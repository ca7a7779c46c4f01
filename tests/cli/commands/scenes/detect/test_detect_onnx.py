"""refinedet detect with somebody else's detector."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import Result

Run = Callable[..., Result]


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """A graph that sees a vessel at (20, 30, 40, 38), and a rest of rows, on whatever it is shown."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    rows = np.zeros((1, 3, 6), np.float32)
    rows[0, 0] = (20, 30, 40, 38, 0.8, 1)
    info = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Constant", [], ["rows"], value=onnx.numpy_helper.from_array(rows))],
        "one_vessel",
        [info("image", onnx.TensorProto.FLOAT, [1, 3, "height", "width"])],
        [info("rows", onnx.TensorProto.FLOAT, rows.shape)],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.helper.set_model_props(model, {"names": "{0: 'buoy', 1: 'vessel'}"})
    (tmp_path / "detector.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "detector.onnx"


def test_an_onnx_detector_gets_windows_position_and_files(run: Run, detector: Path, scene: Path) -> None:
    ran = run("detect", scene, "--weights", detector)
    assert ran.exit_code == 0, ran.output
    (ship,) = json.loads((scene.parent / "scene_ships" / "scene.geojson").read_text())["features"]
    assert ship["properties"]["class"] == "vessel"
    assert ship["properties"]["score"] == pytest.approx(0.8)
    assert ship["geometry"]["type"] == "Polygon"


def test_windows_are_the_default_ones_or_as_asked(run: Run, detector: Path, scene: Path) -> None:
    ran = run("detect", scene, "--weights", detector, "--json", "--tile-px", 128, "--overlap-px", 48)
    assert json.loads(ran.stdout)["scenes"][0]["windows"] == 12


def test_other_sizes_are_for_checkpoints(run: Run, detector: Path, scene: Path) -> None:
    ran = run("detect", scene, "--weights", detector, "--multiscale", "light")
    assert ran.exit_code == 1
    assert "expected a checkpoint (.safetensors) for --multiscale" in ran.stderr

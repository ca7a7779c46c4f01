"""ONNX files: found where they are, letterboxed right, and safe."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from refinedet import extras
from refinedet.adapters.onnx import OnnxPredictor
from refinedet.adapters.onnx_layout import OnnxLayout
from refinedet.errors import FileError, InputError, MissingExtra

BOX = np.array([[[8, 16, 24, 32]]], np.float32)


def cell_chip(height: int = 64, width: int = 64) -> np.ndarray:
    """Dark, but for the cell at (16, 8)."""
    chip = np.full((height, width), 10, np.uint8)
    chip[8:16, 16:24] = 255
    return chip


@pytest.mark.parametrize(("input_px", "atol"), [(None, 0), (128, 1)], ids=["as it is", "twice as large"])
def test_a_bright_cell_is_found_in_pixels_of_the_chip(cells_onnx: Path, input_px: int | None, atol: float) -> None:
    predictor = OnnxPredictor(cells_onnx, layout=OnnxLayout(input_px=input_px), score_min=0.99)
    found = predictor.predict([cell_chip(), cell_chip(40, 60)])
    assert predictor.classes == ("vessel",)
    for one in found:
        spans = np.concatenate([one.boxes_xyxy.min(axis=0)[:2], one.boxes_xyxy.max(axis=0)[2:]])
        np.testing.assert_allclose(spans, [16, 8, 24, 16], atol=4 * atol)


def test_company_and_batches_change_nothing(cells_onnx: Path, chips: list[np.ndarray]) -> None:
    together = OnnxPredictor(cells_onnx, batch_size=3).predict(chips)
    single = OnnxPredictor(cells_onnx, batch_size=1)
    for chip, found in zip(chips, together, strict=True):
        alone = single.predict([chip])[0]
        assert (alone.boxes_xyxy.tobytes(), alone.scores.tobytes()) == (
            found.boxes_xyxy.tobytes(),
            found.scores.tobytes(),
        )
    assert single.predict([]) == []


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        ((1, 3, 64, 64), np.float32),
        ((1, 64, 64, 3), np.uint8),
        (("n", 3, "h", "w"), np.float16),
        ((1, 1, 64, 64), np.float32),
        ((3, "h", "w"), np.float32),
        ((1, 3, 64, "w"), np.float32),
    ],
)
def test_inputs_of_all_layouts_are_served(make_onnx: Any, shape: tuple[Any, ...], dtype: Any) -> None:
    """A chip of 128 x 32 pixels enters a canvas of 64 x 64 at half its size, a free one as it is."""
    path = make_onnx({"boxes": BOX, "scores": [[0.5]], "labels": np.array([[0]])}, shape, dtype)
    found = OnnxPredictor(path).predict([np.zeros((32, 128), np.uint8)])[0]
    scale = {(1, 3, 64, "w"): 0.5}.get(shape, 1 if "w" in shape else 2)
    expected = np.minimum(BOX[0, 0] * scale, [128, 32, 128, 32])
    np.testing.assert_allclose(found.boxes_xyxy, [expected] if expected[3] > expected[1] else np.zeros((0, 4)))


def test_pixels_are_scaled_and_normalised_as_the_layout_says(cells_onnx: Path) -> None:
    bytes_of_its_own = OnnxLayout(mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))
    found = OnnxPredictor(cells_onnx, layout=bytes_of_its_own).predict([cell_chip()])[0]
    np.testing.assert_allclose(found.scores, [0.5])  # white less the mean; the dark is below zero


def test_shares_labels_and_names_of_the_graph_are_understood(make_onnx: Any) -> None:
    path = make_onnx({"boxes": BOX / 64, "scores": [[0.5]], "labels": np.array([[2]])})
    layout = OnnxLayout(box_unit="share", first_label=1)
    predictor = OnnxPredictor(path, classes=["ship", "boat"], layout=layout)
    found = predictor.predict([np.zeros((64, 64), np.uint8)])[0]
    np.testing.assert_allclose(found.boxes_xyxy, BOX[0])
    assert found.labels.tolist() == [1]
    with pytest.raises(InputError, match=r"expected labels 0 to 0 from the ONNX file .*found 2"):
        OnnxPredictor(path).predict([np.zeros((64, 64), np.uint8)])


@pytest.mark.parametrize("names", ["{1: 'ship'}", "__import__('os')", "[" * 50_000, "7"])
def test_class_names_that_are_none_are_one_sentence(make_onnx: Any, names: str) -> None:
    path = make_onnx({"output0": np.zeros((1, 5, 9), np.float32)}, metadata={"names": names})
    with pytest.raises(InputError, match="expected a list of class names in the metadata of the ONNX file"):
        OnnxPredictor(path)
    assert OnnxPredictor(path, classes=["ship"]).classes == ("ship",)


@pytest.mark.parametrize("shape", [(2, 3, 64, 64), (1, 8, 64, 64), (1, 10)], ids=["a pair", "eight bands", "no image"])
def test_an_input_that_is_no_image_is_one_sentence(make_onnx: Any, shape: tuple[int, ...]) -> None:
    path = make_onnx({"output0": np.zeros((1, 5, 9), np.float32)}, shape)
    with pytest.raises(InputError, match=r"expected one input \(B, 3, H, W\).*found image"):
        OnnxPredictor(path)


def test_a_file_that_is_missing_or_no_graph_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(FileError, match=r"expected an ONNX file at .*found none"):
        OnnxPredictor(tmp_path / "none.onnx")
    for content in (b"", b"no graph at all" * 9):
        (tmp_path / "model.onnx").write_bytes(content)
        with pytest.raises(FileError, match="expected an ONNX graph of standard operators"):
            OnnxPredictor(tmp_path / "model.onnx")


def test_custom_operators_are_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    info = [onnx.helper.make_tensor_value_info(name, 1, [1, 3, 64, 64]) for name in "xy"]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Evil", ["x"], ["y"], domain="my")], "g", info[:1], info[1:])
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("my", 1)], ir_version=8
    )
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(FileError, match=r"graph of standard operators.*Evil"):
        OnnxPredictor(tmp_path / "model.onnx")


@pytest.mark.parametrize("place", ["../secret.bin", "{absolute}", "link.bin"], ids=["above", "absolute", "by a link"])
def test_weights_are_never_read_from_outside_of_the_folder(tmp_path: Path, place: str) -> None:
    """The file outside would give a row with a ship."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    secret, folder = tmp_path / "secret.bin", tmp_path / "models"
    folder.mkdir()
    secret.write_bytes(np.array([8, 16, 24, 32, 1, 0], np.float32).tobytes())
    (folder / "link.bin").symlink_to(secret)

    def predictor(location: str) -> OnnxPredictor:
        weights = onnx.TensorProto(name="rows", data_type=1, dims=[1, 1, 6], data_location=1)
        weights.external_data.add(key="location", value=location)
        info = onnx.helper.make_tensor_value_info
        graph = onnx.helper.make_graph(
            [onnx.helper.make_node("Identity", ["rows"], ["out"])],
            "g",
            [info("image", 1, [1, 3, 64, 64])],
            [info("out", 1, [1, 1, 6])],
            [weights],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        return OnnxPredictor(folder / "model.onnx")

    with pytest.raises(FileError, match="cannot be run"):
        predictor(place.format(absolute=secret))
    (folder / "own.bin").write_bytes(secret.read_bytes())
    assert len(predictor("own.bin").predict([np.zeros((64, 64), np.uint8)])[0]) == 1


def test_an_old_or_missing_runtime_is_refused_with_its_pip_line(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(extras, "import_module", lambda _: SimpleNamespace(__version__="1.23.2"))
    with pytest.raises(MissingExtra, match=r"onnxruntime 1.24 or newer, found 1.23.2; run: pip install -U"):
        OnnxPredictor(tmp_path / "model.onnx")

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(extras, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"found none; install it: pip install 'refinedet\[onnx\]'"):
        OnnxPredictor(tmp_path / "model.onnx")


@pytest.mark.parametrize("device", ["tpu", "cuda:x", "cuda"])
def test_devices_that_are_not_there_are_refused(cells_onnx: Path, device: str) -> None:
    runtime = pytest.importorskip("onnxruntime")
    if device == "cuda" and "CUDAExecutionProvider" in runtime.get_available_providers():
        pytest.skip("there is one")
    with pytest.raises(InputError, match="device"):
        OnnxPredictor(cells_onnx, device=device)


def test_an_nms_of_zero_is_refused(cells_onnx: Path) -> None:
    with pytest.raises(InputError, match="for NMS"):
        OnnxPredictor(cells_onnx, nms_iou=0)

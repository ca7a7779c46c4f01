"""Layers put back to float: exact if all are, the costly block first; and the distance of two graphs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.runtimes.back_to_float import answers, blocks_of, distance, layers_of, put_back
from refinedet.runtimes.export import export
from refinedet.runtimes.exported import LAYERS
from refinedet.runtimes.graphs import openvino
from refinedet.workarounds.openvino.nncf_constants import fold_constants


@pytest.fixture(scope="module")
def source(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model in float, with plain constants."""
    for name in ("onnx", "openvino"):
        pytest.importorskip(name)
    path = export(network, tmp_path_factory.mktemp("float") / "small.xml", "openvino")
    model = openvino().Core().read_model(path)
    fold_constants(model)
    return model


def canvas() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (1, 3, 64, 64), dtype=np.uint8)


def damaged(source: Any) -> Any:
    """A copy whose layers have rounded weights, other biases and rounded inputs, as NNCF leaves them."""
    vino = openvino()
    model = source.clone()
    for node in model.get_ordered_ops():
        if node.get_type_name() not in LAYERS:
            continue
        weights = node.input_value(1).get_node().get_data()
        step = np.abs(weights).max() / 3
        rounded = vino.op.Constant((np.round(weights / step) * step).astype(np.float32))
        node.input(1).replace_source_output(rounded.output(0))
        limits = [vino.op.Constant(np.array(value, np.float32)) for value in (-1, 1, -1, 1)]
        before = vino.opset13.fake_quantize(node.input_value(0), *limits, levels=7)
        node.input(0).replace_source_output(before.output(0))
        for user in [one.get_node() for one in node.output(0).get_target_inputs()]:
            if user.get_type_name() == "Add" and user.input_value(1).get_node().get_type_name() == "Constant":
                bias = user.input_value(1).get_node().get_data() + np.float32(0.1)
                user.input(1).replace_source_output(vino.op.Constant(bias.astype(np.float32)).output(0))
    return model


def test_with_all_layers_back_the_numbers_are_those_of_the_float_form(source: Any) -> None:
    wanted = answers(source, [canvas])
    model = damaged(source)
    put_back(model, source, set(layers_of(source)))
    for found, expected in zip(answers(model, [canvas])[0], wanted[0], strict=True):
        np.testing.assert_array_equal(found, expected)


def test_only_the_named_layers_are_put_back(source: Any) -> None:
    model, name = damaged(source), layers_of(source)[1]
    put_back(model, source, {name})
    for node, original in zip(
        (one for one in model.get_ordered_ops() if one.get_type_name() in LAYERS),
        (one for one in source.get_ordered_ops() if one.get_type_name() in LAYERS),
        strict=True,
    ):
        same = np.array_equal(node.input_value(1).get_node().get_data(), original.input_value(1).get_node().get_data())
        assert same == (node.get_friendly_name() == name)


def test_blocks_hold_the_layers_that_belong_together(source: Any) -> None:
    blocks = blocks_of(source)
    assert sorted(name for names in blocks.values() for name in names) == sorted(layers_of(source))
    whole = {
        "backbone/body/conv_stem",
        "backbone/extra.0",
        "backbone/body/blocks.0/blocks.0.0",
        "arm.0",
        "tcb.0",
        "odm.0",
    }
    assert whole <= set(blocks)
    assert len(blocks["backbone/body/blocks.1/blocks.1.0"]) == 3


def test_the_distance_is_the_worse_of_score_and_box() -> None:
    boxes = np.array([[[0, 0, 10, 10], [0, 0, 10, 10], [50, 50, 60, 60]]], np.float32)
    scores = np.array([[[0.9], [0.4], [0.0]]], np.float32)
    moved, other = boxes.copy(), scores.copy()
    moved[0, 0] = [0, 0, 10, 5]  # IoU 0.5
    other[0, 1] = 0.2
    moved[0, 2] = 0  # background in both
    assert distance([(boxes, scores)], [(boxes, scores)]) == 0.0
    assert distance([(boxes, scores)], [(moved, other)]) == pytest.approx((0.5 + 0.2) / 2)
    assert distance([], []) == 0.0

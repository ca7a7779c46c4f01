"""Exports in 8 bits: layers alone, equal bytes, blocks back to float where they cost too much, and nothing sent.

NNCF itself runs in the slow tests alone: in a process that had run the whole suite, the next child it started took the
process down (segmentation fault, twice; never in smaller runs).
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.detection.detector import Detector
from refinedet.errors import InputError, MissingExtra
from refinedet.runtimes import int8
from refinedet.runtimes.back_to_float import Canvases
from refinedet.runtimes.export import export
from refinedet.runtimes.exported import LAYERS
from refinedet.runtimes.graphs import open_graph, openvino
from refinedet.runtimes.int8 import Judged, Limits, Quantized, quantize


@pytest.fixture(scope="module")
def source(network: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export in float."""
    for name in ("onnx", "openvino", "nncf"):
        pytest.importorskip(name)
    return export(network, tmp_path_factory.mktemp("float") / "small.xml", "openvino")


def canvas(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (1, 3, 64 + 64 * (seed % 2), 128), dtype=np.uint8)


@pytest.fixture
def canvases() -> Canvases:
    """Canvases of two sizes."""
    return [partial(canvas, seed) for seed in range(6)]


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Quantized]:
    """A file in 8 bits that nobody judges."""
    path = tmp_path_factory.mktemp("int8") / "small.xml"
    return path, quantize(source, path, [partial(canvas, seed) for seed in range(6)], content, Limits(0))


def content(_: Path) -> Judged:
    """Judge that finds every file as good as the float one."""
    return Judged(60.0, 0.9, 0.0)


def operations(path: Path) -> list[Any]:
    found: list[Any] = openvino().Core().read_model(path).get_ordered_ops()
    return found


@pytest.mark.slow
def test_layers_compute_in_8_bits_and_nothing_behind_them(made: tuple[Path, Quantized]) -> None:
    path, found = made
    nodes = operations(path)
    layers = [node for node in nodes if node.get_type_name() in LAYERS]
    assert found.layers == len(layers) > 50
    assert len(found.in_float) < len(layers) // 2
    assert {node.get_type_name() for node in layers} >= {"GroupConvolution", "ConvolutionBackpropData"}
    reach: set[str] = set()
    for node in reversed(nodes):  # what leads to a layer
        users = [user.get_node() for output in node.outputs() for user in output.get_target_inputs()]
        if any(user.get_type_name() in LAYERS or user.get_friendly_name() in reach for user in users):
            reach.add(node.get_friendly_name())
    rounded = [node.get_friendly_name() for node in nodes if node.get_type_name() == "FakeQuantize"]
    assert rounded
    assert set(rounded) <= reach, "anchors, decode, GridSample and scores are float"


@pytest.mark.slow
def test_each_channel_of_a_depthwise_convolution_has_its_own_scale(made: tuple[Path, Quantized]) -> None:
    depthwise = [node for node in operations(made[0]) if node.get_type_name() == "GroupConvolution"]
    assert depthwise
    for node in depthwise:
        scaled = node.input_value(1).get_node()
        assert scaled.get_type_name() == "Multiply"
        scale = scaled.input_value(1).get_node().get_data()
        assert scale.size == node.output(0).get_partial_shape()[1].get_length()


@pytest.mark.slow
def test_it_says_what_it_is_and_gives_nearly_the_boxes_of_the_float_file(
    source: Path, made: tuple[Path, Quantized]
) -> None:
    ours, theirs = open_graph(source), open_graph(made[0])
    assert (ours.precision, theirs.precision) == ("fp32", "int8")
    assert theirs.exported.header == ours.exported.header
    assert theirs.exported.weights_sha256 == ours.exported.weights_sha256
    float_scores, int8_scores = (graph.run(canvas(20))[1] for graph in (ours, theirs))
    assert 0 < np.abs(float_scores - int8_scores).mean() < 0.1 * float_scores.std()
    with pytest.raises(InputError, match="which is int8 itself, found bf16"):
        open_graph(made[0], precision="bf16")
    with Detector.load(made[0], precision="int8") as detector:
        assert detector.precision == "int8"


@pytest.mark.slow
def test_equal_arguments_give_equal_bytes_and_nothing_else_is_left(
    source: Path, made: tuple[Path, Quantized], canvases: Canvases, tmp_path: Path
) -> None:
    again = tmp_path / "small.xml"
    quantize(source, again, canvases, content, Limits(0))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.bin", "small.xml"]
    for suffix in (".bin", ".xml"):
        assert again.with_suffix(suffix).read_bytes() == made[0].with_suffix(suffix).read_bytes()


@pytest.mark.slow
def test_a_block_is_put_back_after_the_other_until_the_judge_is_content(
    source: Path, canvases: Canvases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def first(ranking: Any, kept: set[str], *, least: int) -> set[str]:
        left = [set(names) for names in ranking._blocks.values() if not kept.issuperset(names)]
        return set().union(*left[:least])

    monkeypatch.setattr(int8._Ranking, "costly", first)  # comparing all blocks takes its time
    told = iter([Judged(60, 0.9, 0), Judged(57, 0.9, 0.1), Judged(60, 0.8, 0.1), Judged(59.8, 0.9, 0.4)])
    found = quantize(source, tmp_path / "small.xml", canvases, lambda _: next(told), Limits(0.5, 0.01, 0.5))
    assert (found.before.ap, found.after.ap) == (60, 59.8)
    assert [name.split("/")[2] for name in found.in_float] == ["conv_stem", "blocks.0", "blocks.0"]
    again = [node for node in operations(tmp_path / "small.xml") if node.get_friendly_name() in found.in_float]
    assert [node.input_value(1).get_node().get_type_name() for node in again] == ["Constant"] * len(found.in_float)


@pytest.mark.parametrize(
    ("after", "holds"),
    [
        (Judged(59.5, 0.895, 0.5), True),
        (Judged(59.4, 0.9, 0.0), False),
        (Judged(60.0, 0.89, 0.0), False),
        (Judged(60.0, 0.9, 0.6), False),
        (Judged(61.0, 0.95, 0.1), True),
    ],
)
def test_each_limit_holds_for_itself(after: Judged, holds: bool) -> None:
    assert Limits(0.5, 0.0051, 0.5).hold(Judged(60, 0.9, 0), after) == holds


class Fake:
    """Stands for NNCF and for the comparison of blocks: the file in float, whatever is asked for."""

    def __init__(self, source: Path, *_: Any) -> None:
        self.source, self.asked = source, list[int]()

    def model(self, _kept: set[str]) -> Any:
        """The file in float."""
        return openvino().Core().read_model(self.source)

    def costly(self, _kept: set[str], *, least: int) -> set[str]:
        """One layer, if one is wanted."""
        self.asked.append(least)
        return {f"layer {len(self.asked)}"} if least else set()


def test_a_loss_that_cannot_be_helped_is_one_sentence_and_no_file(
    source: Path, canvases: Canvases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = Fake(source)
    monkeypatch.setattr(int8, "in_8_bits", lambda *_, **__: fake.model(set()))
    monkeypatch.setattr(int8, "_Ranking", lambda *_: fake)
    judged = {True: Judged(60, 0.9, 0), False: Judged(56, 0.9, 0.25)}
    with pytest.raises(InputError, match=r"to cost at most 0\.5 of AP.*56\.00.*with 5 layers in float"):
        quantize(source, tmp_path / "small.xml", canvases, lambda path: judged[path == source], Limits(0.5))
    assert fake.asked == [0, 1, 1, 1, 1, 1]
    with pytest.raises(InputError, match="at least one chip"):
        quantize(source, tmp_path / "small.xml", [], content, Limits(0.5))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_nothing_is_sent_nor_counted_in_the_users_home(tmp_path: Path) -> None:
    pytest.importorskip("nncf")
    code = (
        "import sys; from refinedet.runtimes import graphs, int8; graphs.openvino(); int8._nncf()\n"
        "from nncf.telemetry.wrapper import telemetry, NNCFTelemetryStub\n"
        "print(isinstance(telemetry, NNCFTelemetryStub), 'openvino_telemetry' in sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["True", "False"]
    assert list(tmp_path.iterdir()) == []


def test_a_missing_nncf_is_named_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(int8, "import_without_telemetry", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'refinedet\[int8\]'"):
        int8._nncf()

"""What is refused, in one sentence, before a graph is run."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.runtimes import graphs
from refinedet.runtimes.exported import Exported
from refinedet.runtimes.graphs import OpenVinoGraph, exported_onnx, open_graph


def copied(exported: Path, folder: Path) -> Path:
    for path in exported.parent.iterdir():
        shutil.copy(path, folder / path.name)
    return folder / exported.name


def test_a_missing_or_damaged_file_is_one_sentence(exported: Path, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"at .*none.*found none"):
        open_graph(tmp_path / f"none{exported.suffix}")
    path = copied(exported, tmp_path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(FileError, match="cannot be run"):
        open_graph(path)


def test_weights_that_are_missing_or_cut_are_one_sentence(exported: Path, tmp_path: Path) -> None:
    if exported.suffix == ".onnx":
        pytest.skip("weights are in the file")
    path = copied(exported, tmp_path)
    weights = path.with_suffix(".bin")
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(FileError, match=r"with its weights \(.bin\) beside it"):
        open_graph(path)
    weights.unlink()
    with pytest.raises(FileError, match=r"with its weights \(.bin\) beside it"):
        open_graph(path)


def test_to_prepare_changes_no_answer(exported: Path) -> None:
    plain, prepared = open_graph(exported), open_graph(exported)
    prepared.prepare()
    px = plain.exported.header.model.input_px
    for side in (px, px // 2, 64):
        canvas = np.random.default_rng(side).integers(0, 255, (1, 3, side, side), dtype=np.uint8)
        for one, other in zip(plain.run(canvas), prepared.run(canvas), strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_threads_of_a_graph_keep_to_no_core_of_their_own(exported: Path) -> None:
    """Two processes would keep to the same one: an archive of two workers took 115 s that way, and 70 s otherwise."""
    graph = open_graph(exported)
    if not isinstance(graph, OpenVinoGraph):
        pytest.skip("ONNX Runtime pins no threads")
    request = graph._queue(64).result()[0]
    assert request.get_compiled_model().get_property("ENABLE_CPU_PINNING") is False


def test_openvino_is_for_processors(exported: Path) -> None:
    if exported.suffix == ".onnx":
        pytest.skip("ONNX Runtime has its own devices")
    with pytest.raises(InputError, match="--runtime torch"):
        open_graph(exported, device="cuda")


def test_ours_are_told_from_other_peoples(exported: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    if exported.suffix != ".onnx":
        pytest.skip("an .xml is always ours")
    assert exported_onnx(exported)
    model = onnx.load(exported)
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "foreign.onnx")
    assert not exported_onnx(tmp_path / "foreign.onnx")
    with pytest.raises(InputError, match="exported by `refinedet export`"):
        open_graph(tmp_path / "foreign.onnx")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"export": 1}', '{"export": 2}'])
def test_metadata_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="export it again"):
        Exported.from_text(text, "x.onnx")


def test_a_missing_openvino_is_named_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(graphs, "import_module", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'refinedet\[openvino\]'"):
        graphs.openvino()

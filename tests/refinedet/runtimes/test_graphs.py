"""Refusals, in one sentence, before a graph is run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from refinedet.config import ModelConfig, Radiometry, TileConfig, TrainedOn
from refinedet.errors import FileError, InputError, MissingExtra
from refinedet.model.checkpoint import Header
from refinedet.runtimes import graphs
from refinedet.runtimes.exported import Exported
from refinedet.runtimes.graphs import OpenVinoGraph, exported_onnx, open_graph

HEADER = Header(ModelConfig(), ("ship",), Radiometry(), {}, trained_on=TrainedOn(TileConfig(128, 32)))


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
    with pytest.raises(FileError, match=r"with its weights \(small\.bin\) beside it"):
        open_graph(path)
    weights.unlink()
    with pytest.raises(FileError, match=r"with its weights \(small\.bin\) beside it"):
        open_graph(path)


def test_to_prepare_changes_no_answer(exported: Path) -> None:
    plain, prepared = open_graph(exported), open_graph(exported)
    prepared.prepare()
    px = plain.exported.header.model.input_px
    for side in (px, px // 2, 64):
        canvas = np.random.default_rng(side).integers(0, 255, (1, 3, side, side), dtype=np.uint8)
        for one, other in zip(plain.run(canvas), prepared.run(canvas), strict=True):
            np.testing.assert_array_equal(one, other)


def test_callers_side_by_side_get_the_answers_of_their_own_canvases(exported: Path) -> None:
    graph = open_graph(exported)
    px = graph.exported.header.model.input_px
    sides = [px, px // 2, px, 64, px // 2, px, 64, px]
    jobs = [
        np.random.default_rng(i).integers(0, 255, (5, 3, side, side), dtype=np.uint8) for i, side in enumerate(sides)
    ]
    with ThreadPoolExecutor(len(jobs)) as pool:  # all at once, the first calls of a graph that nobody prepared
        together = list(pool.map(graph.run, jobs))
    alone = open_graph(exported)
    for job, answer in zip(jobs, together, strict=True):
        for one, other in zip(answer, alone.run(job), strict=True):
            np.testing.assert_array_equal(one, other)


_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np
from refinedet.runtimes.graphs import open_graph
graph = open_graph(Path(sys.argv[1]))
with ThreadPoolExecutor(8) as pool:
    print(len(list(pool.map(graph.run, [np.zeros((4, 3, side, side), np.uint8) for side in (64, 128) * 8]))))
"""


@pytest.mark.parametrize("turn", range(4))
@pytest.mark.slow
def test_the_first_arrays_of_a_process_may_come_from_many_threads(exported: Path, turn: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AT_ONCE, str(exported)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "16", turn


_SIGNALLED = """
import gc, signal, sys, threading
from pathlib import Path
import numpy as np
from refinedet.runtimes.graphs import open_graph
signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
graphs = [open_graph(Path(sys.argv[1])) for _ in range(2)]
for graph in graphs:
    graph.run(np.zeros((1, 3, 64, 64), np.uint8))
del graph
graphs.pop(0)
gc.collect()
signal.raise_signal(signal.SIGUSR1)
last = threading.Thread(target=lambda: (graphs.clear(), gc.collect()))
last.start()
last.join()
signal.raise_signal(signal.SIGUSR1)
"""


def test_signals_are_heard_after_graphs_were_let_go_in_any_order_by_any_thread(exported: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SIGNALLED, str(exported)], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.split() == ["heard", "heard"]


def test_a_graph_is_compiled_once_for_each_size_however_many_ask_for_it(
    exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = open_graph(exported)
    if not isinstance(graph, OpenVinoGraph):
        pytest.skip("ONNX Runtime compiles when it opens")
    compiled, sizes = graph._compiled, []
    monkeypatch.setattr(graph, "_compiled", lambda side: (sizes.append(side), compiled(side))[1])
    with ThreadPoolExecutor(8) as pool:
        ready = list(pool.map(lambda _: graph._ready(64).result(), range(16)))
    assert sizes == [64]
    assert len(set(map(id, ready))) == 1


class Failing:
    """A request that fails at its second picture, as for lack of memory."""

    def __init__(self, request: Any) -> None:
        self.request, self.seen = request, 0

    def wait(self) -> None:
        """Wait for the request, and fail in its place."""
        self.request.wait()
        self.seen += 1
        if self.seen == 2:
            raise RuntimeError("no memory")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)


def test_an_inference_that_fails_is_raised_and_the_graph_goes_on(exported: Path) -> None:
    graph = open_graph(exported)
    if not isinstance(graph, OpenVinoGraph):
        pytest.skip("ONNX Runtime raises by itself")
    canvases = np.random.default_rng(0).integers(0, 255, (12, 3, 64, 64), dtype=np.uint8)
    wanted = graph.run(canvases)
    ready = graph._ready(64).result()
    ready._idle.put(Failing(ready._idle.get()))
    with pytest.raises(RuntimeError, match="no memory"):
        graph.run(canvases)
    for one, other in zip(graph.run(canvases), wanted, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_threads_of_a_graph_keep_to_no_core_of_their_own(exported: Path) -> None:
    """Two processes would keep to the same one: an archive of two workers took 115 s that way, and 70 s otherwise."""
    graph = open_graph(exported)
    if not isinstance(graph, OpenVinoGraph):
        pytest.skip("ONNX Runtime pins no threads")
    assert graph._ready(64).result().compiled.get_property("ENABLE_CPU_PINNING") is False


def test_openvino_is_for_processors(exported: Path) -> None:
    if exported.suffix == ".onnx":
        pytest.skip("ONNX Runtime has its own devices")
    with pytest.raises(InputError, match='`runtime="torch"`'):
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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        *((text, "expected JSON in the metadata of x.onnx") for text in ("{", "[", f'{{"export": {"9" * 5000}}}')),
        *((text, "export it again") for text in ("", "[]", "null", "{}", '{"export": 1}', '{"export": null}')),
        ('{"export": 2}', "expected the header of a refinedet checkpoint in x.onnx"),
        ('{"export": 2, "header": []}', "expected the header of a refinedet checkpoint in x.onnx"),
    ],
)
def test_metadata_of_something_else_is_refused(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Exported.from_text(text, "x.onnx")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("weights_sha256", 3, "setting `weights_sha256` in x.onnx: expected text, found 3"),
        ("precision", "fp64", "setting `precision` in x.onnx: expected one of 'fp32' or 'int8', found 'fp64'"),
        ("header", {"format": 2, "model": 1}, "setting `header.model` in x.onnx: expected a mapping"),
    ],
)
def test_metadata_of_wrong_values_is_one_sentence(name: str, value: object, words: str) -> None:
    content = {**json.loads(Exported(HEADER, "5ce7e").to_text()), name: value}
    with pytest.raises(InputError, match=words):
        Exported.from_text(json.dumps(content), "x.onnx")


def test_metadata_with_a_header_of_format_1_is_read() -> None:
    content = json.loads(Exported(HEADER, "5ce7e", "int8").to_text())
    windows = content["header"].pop("trained_on")["windows"]
    content["header"] |= {"format": 1, "provenance": {"tile": windows}}
    assert Exported.from_text(json.dumps(content), "x.onnx") == Exported(HEADER, "5ce7e", "int8")


def test_a_missing_openvino_is_named_with_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(graphs, "import_without_telemetry", missing)
    with pytest.raises(MissingExtra, match=r"expected openvino .* install refinedet again"):
        graphs.openvino()

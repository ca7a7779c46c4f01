"""Compiled graphs that are kept: the same answers, and what is damaged or missing is made again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from refinedet.runtimes import graphs
from refinedet.runtimes.graphs import OpenVinoGraph, open_graph
from refinedet.system.concurrency import usable_cores

pytestmark = pytest.mark.parametrize("exported", ["openvino"], indirect=True)
CANVAS = np.random.default_rng(0).integers(0, 255, (1, 3, 64, 64), dtype=np.uint8)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


class Counting:
    """A Core that counts what it reads and compiles."""

    def __init__(self, core: Any) -> None:
        self.core, self.read, self.compiled = core, 0, 0

    def read_model(self, *arguments: Any) -> Any:
        """Count, and read with the Core."""
        self.read += 1
        return self.core.read_model(*arguments)

    def compile_model(self, *arguments: Any) -> Any:
        """Count, and compile with the Core."""
        self.compiled += 1
        return self.core.compile_model(*arguments)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.core, name)


def looked(path: Path) -> tuple[int, bytes]:
    """Number of compiled graphs, and the answer on a canvas."""
    graph = open_graph(path, keep=True)
    assert isinstance(graph, OpenVinoGraph)
    core = Counting(graph._models._core)
    graph._models._core = core
    boxes, scores = graph.run(CANVAS)
    return core.compiled, boxes.tobytes() + scores.tobytes()


def test_what_is_kept_is_not_compiled_again_and_says_the_same(exported: Path, cache: Path) -> None:
    first, said = looked(exported)
    assert first == 1
    assert len(list(cache.glob("*.blob"))) == 1
    assert looked(exported) == (0, said)
    assert len(list(cache.glob("*.blob"))) == 1


@pytest.mark.usefixtures("cache")
def test_a_file_whose_graphs_are_kept_is_not_opened(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, said = looked(exported)
    core = Counting(graphs.kept_core(graphs.openvino()))
    monkeypatch.setattr(graphs, "kept_core", lambda _: core)
    graph = open_graph(exported, keep=True)
    boxes, scores = graph.run(CANVAS)
    assert boxes.tobytes() + scores.tobytes() == said
    assert (core.read, core.compiled) == (0, 0)
    assert graph.exported == open_graph(exported).exported
    assert core.read == 1  # nothing is kept unless that is asked for


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[: len(data) // 2],
        lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:],
        lambda data: b"x" + data,
    ],
    ids=["empty", "cut", "one bit", "longer"],
)
def test_what_is_damaged_is_compiled_again_and_replaced(
    exported: Path, cache: Path, damage: Callable[[bytes], bytes]
) -> None:
    _, said = looked(exported)
    (kept,) = cache.glob("*.blob")
    whole = kept.read_bytes()
    kept.write_bytes(damage(whole))
    assert looked(exported) == (1, said)
    assert looked(exported) == (0, said)


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_costs_time_alone(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said = looked(exported)
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("REFINEDET_CACHE", str(blocked))
    assert looked(exported) == (1, said)
    assert looked(exported) == (1, said)


@pytest.mark.slow
def test_another_file_and_other_settings_are_kept_apart(
    exported: Path, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, said = looked(exported)
    for suffix in (".xml", ".bin"):
        shutil.copy(exported.with_suffix(suffix), tmp_path / f"same{suffix}")
    assert looked(tmp_path / "same.xml") == (0, said)  # wherever it lies
    weights = tmp_path / "same.bin"
    weights.write_bytes(weights.read_bytes() + b"\0")
    assert looked(tmp_path / "same.xml")[0] == 1
    cores = usable_cores()
    monkeypatch.setattr(graphs, "usable_cores", lambda: cores + 1)
    assert looked(exported)[0] == 1
    assert len(list(cache.glob("*.blob"))) == 3


def test_nothing_is_kept_unless_that_is_asked_for(exported: Path, cache: Path) -> None:
    open_graph(exported).run(CANVAS)
    assert not cache.exists()


@pytest.mark.slow
def test_what_openvino_cannot_write_costs_time_alone(exported: Path, cache: Path) -> None:
    _, said = looked(exported)
    (kept,) = cache.glob("*.blob")
    kept.unlink()
    graph = open_graph(exported, keep=True)
    assert isinstance(graph, OpenVinoGraph)

    class Silent(Counting):
        def compile_model(self, *arguments: Any) -> Any:
            compiled = super().compile_model(*arguments)
            return SimpleNamespace(
                export_model=lambda _: (_ for _ in ()).throw(RuntimeError("not here")),
                create_infer_request=compiled.create_infer_request,
            )

    graph._models._core = Silent(graph._models._core)
    boxes, scores = graph.run(CANVAS)
    assert boxes.tobytes() + scores.tobytes() == said
    assert not list(cache.glob("*.blob"))

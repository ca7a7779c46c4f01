"""The cache of exports: made once, whoever asks, and anew where weights or code differ."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from refinedet.errors import FileError, RefineDetError
from refinedet.runtimes import cache
from refinedet.runtimes.cache import cached_export
from refinedet.runtimes.graphs import open_graph
from refinedet.system import user_cache
from refinedet.system.user_cache import cache_folder

_CHILD = """
import sys
from pathlib import Path
from refinedet.runtimes import cache
print(cache.cached_export(Path(sys.argv[1]), "onnx", Path(sys.argv[2])))
print("torch" in sys.modules)
"""


@pytest.fixture(autouse=True)
def installed() -> None:
    """These tests export."""
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")


def start(network: Path, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(network), str(folder)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_two_processes_at_once_make_one_export_and_a_third_needs_no_torch(network: Path, tmp_path: Path) -> None:
    both = [start(network, tmp_path) for _ in range(2)]
    told = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert told[0][0] == told[1][0]
    assert sorted(line[1] for line in told) == ["False", "False"], "a child exports, and takes torch with it"
    third = start(network, tmp_path).communicate(timeout=120)[0].split()
    assert third == [told[0][0], "False"]
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".lock", ".onnx"]
    assert open_graph(Path(third[0])).exported.header.classes == ("class 0", "class 1")


def test_other_weights_or_other_code_are_another_export(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []
    monkeypatch.setattr(
        cache, "_export_in_child", lambda _weights, path, _format: made.append(path) or path.write_bytes(b"x")
    )
    first = cached_export(network, "onnx", tmp_path)
    assert cached_export(network, "onnx", tmp_path) == first
    other = tmp_path / "other.safetensors"
    other.write_bytes(network.read_bytes() + b" ")
    assert cached_export(other, "onnx", tmp_path) != first
    monkeypatch.setattr(cache, "exporter_sha256", lambda: "changed")
    assert cached_export(network, "onnx", tmp_path) != first
    assert len(made) == 3


def test_every_file_of_the_network_and_of_the_runtimes_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [tmp_path / name for name in ("model/network.py", "model/backbones/vgg.py", "runtimes/export.py")]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    monkeypatch.setattr(cache, "_PACKAGE", tmp_path)
    known = {cache.exporter_sha256.__wrapped__()}
    for count, file in enumerate(files, start=2):
        file.write_text("changed")
        known.add(cache.exporter_sha256.__wrapped__())
        assert len(known) == count, file


@pytest.mark.slow
def test_a_failed_export_leaves_nothing_that_looks_like_one(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(network.read_bytes()[:2000])
    with pytest.raises(RefineDetError, match=r"expected a whole safetensors file at .*damaged\.safetensors"):
        cached_export(damaged, "onnx", tmp_path)
    monkeypatch.setattr(cache, "_export_in_child", full)
    with pytest.raises(FileError, match='REFINEDET_CACHE, or use `runtime="torch"`'):
        cached_export(network, "onnx", tmp_path)
    assert list(tmp_path.glob("*.onnx")) == []


def test_a_child_that_dies_is_one_sentence(network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(FileError, match=r"a gigabyte of memory"):
        cached_export(network, "onnx", tmp_path)


def test_the_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REFINEDET_CACHE", str(tmp_path))
    assert cache_folder("exported") == tmp_path / "exported"
    monkeypatch.delenv("REFINEDET_CACHE")
    assert cache_folder("exported").parts[-2:] == ("refinedet", "exported")


@pytest.mark.parametrize("home", ["a file", "no home", "too long"])
def test_without_a_home_that_can_be_used_the_export_lives_as_long_as_the_process(
    network: Path, tmp_path: Path, home: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "a file").write_text("")
    places = {"a file": str(tmp_path / "a file"), "no home": "~", "too long": "/" + "x" * 5000}
    monkeypatch.delenv("REFINEDET_CACHE", raising=False)
    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: Path(places[home]) / name)
    monkeypatch.setattr(user_cache, "_temporary", lambda: None)
    user_cache._usable.cache_clear()
    monkeypatch.setattr(cache, "_export_in_child", lambda _weights, path, _format: path.write_bytes(b"x"))
    made = cached_export(network, "onnx")
    assert made.read_bytes() == b"x"
    assert made == cached_export(network, "onnx")
    assert "every run exports the weights anew" in caplog.text
    assert not Path("~").exists()


def test_a_named_folder_that_cannot_be_used_is_one_sentence(network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (str(network), "/" + "x" * 5000):
        monkeypatch.setenv("REFINEDET_CACHE", name)
        with pytest.raises(FileError, match="expected to keep an export in"):
            cached_export(network, "onnx")


def test_no_checkpoint_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="expected a checkpoint"):
        cached_export(tmp_path / "none.safetensors", "onnx", tmp_path)

"""Weight files: local, by address, and what is said of those that are none."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from refinedet.errors import FileError, InputError
from refinedet.model.backbones.weight_files import load_in_order, read_weights
from tests.web_server import Server

TENSORS = {"a": torch.arange(3.0)}


class _Server(http.server.SimpleHTTPRequestHandler):
    requests: list[str]

    def __init__(self, *arguments: object, seen: list[str], **named: object) -> None:
        self.requests = seen
        super().__init__(*arguments, **named)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self.requests.append(self.path)
        if self.path == "/cut.pth":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"short")
        else:
            super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def seen() -> list[str]:
    """Paths that were asked for."""
    return []


@pytest.fixture
def site(tmp_path: Path, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a folder with weights, and a cache of its own."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "site"
    folder.mkdir()
    torch.save(TENSORS, folder / "good.pth")
    (folder / "page.pth").write_text("<html>Not what you asked for</html>")
    server = Server(("127.0.0.1", 0), partial(_Server, directory=str(folder), seen=seen))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def cached(tmp_path: Path) -> list[str]:
    return [p.name for p in (tmp_path / "cache").rglob("*") if p.is_file()]


def test_an_address_is_downloaded_once(site: str, seen: list[str], tmp_path: Path) -> None:
    for _ in range(2):
        assert read_weights(f"{site}/good.pth")["a"].tolist() == [0, 1, 2]
    assert seen == ["/good.pth"]
    assert len(cached(tmp_path)) == 1


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("missing.pth", FileError, r"download weights from .*404.*path as backbone_weights"),
        ("page.pth", InputError, r"file of tensors at http.*page\.pth"),
        ("cut.pth", FileError, "expected 1000 bytes.*received 5"),
    ],
)
def test_what_is_no_weight_file_never_stays_in_the_cache(
    site: str, tmp_path: Path, name: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_weights(f"{site}/{name}")
    assert cached(tmp_path) == []


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(FileError, match=r"refused.*check the address and the network"):
        read_weights("http://127.0.0.1:9/good.pth")


def test_a_path_and_a_file_address_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "a b.pt"
    torch.save({"state_dict": TENSORS, "epoch": 3}, file)  # as training frameworks wrap it
    assert read_weights(str(file)).keys() == read_weights(file.as_uri()).keys() == {"a"}


def test_files_of_something_else_are_named(tmp_path: Path) -> None:
    file = tmp_path / "a.pth"
    with pytest.raises(FileError, match="found none; check backbone_weights"):
        read_weights(str(file))
    torch.save([1, 2], file)
    with pytest.raises(InputError, match="expected named tensors"):
        read_weights(str(file))
    (tmp_path / "a.safetensors").write_bytes(b"no")
    with pytest.raises(InputError, match="file of tensors"):
        read_weights(str(tmp_path / "a.safetensors"))


class _Sly:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code ran",)


def test_no_code_of_a_file_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"a": _Sly()}, tmp_path / "a.pth")
    with pytest.raises(InputError, match="file of tensors"):
        read_weights(str(tmp_path / "a.pth"))
    assert capsys.readouterr().out == ""


def test_tensors_in_order_must_fit() -> None:
    layer = nn.Linear(3, 2)
    load_in_order(layer, {"x": torch.ones(2, 3), "y": torch.ones(2), "surplus": torch.ones(9)}, "a file")
    assert float(layer.weight.detach().min()) == 1
    with pytest.raises(InputError, match=r"'bias' of shape \(2,\) in a file, found none"):
        load_in_order(layer, {"x": torch.ones(2, 3)}, "a file")

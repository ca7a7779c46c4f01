"""Downloads from a loopback server that drops, refuses, changes its mind and has no ranges."""

from __future__ import annotations

import io
import re
import shutil
import socket
import urllib.error
import urllib.request
from email.message import Message
from http.client import HTTPMessage
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from refinedet.downloads.disk import SPARE_BYTES
from refinedet.downloads.fetch import Access, fetch
from refinedet.downloads.http import _CarefulRedirects
from refinedet.errors import DiskError, FileError, InputError
from tests.refinedet.downloads.served import CONTENT, FEW_RETRIES, parts, ranges


def test_a_whole_download_leaves_one_file(server: Any, target: Path) -> None:
    server.content = CONTENT
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert parts(target) == []


def test_a_second_run_goes_on_from_the_part_file(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError, match="broke off"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert not target.exists()
    assert parts(target) == ["data.zip.part", "data.zip.part.json"]
    server.asked, server.cuts = [], []
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == ["bytes=700-"]


def test_content_that_changed_in_between_is_not_mixed(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    server.content, server.etag, server.cuts = CONTENT[::-1], '"v2"', []
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT[::-1]


def test_part_of_another_address_is_not_continued(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError):
        fetch(f"{server.url}/old.zip", target, FEW_RETRIES)
    server.asked, server.cuts = [], []
    fetch(f"{server.url}/new.zip", target, FEW_RETRIES)
    assert ranges(server) == [None]
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("etag", "takes_ranges"),
    [
        pytest.param(None, True, id="nothing to tell whether the content is the same"),
        pytest.param('"v1"', False, id="a server that ignores ranges"),
    ],
)
def test_without_resume_it_starts_again(server: Any, target: Path, etag: str | None, takes_ranges: bool) -> None:
    server.content, server.etag, server.takes_ranges, server.cuts = CONTENT, etag, takes_ranges, [5000]
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def test_a_part_file_that_is_whole_already_is_taken(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    target.with_name("data.zip.part").write_bytes(CONTENT)  # killed between the last byte and the rename
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def test_a_part_file_longer_than_the_content_is_thrown_away(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    target.with_name("data.zip.part").write_bytes(CONTENT + b"more")
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def test_a_note_that_is_damaged_means_starting_again(server: Any, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("data.zip.part").write_bytes(b"rubbish")
    target.with_name("data.zip.part.json").write_text("{", encoding="utf-8")
    server.content = CONTENT
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def test_the_rest_of_a_changed_file_is_not_taken_from_a_server_that_overlooks_if_range(
    server: Any, target: Path
) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    with pytest.raises(FileError):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    server.content, server.etag, server.cuts = CONTENT[::-1], '"v2"', []
    server.overlooks_if_range = True
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_download_that_does_not_fit_is_not_begun(server: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "refinedet.downloads.disk.shutil.disk_usage", lambda _: SimpleNamespace(free=SPARE_BYTES + 1000)
    )
    server.content = CONTENT
    with pytest.raises(DiskError, match=r"expected 67\.2 MB of free disk at .* for data\.zip, found 67\.1 MB"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert not target.parent.exists()


def test_an_answer_of_unknown_length_stops_before_the_disk_is_full(
    server: Any, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server may send for ever."""
    free = [SPARE_BYTES + 50_000]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    server.content, server.sends_length = CONTENT, False
    with pytest.raises(DiskError, match="of free disk"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)


def test_a_proxy_of_the_environment_is_used(server: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server plays the proxy: no name of the address is looked up, and it is asked for all of it."""
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("http_proxy", server.url)
    server.content = CONTENT
    fetch("http://data.invalid/set/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert server.asked[0]["Host"] == "data.invalid"


@pytest.mark.parametrize("new", ["http://other/x", "ftp://other/x", "file:///etc/hostname"])
def test_a_redirect_from_https_stays_encrypted(new: str) -> None:
    request = urllib.request.Request("https://here/x")
    with pytest.raises(urllib.error.HTTPError, match="which is not followed"):
        _CarefulRedirects().redirect_request(request, io.BytesIO(), 302, "Found", HTTPMessage(), new)
    followed = _CarefulRedirects().redirect_request(
        request, io.BytesIO(), 302, "Found", HTTPMessage(), "https://other/x"
    )
    assert followed is not None
    assert followed.full_url == "https://other/x"


def test_progress_tells_rate_and_time_left(
    server: Any, target: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("refinedet.downloads.fetch._LOG_EVERY_S", 0.0)
    server.content = CONTENT
    with caplog.at_level("INFO", logger="refinedet.downloads.fetch"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert re.fullmatch(r"data\.zip: 0\.1 of 0\.1 MB \(100 %\), \d+\.\d MB/s, 0 s left", caplog.messages[-1])


def test_a_refusal_is_final_and_says_what_to_check(server: Any, target: Path) -> None:
    server.statuses = [404, 404]
    with pytest.raises(FileError, match="answered 404 Not Found; check the address"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert len(server.asked) == 1


def test_content_of_unknown_length_is_taken_to_its_end(server: Any, target: Path) -> None:
    server.content, server.sends_length = CONTENT, False
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def test_without_network_the_error_says_what_else_to_try(target: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    access = Access(unreachable="take another mirror")
    with pytest.raises(FileError, match=r"check the network, or take another mirror$") as caught:
        fetch(f"http://127.0.0.1:{port}/data.zip", target, FEW_RETRIES, access)
    assert "\n" not in str(caught.value)
    assert not target.exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(server: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be", encoding="utf-8")
    server.content = CONTENT
    with pytest.raises(FileError, match=r"expected to write .* a file is in the way"):
        fetch(f"{server.url}/data.zip", tmp_path / "cache" / "data.zip", FEW_RETRIES)


def test_only_the_web_is_downloaded_from(target: Path) -> None:
    with pytest.raises(InputError, match="expected an http"):
        fetch("file:///etc/hostname", target, FEW_RETRIES)


def test_a_signature_is_asked_with_and_kept_nowhere(
    server: Any, target: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.content, server.cuts = CONTENT, [700, 0, 0, 0]
    access = Access(signed=lambda url: (f"{url}?sig=SECRET", {"X-Own": "1"}))
    with caplog.at_level("DEBUG"), pytest.raises(FileError) as caught:
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES, access)
    kept = "".join(path.read_text(errors="replace") for path in target.parent.iterdir())
    assert {headers["X-Own"] for headers in server.asked} == {"1"}
    assert {path.partition("?")[2] for path in server.paths} == {"sig=SECRET"}
    assert "SECRET" not in caplog.text + str(caught.value) + kept


def test_another_host_is_not_followed_where_only_one_may_answer(server: Any, target: Path) -> None:
    server.statuses, server.location = [302], server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(FileError, match=r"a redirect to another host, localhost:\d+, which is not followed"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES, Access(own_host=True))


def test_bytes_that_a_check_refuses_are_thrown_away(server: Any, target: Path) -> None:
    def check(path: Path, headers: Message) -> None:
        raise FileError(f"{path.stat().st_size} bytes of {headers['ETag']}")

    server.content = CONTENT
    with pytest.raises(FileError, match=f'{len(CONTENT)} bytes of "v1"'):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES, Access(check=check))
    assert list(target.parent.iterdir()) == []

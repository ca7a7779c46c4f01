"""Downloads from a loopback server that drops, refuses, changes its mind and has no ranges."""

from __future__ import annotations

import io
import re
import shutil
import socket
import time
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
from refinedet.system.retrying import RetryPolicy, retry_after_s

CONTENT = bytes(range(256)) * 400
FEW_RETRIES = RetryPolicy(attempts=3, timeout_s=5, backoff_s=0)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "data.zip"


def parts(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.glob("*") if path != target)


def ranges(server: Any) -> list[str | None]:
    return [headers.get("Range") for headers in server.asked]


def test_a_whole_download_leaves_one_file(server: Any, target: Path) -> None:
    server.content = CONTENT
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert parts(target) == []


@pytest.mark.parametrize(
    ("etag", "last_modified"),
    [
        pytest.param('"v1"', None, id="by ETag"),
        pytest.param('W/"v1"', "Mon, 01 Jan 2024 00:00:00 GMT", id="by date where the ETag is weak"),
    ],
)
def test_a_dropped_connection_is_continued_where_it_broke(
    server: Any, target: Path, etag: str, last_modified: str | None
) -> None:
    server.content, server.etag, server.last_modified = CONTENT, etag, last_modified
    server.cuts = [1000, 5000]
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert ranges(server) == [None, "bytes=1000-", "bytes=6000-"]


def test_more_drops_than_attempts_pass_while_bytes_arrive(server: Any, target: Path) -> None:
    server.content, server.cuts = CONTENT, [100] * 10
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT
    assert len(server.asked) == 11


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


def test_drops_without_resume_do_not_go_on_for_ever(server: Any, target: Path) -> None:
    server.content, server.etag, server.cuts = CONTENT, None, list(range(1, 90))
    with pytest.raises(FileError, match=r"3 times"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)


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


def test_a_server_that_is_busy_is_asked_again(server: Any, target: Path) -> None:
    server.content, server.statuses = CONTENT, [503, 429]
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert target.read_bytes() == CONTENT


def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the code slept, without sleeping."""
    slept: list[float] = []
    monkeypatch.setattr("refinedet.downloads.retrying.time.sleep", slept.append)
    return slept


def test_waits_double_up_to_the_longest(server: Any, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept = waits(monkeypatch)
    server.content, server.statuses = CONTENT, [503] * 6
    fetch(f"{server.url}/data.zip", target, RetryPolicy(attempts=7, backoff_s=0.5, longest_wait_s=5))
    assert slept == [0.5, 1, 2, 4, 5, 5]


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_names_a_time_is_left_alone_for_it(
    server: Any, target: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    slept = waits(monkeypatch)
    server.content, server.statuses, server.retry_after = CONTENT, [status], "7"
    fetch(f"{server.url}/data.zip", target, FEW_RETRIES)
    assert slept == [7]
    assert target.read_bytes() == CONTENT


def test_a_server_that_wants_hours_ends_the_download(server: Any, target: Path) -> None:
    server.content, server.statuses, server.retry_after = CONTENT, [503], "86400"
    with pytest.raises(FileError, match=r"answered 503 .* left alone for 86400 s; start again after that"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)


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


def test_a_server_that_crawls_counts_as_one_that_broke_off(server: Any, target: Path) -> None:
    server.content, server.trickle_s = CONTENT, 0.02
    started = time.monotonic()
    fetch(f"{server.url}/data.zip", target, RetryPolicy(attempts=3, backoff_s=0, slow_bytes_s=1000, slow_s=0.3))
    assert target.read_bytes() == CONTENT
    assert time.monotonic() - started < 10, "at this pace it would take half an hour"
    assert ranges(server)[0] is None
    assert int(str(ranges(server)[1]).removeprefix("bytes=").removesuffix("-")) > 0


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


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"Retry-After": "120"}, 120.0, id="seconds"),
        pytest.param({"Retry-After": "-5"}, None, id="no such number"),
        pytest.param({"Retry-After": "soon"}, None, id="a word"),
        pytest.param(
            {"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT", "Date": "Wed, 21 Oct 2015 07:28:00 GMT"}, 30.0, id="a date"
        ),
        pytest.param({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0, id="a date long past, by our clock"),
        pytest.param({"Retry-After": "9" * 400}, None, id="absurd"),
    ],
)
def test_how_long_a_server_wants_to_be_left_alone(headers: dict[str, str], expected: float | None) -> None:
    message = HTTPMessage()
    for name, value in headers.items():
        message[name] = value
    assert retry_after_s(message) == expected


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

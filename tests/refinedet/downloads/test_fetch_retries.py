"""Servers that break off, are busy or crawl are asked again, after a wait."""

from __future__ import annotations

import time
from http.client import HTTPMessage
from pathlib import Path
from typing import Any

import pytest

from refinedet.downloads.fetch import fetch
from refinedet.errors import FileError
from refinedet.system.retrying import RetryPolicy, retry_after_s
from tests.refinedet.downloads.served import CONTENT, FEW_RETRIES, ranges


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


def test_drops_without_resume_do_not_go_on_for_ever(server: Any, target: Path) -> None:
    server.content, server.etag, server.cuts = CONTENT, None, list(range(1, 90))
    with pytest.raises(FileError, match=r"3 times"):
        fetch(f"{server.url}/data.zip", target, FEW_RETRIES)


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


def test_a_server_that_crawls_counts_as_one_that_broke_off(server: Any, target: Path) -> None:
    server.content, server.trickle_s = CONTENT, 0.02
    started = time.monotonic()
    fetch(f"{server.url}/data.zip", target, RetryPolicy(attempts=3, backoff_s=0, slow_bytes_s=1000, slow_s=0.3))
    assert target.read_bytes() == CONTENT
    assert time.monotonic() - started < 10, "at this pace it would take half an hour"
    assert ranges(server)[0] is None
    assert int(str(ranges(server)[1]).removeprefix("bytes=").removesuffix("-")) > 0


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

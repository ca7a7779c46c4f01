"""One file from the web or a mirror, with resume: what arrived stays in a `.part` file until it is whole."""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from refinedet.errors import FileError, InputError
from refinedet.files import move_file, read_json, write_json

_LOG = logging.getLogger(__name__)
_BLOCK_BYTES = 1 << 18
_LOG_EVERY_S = 5.0
_MEGA = 1e6
_PARTIAL, _RANGE_REFUSED = 206, 416
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""HTTP statuses after which it is worth asking again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When to give up."""

    attempts: int = 5
    """Failures in a row, without one new byte, that end the download."""
    timeout_s: float = 30.0
    """Longest silence of the server."""
    backoff_s: float = 1.0
    """Wait after the first failure; it doubles with each further one."""


def locate(url: str | None, archive: str, mirror: str | None) -> str | Path:
    """Where `archive` is: a local path for a mirror that is a folder or file:// address, else an http(s) URL.

    Raises:
        FileError: it has no public `url`, and no mirror is given.
        InputError: the mirror is an address of another kind.
    """
    if not mirror and url is not None:
        return url
    if not mirror:
        raise FileError(
            f"expected a mirror that holds {archive}, which has no public place, found none; name its folder in "
            "download.mirror of params.yaml or in REFINEDET_MIRROR"
        )
    parts = urllib.parse.urlsplit(mirror)
    if parts.scheme in ("http", "https"):
        return f"{mirror.rstrip('/')}/{urllib.parse.quote(archive)}"
    if parts.scheme == "file":
        return Path(urllib.request.url2pathname(parts.path)) / archive
    if "://" in mirror:
        raise InputError(f"expected a folder, file:// or http(s):// address as mirror, found {mirror!r}")
    return Path(mirror).expanduser() / archive


def fetch(url: str, target: Path, patience: Patience | None = None) -> None:
    """Download `url` to `target`; an earlier, interrupted download of the same content is continued.

    Raises:
        FileError: the server refuses, cannot be reached, or keeps breaking off.
        InputError: the address is not http(s).
    """
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"expected an http(s) address to download from, found {url!r}")
    patience = patience or Patience()
    part = _Part(target)
    failures = 0
    while (problem := _try(url, part, patience.timeout_s)) is not None:
        moved_on = part.size() > part.before and part.validator(url) is not None
        failures = 1 if moved_on else failures + 1
        if failures >= patience.attempts:
            raise FileError(
                f"expected to download {url}, but {problem} ({failures} times); check the network, or name a mirror "
                "in download.mirror of params.yaml or in REFINEDET_MIRROR"
            )
        wait_s = patience.backoff_s * 2 ** (failures - 1)
        _LOG.warning("%s: %s; trying again in %.0f s", url, problem, wait_s)
        time.sleep(wait_s)
    part.finish()


class _Part:
    """The unfinished download beside its target: the bytes, and what the server said they are part of."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".part.json")
        self.before = 0
        """Bytes that were here before the latest attempt."""

    def size(self) -> int:
        """Bytes already here."""
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """What must still hold at the server for the bytes here to be of use; None if they are of no use."""
        if not self.size() or not self.note.exists():
            return None
        try:
            note = read_json(self.note)
        except InputError:
            return None
        known = isinstance(note, dict) and note.get("url") == url
        return str(note["validator"]) if known and note.get("validator") else None

    def discard(self) -> None:
        """Forget everything."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def finish(self) -> None:
        """The bytes become the target."""
        move_file(self.path, self.target)
        self.note.unlink(missing_ok=True)


def _try(url: str, part: _Part, timeout_s: float) -> str | None:
    """One attempt; None once the file is whole, else what went wrong that may pass by itself."""
    part.before = part.size()
    try:
        return None if _attempt(url, part, timeout_s) else "the connection broke off"
    except urllib.error.HTTPError as error:
        answer = f"the server answered {error.code} {error.reason}"
        if error.code not in _PASSING:
            raise FileError(f"expected a file at {url}, but {answer}; check the address") from error
        return answer
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, TimeoutError, ConnectionError) as error:
        return str(getattr(error, "reason", "") or error) or type(error).__name__
    except OSError as error:
        raise FileError(f"expected to write {part.path}, but that failed ({error}); check the disk") from error


def _attempt(url: str, part: _Part, timeout_s: float) -> bool:
    """One request; true once the file is whole."""
    validator = part.validator(url)
    have = part.size() if validator else 0
    request = urllib.request.Request(url, headers={"User-Agent": "refinedet"})  # noqa: S310  # fetch() lets http(s) through alone
    if validator:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", validator)
    try:
        response = urllib.request.urlopen(request, timeout=timeout_s)  # noqa: S310  # the same
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_REFUSED:  # nothing is left to send, or the file has become shorter
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return True
            part.discard()
            return False
        raise
    with response:
        start, total = _extent(response.status, response.headers)
        if start != (have if response.status == _PARTIAL else 0):
            part.discard()
            return False
        part.path.parent.mkdir(parents=True, exist_ok=True)
        write_json(part.note, {"url": url, "validator": _validator(response.headers)})
        clock = _Clock(url, start, total)
        with part.path.open("ab" if start else "wb") as stream:
            while block := response.read(_BLOCK_BYTES):
                stream.write(block)
                clock.tick(stream.tell())
    return total is None or part.size() == total


def _extent(status: int, headers: Message) -> tuple[int, int | None]:
    """First byte of the answer, and size of the whole file where the server tells it."""
    if status == _PARTIAL:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range", "").strip())
        if match:
            return int(match[1]), None if match[2] == "*" else int(match[2])
        return -1, None
    length = headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _validator(headers: Message) -> str | None:
    """A strong validator for If-Range: an ETag that is not weak, else the time of the last change."""
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') else headers.get("Last-Modified")


class _Clock:
    """Logs the progress of a download every few seconds."""

    def __init__(self, url: str, start: int, total: int | None) -> None:
        self._name, self._start, self._total = url.rsplit("/", 1)[-1], start, total
        self._begun = self._logged = time.monotonic()

    def tick(self, have: int) -> None:
        """Tell that `have` bytes are here."""
        now = time.monotonic()
        if now - self._logged < _LOG_EVERY_S:
            return
        self._logged = now
        rate = (have - self._start) / (now - self._begun)
        if self._total is None:
            _LOG.info("%s: %.1f MB, %.1f MB/s", self._name, have / _MEGA, rate / _MEGA)
            return
        left_s = (self._total - have) / rate
        done = (have / _MEGA, self._total / _MEGA, rate / _MEGA, left_s)
        _LOG.info("%s: %.1f of %.1f MB, %.1f MB/s, %.0f s left", self._name, *done)

"""Uploads: one file of a form, written to the disk as it arrives, without holding it in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from refinedet.files import full_disk_told
from refinedet.serving.names import plain_name
from refinedet.serving.refusal import UNUSABLE, Refusal

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

PART = "scene"
"""Name of the part of the form that holds the scene."""
PATIENCE_S, SLOWEST_BYTES_S = 20.0, 10_000
"""Seconds that an upload may pause, and least average bytes per second after these seconds."""
_TIMEOUT, _TOO_LARGE, _NO_FORM = 408, 413, 415
_HOW = f"send a form with one file named {PART}, as `curl -F {PART}=@scene.tif` does"


async def receive(
    stream: AsyncIterator[bytes], content_type: str, folder: Path, most_bytes: int, *, patience_s: float = PATIENCE_S
) -> Path:
    """Write the file of a form into a folder; returns its path, which has its plain name.

    Args:
        stream: the body of the request.
        content_type: header of that name.
        folder: an empty folder.
        most_bytes: largest file.
        patience_s: seconds that the upload may pause.

    Raises:
        Refusal: the upload is no such form, or too large, too slow, empty or incomplete.
        DiskError: the disk is full.
    """
    kind, words = parse_options_header(content_type)
    boundary = words.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise Refusal(_NO_FORM, f"expected a scene in a form (multipart/form-data), found none; {_HOW}")
    form = _Form(most_bytes)
    parser = MultipartParser(boundary, form.callbacks())
    with full_disk_told(folder):
        async for chunk in _in_time(stream, patience_s):
            _parse(parser, chunk)
            if form.pieces and form.told_name is not None:
                await asyncio.to_thread(_append, folder / form.told_name, form.take_pieces())
    if not form.ended or form.told_name is None:
        raise Refusal(UNUSABLE, f"expected a whole form with a scene, found one that is cut off or has none; {_HOW}")
    if form.size == 0:
        raise Refusal(UNUSABLE, "expected a scene, found an empty file; check what was sent")
    return folder / form.told_name


@dataclass
class _Form:
    """Content of a form from the parser: one file, and nothing else."""

    most_bytes: int
    told_name: str | None = None
    size: int = 0
    ended: bool = False
    pieces: list[bytes] = field(default_factory=list)
    _header: bytes = b""
    _value: bytes = b""

    def callbacks(self) -> MultipartCallbacks:
        """Functions for the parser."""
        return {
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
            "on_part_begin": self._on_part_begin,
            "on_end": self._on_end,
        }

    def take_pieces(self) -> list[bytes]:
        """Pieces of the file that arrived since the last call."""
        pieces, self.pieces = self.pieces, []
        return pieces

    def _on_part_begin(self) -> None:
        if self.told_name is not None:
            raise Refusal(UNUSABLE, f"expected one file in the form, found more parts; {_HOW}")

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, words = parse_options_header(self._value)
            if words.get(b"name") == PART.encode() and b"filename" in words:
                self.told_name = plain_name(words[b"filename"].decode(errors="replace"))
        self._header = self._value = b""

    def _on_headers_finished(self) -> None:
        if self.told_name is None:
            raise Refusal(UNUSABLE, f"expected a file named {PART} in the form, found another part; {_HOW}")

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self.size += end - start
        if self.size > self.most_bytes:
            raise too_large(self.most_bytes)
        self.pieces.append(data[start:end])

    def _on_end(self) -> None:
        self.ended = True


def too_large(most_bytes: int) -> Refusal:
    """Refusal of an upload above the limit."""
    return Refusal(_TOO_LARGE, f"expected an upload of at most {most_bytes / 1e6:g} MB, found a larger one")


def _parse(parser: MultipartParser, chunk: bytes) -> None:
    try:
        parser.write(chunk)
    except FormParserError as error:
        raise Refusal(UNUSABLE, f"expected a form with a file, found something else; {_HOW}") from error


def _append(path: Path, pieces: list[bytes]) -> None:
    with path.open("ab") as file:
        file.writelines(pieces)


async def _in_time(stream: AsyncIterator[bytes], patience_s: float) -> AsyncIterator[bytes]:
    """Pieces of the body, as long as they arrive in time."""
    began, received = time.monotonic(), 0
    while True:
        late = began + patience_s + received / SLOWEST_BYTES_S - time.monotonic()
        try:
            async with asyncio.timeout(min(patience_s, max(late, 0.0))):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise Refusal(
                _TIMEOUT, f"expected {SLOWEST_BYTES_S / 1000:g} kB a second, found a slower upload; send it again"
            ) from None
        received += len(chunk)
        yield chunk

"""Checks of a downloaded file: its length, and the checksums that its item and its server state."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any, Literal

from refinedet.errors import FileError
from refinedet.files import md5_file

Verified = Literal["checksum", "ETag", "length"]
"""Checks that can verify a file, the strongest first."""

_HASHES = {0x11: "sha1", 0x12: "sha256", 0x13: "sha512", 0x14: "sha3_512", 0x16: "sha3_256", 0xD5: "md5"}
"""Name of the hash by its code in a multihash."""
_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


def size_of(asset: Mapping[str, Any]) -> int | None:
    """Bytes of an asset as its item states; None if it states none."""
    size = asset.get("file:size")
    return size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else None


def check_file(path: Path, name: str, asset: Mapping[str, Any], headers: Message, *, is_s3: bool) -> Verified:
    """Check the bytes at `path`, and return the strongest check that they passed.

    Args:
        path: the bytes.
        name: name of the file, for messages.
        asset: asset of the item.
        headers: headers of the server's last answer.
        is_s3: True if the server is an object store, whose ETag is an MD5 sum if it looks like one.

    Raises:
        FileError: the bytes are wrong.
    """
    size = size_of(asset)
    if size is not None and path.stat().st_size != size:
        raise FileError(
            f"expected {size} bytes of {name}, as its item says, found {path.stat().st_size}; it has changed or is "
            "damaged, so search again"
        )
    means: Verified = "length"
    server_sum = _md5_of(headers, is_s3=is_s3)
    if server_sum is not None:
        _expect(name, "md5", server_sum, md5_file(path), "its server")
        means = "ETag"
    named = _multihash(asset.get("file:checksum"))
    if named is not None:
        kind, digest = named
        with path.open("rb") as stream:
            _expect(name, kind, digest, hashlib.file_digest(stream, lambda: _new(kind)).hexdigest(), "its item")
        means = "checksum"
    return means


def _new(kind: str) -> Any:
    return hashlib.new(kind, usedforsecurity=False)


def _expect(name: str, kind: str, digest: str, found: str, says: str) -> None:
    if digest != found:
        raise FileError(
            f"expected {name} to have {kind.upper()} {digest}, as {says} says, found {found}; it is damaged, so "
            "fetch it again"
        )


def _md5_of(headers: Message, *, is_s3: bool) -> str | None:
    """MD5 sum of the whole file that a server states; None if it states none."""
    whole = "Content-Range" not in headers
    told = headers.get("x-ms-blob-content-md5") or (headers.get("Content-MD5") if whole else None)
    if told is not None:
        try:
            return base64.b64decode(told, validate=True).hex()
        except (binascii.Error, ValueError):
            return None
    encrypted = headers.get("x-amz-server-side-encryption", "").startswith("aws:kms")
    match = _MD5_ETAG.fullmatch(headers.get("ETag", ""))
    return match[1] if match and is_s3 and not encrypted else None


def _multihash(told: Any) -> tuple[str, str] | None:
    """Kind and hexadecimal digest of a multihash; None if the kind is unknown."""
    try:
        content = bytes.fromhex(told)
        code, used = (content[0], 1) if content[0] < 0x80 else (content[0] & 0x7F | content[1] << 7, 2)
        length, digest = content[used], content[used + 1 :]
    except (TypeError, ValueError, IndexError):
        return None
    kind = _HASHES.get(code)
    return None if kind is None or length != len(digest) or _new(kind).digest_size != length else (kind, digest.hex())

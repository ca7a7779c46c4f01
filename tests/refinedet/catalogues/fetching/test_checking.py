"""Checksums of items and servers."""

from __future__ import annotations

from email.message import Message
from pathlib import Path

import pytest

from refinedet.catalogues.fetching.checking import check_file
from refinedet.errors import FileError


@pytest.mark.parametrize(
    ("headers", "is_s3", "expected"),
    [
        ({"ETag": '"900150983cd24fb0d6963f7d28e17f72"'}, True, "ETag"),
        ({"ETag": '"900150983cd24fb0d6963f7d28e17f72-4"'}, True, "length"),
        ({"ETag": '"00000000000000000000000000000000"'}, False, "length"),
        ({"ETag": '"00000000000000000000000000000000"', "x-amz-server-side-encryption": "aws:kms"}, True, "length"),
        ({"Content-MD5": "kAFQmDzST7DWlj99KOF/cg=="}, False, "ETag"),
        ({"Content-MD5": "AAAA", "Content-Range": "bytes 1-2/3"}, False, "length"),
        ({"ETag": '"00000000000000000000000000000000"'}, True, None),
    ],
)
def test_sums_of_the_server(tmp_path: Path, headers: dict[str, str], is_s3: bool, expected: str | None) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    message = Message()
    for name, value in headers.items():
        message[name] = value
    if expected is None:
        with pytest.raises(FileError, match="as its server says"):
            check_file(tmp_path / "file", "file", {}, message, is_s3=is_s3)
        return
    assert check_file(tmp_path / "file", "file", {}, message, is_s3=is_s3) == expected

"""Where an archive is: at its public place or in a mirror."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.downloads.places import locate
from refinedet.errors import FileError, InputError


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        pytest.param(None, "https://example.org/x", id="no mirror: the public place"),
        pytest.param("", "https://example.org/x", id="empty: as none"),
        pytest.param("data/mirror", Path("data/mirror/a b.zip"), id="a folder"),
        pytest.param("file:///data/my%20mirror", Path("/data/my mirror/a b.zip"), id="file:// address, unquoted"),
        pytest.param("https://m.org/sets/", "https://m.org/sets/a%20b.zip", id="web address, quoted"),
    ],
)
def test_where_an_archive_is(mirror: str | None, expected: str | Path) -> None:
    assert locate("https://example.org/x", "a b.zip", mirror) == expected


def test_a_mirror_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"found 'ftp://host'"):
        locate("https://example.org/x", "a.zip", "ftp://host")


def test_what_only_a_mirror_has_needs_one() -> None:
    assert locate(None, "a.tar", "data/mirror") == Path("data/mirror/a.tar")
    with pytest.raises(FileError, match=r"a mirror that holds a\.tar, .* download\.mirror .* REFINEDET_MIRROR"):
        locate(None, "a.tar", None)

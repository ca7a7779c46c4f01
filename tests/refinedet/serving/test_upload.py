"""Uploads: in time or not at all, and under a plain name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from refinedet.serving.names import plain_name
from refinedet.serving.refusal import Refusal
from refinedet.serving.upload import receive
from tests.refinedet.serving.clients import form


async def pieces(content: bytes, size: int, pause_s: float) -> AsyncIterator[bytes]:
    """Give a body in pieces, with a pause before each."""
    for start in range(0, len(content), size):
        await asyncio.sleep(pause_s)
        yield content[start : start + size]


@pytest.mark.parametrize("size", [1, 7, 64, 5000])
def test_a_file_is_whole_whatever_the_pieces(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * 3 + b"\r\n--line\r\n--lin"
    body, kind = form(content.replace(b"\r\n--line\r\n", b"\r\n--lane\r\n"), "a b.tif")
    path = asyncio.run(receive(pieces(body, size, 0), kind, tmp_path, 10_000))
    assert path == tmp_path / "a b.tif"
    assert path.read_bytes() == content.replace(b"\r\n--line\r\n", b"\r\n--lane\r\n")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("size", "pause_s"), [(10_000, 0.5), (1, 0.01)], ids=["stops", "drips"])
def test_an_upload_that_is_too_slow_is_refused(tmp_path: Path, size: int, pause_s: float) -> None:
    body, kind = form(b"x" * 10_000)
    with pytest.raises(Refusal, match="slower upload") as refusal:
        asyncio.run(receive(pieces(body, size, pause_s), kind, tmp_path, 100_000, patience_s=0.1))
    assert refusal.value.status == 408


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("scene.tif", "scene.tif"),
        ("S1A_IW_GRDH_1SDV_20221002T205126.SAFE.zip", "S1A_IW_GRDH_1SDV_20221002T205126.SAFE.zip"),
        ("Hafen Süd (2).tif", "Hafen Süd (2).tif"),
        ("C:\\scenes\\a.tif", "a.tif"),
        ("../../etc/passwd", "passwd"),
        ("/etc/cron.d/x.tif", "x.tif"),
        ("..", "scene"),
        (".", "scene"),
        ("", "scene"),
        (".bashrc", "scene"),
        ("a\x00.tif", "scene.tif"),
        ("a\n.tif", "scene.tif"),
        ("-rf.tif", "scene.tif"),
        ("a;rm.tif", "scene.tif"),
        ("<script>.tif", "scene.tif"),
        ("a.tif ", "scene"),
        ("NUL.tif", "scene.tif"),
        ("a:b.tif", "scene.tif"),
        ("x" * 300 + ".tif", "scene.tif"),
        ("\udcff.tif", "scene.tif"),
    ],
)
def test_a_name_is_plain(told: str, name: str) -> None:
    assert plain_name(told) == name

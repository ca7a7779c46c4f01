"""Chunks of arrays of both versions: decoded as zarr wrote them, and checked before that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from numcodecs import Blosc, Zstd
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from refinedet.raster.stores import Node, open_store
from refinedet.raster.stores.chunks import _zstd_bytes

VALUES = {
    "u2": np.arange(35, dtype=np.uint16).reshape(5, 7),
    "big": np.linspace(-1, 1, 35).reshape(5, 7).astype(">f8"),
    "text": np.array(["VV", "VH", "x"]),
}
MADE: dict[str, tuple[int, Any]] = {
    "2 blosc": (2, Blosc(cname="zstd", clevel=3, shuffle=2)),
    "2 zstd": (2, Zstd(3)),
    "2 plain": (2, None),
    "3 blosc": (3, BloscCodec(cname="lz4")),
    "3 zstd": (3, ZstdCodec(level=0)),
    "3 zstd checksum": (3, [ZstdCodec(level=3, checksum=True), Crc32cCodec()]),
}


@pytest.mark.filterwarnings("ignore")  # zarr's own, of texts in version 3
@pytest.mark.parametrize("how", MADE)
def test_an_array_is_read_as_it_was_written(tmp_path: Path, how: str) -> None:
    version, compressors = MADE[how]
    root = zarr.open_group(tmp_path / "a.zarr", mode="w", zarr_format=version)
    for name, values in VALUES.items():
        chunks = (2,) if values.ndim == 1 else (2, 4)
        made = root.create_array(
            f"b/{name}", shape=values.shape, chunks=chunks, dtype=values.dtype, compressors=compressors
        )
        made[...] = values
    with open_store(tmp_path / "a.zarr") as files:
        node = Node(files)
        assert node.groups() == ["b"]
        assert node.version() == version
        for name, values in VALUES.items():
            info = node.find(f"b/{name}")
            assert info is not None
            np.testing.assert_array_equal(node.table(info), values)


@pytest.mark.parametrize("size", [1, 200, 300, 70_000, 1_000_000])
def test_the_size_in_a_frame_is_read(size: int) -> None:
    noise = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    for content in (noise, bytes(size)):
        frame = bytes(Zstd(1).encode(content))
        assert _zstd_bytes(frame) == size
        assert _zstd_bytes(frame + frame) is None
        assert _zstd_bytes(frame[:-1]) is None

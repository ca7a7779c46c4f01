"""Headers of TIFFs: real ones pass, whatever the layout; cut or lying ones are refused before GDAL sees them."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from refinedet.errors import FileError, InputError, RefineDetError
from refinedet.raster import open_scene
from refinedet.raster.checks.tiff import MAX_BLOCK_BYTES, check_tiff

TILES = {"tiled": True, "blockxsize": 16, "blockysize": 32}
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {},
    "tiles": TILES,
    "deflate": {"compress": "deflate"},
    "planar": {"count": 3, "interleave": "band", **TILES},
    "interleaved": {"count": 3, "interleave": "pixel"},
    "BigTIFF": {"BIGTIFF": "YES"},
    "big-endian": {"ENDIANNESS": "BIG"},
    "big-endian BigTIFF": {"ENDIANNESS": "BIG", "BIGTIFF": "YES", **TILES},
    "COG": {"driver": "COG"},
    "bits": {"nbits": 1, "dtype": "uint8"},
    "one long strip": {"blockysize": 90},
}


def tiff(**layout: Any) -> bytes:
    profile = {"driver": "GTiff", "width": 70, "height": 90, "count": 1, "dtype": "uint16"} | layout
    pixels = np.random.default_rng(1).integers(0, 2, (profile["count"], 90, 70)).astype(profile["dtype"])
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(**profile) as dataset:
            dataset.write(pixels)
        return bytes(memory.getbuffer())


REAL = {name: tiff(**layout) for name, layout in LAYOUTS.items()}


def check(content: bytes, max_pixels: int = 10_000) -> None:
    check_tiff(io.BytesIO(content), len(content), "scene.tif", max_pixels)


def refusal(content: bytes) -> str | None:
    """Error of the check of a file; None if it passes."""
    try:
        check(content)
    except RefineDetError as error:
        return str(error)
    return None


def with_tag(content: bytes, tag: int, value: int, *, part: int = 8) -> bytes:
    """A little-endian classic TIFF with another value (or, 4: count) in one tag of its first picture."""
    changed = bytearray(content)
    offset = struct.unpack_from("<I", content, 4)[0]
    for place in range(offset + 2, offset + 2 + 12 * struct.unpack_from("<H", content, offset)[0], 12):
        if struct.unpack_from("<H", content, place)[0] == tag:
            struct.pack_into("<H", changed, place + 2, 4)
            struct.pack_into("<I", changed, place + part, value)
            return bytes(changed)
    raise KeyError(tag)


@pytest.mark.parametrize("name", LAYOUTS)
def test_real_files_pass(name: str) -> None:
    check(REAL[name])


@given(st.sampled_from(sorted(LAYOUTS)), st.floats(0, 1))
def test_a_file_that_is_cut_anywhere_is_refused_or_all_of_its_pixels_are_there(name: str, share: float) -> None:
    cut = REAL[name][: 8 + int(share * (len(REAL[name]) - 9))]
    if (sentence := refusal(cut)) is not None:
        assert "damaged or cut off" in sentence
        return
    with warnings.catch_warnings(), MemoryFile(cut) as memory, MemoryFile(REAL[name]) as other:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open() as dataset, other.open() as whole:
            assert (dataset.read() == whole.read()).all()


@given(st.sampled_from(sorted(LAYOUTS)), st.data())
def test_spoilt_headers_end_in_a_sentence_or_pass(name: str, data: st.DataObject) -> None:
    content = bytearray(REAL[name])
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    sentence = refusal(bytes(content)) or "expected"
    assert sentence.startswith("expected")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("tag", "value", "error", "says"),
    [
        pytest.param(256, 1_000_000, InputError, "at most 10,000 pixels", id="too wide"),
        pytest.param(257, 0, FileError, "at least one pixel", id="no rows"),
        pytest.param(259, 34925, InputError, "a compression of none", id="LZMA"),
        pytest.param(277, 60_000, FileError, "bands", id="bands"),
        pytest.param(258, 0, FileError, "bits", id="bits"),
        pytest.param(278, 1, FileError, "places of 90 strips", id="more strips than places"),
        pytest.param(273, 4_000_000_000, FileError, "its end", id="pixels beyond the end"),
    ],
)
def test_what_a_header_may_not_claim(tag: int, value: int, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        check(with_tag(REAL["one long strip"] if tag in (273, 278) else REAL["strips"], tag, value))


def test_large_packed_strips_are_refused_and_plain_ones_are_read_by_row(tmp_path: Path) -> None:
    """GDAL holds a packed strip in memory as a whole; one that is not packed it reads row by row."""
    side = 12_000
    assert side * side * 2 > MAX_BLOCK_BYTES
    path = tmp_path / "long.tif"
    shape = {"width": side, "height": side, "count": 1, "dtype": "uint16", "blockysize": side, "SPARSE_OK": True}
    for compress, fits in (("deflate", False), (None, True)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, "w", driver="GTiff", compress=compress, **shape):
                pass
        with path.open("rb") as stream:
            if fits:
                check_tiff(stream, path.stat().st_size, path, 10**9)
            else:
                with pytest.raises(InputError, match="strips or tiles of at most 256 MB"):
                    check_tiff(stream, path.stat().st_size, path, 10**9)


def test_a_circle_of_pictures_is_refused() -> None:
    content = bytearray(REAL["strips"])
    offset = struct.unpack_from("<I", content, 4)[0]
    struct.pack_into("<I", content, offset + 2 + 12 * struct.unpack_from("<H", content, offset)[0], offset)
    with pytest.raises(FileError, match="a circle of them"):
        check(bytes(content))


def test_text_that_is_none_is_a_sentence_too(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    content = tiff(crs="EPSG:32633", transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5e6))
    assert content.count(b"WGS 84 / UTM zone 33N|") == 1
    broken = content.replace(b"WGS 84 / UTM zone 33N|", b"WGS 84 \xe3 UTM zone 33N|")
    local = broken.replace((32633).to_bytes(2, "little"), (32767).to_bytes(2, "little"))
    (tmp_path / "scene.tif").write_bytes(local)
    with pytest.raises(FileError, match="damaged or cut off"), open_scene(tmp_path / "scene.tif"):
        pass
    assert capfd.readouterr().err == ""

"""Scenes damaged at random: small TIFFs of many layouts and codecs, with bytes flipped, cut, moved, and tags rewritten.

Mutant i of seed s is always the same file.
"""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio
from PIL import Image
from rasterio.control import GroundControlPoint
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

SIDE = 160
LAYOUTS: dict[str, dict[str, Any]] = {
    "none": {},
    "none-tiled": {"tiled": True, "blockxsize": 64, "blockysize": 64},
    "deflate": {"compress": "deflate", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "deflate-2": {"compress": "deflate", "predictor": 2},
    "deflate-3": {"compress": "deflate", "predictor": 3, "dtype": "float32"},
    "lzw": {"compress": "lzw"},
    "lzw-2": {"compress": "lzw", "predictor": 2, "dtype": "int16"},
    "packbits": {"compress": "packbits", "dtype": "uint8"},
    "zstd": {"compress": "zstd", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "jpeg": {"compress": "jpeg", "dtype": "uint8", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "jpeg-ycbcr": {"compress": "jpeg", "dtype": "uint8", "count": 3, "photometric": "ycbcr"},
    "webp": {"compress": "webp", "dtype": "uint8", "count": 3, "tiled": True, "blockxsize": 64, "blockysize": 64},
    "lerc": {"compress": "lerc", "dtype": "float32"},
    "lerc-zstd": {"compress": "lerc_zstd", "dtype": "float32", "tiled": True, "blockxsize": 64, "blockysize": 64},
    "complex": {"dtype": "complex64", "compress": "deflate"},
    "bands": {"count": 3, "interleave": "band"},
    "pixel-interleaved": {"count": 4, "interleave": "pixel"},
    "bigtiff": {"BIGTIFF": "YES", "compress": "deflate"},
    "big-endian": {"ENDIANNESS": "BIG"},
    "sparse": {"SPARSE_OK": True, "tiled": True, "blockxsize": 64, "blockysize": 64},
    "mask": {"compress": "deflate", "mask": True},
    "overviews": {"compress": "lzw", "overviews": True},
    "gcps": {"gcps": True},
    "palette": {"dtype": "uint8", "palette": True},
}
PICTURES = ("PNG", "JPEG")
"""Formats of a tenth of the mutants; all others are TIFFs."""

_EXTREMES = (0, 1, 2, 3, 7, 255, 256, 32767, 65535, 65536, 1 << 20, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One damaged file."""

    name: str
    content: bytes
    is_tiff: bool


class Mutants:
    """All mutants of one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._tiffs = {name: _tiff(**layout) for name, layout in LAYOUTS.items()}
        self._pictures = {name: _picture(name) for name in PICTURES}

    @property
    def plain(self) -> bytes:
        """Bytes of an undamaged TIFF."""
        return self._tiffs["none"]

    def make(self, number: int) -> Mutant:
        """Make mutant `number`; most changes hit tags and headers, where most of the danger lies."""
        rng = np.random.default_rng((self._seed, number))
        is_tiff = number % 11 != 10
        bases = self._tiffs if is_tiff else self._pictures
        base = str(rng.choice(list(bases)))
        kinds = _TIFF_KINDS if is_tiff else _KINDS
        kind = kinds[int(rng.integers(len(kinds)))]
        content = bytearray(bases[base])
        for _ in range(int(rng.integers(1, 4))):
            kind(content, rng)
        return Mutant(f"{number:06d} {base}, {kind.__name__.strip('_')}", bytes(content), is_tiff)


def _tiff(
    *,
    dtype: str = "uint16",
    count: int = 1,
    mask: bool = False,
    overviews: bool = False,
    gcps: bool = False,
    palette: bool = False,
    **options: Any,
) -> bytes:
    rng = np.random.default_rng(0)
    pixels = rng.integers(1, 200, (count, SIDE, SIDE)).astype(dtype)
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": count, "dtype": dtype, **options}
    if gcps:
        points = [GroundControlPoint(r, c, 8 + c / 1e4, 56 - r / 1e4) for r in (0, 80, 159) for c in (0, 80, 159)]
        profile |= {"gcps": points, "crs": "EPSG:4326"}
    elif not palette:
        profile |= {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5.3e6)}
    with (
        warnings.catch_warnings(),
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        MemoryFile() as memory,
    ):
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(**profile) as dataset:
            if options.get("SPARSE_OK"):
                dataset.write(pixels[:, :64, :64], window=rasterio.windows.Window(0, 0, 64, 64))
            else:
                dataset.write(pixels)
            if mask:
                dataset.write_mask(pixels[0] > 20)
            if palette:
                dataset.write_colormap(1, {i: (i, 255 - i, i // 2, 255) for i in range(256)})
            if overviews:
                dataset.build_overviews([2, 4])
        return bytes(memory.getbuffer())


def _picture(name: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 200, (SIDE, SIDE), np.uint8)).save(stream, name)
    return stream.getvalue()


def _flip(content: bytearray, rng: np.random.Generator) -> None:
    """Change some bytes anywhere."""
    for place in rng.integers(0, len(content), int(rng.integers(1, 40))):
        content[place] = int(rng.integers(256))


def _flip_header(content: bytearray, rng: np.random.Generator) -> None:
    """Change a few bytes of the first or last kilobyte, but not the four that name the format."""
    begin = 4 if rng.random() < 0.6 else max(4, len(content) - 1000)
    for place in rng.integers(begin, max(begin + 1, min(len(content), begin + 1000)), int(rng.integers(1, 12))):
        content[min(place, len(content) - 1)] = int(rng.integers(256))


def _cut(content: bytearray, rng: np.random.Generator) -> None:
    """Cut off the end."""
    del content[int(rng.integers(8, max(9, len(content)))) :]


def _remove(content: bytearray, rng: np.random.Generator) -> None:
    """Take a piece out, so that all bytes after it move."""
    begin = int(rng.integers(4, max(5, len(content))))
    del content[begin : begin + int(rng.integers(1, 300))]


def _repeat(content: bytearray, rng: np.random.Generator) -> None:
    """Insert a copy of a piece."""
    begin = int(rng.integers(4, max(5, len(content))))
    content[begin:begin] = content[begin : begin + int(rng.integers(1, 300))]


def _blot(content: bytearray, rng: np.random.Generator) -> None:
    """Overwrite a piece with equal bytes."""
    begin, length = int(rng.integers(4, max(5, len(content)))), int(rng.integers(1, 400))
    end = min(len(content), begin + length)
    content[begin:end] = bytes([int(rng.choice([0, 255, 127]))]) * max(0, end - begin)


def _tag(content: bytearray, rng: np.random.Generator) -> None:
    """Change the type, count or value of one tag, to a random or an extreme number."""
    places = _tag_places(content)
    if not places:
        return
    big, order, place = places[int(rng.integers(len(places)))]
    word = "Q" if big else "I"
    part = int(rng.integers(4))
    extreme = int(rng.choice(_EXTREMES)) if rng.random() < 0.7 else int(rng.integers(1 << 32))
    if part == 0:
        struct.pack_into(order + "H", content, place + 2, int(rng.integers(20)))
    elif part == 1:
        struct.pack_into(order + word, content, place + 4, extreme)
    elif part == 2:
        struct.pack_into(order + word, content, place + (12 if big else 8), extreme)
    else:  # one short value, as most are
        struct.pack_into(order + "H", content, place + (12 if big else 8), extreme % 65536)


def _tag_places(content: bytearray) -> list[tuple[bool, str, int]]:
    """Tags of all pictures as (is BigTIFF, byte order, offset); tags that cannot be reached are left out."""
    order = "<" if content[:2] == b"II" else ">"
    found: list[tuple[bool, str, int]] = []
    try:
        big = struct.unpack_from(order + "H", content, 2)[0] == 43
        offset = struct.unpack_from(order + ("Q" if big else "I"), content, 8 if big else 4)[0]
        for _ in range(8):
            if not offset:
                break
            count = struct.unpack_from(order + ("Q" if big else "H"), content, offset)[0]
            start, size = offset + (8 if big else 2), 20 if big else 12
            for place in range(start, start + min(count, 60) * size, size):
                struct.unpack_from("20s" if big else "12s", content, place)
                found.append((big, order, place))
            offset = struct.unpack_from(order + ("Q" if big else "I"), content, start + count * size)[0]
    except struct.error:
        pass
    return found


_Kind = Callable[[bytearray, np.random.Generator], None]
_KINDS: tuple[_Kind, ...] = (_flip, _flip_header, _cut, _remove, _repeat, _blot)
_TIFF_KINDS: tuple[_Kind, ...] = (*_KINDS, _tag, _tag, _tag, _flip)

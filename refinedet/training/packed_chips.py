"""Lossless packing of chips as small files, and reading them back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

try:
    from mozjpeg_lossless_optimization import optimize
except ImportError:
    optimize = None

_JPEG = b"\xff\xd8\xff"


def eight_bit_picture(path: Path) -> NDArray[np.uint8] | None:
    """Pixels of an 8-bit image file; None for a file of another kind, whose chips were stretched or converted."""
    try:
        with Image.open(path) as image:
            return np.asarray(image) if image.mode in {"L", "RGB"} else None
    except OSError:
        return None


def picture(content: bytes) -> NDArray[np.uint8]:
    """Pixels of an image file, (H, W) or (H, W, 3); OSError if it is none."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))


def smaller_jpeg(content: bytes) -> bytes:
    """JPEG file with the same pixels and a tenth fewer bytes, if the package for it is installed; else `content`."""
    if optimize is None or not content.startswith(_JPEG):
        return content
    small: bytes = optimize(content)
    kept = len(small) < len(content) and np.array_equal(picture(small), picture(content))
    return small if kept else content


def plain(chip: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Chip with one channel where all three are equal, as stage tile writes it."""
    grey = chip.ndim == 3 and bool((chip == chip[..., :1]).all())
    return np.ascontiguousarray(chip[..., 0] if grey else chip)


def smallest_file(chip: NDArray[np.uint8]) -> bytes:
    """Chip as PNG, or as lossless WebP where that is smaller."""
    stream = io.BytesIO()
    Image.fromarray(chip).save(stream, format="WEBP", lossless=True)
    return min(png_file(chip), stream.getvalue(), key=len)


def png_file(chip: NDArray[np.uint8]) -> bytes:
    """Chip as PNG."""
    stream = io.BytesIO()
    Image.fromarray(chip).save(stream, format="PNG")
    return stream.getvalue()


def equal(chips: list[NDArray[np.uint8]], others: list[NDArray[np.uint8]]) -> bool:
    """True if two lists of chips have the same shapes and pixels."""
    return all(np.array_equal(*pair) for pair in zip(chips, others, strict=True))


def sha256_of_chips(chips: Iterable[NDArray[np.uint8]]) -> str:
    """Hex SHA-256 over shapes and pixels of chips."""
    digest = sha256()
    for chip in chips:
        digest.update(f"{chip.shape}\0".encode() + chip.tobytes())
    return digest.hexdigest()

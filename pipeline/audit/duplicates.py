"""Duplicates among images: equal bytes, equal pixels, or another cut of one scene.

Perceptual hashes select the candidate pairs; `image_alignment.place` compares their pixels and decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from pipeline.audit.image_alignment import Grey, Placement, place

DHASH_BITS, PHASH_BITS = 14, 8
"""Bits of 64 that may differ in a candidate pair: in the gradient hash, and in that of the lowest frequencies."""

MOST_PAIRS = 20_000
"""Most pairs that are compared, nearest first, which takes some minutes; the number left out is reported."""

_ENTRIES = 1 << 24
"""Number of pairs whose hashes are compared at once: 128 MB per hash."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Hashes of an image, to find its duplicates."""

    split: str
    file_name: str
    sha256: str
    """Hash of the file's bytes."""
    digest: str
    """Hash of its pixels, by `splits.pixel_digest`."""
    dhash: int
    """Gradient hash of `hashes`, 64 bits; `phash` is its frequency hash."""
    phash: int


@dataclass(frozen=True, slots=True)
class Near:
    """Two images of different pixels that show one scene."""

    first: Fingerprint
    second: Fingerprint
    placement: Placement
    """Placement of the second on the first."""


def hashes(picture: Grey) -> tuple[int, int]:
    """Gradient and frequency hash of a grey picture, 64 bits each."""
    image = Picture.fromarray(picture)
    return _number(imagehash.dhash(image).hash), _number(imagehash.phash(image).hash)


def copies(images: Sequence[Fingerprint]) -> list[list[Fingerprint]]:
    """Groups of two or more images with equal pixels, in order of their first; each in the order given."""
    groups: dict[str, list[Fingerprint]] = defaultdict(list)
    for image in images:
        groups[image.digest].append(image)
    return [group for group in groups.values() if len(group) > 1]


def near(images: Sequence[Fingerprint], read: Callable[[str], Grey]) -> tuple[list[Near], int]:
    """Find pairs of images that show one scene although their pixels differ; the first of several copies counts.

    Args:
        images: all images.
        read: the picture of a file name.

    Returns:
        The pairs, in the order of the images, and the number of pairs of similar hashes that were not compared.
    """
    first_of = list({image.digest: image for image in reversed(images)}.values())[::-1]
    pairs = like(first_of)
    found = []
    for i, j in sorted(pairs[:MOST_PAIRS]):
        a, b = first_of[i], first_of[j]
        placement = place(read(a.file_name), read(b.file_name))
        if placement is not None:
            found.append(Near(a, b, placement))
    return found, max(0, len(pairs) - MOST_PAIRS)


def like(images: Sequence[Fingerprint]) -> list[tuple[int, int]]:
    """Indices i < j of the pairs with similar hashes, nearest first."""
    dhash, phash = (np.array([getattr(i, name) for i in images], np.uint64) for name in ("dhash", "phash"))
    rows: list[NDArray[np.int64]] = []
    count = max(1, _ENTRIES // max(1, len(images)))
    for start in range(0, len(images), count):
        block = slice(start, start + count)
        by_gradient, by_frequency = (np.bitwise_count(bits[block, None] ^ bits[None, :]) for bits in (dhash, phash))
        i, j = np.nonzero((by_gradient <= DHASH_BITS) | (by_frequency <= PHASH_BITS))
        bits = by_gradient[i, j].astype(np.int64) + by_frequency[i, j]
        rows.append(np.column_stack([bits, i + start, j])[i + start < j])
    table = np.concatenate(rows) if rows else np.zeros((0, 3), np.int64)
    ordered = table[np.lexsort(table.T[::-1])]
    return [(int(i), int(j)) for _, i, j in ordered]


def _number(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits).tobytes(), "big")

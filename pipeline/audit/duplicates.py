"""Images that are there more than once: equal bytes, equal pixels, or another cut of one scene.

Perceptual hashes name the pairs that might be; `overlap.place` looks at their pixels and decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Picture

from pipeline.audit.image_overlap import Grey, Placement, place

DHASH_BITS, PHASH_BITS = 14, 8
"""Of 64 bits, how many may differ in a pair that is looked at: of its gradients, and of its lowest frequencies."""

MOST_PAIRS = 20_000
"""Pairs that are looked at, nearest first: some minutes. How many were left out is reported."""

_ENTRIES = 1 << 24
"""Pairs that are compared at a time: 128 MB a hash."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What of an image is kept to find its like."""

    split: str
    file_name: str
    sha256: str
    """Of the file's bytes."""
    digest: str
    """Of its pixels, as `splits.pixel_digest`."""
    dhash: int
    """64 bits, as `hashes`."""
    phash: int


@dataclass(frozen=True, slots=True)
class Near:
    """Two images of different pixels that show one scene."""

    first: Fingerprint
    second: Fingerprint
    placement: Placement
    """Of the second on the first."""


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
    """Pairs of images that show one scene though their pixels differ; of copies, the first stands for all.

    Args:
        images: all images.
        read: the picture of a file name.

    Returns:
        The pairs, in the order of the images; and how many pairs of like hashes were not looked at.
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
    """Indices i < j of the pairs whose hashes are alike, nearest first."""
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

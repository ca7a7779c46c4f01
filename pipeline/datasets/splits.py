"""Splits that depend only on the pixels of each image, so that copies stay together."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.data.coco import Annotated


@dataclass(frozen=True, slots=True)
class Image:
    """Image to assign to a split."""

    annotated: Annotated
    digest: str
    """`pixel_digest` of its pixels."""


def pixel_digest(pixels: NDArray[Any]) -> str:
    """Hex SHA-256 of an image's decoded pixels; grey stored as RGB equals plain grey."""
    if pixels.ndim == 3 and (pixels == pixels[..., :1]).all():
        pixels = pixels[..., 0]
    digest = hashlib.sha256(f"{pixels.shape}{pixels.dtype}".encode())
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def cut_validation(train: list[Image], test: Iterable[Image], val_fraction: float) -> tuple[list[Image], list[Image]]:
    """Split training images into (train, val) by the digest of their pixels, so that copies stay together.

    The choice for one image does not depend on the others, unless none is chosen: then it is the one with the lowest
    digest. An image that is also in the test split stays in train, because a validation score must not depend on test
    images. With a fraction of 0, no image is cut.
    """
    every = {image.digest for image in train}
    free = every - {image.digest for image in test}
    chosen = {digest for digest in free if _share(digest) < val_fraction}
    if not chosen and free and val_fraction > 0 and len(every) > 1:
        chosen = {min(free)}
    return [i for i in train if i.digest not in chosen], [i for i in train if i.digest in chosen]


def cut_off(images: list[Image], fraction: float, salt: str, *, leave: int) -> tuple[list[Image], list[Image]]:
    """Split images into (rest, cut) by a salted digest, so that copies stay together.

    At least one image is cut, and at least `leave` different images remain, so there must be more than `leave`.
    """
    draws = {image.digest: stable_draw(f"{salt} {image.digest}") for image in images}
    ordered = sorted(draws.values())
    limit = min(max(fraction, ordered[0]), ordered[-1 - leave])
    return [i for i in images if draws[i.digest] > limit], [i for i in images if draws[i.digest] <= limit]


def stable_draw(text: str) -> float:
    """Number in [0, 1) that depends only on `text`, evenly distributed."""
    return _share(hashlib.sha256(text.encode()).hexdigest())


def _share(digest: str) -> float:
    return int(digest[:16], 16) / 2**64


def duplicate_groups(splits: Mapping[str, list[Image]]) -> list[list[tuple[str, str]]]:
    """Groups of two or more (split, file name) with equal pixels, in order."""
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for split, images in splits.items():
        for image in images:
            groups[image.digest].append((split, image.annotated.file_name))
    return sorted(sorted(group) for group in groups.values() if len(group) > 1)


def keep_some(train: list[Image], count: int | None) -> list[Image]:
    """The `count` images whose pixels have the lowest digests, in order; a larger count keeps these and more."""
    if count is None:
        return train
    kept = {id(image) for image in sorted(train, key=lambda image: (image.digest, image.annotated.file_name))[:count]}
    return [image for image in train if id(image) in kept]

"""Alignment of two pictures of one scene, by the grain of their pixels. Works on arrays, not on files.

Two SAR images of different scenes may look alike (a bright ship on dark sea) and have equal perceptual hashes. Their
speckle never agrees. Two crops of one scene have equal speckle in their shared part, whatever their cut, size or
compression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import fft
from scipy.ndimage import uniform_filter

Grey = NDArray[np.uint8]
"""(H, W)."""

LIKE_MIN = 0.15
"""Correlation of the grain from which two pictures show one scene.

Of 408 pairs of SSDD with similar hashes (every fifth), 372 reach at most 0.08, none 0.08 to 0.20, and 36 more.
"""
SHARED_SHARE_MIN = 0.2
"""Least share of the smaller picture that must lie on the other; with less, the best place is often chance."""

_GRAIN_PX = 7
_CLIP_MADS = 3.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Place of the second picture on the first: its point p is at p * scale + offset, in pixels of the first."""

    x: int
    y: int
    scale_x: float
    scale_y: float
    shared_share: float
    """Share of the smaller picture that lies on the other, in (0, 1]."""
    likeness: float
    """Correlation of the grain there, at most 1."""


def place(first: Grey, second: Grey) -> Placement | None:
    """Find the place of `second` on `first`; None if they do not show one scene.

    It looks for a shift first. If there is none and the sizes differ, it looks for a resized copy.
    """
    found = _shifted(first, second)
    if found is None and first.shape != second.shape:
        height, width = first.shape
        resized = np.asarray(Image.fromarray(second).resize((width, height), Image.Resampling.BICUBIC))
        found = _shifted(first, resized, (width / second.shape[1], height / second.shape[0]))
    return found


def _shifted(first: Grey, second: Grey, scale: tuple[float, float] = (1.0, 1.0)) -> Placement | None:
    grains = _grain(first), _grain(second)
    size = [fft.next_fast_len(max(side), real=True) for side in zip(first.shape, second.shape, strict=True)]
    a, b = (fft.rfft2(grain, size) for grain in grains)
    peak = int(fft.irfft2(a * np.conj(b), size).argmax())
    y, x = divmod(peak, size[1])
    # the transform is periodic: each peak means a shift down or up, right or left
    places = [(*_likeness(*grains, (v, u)), v, u) for v in (y, y - size[0]) for u in (x, x - size[1])]
    likeness, share, v, u = max(places)
    if likeness < LIKE_MIN:
        return None
    return Placement(u, v, *scale, shared_share=round(share, 4), likeness=round(likeness, 4))


def _grain(picture: Grey) -> NDArray[np.float32]:
    """Grain of a picture: its shapes are removed, so that bright ships and coasts weigh no more than noise."""
    pixels = picture.astype(np.float32)
    fine = pixels - uniform_filter(pixels, _GRAIN_PX)
    limit = _CLIP_MADS * float(np.median(np.abs(fine))) + 1e-3
    clipped: NDArray[np.float32] = np.clip(fine, -limit, limit)
    return clipped


def _likeness(a: NDArray[np.float32], b: NDArray[np.float32], offset: tuple[int, int]) -> tuple[float, float]:
    """Correlation of `a` and `b`, b shifted by (y, x), in their shared part, and its share; (-1, 0) if it is small."""
    top, left = (max(0, shift) for shift in offset)
    bottom, right = (min(mine, other + by) for mine, other, by in zip(a.shape, b.shape, offset, strict=True))
    height, width = bottom - top, right - left
    if height < 1 or width < 1 or height * width < SHARED_SHARE_MIN * min(a.size, b.size):
        return -1.0, 0.0
    p = a[top:bottom, left:right].ravel()
    q = b[top - offset[0] : bottom - offset[0], left - offset[1] : right - offset[1]].ravel()
    p, q = p - p.mean(), q - q.mean()
    norm = float(np.sqrt((p @ p) * (q @ q)))
    return (float(p @ q) / norm if norm > 0 else 0.0), height * width / min(a.size, b.size)

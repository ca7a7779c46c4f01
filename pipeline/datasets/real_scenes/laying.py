"""Real patches laid into one sea: their positions in rows, the sea between them, and feathered edges. Pure.

A patch keeps its own counts. The sea between patches has the level of the nearest patch and the speckle of the patches'
rims: looks and correlation of the product, and a slow texture with the rest of the rims' variance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Amplitude = NDArray[np.float32]

GAP_PX = 64
"""Width of the sea between two patches."""
TEXTURE_PX, LEVEL_PX = 4.0, 10.0
"""Standard deviations of the slow texture, and of the change between levels."""
_EDGE_SHARE, _EDGE_PX = 0.12, (2, 6)


@dataclass(frozen=True, slots=True)
class Speckle:
    """Speckle of a product type in pixels of 10 m."""

    looks: float
    spread_px: tuple[float, float]
    """Standard deviation of the amplitude of the point response along rows and columns of pixels (y, x)."""


GRD = Speckle(4.4, (1.0, 1.05))
"""IW GRD of high resolution: powers of neighbours in the sea of the patches correlate by 0.6 along y, 0.65 along x."""
SLC = Speckle(2.0, (1.0, 0.54))
"""IW SLC averaged over 10 m of ground range: 0.6 along y and 0.2 along x."""


@dataclass(frozen=True, slots=True)
class Laid:
    """Scene of counts, and the rectangle (x, y, width, height) of each patch in it."""

    pixels: NDArray[np.uint16]
    rectangles: NDArray[np.int64]

    @property
    def open_sea_px(self) -> int:
        """Number of pixels outside all patches."""
        return int(self.pixels.size - (self.rectangles[:, 2] * self.rectangles[:, 3]).sum())

    def patch_of(self, points_xy: NDArray[np.float64]) -> NDArray[np.int64]:
        """Index (N,) of the patch that each point (N, 2) lies in; -1 in the sea between them."""
        x, y, width, height = self.rectangles.T
        px, py = points_xy[:, 0:1], points_xy[:, 1:2]
        inside = (px >= x) & (px < x + width) & (py >= y) & (py < y + height)
        return np.where(inside.any(axis=1), inside.argmax(axis=1), -1) if len(x) else np.full(len(px), -1)


def lay(
    patches: Sequence[NDArray[Any]],
    *,
    speckle: Speckle,
    seed: int,
    gap_px: int = GAP_PX,
    level: float | None = None,
) -> Laid:
    """Lay amplitudes (H, W) into one sea of uint16 counts.

    `level` is the median of a sea of speckle without texture; None: each patch sets the level around it, and all
    patches set the texture.
    """
    rectangles, (height, width) = shelves([patch.shape for patch in patches], gap_px)
    levels = np.array([level_of(patch) if level is None else level for patch in patches])
    rng = np.random.default_rng(seed)
    texture = texture_variance(patches, speckle.looks) if level is None else 0.0
    grain = sea((height, width), speckle, texture, rng)
    scene = grain * level_field((height, width), rectangles, levels)
    for patch, (x, y, w, h) in zip(patches, rectangles, strict=True):
        under = scene[y : y + h, x : x + w]
        weight = feather(patch.shape)
        under[...] = np.sqrt(weight * patch.astype(np.float32) ** 2 + (1 - weight) * under**2)
    return Laid(np.rint(scene).clip(1, 65535).astype(np.uint16), rectangles)


def shelves(sizes: Sequence[tuple[int, ...]], gap_px: int) -> tuple[NDArray[np.int64], tuple[int, int]]:
    """Rectangles for patches of (H, W), the highest first, in rows of a square; and the (H, W) of the square."""
    area = sum((h + gap_px) * (w + gap_px) for h, w in sizes)
    across = max(math.isqrt(area), *(w + gap_px for _, w in sizes)) + gap_px
    placed = np.zeros((len(sizes), 4), np.int64)
    x = y = gap_px
    shelf = 0
    for index in sorted(range(len(sizes)), key=lambda one: (-sizes[one][0], one)):
        h, w = sizes[index]
        if x + w + gap_px > across:
            x, y, shelf = gap_px, y + shelf + gap_px, 0
        placed[index] = x, y, w, h
        x, shelf = x + w + gap_px, max(shelf, h)
    return placed, (y + shelf + gap_px, across)


def edge_px(side: int) -> int:
    """Width of the feathered edge of a patch."""
    return int(np.clip(round(_EDGE_SHARE * side), *_EDGE_PX))


def feather(shape: tuple[int, ...]) -> Amplitude:
    """Weights (H, W) of a patch in power: 1 in the middle, falling to 0 at its edge."""
    sides = [np.minimum(1, (np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5) / edge_px(n)) for n in shape]
    return np.minimum.outer(*sides).astype(np.float32)


def rim(patch: NDArray[Any]) -> NDArray[Any]:
    """Pixels at the edge of a patch, which show mostly sea."""
    rows, columns = (edge_px(n) for n in patch.shape)
    inner = np.ones(patch.shape, bool)
    inner[rows:-rows, columns:-columns] = False
    return patch[inner]


def level_of(patch: NDArray[Any]) -> float:
    """Median amplitude of the rim, at least one count."""
    return max(1.0, float(np.median(rim(patch))))


def texture_variance(patches: Sequence[NDArray[Any]], looks: float) -> float:
    """Variance of the sea's mean power: the median variance of the rims without the part of speckle (`looks`)."""
    spread = []
    for patch in patches:
        power = np.square(rim(patch).astype(np.float64))
        spread.append(power.var() / max(power.mean() ** 2, 1e-12))
    return float(np.clip((1 + np.median(spread)) / (1 + 1 / looks) - 1, 0, 1))


def sea(shape: tuple[int, int], speckle: Speckle, texture: float, rng: np.random.Generator) -> Amplitude:
    """Amplitudes (H, W) of a sea with median 1: correlated speckle times a slow texture."""
    looks, whole = speckle.looks, int(speckle.looks)
    weights = [1.0] * whole
    if looks > whole:  # one more, weaker field gives the wanted looks
        root = math.sqrt(whole**2 - (looks - 1) * (looks - whole) * whole)
        weights.append((whole - root) / (looks - 1))
    power = np.zeros(shape, np.float32)
    for weight in weights:
        for _ in range(2):  # real and imaginary part
            power += weight * _smooth(shape, speckle.spread_px, rng) ** 2
    if texture:
        power *= np.exp(math.sqrt(math.log1p(texture)) * _smooth(shape, (TEXTURE_PX, TEXTURE_PX), rng))
    amplitude = np.sqrt(power)
    return np.asarray(amplitude / np.median(amplitude), np.float32)


def level_field(shape: tuple[int, int], rectangles: NDArray[np.int64], levels: NDArray[np.float64]) -> Amplitude:
    """Level (H, W) of the sea: that of the nearest patch, with smooth changes half-way between."""
    owner = np.full(shape, -1, np.int64)
    for index, (x, y, w, h) in enumerate(rectangles):
        owner[y : y + h, x : x + w] = index
    nearest = ndimage.distance_transform_edt(owner < 0, return_distances=False, return_indices=True)
    logs = np.log(levels)[owner[tuple(nearest)]].astype(np.float32)
    return np.asarray(np.exp(ndimage.gaussian_filter(logs, LEVEL_PX)), np.float32)


def _smooth(shape: tuple[int, int], spread_px: tuple[float, float], rng: np.random.Generator) -> Amplitude:
    field = ndimage.gaussian_filter(rng.standard_normal(shape, np.float32), spread_px, mode="wrap")
    return np.asarray(field / field.std(), np.float32)

"""Level of the sea in a scene: its amplitude at each place, from a thinned sample of the pixels. Pure NumPy.

The sample is cut into cells, and the statistics of speckle separate water from the rest. Water has no heavy tail: a few
bright pixels mean ships, a city or a shore. A cell that is both brighter and rougher than its surroundings is land. So
only water sets the level; everywhere else, the level of the water around holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Grid = NDArray[np.float64]
"""(R, C) one value of each cell."""
Mask = NDArray[np.bool_]
Amplitudes = NDArray[np.floating[Any]]

CELL_PX = 32
"""Side of a cell, in pixels of the sample; a thousand pixels give a level to 1 %."""
_MEASURED = 0.5
"""Least share of a cell that must be measured and not known to be land."""
_BODY = 0.95
"""Share of the pixels of a cell, from the darkest up, that give its level: a ship covers fewer than the others."""
_HEAVY_TAIL = 0.3
"""Largest height of a cell's mean above that of its body, in standard deviations. Speckle of any number of looks has
0.11 to 0.17, sea with breaking waves up to 0.25, cells with ships and cities 0.3 to 3."""
_ROUGHEST = 0.7
"""Largest standard deviation of a cell's body over its mean. Speckle of a single look has 0.48, in a spiky sea 0.6."""
_UNEVEN, _SMOOTH_PERCENTILE = 2.0, 25
"""Cells of water are at most this many times as rough as the cell at the percentile."""
_LEAST_ALIKE = 2
"""Least number of neighbours with water of a similar level around a cell of water: water is wider than one cell."""
_FLAT = 3e-3
"""Ratio of deviation to mean below which a cell is constant: a fill, or no radar image. Rounding gives up to 1.7e-3."""
_LAND_DB, _CHARTED_LAND_DB = 3.0, 6.0
"""Least step from water up to land in dB, without and with a coastline that marks the land already. The first is less
than the step in 98 of 100 images of a coast (SSDD)."""
_ROUGHER = 1.1
_NEAR_CELLS = 5
_NEAR_SHARE = 0.25
"""Least share of neighbouring cells that are darker and smoother, for a cell to be land."""
_PASSES = 3
"""Number of searches for land: land behind a shore is found once the shore is left out."""
_SMOOTH_CELLS = 2.0
"""Standard deviation of the smoothing of levels, in cells."""
_WIDER, _FADING = 4.0, 1e-3
"""Each further smoothing is this much wider and weaker; it counts where no water is near."""
_SMOOTHINGS = 3
_LEAST_CELLS = 4
_LEAST_SHARE = 0.01
"""Least share of the measured cells that must be water."""
_SUM_ROUNDING = 1e-4
"""Upper bound of the relative rounding error of a cell's sum of amplitudes."""
_EVERYWHERE = 1e-9
"""Weight of the median level of the scene, for places far from any water."""


@dataclass(frozen=True, slots=True, eq=False)
class SeaLevels:
    """Level of the sea at each place, in dB of amplitude relative to its median over the water of the scene."""

    db: Grid
    """Level at the middle of each cell."""
    cell: tuple[float, float]
    """Height and width of a cell, as shares of the scene's."""

    def line(self, y: float, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Levels at N places of one line, linear between cells; `y` and `x` (N,) are shares of the scene's sides."""
        rows, columns = self.db.shape
        place = float(np.clip(y / self.cell[0] - 0.5, 0, rows - 1))
        above = min(int(place), max(rows - 2, 0))
        line = self.db[above]
        if rows > 1:
            line = line + (place - above) * (self.db[above + 1] - line)
        return np.asarray(np.interp(x / self.cell[1] - 0.5, np.arange(columns), line))

    def span(self) -> tuple[float, float]:
        """Lowest and highest level, in dB."""
        return float(self.db.min()), float(self.db.max())


@dataclass(frozen=True, slots=True)
class Sea:
    """Sea of a scene."""

    levels: SeaLevels
    amplitudes: Amplitudes = field(repr=False)
    """(N,) amplitudes of water at the median level: the ratio of a pixel to its local level, times the median level."""


class _Cells(NamedTuple):
    """Statistics of the cells of a sample."""

    share: Grid
    """Measured share of each cell, land left out."""
    level: Grid
    """Mean of the body of its values; 0 where too little was measured."""
    rough: Grid
    """Standard deviation of the body over its mean."""
    tail: Grid
    """Height of the mean of all values above that of the body, in standard deviations of the body."""


def measure_sea(amplitude: Amplitudes, valid: Mask, land: Mask | None = None) -> Sea | None:
    """Measure the sea in a sample (H, W) of a scene; None if too little of it is found.

    Args:
        amplitude: (H, W) amplitudes of single pixels, not averages.
        valid: (H, W) true where a pixel was measured.
        land: (H, W) true where land is known to be; None: unknown. Land that the mask misses is found too.
    """
    usable = valid if land is None else valid & ~land
    cells = _cells(amplitude, usable)
    water = _water(cells, _LAND_DB if land is None else _CHARTED_LAND_DB)
    if water.sum() < max(_LEAST_CELLS, _LEAST_SHARE * (cells.level > 0).sum()):
        return None
    db = _spread(20 * np.log10(np.where(water, cells.level, 1)), water)
    middle = float(np.median(db[water]))
    height, width = amplitude.shape
    levels = SeaLevels(db - middle, (CELL_PX / height, CELL_PX / width))
    return Sea(levels, _at_median(amplitude, usable, water, levels))


def _cells(amplitude: Amplitudes, usable: Mask) -> _Cells:
    rows, columns = (-(-side // CELL_PX) for side in amplitude.shape)
    found = _Cells(*np.zeros((4, rows, columns)))
    for row in range(rows):
        lines = slice(row * CELL_PX, (row + 1) * CELL_PX)
        values = _tiles(np.where(usable[lines], amplitude[lines], np.float32(np.inf)).astype(np.float32), np.inf)
        count = _tiles(usable[lines], fill=False).sum(axis=1)
        found.share[row] = count / CELL_PX**2
        for number in np.unique(count[count >= _MEASURED * CELL_PX**2]):
            same = count == number
            found.level[row, same], found.rough[row, same], found.tail[row, same] = speckle_law(
                values[same], int(number)
            )
    return found


def _tiles(lines: NDArray[Any], fill: float) -> NDArray[Any]:
    """(C, 32 * 32) values of a row of cells, from up to 32 lines of pixels."""
    height, width = lines.shape
    whole = np.pad(lines, ((0, CELL_PX - height), (0, -width % CELL_PX)), constant_values=fill)
    return np.moveaxis(whole.reshape(CELL_PX, -1, CELL_PX), 1, 0).reshape(-1, CELL_PX**2)


def speckle_law(values: NDArray[np.float32], count: int) -> tuple[Amplitudes, ...]:
    """Level, roughness and tail of N cells with `count` finite amplitudes each, of (N, K); level 0 if not positive."""
    body = int(_BODY * count)
    values = np.partition(values, body if count == values.shape[1] else (body, count - 1), axis=1)[:, :count]
    low = values[:, :body]
    with np.errstate(over="ignore", invalid="ignore"):  # values too large to square are not water
        level, mean = low.mean(axis=1), values.mean(axis=1)
        std = np.sqrt(np.maximum(np.einsum("ij,ij->i", low, low) / body - level * level, 0))
        known = (level > 0) & np.isfinite(std) & np.isfinite(mean)
    level, std = np.where(known, level, 1), np.where(known, std, 0)
    tail = (mean - level) / np.maximum(std, _FLAT * level)
    return np.where(known, level, 0), std / level, np.where(known, tail, np.inf)


def least_level(total: Amplitudes, highest: Amplitudes, count: int) -> NDArray[np.float64]:
    """Lower bound of the level of N cells by `speckle_law`, from sum and highest of their `count` amplitudes."""
    body = int(_BODY * count)
    return np.asarray((1 - _SUM_ROUNDING) * (total - (count - body) * highest) / body, np.float64)


def _water(cells: _Cells, land_db: float) -> Mask:
    """(R, C) true for cells of water."""
    calm = (cells.level > 0) & (cells.rough > _FLAT) & (cells.rough <= _ROUGHEST) & (cells.tail <= _HEAVY_TAIL)
    if calm.any():
        calm &= cells.rough <= _UNEVEN * np.percentile(cells.rough[calm], _SMOOTH_PERCENTILE)
    step, water = 10 ** (land_db / 20), calm
    for _ in range(_PASSES):
        land = _is_land(cells, water, step)
        if not land.any():
            break
        water = water & ~land
    level = np.where(water, cells.level, np.inf)
    alike = [(near < level * step) & (near * step > level) for near in _around(level, 1)]
    return np.asarray(water & (np.sum(alike, axis=0) > _LEAST_ALIKE))


def _is_land(cells: _Cells, water: Mask, step: float) -> Mask:
    """(R, C) true for cells that are brighter and rougher than a share of the water around them."""
    level, rough = np.where(water, cells.level, np.inf), np.where(water, cells.rough, np.inf)
    darker, around = np.zeros(level.shape, np.int64), np.zeros(level.shape, np.int64)
    for near_level, near_rough in zip(_around(level, _NEAR_CELLS), _around(rough, _NEAR_CELLS), strict=True):
        around += np.isfinite(near_level)
        darker += (near_level * step < level) & (near_rough * _ROUGHER < rough)
    return np.asarray(darker >= np.maximum(_NEAR_SHARE * around, 1))


def _around(grid: Grid, reach: int) -> Iterator[Grid]:
    """Yield the grid shifted to each neighbour of its cells, and unshifted; infinite beyond the edge."""
    rows, columns = grid.shape
    wide = np.pad(grid, reach, constant_values=np.inf)
    for down in range(2 * reach + 1):
        for right in range(2 * reach + 1):
            yield wide[down : down + rows, right : right + columns]


def _spread(db: Grid, water: Mask) -> Grid:
    """Smooth the levels of water, and extend them over all other cells."""
    calm = np.where(water, _median(db, water), 0)
    both = np.stack([calm, water])
    total = np.stack([np.full(db.shape, np.median(calm[water])), np.ones(db.shape)]) * _EVERYWHERE
    sigma, share = _SMOOTH_CELLS, 1.0
    for _ in range(_SMOOTHINGS):
        total += share * ndimage.gaussian_filter(both, (0, sigma, sigma), mode="constant")
        sigma, share = sigma * _WIDER, share * _FADING
    return np.asarray(total[0] / total[1])


def _median(db: Grid, water: Mask) -> Grid:
    """Median of the cells of water among the 3 x 3 around each; the lower one of two, infinite without any."""
    ranked = np.sort(list(_around(np.where(water, db, np.inf), 1)), axis=0)
    middle = np.maximum((np.isfinite(ranked).sum(axis=0) - 1) // 2, 0)
    return np.asarray(np.take_along_axis(ranked, middle[None], axis=0)[0])


def _at_median(amplitude: Amplitudes, usable: Mask, water: Mask, levels: SeaLevels) -> Amplitudes:
    """(N,) usable amplitudes in cells of water, scaled to the median level."""
    width = amplitude.shape[1]
    x = (np.arange(width) + 0.5) / width
    found = []
    for row in np.flatnonzero(water.any(axis=1)).tolist():
        lines = slice(row * CELL_PX, (row + 1) * CELL_PX)
        factor = (10 ** (levels.line((row + 0.5) * levels.cell[0], x) / -20)).astype(np.float32)
        inside = usable[lines] & np.repeat(water[row], CELL_PX)[:width]
        values = np.where(inside, amplitude[lines], 0).astype(np.float32)  # a fill may be too large to multiply
        found.append((values * factor)[inside])
    return np.concatenate(found)

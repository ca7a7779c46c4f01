"""Scenes of two polarisations for dual_polarisation.py: real ships of OpenSARShip in one sea per Sentinel-1 product."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy import ndimage

POLARISATIONS = ("vv", "vh")
CELL_PX = 256
"""Side of the square of sea around a ship."""
PIXEL_M = 10.0

_LOOKS = 5
_BLUR_PX = 0.8
"""Standard deviation of the filter that correlates neighbouring pixels, as in IW GRD with its resolution of 20 m."""
_TRANSITION_PX = 32.0
"""Standard deviation of the filter that smooths the step between the levels of two squares."""
_ORIGIN_XY = (400_000.0, 4_400_000.0)
"""Upper left corner in UTM zone 25N: the middle of the Atlantic."""

Grey = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RealShips:
    """Scene of one product, and its N ships."""

    product: str
    path: Path
    places_xy: NDArray[np.float64]
    """(N, 2) pixels of the middle of each ship."""
    length_m: NDArray[np.float64]
    """(N,) length from the register, else from AIS, else as marked in the image."""
    patches_xyxy: NDArray[np.float64]
    """(N, 4) pixels of the real patch around each ship."""
    pixel_m: float = PIXEL_M

    @property
    def day(self) -> str:
        """Day of the product, YYYYMMDD."""
        return self.product.split("_1SDV_")[1][:8]


def scenes(source: Path, folder: Path) -> Iterator[RealShips]:
    """Write the scene of each product in `source` into `folder`: GeoTIFF with the bands VV and VH, uint16."""
    for record in sorted(source.glob("*_1SDV_*.json")):
        content = json.loads(record.read_text())
        yield _scene(content["product"], content["ships"], np.load(record.with_suffix(".npz")), folder)


def _scene(product: str, ships: Sequence[Any], patches: Any, folder: Path) -> RealShips:
    across = int(np.ceil(np.sqrt(len(ships))))
    down = -(-len(ships) // across)
    bands, corners = [], np.zeros((len(ships), 4))
    for number, polarisation in enumerate(POLARISATIONS):
        shown = [patches[ship["patch"]][ship["bands"].index(polarisation)].astype(np.float64) for ship in ships]
        levels = np.array([sea_power(patch) for patch in shown])
        power = _speckle((down * CELL_PX, across * CELL_PX), number) * _level(levels, down, across)
        band = np.sqrt(power)
        for i, patch in enumerate(shown):
            (row, column), (height, width) = divmod(i, across), patch.shape
            y, x = row * CELL_PX + (CELL_PX - height) // 2, column * CELL_PX + (CELL_PX - width) // 2
            here = band[y : y + height, x : x + width]
            here[patch > 0] = patch[patch > 0]
            corners[i] = x, y, x + width, y + height
        bands.append(np.clip(np.rint(band), 1, 65535).astype(np.uint16))
    path = folder / f"{product}.tif"
    _write(path, bands)
    middle = (corners[:, :2] + corners[:, 2:]) / 2
    return RealShips(product, path, middle, np.array([_length_m(ship) for ship in ships]), corners)


def sea_power(patch: Grey) -> float:
    """Mean power of the sea in a patch, from its darker pixels, corrected for the brighter part of the speckle."""
    power = patch[patch > 0] ** 2
    mean = power.mean()
    for _ in range(5):
        mean = power[power <= 4 * mean].mean()
    return float(mean)


def _level(levels: NDArray[np.float64], down: int, across: int) -> Grey:
    """Mean power (H, W) of the sea: that of each ship in its square, their mean in squares without one."""
    grid = np.full(down * across, np.exp(np.log(levels).mean()))
    grid[: len(levels)] = levels
    squares = np.kron(np.log(grid).reshape(down, across), np.ones((CELL_PX, CELL_PX)))
    return np.asarray(np.exp(ndimage.gaussian_filter(squares, _TRANSITION_PX, mode="nearest")))


def _speckle(shape: tuple[int, int], seed: int) -> Grey:
    """Speckle (H, W) of mean 1: the mean of looks that are each a filtered complex noise."""
    rng, power = np.random.default_rng(seed), np.zeros(shape)
    for _ in range(2 * _LOOKS):
        power += ndimage.gaussian_filter(rng.standard_normal(shape), _BLUR_PX) ** 2
    return np.asarray(power / power.mean())


def _length_m(ship: Any) -> float:
    known = (ship["register"]["length_m"], ship["ais"]["length_m"], ship["manual_length_m"])
    return float(next(length for length in known if length))


def _write(path: Path, bands: Sequence[NDArray[np.uint16]]) -> None:
    height, width = bands[0].shape
    place = Affine(PIXEL_M, 0, _ORIGIN_XY[0], 0, -PIXEL_M, _ORIGIN_XY[1])
    profile = {"driver": "GTiff", "width": width, "height": height, "count": len(bands), "dtype": "uint16"}
    with rasterio.open(path, "w", crs="EPSG:32625", transform=place, **profile) as dataset:
        for number, (name, band) in enumerate(zip(POLARISATIONS, bands, strict=True), 1):
            dataset.write(band, number)
            dataset.set_band_description(number, name.upper())

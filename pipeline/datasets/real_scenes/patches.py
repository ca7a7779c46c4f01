"""Sentinel-1 patches around ships with AIS, from OpenSARShip, read in pixels of 10 m."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIXEL_M = 10.0
SLC_RANGE_M, SLC_AZIMUTH_M = 2.329562, 13.94
"""Spacing of IW SLC pixels in metres: along the line of sight, and along the track."""
_DEGREE_M = 111_200.0
"""Length of a degree of latitude in metres."""
_FEWEST = 3
"""Least number of ships whose positions tell how a product lies on the map."""
_MOST_DEG = 360.0
"""Largest heading in AIS; 511 stands for an unknown one."""


@dataclass(frozen=True, slots=True)
class Ship:
    """Patch of one ship in pixels of 10 m, with its truth; NaN where unknown."""

    patch: NDArray[np.float32]
    middle_xy: NDArray[np.float64]
    """Middle between marked head and tail, in pixels of the patch."""
    along_xy: NDArray[np.float64]
    """Vector from the marked tail to the head, in pixels."""
    length_m: float
    width_m: float
    by_hand_m: float
    """Length in metres that the authors of the data set marked in the image."""
    heading_axis_deg: float = float("nan")
    """Axis by the heading in AIS, clockwise from the top of the patch, in [0, 180)."""

    @property
    def axis_deg(self) -> float:
        """Marked axis, clockwise from the top of the patch, in [0, 180)."""
        return _turn_deg(self.along_xy) if self.along_xy.any() else float("nan")


def bands(path: Path) -> tuple[str, ...]:
    """Polarisations of a product; the SLC's two bands are one complex VV."""
    return ("slc vv",) if "_SLC_" in path.stem else ("vv", "vh")


def read_ships(path: Path, band: str) -> list[Ship]:
    """Read all ships of a product in one polarisation, in pixels of 10 m."""
    pixels = np.load(path.with_suffix(".npz"))
    ships = json.loads(path.read_text(encoding="utf-8"))["ships"]
    ground = ground_m(ships)
    return [read_ship(ship, pixels[ship["patch"]], band, ground) for ship in ships]


def ground_m(ships: Sequence[dict[str, Any]]) -> NDArray[np.float64] | None:
    """Metres east and north (2, 2) per column and row of a product, fitted to positions of its ships; None below three.

    The rows of an ascending pass run north, so the picture is mirrored against a map.
    """
    known = [ship for ship in ships if ship.get("sar_lonlat")]
    if len(known) < _FEWEST:
        return None
    columns = np.array([[*ship["centre_px"], 1.0] for ship in known])
    lonlat = np.array([ship["sar_lonlat"] for ship in known])
    slope = np.linalg.lstsq(columns, lonlat, rcond=None)[0][:2].T
    metres = _DEGREE_M * np.array([np.cos(np.radians(lonlat[:, 1].mean())), 1.0])
    return np.asarray(slope * metres[:, None])


def read_ship(
    ship: dict[str, Any], bands_px: NDArray[Any], band: str, ground: NDArray[np.float64] | None = None
) -> Ship:
    """Read a ship from its entry and the bands (2, H, W) of its patch. The centre is the patch's middle pixel.

    `ground`, as `ground_m` gives it, tells the axis by AIS; None: it stays unknown.
    """
    scale = np.ones(2)
    if band.startswith("slc"):
        range_m = SLC_RANGE_M / np.sin(np.radians(ship["incidence_deg"]))
        scale = np.array([range_m, SLC_AZIMUTH_M]) / PIXEL_M
        power = np.square(bands_px.astype(np.float64)).sum(axis=0)
        patch = np.sqrt(averaged(averaged(power, scale[1], 0), scale[0], 1))
    else:
        patch = bands_px[ship["bands"].index(band)]
    head, tail, centre = (np.array(ship[name], np.float64) for name in ("head_px", "tail_px", "centre_px"))
    middle = np.array(bands_px.shape[:0:-1]) // 2 + (head + tail) / 2 - centre + 0.5
    return Ship(
        patch.astype(np.float32),
        middle * scale,
        (head - tail) * scale,
        _known(ship, "length_m"),
        _known(ship, "width_m"),
        ship.get("manual_length_m") or float("nan"),
        _heading_axis((ship.get("ais") or {}).get("heading_deg"), ground, scale),
    )


def _heading_axis(heading_deg: float | None, ground: NDArray[np.float64] | None, scale: NDArray[np.float64]) -> float:
    if ground is None or heading_deg is None or not 0 <= heading_deg <= _MOST_DEG:
        return float("nan")
    ahead = np.radians(heading_deg)
    return _turn_deg(np.linalg.solve(ground, [np.sin(ahead), np.cos(ahead)]) * scale)


def _turn_deg(along_xy: NDArray[np.float64]) -> float:
    """Direction of a vector, clockwise from the top, in [0, 180)."""
    return float(np.degrees(np.arctan2(along_xy[0], -along_xy[1])) % 180)


def _known(ship: dict[str, Any], name: str) -> float:
    """Size from the register, else from AIS; both write 0 or nothing for an unknown size."""
    sizes = [(ship.get(source) or {}).get(name) for source in ("register", "ais")]
    return float(next((size for size in sizes if size), float("nan")))


def averaged(values: NDArray[np.float64], scale: float, axis: int) -> NDArray[np.float64]:
    """Values on pixels 1 / `scale` times as large along an axis: means over their parts, without incomplete ones."""
    count = max(1, int(values.shape[axis] * scale))
    total = np.insert(np.cumsum(np.moveaxis(values, axis, -1), axis=-1), 0, 0, axis=-1)
    ends = np.arange(count + 1) / scale
    before = np.minimum(ends.astype(int), total.shape[-1] - 2)
    part = ends - before
    sums = total[..., before] * (1 - part) + total[..., before + 1] * part
    return np.moveaxis(np.diff(sums, axis=-1) * scale, -1, axis)

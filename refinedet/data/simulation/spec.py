"""Specification of a simulated scene, and the conditions drawn for one scene, for data/simulation/scene.py."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import get_args

import numpy as np

from refinedet.config.scene_kind import SceneKind
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.errors import InputError

Range = tuple[float, float]
"""Lowest and highest value of a drawn quantity."""

_RANGES: dict[str, Range] = {
    "looks": (1, 16),
    "shape": (0.3, 100),
    "mean_amplitude": (10, 2000),
    "length_px": (3, 120),
    "peak_db": (0, 40),
    "land_share": (0, 0.6),
}
PLAIN_ONLY = (*("looks", "shape", "mean_amplitude", "length_px", "peak_db", "weak_share", "weak_db", "weak_length_px"),)
"""Settings that only scenes of kind `plain` have."""
_SENTINEL1_PIXEL_M = (5.0, 15.0)
"""Pixel sizes of kind `sentinel1`: fine enough for the resolution, and coarse enough for speckle to matter."""


@dataclass(frozen=True, slots=True)
class SceneSpec:
    """Specification of a simulated scene: its size, ships, seed, and the ranges that its conditions are drawn from.

    Raises:
        InputError: a value is out of its range.
    """

    width_px: int
    height_px: int
    ships: int
    seed: int
    pixel_m: float = 10.0
    looks: tuple[int, int] = (1, 5)
    """Number of independent looks averaged into one pixel."""
    shape: Range = (1.0, 10.0)
    """Shape of the gamma texture of the sea, drawn log-uniformly: 1 is spiky, 10 is near plain speckle."""
    mean_amplitude: Range = (40.0, 160.0)
    """Root of the mean sea intensity, in counts of the uint16 amplitude, drawn log-uniformly."""
    length_px: Range = (4.0, 40.0)
    """Ship length, drawn from a triangular distribution that peaks at a third of the range."""
    peak_db: Range = (6.0, 25.0)
    """Peak of a ship's signal over the local mean sea intensity."""
    weak_share: float = 0.21
    """Least share of the ships with a peak below `weak_db`."""
    weak_db: float = 10.0
    weak_length_px: float = 16.0
    """Length of the shortest weak ship; a shorter one at a few decibels looks like a spike of the sea."""
    land_probability: float = 0.85
    land_share: Range = (0.05, 0.3)
    """Share of land in a scene with land."""
    nodata_probability: float = 0.35
    kind: SceneKind = "plain"
    """Kind of scene: `plain` has ships, sea and land; `sentinel1` is calibrated on real images and harder."""
    ranges: Sentinel1Ranges | None = None
    """Ranges of a scene of kind `sentinel1`; None: its defaults."""

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            _check_range(name, getattr(self, name), low, high)
        for name in ("weak_share", "land_probability", "nodata_probability"):
            _check_range(name, (0.0, getattr(self, name)), 0, 1)
        _check_range("width_px and height_px", sorted((self.width_px, self.height_px)), 64, 60_000)
        _check_range("ships, seed", (min(self.ships, self.seed), self.ships), 0, 100_000)
        _check_range("pixel_m", (self.pixel_m, self.pixel_m), 0.1, 1000)
        _check_range("weak_db", (self.peak_db[0], self.weak_db), 0, self.peak_db[1])
        _check_range("weak_length_px", (self.length_px[0], self.weak_length_px), 3, self.length_px[1])
        self._check_kind()

    def _check_kind(self) -> None:
        if self.kind not in get_args(SceneKind):
            raise InputError(
                f"setting `kind` of a simulated scene: expected one of {get_args(SceneKind)}, found {self.kind!r}"
            )
        if self.kind == "plain":
            if self.ranges is not None:
                raise InputError("setting `ranges` of a simulated scene: expected None for kind plain, found ranges")
            return
        _check_range("pixel_m", (self.pixel_m, self.pixel_m), *_SENTINEL1_PIXEL_M)
        defaults = {field.name: field.default for field in fields(self)}
        for name in PLAIN_ONLY:
            if getattr(self, name) != defaults[name]:
                raise InputError(
                    f"setting `{name}` of a simulated scene: expected for kind plain alone, found it for kind "
                    f"{self.kind}; set `ranges` instead"
                )


@dataclass(frozen=True, slots=True)
class Conditions:
    """Conditions drawn for one scene."""

    looks: int
    shape: float
    mean_amplitude: float
    swell_px: float
    """Wavelength of the swell."""
    swell_share: float
    """Share of the swell in the variance of the Gaussian field under the sea's texture."""
    swell_rad: float
    """Direction of the swell's wave vector."""
    aperture_weight: float
    """Alpha of the generalised Hamming window over the aperture; a higher one gives stronger side lobes."""
    ambiguity_px: int
    """Distance, in rows (azimuth), of the ghosts of bright ships."""
    land_share: float
    """Share of land; 0 is open sea."""
    nodata: bool
    """True if the scene has nodata borders."""

    @classmethod
    def draw(cls, spec: SceneSpec, rng: np.random.Generator) -> Conditions:
        """Draw conditions within the ranges of `spec`."""
        land = rng.random() < spec.land_probability
        share = float(rng.uniform(*spec.land_share))
        return cls(
            looks=int(rng.integers(spec.looks[0], spec.looks[1] + 1)),
            shape=log_uniform(rng, *spec.shape),
            mean_amplitude=log_uniform(rng, *spec.mean_amplitude),
            swell_px=float(rng.uniform(8, 30)),
            swell_share=float(rng.uniform(0, 0.15)),
            swell_rad=float(rng.uniform(0, np.pi)),
            aperture_weight=float(rng.uniform(0.65, 0.85)),
            ambiguity_px=int(rng.integers(90, 260)),
            land_share=share if land else 0.0,
            nodata=bool(rng.random() < spec.nodata_probability),
        )


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a number between `low` and `high`, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _check_range(name: str, found: tuple[float, ...] | list[int], low: float, high: float) -> None:
    if not low <= found[0] <= found[-1] <= high:
        raise InputError(
            f"setting `{name}` of a simulated scene: expected {low} <= low <= high <= {high}, found {found}"
        )

"""Probabilities and ranges that scenes of kind `sentinel1` are drawn from.

The ranges of ships and speckle are calibrated on real ships: benchmarks/real/simulator.py compares them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from refinedet.errors import InputError

Range = tuple[float, float]
"""Lowest and highest value of a drawn quantity."""

_LIMITS: dict[str, Range] = {
    "looks": (3.6, 5),
    "shape_vv": (0.3, 1000),
    "shape_vh": (0.3, 1000),
    "amplitude_vv": (5, 2000),
    "amplitude_vh": (5, 2000),
    "boat_m": (5, 500),
    "ship_m": (5, 500),
    "swell_m": (40, 1000),
    "swell_share": (0, 0.9),
    "islet_m": (5, 2000),
    "smear_m": (0, 500),
    "turbine_spacing_m": (100, 5000),
    "islets": (0, 1000),
    "harbours": (0, 100),
    "platforms": (0, 100),
}
"""Limits of the ranges that have some."""


@dataclass(frozen=True, slots=True)
class ContrastLaw:
    """Peak of a ship over the mean sea, by its length and by the level of the sea."""

    at_100_m_db: float
    per_decade_db: float
    """Decibels by which the peak rises from one length to ten times that length."""
    sea_amplitude: float
    """Root of the mean sea intensity at which `at_100_m_db` holds; a brighter sea lowers the peak by its decibels."""

    def peak_db(self, length_log10: float, sea_db: float) -> float:
        """Expected peak of a ship; lengths as log10 of length over 100 m, the sea in decibels over `sea_amplitude`."""
        return self.at_100_m_db + self.per_decade_db * length_log10 - sea_db


@dataclass(frozen=True, slots=True)
class Sentinel1Ranges:
    """Ranges of one kind of scene. Lengths are in metres, angles in degrees, levels in decibels over the mean sea.

    Raises:
        InputError: a range is reversed, or a probability is not within [0, 1].
    """

    vh_probability: float = 0.35
    """Share of scenes in VH; the others are in VV."""
    looks: Range = (4.5, 4.9)
    """Equivalent number of looks."""
    shape_vv: Range = (10.0, 60.0)
    """Shape of the gamma texture of the sea, drawn log-uniformly."""
    shape_vh: Range = (80.0, 300.0)
    amplitude_vv: Range = (35.0, 220.0)
    """Root of the mean sea intensity, in counts, drawn log-uniformly."""
    amplitude_vh: Range = (27.0, 55.0)
    contrast_vv: ContrastLaw = ContrastLaw(at_100_m_db=28.0, per_decade_db=22.0, sea_amplitude=80.0)
    contrast_vh: ContrastLaw = ContrastLaw(at_100_m_db=25.0, per_decade_db=16.0, sea_amplitude=35.0)
    contrast_of_scene_db: float = 2.0
    """Standard deviation between scenes."""
    contrast_of_ship_db: float = 2.8
    """Standard deviation between ships of a scene."""
    least_peak_db: float = 8.0
    """Peak of the faintest ship; an annotator would not mark a fainter one."""
    boat_share: float = 0.35
    """Share of boats among the ships."""
    boat_m: Range = (15.0, 60.0)
    """Length of boats, drawn log-uniformly."""
    ship_m: Range = (60.0, 350.0)
    """Length of other ships, log-triangular with the peak at a third."""
    moving_probability: float = 0.5
    """Share of ships under way: smeared along azimuth, and displaced from their wake."""
    speed_kn: Range = (4.0, 20.0)
    smear_m: Range = (0.0, 60.0)
    """Length over which motion smears a ship under way along azimuth."""
    wake_probability: float = 0.35
    """Share of ships under way with a wake that shows."""
    swell_probability: float = 0.5
    swell_m: Range = (80.0, 350.0)
    swell_share: Range = (0.1, 0.6)
    """Share of the swell in the texture of the sea."""
    slick_probability: float = 0.35
    slick_db: Range = (3.0, 10.0)
    """Decibels by which a slick is darker than the sea."""
    front_probability: float = 0.3
    front_db: Range = (1.0, 4.0)
    """Step of the sea level across a front."""
    islet_probability: float = 0.6
    islets: tuple[int, int] = (1, 14)
    islet_m: Range = (20.0, 400.0)
    """Diameter of an islet, drawn log-uniformly; the small ones are rocks."""
    islet_db: Range = (4.0, 16.0)
    land_db: Range = (-3.0, 9.0)
    """Mean level of land."""
    harbour_probability: float = 0.6
    """Share of coasts with harbours: quays, cranes, sheds, breakwaters."""
    harbours: tuple[int, int] = (1, 3)
    breakwater_m: Range = (200.0, 1500.0)
    breakwater_db: Range = (6.0, 16.0)
    wind_farm_probability: float = 0.3
    turbine_spacing_m: Range = (450.0, 1000.0)
    single_turbine_probability: float = 0.4
    turbine_db: Range = (9.0, 27.0)
    platform_probability: float = 0.35
    platforms: tuple[int, int] = (1, 4)
    platform_db: Range = (22.0, 40.0)
    interference_probability: float = 0.08
    """Share of scenes with stripes of foreign radio transmitters."""
    interference_db: Range = (-3.0, 12.0)
    seam_probability: float = 0.4
    """Share of scenes with seams between swaths and bursts."""
    seam_db: Range = (0.1, 0.8)
    incidence_db_per_100_km: Range = (3.0, 9.0)
    """Fall of the sea level with range."""

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check(field.name, getattr(self, field.name))

    def _check(self, name: str, value: object) -> None:
        if isinstance(value, tuple):
            low, high = _LIMITS.get(name, (-math.inf, math.inf))
            if not low <= value[0] <= value[1] <= high:
                expected = f"expected {low:g} <= low <= high <= {high:g}"
                raise InputError(f"setting `{name}` of a simulated scene: {expected}, found {value}")
        elif name.endswith(("_probability", "_share")) and not (isinstance(value, int | float) and 0 <= value <= 1):
            raise InputError(f"setting `{name}` of a simulated scene: expected a number from 0 to 1, found {value}")

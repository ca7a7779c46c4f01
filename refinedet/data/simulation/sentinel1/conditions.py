"""Conditions drawn for one scene of kind `sentinel1`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from refinedet.data.simulation.sentinel1.ranges import ContrastLaw, Sentinel1Ranges
from refinedet.data.simulation.spec import Conditions, SceneSpec, log_uniform

_AMBIGUITY_M = (3_800.0, 5_200.0)
"""Distance of azimuth ambiguities in IW, over the swaths and the incidence."""


@dataclass(frozen=True, slots=True)
class Sentinel1Conditions:
    """Conditions of one scene."""

    polarisation: Literal["vv", "vh"]
    looks: float
    """Equivalent number of looks."""
    contrast_db: float
    """Offset of the peaks of all ships of the scene from the law of contrast, in dB."""
    incidence_deg: float
    radar_left: bool
    """True if the radar looks from the left edge of the scene to the right one."""
    sea: Conditions
    """Level and texture of the sea, land and borders, as in a plain scene; `looks` counts the sub-looks."""

    @classmethod
    def draw(cls, spec: SceneSpec, ranges: Sentinel1Ranges, rng: np.random.Generator) -> Sentinel1Conditions:
        """Draw conditions within the ranges."""
        vh = bool(rng.random() < ranges.vh_probability)
        amplitude = log_uniform(rng, *(ranges.amplitude_vh if vh else ranges.amplitude_vv))
        swell = rng.random() < ranges.swell_probability
        land, share = rng.random() < spec.land_probability, float(rng.uniform(*spec.land_share))
        sea = Conditions(
            looks=SUB_LOOKS,
            shape=log_uniform(rng, *(ranges.shape_vh if vh else ranges.shape_vv)),
            mean_amplitude=amplitude,
            swell_px=float(rng.uniform(*ranges.swell_m)) / spec.pixel_m,
            swell_share=float(rng.uniform(*ranges.swell_share)) if swell else 0.0,
            swell_rad=float(rng.uniform(0, np.pi)),
            aperture_weight=APERTURE_WEIGHT,
            ambiguity_px=int(rng.uniform(*_AMBIGUITY_M) / spec.pixel_m),
            land_share=share if land else 0.0,
            nodata=bool(rng.random() < spec.nodata_probability),
        )
        return cls(
            polarisation="vh" if vh else "vv",
            looks=float(rng.uniform(*ranges.looks)),
            contrast_db=float(rng.normal(0, ranges.contrast_of_scene_db)),
            incidence_deg=float(rng.uniform(30, 46)),
            radar_left=bool(rng.random() < 0.5),
            sea=sea,
        )

    def layover(self) -> float:
        """Displacement along x of a scatterer above the sea towards the radar, per unit of height."""
        return float((-1 if self.radar_left else 1) / np.tan(np.radians(self.incidence_deg)))

    def law(self, ranges: Sentinel1Ranges) -> ContrastLaw:
        """Law of contrast of the scene's polarisation."""
        return ranges.contrast_vh if self.polarisation == "vh" else ranges.contrast_vv

    def expected_peak_db(self, length_m: float, ranges: Sentinel1Ranges) -> float:
        """Expected peak of a ship of a length, over the mean sea of the scene."""
        law = self.law(ranges)
        sea_db = 20 * np.log10(self.sea.mean_amplitude / law.sea_amplitude)
        return float(self.contrast_db + law.peak_db(np.log10(length_m / 100), sea_db))


APERTURE_WEIGHT = 0.75
"""Alpha of the generalised Hamming window of the processor, on both axes."""
SUB_LOOKS = 5
"""Sub-looks that are averaged, with unequal weights, into one pixel."""

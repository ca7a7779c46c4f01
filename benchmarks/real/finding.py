"""Detection of one scene with the default settings, and the folders of the bench."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray

from refinedet.boxes import Boxes
from refinedet.config.options.detect import PrecisionChoice
from refinedet.detection.detector import Detector
from refinedet.detection.find_ships import find_ships
from refinedet.detections import Detections

DEFAULT_SCORE, LOW_SCORE = 0.5, 0.35
"""Default of `score_min`, and the lower one that the recall is given at."""
OPEN_SEA = ("EPSG:32626", (500_000.0, 10.0, 0.0, 1_200_000.0, 0.0, -10.0))
"""Reference system and geotransform of laid scenes: 10 m, north up, in the open Atlantic far from any coast."""

Picture = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Ships that were found in one scene: N boxes and what the result files say of them."""

    detections: Detections
    flags: tuple[tuple[str, ...], ...]
    length_m: NDArray[np.float64]
    length_m_low: NDArray[np.float64]
    length_m_high: NDArray[np.float64]
    width_m: NDArray[np.float64]
    heading_deg: NDArray[np.float64]

    @property
    def boxes(self) -> Boxes:
        """Boxes (N, 4)."""
        return self.detections.boxes_xyxy

    @property
    def centres(self) -> NDArray[np.float64]:
        """Middles (N, 2) of the boxes."""
        return (self.boxes[:, :2].astype(np.float64) + self.boxes[:, 2:]) / 2

    @property
    def plain(self) -> NDArray[np.bool_]:
        """True (N,) for a ship without any flag."""
        return np.array([not one for one in self.flags], bool)


@dataclass(frozen=True, slots=True)
class Bench:
    """Loaded detector, the folder of the real samples, and a scratch folder."""

    detector: Detector
    data: Path
    scratch: Path
    pictures: Path | None = None
    """Folder for a quicklook of each scene; None: none is kept."""
    said: list[str] = field(default_factory=list)
    """Names of the scenes looked at, in order."""

    @classmethod
    @contextmanager
    def open(
        cls, data: Path, weights: Path | None, pictures: Path | None = None, precision: PrecisionChoice = "auto"
    ) -> Iterator[Self]:
        """Load the detector once, for all scenes."""
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
        with Detector.load(weights, precision=precision) as detector, TemporaryDirectory() as scratch:
            yield cls(detector, data, Path(scratch), pictures)

    def find(self, scene: Path, **settings: Any) -> Found:
        """Find the ships of a file as `refinedet.find_ships` does; `settings` overrule its defaults."""
        self.said.append(scene.name)
        out = self.scratch / f"out_{len(self.said):04d}"
        looks = {"quicklook": self.pictures is not None}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rasterio's, of pictures without a position
            run = find_ships(scene, out, detector=self.detector, map=False, format=("csv",), **looks, **settings)
        if self.pictures is not None:
            shutil.copy(run.files["quicklook"], self.pictures / f"{len(self.said):03d}_{scene.stem}.png")
        assert run.result is not None
        places = run.result.places
        return Found(
            run.result.detections,
            run.result.flags,
            places.length_m,
            places.length_m_low,
            places.length_m_high,
            places.width_m,
            places.heading_deg,
        )

    def lay(self, name: str, bands: Mapping[str, Picture]) -> Path:
        """Write bands of 10 m pixels, by their names, as a GeoTIFF in the open sea."""
        path, first = self.scratch / f"{name}.tif", next(iter(bands.values()))
        crs, transform = OPEN_SEA
        shape = {"height": first.shape[0], "width": first.shape[1], "count": len(bands), "dtype": first.dtype}
        with rasterio.open(path, "w", driver="GTiff", crs=crs, transform=Affine.from_gdal(*transform), **shape) as file:
            for number, (band, pixels) in enumerate(bands.items(), 1):
                file.write(pixels, number)
                file.set_band_description(number, band)
        return path

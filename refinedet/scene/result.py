"""Result of detection on one scene, from which all result files are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from refinedet.config.output_options import Outline
from refinedet.detections import Detections
from refinedet.radiometry import StretchLimits
from refinedet.raster import RasterInfo, Reader
from refinedet.scene.identity import RunIdentity
from refinedet.scene.input.acquisition import Acquisition
from refinedet.scene.reported import Reported
from refinedet.scene.ships.attributes import Places

_NO_HEADINGS = "sizes and headings are unknown without a position, so every ship keeps its box as its outline"


@dataclass(frozen=True, slots=True)
class SeenPolarisation:
    """One of two polarisations in which a scene was looked at."""

    name: str
    """vv, vh, hh or hv."""
    scores: NDArray[np.float32]
    """(N,) score of each ship in this polarisation; NaN where it shows none of at least half the wanted score."""
    info: RasterInfo
    stretch_limits: StretchLimits | None
    """Limits of the stretch, as in `SceneResult`."""


@dataclass(frozen=True, slots=True)
class SceneResult:
    """Ships of one scene, strongest first; ship i has box, place and flags i."""

    scene: str
    """Name of the scene: its file name without folder, or that of its Sentinel-1 product."""
    label: str | None
    """Part of the scene that was looked at, in a word: a polarisation, a band; None: all of it."""
    info: RasterInfo
    classes: tuple[str, ...]
    detections: Detections
    """Detections in scene pixels."""
    places: Places
    flags: tuple[tuple[str, ...], ...]
    """Flags of each ship: attributes.AMBIGUITY, CUT, EDGE, JOINED, NODATA, survey.FIXED, LAND, PLATFORM, SHORE,
    clutter.CLUTTER, plausible.IMPLAUSIBLE, ISLET, lattice.TURBINE, side_lobes.SIDELOBE, and wakes.WAKE; mostly none."""
    located: bool
    """True if the scene has a position; without one, all places are NaN."""
    stretch_limits: StretchLimits | None
    """Limits of the stretch that the network saw; None if the values were taken as 8 bits already. Of two
    polarisations, those of the first."""
    preview: NDArray[Any]
    """Thinned scene, from `SceneReader.sample`: (h, w) or (h, w, 3), in the scene's own values. Of two polarisations,
    the first."""
    windows: int
    """Number of windows of the scene; of two polarisations, those of both."""
    windows_skipped: int
    """Number of windows that were not looked at: no data, only land that is dropped, or no high contrast."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Number of detections left out, by reason: survey.LAND, EXCLUDED, attributes.NODATA; no entry for 0."""
    notes: tuple[str, ...] = ()
    """Facts that the user should know of this scene, a sentence each, such as that its land is unknown."""
    read_as: Mapping[str, Any] = field(default_factory=dict)
    """Decisions on how the scene was read, from `Reader.read_as`."""
    acquired: Acquisition = field(default_factory=Acquisition)
    """Time at which the scene was taken."""
    factors: tuple[float, float] = (1.0, 1.0)
    """Pixels that the network saw per pixel of the scene, along x and y; 1 unless the scene was resampled."""
    identity: RunIdentity | None = None
    """Everything that decided this result; None if the run kept no journal."""
    readers: Sequence[Reader] = ()
    """Reader of each polarisation, if they hold all pixels of a small scene in memory; empty: it is to be opened again.
    """
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds by part; reading, stretching and predicting run side by side."""
    polarisations: tuple[SeenPolarisation, ...] = ()
    """Both polarisations if the scene was looked at in two; empty else."""
    ais: Reported | None = None
    """Reports of AIS beside the ships; None: no AIS was asked for."""
    outline: Outline = "box"
    """Outline that result files and views show; `outlined` sets it."""

    def _repr_html_(self) -> str:
        """Picture, strongest ships and notes, as a notebook shows the result."""
        from refinedet.scene.output.notebook import result_html

        return result_html(self)

    def to_geodataframe(self) -> Any:
        """Table of geopandas: a row for each ship with its columns and its outline, in EPSG:4326.

        Without a position, outlines are in pixels (y down), without a reference system.

        Raises:
            MissingExtra: geopandas is not installed.
        """
        from refinedet.scene.output.frames import ship_frame

        return ship_frame(self)

    def class_name(self, ship: int) -> str:
        """Name of the class of a ship."""
        return self.classes[int(self.detections.labels[ship])]

    def outlined(self, outline: Outline) -> Self:
        """Result whose files and views show that outline; a note says so where no ship can have it."""
        unfit = outline == "oriented" and not self.located
        return replace(self, outline=outline, notes=(*self.notes, _NO_HEADINGS) if unfit else self.notes)

    def outline_of(self, ship: int) -> Outline:
        """Outline that a ship has in files and views: a ship without a measured heading or size has its box."""
        measured = np.isfinite(self.places.oriented_lonlat[ship]).all()
        return "oriented" if self.outline == "oriented" and measured else "box"

    def outline_lonlat(self, ship: int) -> NDArray[np.float64]:
        """Corners (4, 2) of the outline of a ship in degrees [lon, lat]; NaN where unknown."""
        oriented = self.outline_of(ship) == "oriented"
        return np.asarray((self.places.oriented_lonlat if oriented else self.places.corners_lonlat)[ship])

    def outline_px(self, ship: int) -> NDArray[np.float64]:
        """Corners (4, 2) of the outline of a ship in pixels [x, y] of the scene."""
        if self.outline_of(ship) == "oriented":
            return np.asarray(self.places.oriented_px[ship])
        x1, y1, x2, y2 = self.detections.boxes_xyxy[ship].astype(np.float64)
        return np.array([(x1, y1), (x1, y2), (x2, y2), (x2, y1)])

    def stronger(self, ship: int) -> int:
        """Number of the polarisation in which a ship scored higher, whose box, size and contrast it has; else 0."""
        scores = [float(np.nan_to_num(seen.scores[ship])) for seen in self.polarisations]
        return scores.index(max(scores)) if scores else 0

"""Ships of one scene as data, from which all result files and views are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from refinedet.config.options.output import Outline
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
    """One of two polarisations in which a scene was searched."""

    name: str
    """vv, vh, hh or hv."""
    scores: NDArray[np.float32]
    """(N,) score of each ship in this polarisation; NaN if the score is below half of the lowest score asked for."""
    info: RasterInfo
    stretch_limits: StretchLimits | None
    """Limits of the stretch, as in `SceneShips`."""


@dataclass(frozen=True, slots=True)
class SceneShips:
    """Ships of one scene, strongest first; row i of each field belongs to ship i."""

    scene: str
    """Name of the scene: its file name without folder, or the name of its Sentinel-1 product."""
    label: str | None
    """Name of the searched part of the scene, such as a polarisation or a band; None: the whole scene."""
    info: RasterInfo
    classes: tuple[str, ...]
    detections: Detections
    """Detections in scene pixels."""
    places: Places
    flags: tuple[tuple[str, ...], ...]
    """Flags of each ship: attributes.AMBIGUITY, CUT, EDGE, JOINED, NODATA, survey.FIXED, LAND, PLATFORM, SHORE,
    clutter.CLUTTER, plausible.IMPLAUSIBLE, ISLET, lattice.TURBINE, side_lobes.SIDELOBE, wakes.WAKE; empty for most."""
    located: bool
    """True if the scene has a position; if not, all longitudes and latitudes are NaN."""
    stretch_limits: StretchLimits | None
    """Limits of the stretch to 8 bits; None if the values were 8 bits already. For two polarisations, the limits of the
    first."""
    preview: NDArray[Any]
    """Thinned scene, from `SceneReader.sample`: (h, w) or (h, w, 3), in the scene's own values. For two polarisations,
    the first one."""
    windows: int
    """Number of windows of the scene; for two polarisations, the windows of both."""
    windows_skipped: int
    """Number of windows that were skipped: without data, on land that is dropped, or without high contrast."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Number of detections left out, by reason: survey.LAND, EXCLUDED, attributes.NODATA; no entry for 0."""
    notes: tuple[str, ...] = ()
    """Facts about this scene that the user should know, one sentence each, such as that its land is unknown."""
    read_as: Mapping[str, Any] = field(default_factory=dict)
    """Decisions on how the scene was read, from `Reader.read_as`."""
    acquired: Acquisition = field(default_factory=Acquisition)
    """Time at which the scene was taken."""
    factors: tuple[float, float] = (1.0, 1.0)
    """Pixels of the network per pixel of the scene, along x and y; 1 unless the scene was resampled."""
    identity: RunIdentity | None = None
    """Everything that decided this result; None if the run kept no journal."""
    readers: Sequence[Reader] = ()
    """Reader of each polarisation, if it holds all pixels of a small scene; empty if the scene must be opened again."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds by part of the work; reading, stretching and predicting run in parallel."""
    polarisations: tuple[SeenPolarisation, ...] = ()
    """Both polarisations if two were searched; else empty."""
    ais: Reported | None = None
    """Match with AIS; None if no AIS was given."""
    outline: Outline = "box"
    """Outline of ships in result files and views; `outlined` sets it."""

    @property
    def flagged(self) -> int:
        """Number of ships with at least one flag."""
        return sum(map(bool, self.flags))

    @property
    def taken(self) -> str | None:
        """Time of the middle of the scene in whole seconds of UTC, such as `2021-07-01 12:01:02 UTC`; None: unknown."""
        time = self.acquired.times(np.array([self.info.height / 2]))[0]
        return None if time is None else f"{time[:19].replace('T', ' ')} UTC"

    def class_name(self, ship: int) -> str:
        """Name of the class of a ship."""
        return self.classes[int(self.detections.labels[ship])]

    def outlined(self, outline: Outline) -> Self:
        """Copy of the result whose files and views show this outline; a note says so if no ship can have it."""
        unfit = outline == "oriented" and not self.located
        return replace(self, outline=outline, notes=(*self.notes, _NO_HEADINGS) if unfit else self.notes)

    def outline_of(self, ship: int) -> Outline:
        """Outline of a ship in files and views: the box, if the ship has no measured heading or size."""
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
        """Index of the polarisation with the higher score, which gives the ship its box, size and contrast; else 0."""
        scores = [float(np.nan_to_num(seen.scores[ship])) for seen in self.polarisations]
        return scores.index(max(scores)) if scores else 0

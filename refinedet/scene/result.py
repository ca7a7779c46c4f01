"""What detection says about one scene: the value that all result files are written from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.radiometry import StretchLimits
from refinedet.raster import RasterInfo
from refinedet.scene.identity import RunIdentity
from refinedet.scene.ships.attributes import Places


@dataclass(frozen=True, slots=True)
class SceneResult:
    """Ships of one scene, strongest first; ship i has box, place and flags i."""

    scene: str
    """File name of the scene, without folder."""
    label: str | None
    """What of it was looked at, in a word: a polarisation, a band; None: all there is."""
    info: RasterInfo
    classes: tuple[str, ...]
    detections: Detections
    """In scene pixels."""
    places: Places
    flags: tuple[tuple[str, ...], ...]
    """Of attributes.AMBIGUITY, CUT, EDGE, JOINED, NODATA and land.LAND, SHORE; empty for most ships."""
    located: bool
    """Whether the scene has a position; without one, all places are NaN."""
    stretch_limits: StretchLimits | None
    """The stretch that the network saw; None where the values were taken as 8 bits already."""
    preview: NDArray[Any]
    """The whole scene, thinned as `SceneReader.sample` does: (h, w) or (h, w, 3), in the scene's own values."""
    windows: int
    """Windows of the scene."""
    windows_skipped: int
    """... of which these were not looked at: no data, all land that is dropped, or nothing that stands out."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Detections that were left out, by reason: land.LAND, land.EXCLUDED; reasons without one are not there."""
    notes: tuple[str, ...] = ()
    """What the user should know of this scene, a sentence each: that its land is unknown, for one."""
    factors: tuple[float, float] = (1.0, 1.0)
    """Pixels that the network saw per pixel of the scene, along x and y: 1 unless it was looked at in another size."""
    identity: RunIdentity | None = None
    """Everything that decided this result; None where nothing asked for it: a journal does."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Where the time went, by part; reading, stretching and predicting overlap."""

    def class_name(self, ship: int) -> str:
        """Name of the class of a ship."""
        return self.classes[int(self.detections.labels[ship])]

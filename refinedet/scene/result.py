"""What detection says about one scene: the value that all result files are written from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from refinedet.detections import Detections
from refinedet.radiometry import Levels
from refinedet.raster import RasterInfo
from refinedet.scene.attributes import Places


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
    """Of attributes.CUT, EDGE, JOINED; empty for most ships."""
    located: bool
    """Whether the scene has a position; without one, all places are NaN."""
    levels: Levels | None
    """The stretch that the network saw; None where the pixels were 8 bits already."""
    preview: NDArray[Any]
    """The whole scene, thinned as `SceneReader.sample` does: (h, w) or (h, w, 3), in the scene's own values."""
    windows: int
    """Windows of the scene."""
    windows_empty: int
    """... of which these hold no data, and were skipped."""
    dropped: dict[str, int] = field(default_factory=dict)
    """Ships that were found and left out of the result: reason to count."""

    def class_name(self, ship: int) -> str:
        """Name of the class of a ship."""
        return self.classes[int(self.detections.labels[ship])]

"""Result of detection on one scene: its ships as data, and views of them for Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refinedet.scene.scene_ships import SceneShips
from refinedet.wording import ships_in_words


@dataclass(frozen=True, slots=True)
class SceneResult(SceneShips):
    """Ships of one scene, strongest first; row i of each field belongs to ship i."""

    def __repr__(self) -> str:
        """One line, since the fields hold thousands of numbers."""
        return f"<SceneResult of {self.scene}: {ships_in_words(len(self.detections))}>"

    def _repr_html_(self) -> str:
        """HTML for a notebook: picture, strongest ships and notes."""
        from refinedet.scene.views.notebook import result_html

        return result_html(self)

    def to_geodataframe(self) -> Any:
        """GeoDataFrame with a row for each ship: its columns and its outline in EPSG:4326.

        If the scene has no position, outlines are in pixels (y down), without a reference system.

        Raises:
            MissingExtra: geopandas is not installed.
        """
        from refinedet.scene.views.frames import ship_frame

        return ship_frame(self)

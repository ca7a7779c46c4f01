"""Files of a simulated scene: its GeoTIFF, its truth, and the reports of its ships by AIS.

The truth is RFC 7946: one polygon (the box) in lon/lat per ship, with `bbox_px` [x1, y1, x2, y2] in pixels, `length_m`,
`width_m`, `heading_deg` and `peak_to_clutter_db`, and with AIS the columns of `reports.truth_rows`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.simulation import place
from refinedet.data.simulation.sentinel1.ranges import Sentinel1Ranges
from refinedet.data.simulation.simulated import SimulatedScene
from refinedet.data.simulation.spec import PLAIN_ONLY, SceneSpec
from refinedet.errors import FileError, InputError
from refinedet.files import cannot_write, read_json, write_json
from refinedet.raster import write_scene

_TRUTH, _REPORTS = ".truth.geojson", ".ais_reports.csv"


@dataclass(frozen=True, slots=True)
class SceneFiles:
    """Paths of the files of one simulated scene."""

    scene: Path
    truth: Path
    reports: Path | None = None
    """Reports by AIS; None: none are written."""

    @property
    def all(self) -> tuple[Path, ...]:
        """Paths in the order of writing."""
        return (self.scene, self.truth) if self.reports is None else (self.scene, self.truth, self.reports)


def scene_files(path: str | Path, *, reports: bool = False) -> SceneFiles:
    """Paths of the files of a scene at `path`.

    Raises:
        InputError: the name is not that of a GeoTIFF.
    """
    path = Path(path)
    if path.suffix.lower() not in {".tif", ".tiff"}:
        raise InputError(f"expected a name that ends in .tif for the simulated scene, found {path}")
    beside = path.with_name(f"{path.stem}{_REPORTS}") if reports else None
    return SceneFiles(path, path.with_name(f"{path.stem}{_TRUTH}"), beside)


def check_free(files: Iterable[SceneFiles], *, overwrite: bool) -> None:
    """Check before the simulation that no file would be replaced against the user's wish.

    Raises:
        FileError: one exists and `overwrite` is false.
    """
    taken = next((path for one in files for path in one.all if path.exists()), None)
    if taken is not None and not overwrite:
        raise FileError(f"expected no file at {taken} yet, found one; choose another name, or set `overwrite`")


def write_scene_files(
    scene: SimulatedScene,
    settings: Mapping[str, Any],
    files: SceneFiles,
    tags: Mapping[str, str] | None = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write a scene and its truth.

    Args:
        scene: pixels and truth.
        settings: settings of the simulation for the truth, `pixel_m` among them.
        files: paths.
        tags: metadata of the scene by name.
        rows: further columns of the truth of each ship.

    Raises:
        FileError: a file cannot be written.
    """
    pixel_m = float(settings["pixel_m"])
    try:
        write_scene(files.scene, scene.pixels, crs=place.CRS, transform=place.transform(pixel_m), nodata=0, tags=tags)
        write_json(files.truth, _truth(scene, settings, rows or [{}] * len(scene.ships)))
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(files.scene, error, files.scene) from error


def settings_of(spec: SceneSpec) -> dict[str, Any]:
    """Settings that apply to the kind of scene; those of a plain scene name no kind, as in older files."""
    settings = asdict(spec)
    if spec.kind == "plain":
        del settings["kind"], settings["ranges"]
        return settings
    for name in PLAIN_ONLY:
        del settings[name]
    return settings | {"ranges": asdict(spec.ranges or Sentinel1Ranges())}


def read_truth(path: str | Path) -> Boxes:
    """Read the boxes (N, 4) of the ships in a truth file.

    Raises:
        FileError: the file is missing or cannot be read.
        InputError: it is no GeoJSON whose features have the property `bbox_px`.
    """
    content = read_json(path)
    try:
        return as_boxes([feature["properties"]["bbox_px"] for feature in content["features"]])
    except (KeyError, TypeError) as error:
        raise InputError(f"expected GeoJSON features with the property 'bbox_px' in {path}, found none") from error


def _truth(scene: SimulatedScene, settings: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    pixel_m = float(settings["pixel_m"])
    features = []
    for ship, box, row in zip(scene.ships, scene.boxes_xyxy.astype(np.float64).tolist(), rows, strict=True):
        properties = {
            "bbox_px": box,
            "length_m": ship.length_px * pixel_m,
            "width_m": ship.width_px * pixel_m,
            "heading_deg": ship.heading_deg,
            "peak_to_clutter_db": ship.peak_to_clutter_db,
            **row,
        }
        geometry = {"type": "Polygon", "coordinates": [_ring(box, pixel_m)]}
        features.append({"type": "Feature", "geometry": geometry, "properties": properties})
    document = {
        "type": "FeatureCollection",
        "features": features,
        "simulated": {"spec": dict(settings), "conditions": asdict(scene.conditions)},
    }
    if settings.get("kind", "plain") != "plain":
        document["non_ships"] = [{"kind": one.kind, "bbox_px": list(one.box)} for one in scene.non_ships]
    return document


def _ring(box: list[float], pixel_m: float) -> list[list[float]]:
    """Corners of a box in degrees, counter-clockwise on the ground and closed, as in RFC 7946."""
    x1, y1, x2, y2 = box
    corners = np.stack([[x1, x1, x2, x2, x1], [y1, y2, y2, y1, y1]], axis=1)
    ring: list[list[float]] = place.lonlat(corners, pixel_m).round(9).tolist()
    return ring

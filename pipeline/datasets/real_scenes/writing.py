"""Writer of the scenes from real samples, by split, each a GeoTIFF with its truth beside it."""

from __future__ import annotations

import logging
from pathlib import Path

from pipeline.datasets.real_scenes.scenes import RealScene, real_scenes
from pipeline.datasets.real_scenes.split import Use
from pipeline.params import RealParams
from refinedet.errors import FileError, InputError
from refinedet.files import write_json
from refinedet.raster import write_scene

_LOG = logging.getLogger(__name__)
_OPEN_SEA = ("EPSG:32626", (10.0, 0.0, 500_000.0, 0.0, -10.0, 1_200_000.0))
"""Reference system and transform of every scene: 10 m, north up, far from any coast."""


def find_samples(named: str | None) -> Path:
    """Folder of the real samples below the folder `named`.

    Raises:
        InputError: no folder is named.
        FileError: the folder has no samples.
    """
    if named is None:
        raise InputError(
            "expected the folder of the real samples that `real` of the recipe asks for, found none named; set "
            "REFINEDET_DATA or `download.samples`, or set `real` to null"
        )
    folder = Path(named).expanduser() / "real"
    if not (folder / "opensarship").is_dir():
        raise FileError(f"expected real samples in {folder}, found no folder opensarship there; check REFINEDET_DATA")
    return folder


def write_real(samples: Path, params: RealParams, out: Path) -> None:
    """Write the scenes for training and validation into folders `train` and `val` of `out`."""
    uses: tuple[tuple[Use, int, int], ...] = (("train", params.train, 0), ("val", params.val, 1))
    for use, copies, later in uses:
        ships = count = 0
        for scene in real_scenes(samples, use, copies, params.seed + later):
            _write(scene, out / use)
            count, ships = count + 1, ships + len(scene.boxes_xyxy)
        _LOG.info("%s: %d scenes with %d ships made of real samples", use, count, ships)


def _write(scene: RealScene, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    crs, transform = _OPEN_SEA
    write_scene(folder / f"{scene.name}.tif", scene.pixels, crs=crs, transform=transform)
    features = [
        {"type": "Feature", "geometry": None, "properties": {"bbox_px": box, "ignored": ignored}}
        for boxes, ignored in ((scene.boxes_xyxy, False), (scene.ignored_xyxy, True))
        for box in boxes.tolist()
    ]
    write_json(folder / f"{scene.name}.truth.geojson", {"type": "FeatureCollection", "features": features})

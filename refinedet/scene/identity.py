"""What a run of detection is, apart from where its files lie: two runs with equal identities find equal ships."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from refinedet.config import Radiometry, TileConfig
from refinedet.errors import FileError
from refinedet.files import sha256_file, sha256_tree
from refinedet.scene.sentinel1.product import bare_measurement, find_measurement
from refinedet.scene.source import SceneChoice

_PACKAGES = ("refinedet", "torch", "onnxruntime", "openvino", "numpy", "rasterio")
"""Packages whose version may show in the last digits of a result."""


def run_identity(
    path: str | Path, choice: SceneChoice, tile: TileConfig, score_min: float, radiometry: Radiometry
) -> dict[str, Any]:
    """Everything but the predictor that decides what is found in a scene, as JSON values.

    Neither the batch size nor the device is part of it: they change a box by less than 0.01 pixels, and a run that died
    for lack of memory must be able to go on with smaller batches.

    Raises:
        FileError, InputError: the scene cannot be read.
    """
    return {
        "scene": scene_sha256(path, choice.polarisation),
        "settings": {
            **{name: value for name, value in asdict(choice).items() if name != "max_pixels"},
            **tile.to_dict(),
            "score_min": score_min,
            "radiometry": radiometry.to_dict(),
        },
        **software(),
    }


def software() -> dict[str, Any]:
    """The code of this package and the versions of others that may show in a result, as JSON values."""
    return {"code": code_sha256(), "versions": {name: package_version(name) for name in _PACKAGES}}


def scene_sha256(path: str | Path, polarisation: str | None = None) -> str:
    """Hex SHA-256 of a scene's content, wherever it lies and whatever it is called.

    All of it is hashed. A sample of blocks with size and time would be quicker and would take an edited scene for the
    old one; a gigabyte takes 0.6 seconds (processors with SHA instructions) where detection takes minutes and reads the
    file three times in any case. Of a product as folder, its manifest, annotations and chosen raster count; of the
    bare raster of a product as well.

    Raises:
        FileError, InputError: the scene cannot be read, or is no product that `sentinel1.find_measurement` knows.
    """
    path = Path(path)
    try:
        product = find_measurement(path, polarisation) if path.is_dir() else bare_measurement(path)
        if product is None:
            return sha256_file(path)
        root = product.files.path.absolute()
        read = [product.path.absolute(), *root.glob("*.safe"), *(root / "annotation").rglob("*.xml")]
        return sha256_tree(root, [file.relative_to(root).as_posix() for file in read])
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"expected to read the scene {path}, but that failed ({error.strerror})") from error


@cache
def code_sha256() -> str:
    """Hex SHA-256 of this package's own source."""
    root = Path(__file__).parent.parent
    return sha256_tree(root, [file.relative_to(root).as_posix() for file in root.rglob("*.py")])


def package_version(name: str) -> str | None:
    """Version of an installed package; None where it is not there."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None

"""The files of one scene, in the order in which they are of use, and what its run was set to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.detect_options import DetectOptions
    from refinedet.config import Radiometry, TileConfig
    from refinedet.scene.result import SceneResult
    from refinedet.scene.source import SceneChoice

_NOT_SETTINGS = (
    *("scenes", "weights", "out", "overwrite", "skip_existing", "restart", "device"),
    *("archive", "engine", "workers", "address", "retries"),
)
"""Options that change neither what is found nor how it is said, or have their own place in the record."""
_NO_DIFFERENCE = ("batch_size", "max_pixels")
"""Settings that may change between two runs on one archive: neither changes what is found."""


def load_writers(paths: Mapping[str, Path]) -> None:
    """Import what `write_ships` needs, beforehand: of a picture that is half of its time."""
    if "quicklook" in paths:
        import refinedet.scene.output.quicklook
    if "map" in paths:
        import refinedet.scene.output.webmap  # noqa: F401 - to be there


def write_ships(scene: Path, result: SceneResult, paths: Mapping[str, Path], choice: SceneChoice) -> None:
    """Write the formats, the picture and the map, as far as `paths` names them.

    Raises:
        FileError: a file cannot be written, or the scene cannot be read again.
    """
    from refinedet.scene.output.writers import write_results, writing

    write_results(result, dict(paths))
    if "quicklook" in paths:
        from refinedet.scene.output.quicklook import write_quicklook

        with writing(paths["quicklook"]):
            write_quicklook(scene, result, paths["quicklook"], choice=choice)
    if "map" in paths:
        from refinedet.scene.output.webmap import write_map

        with writing(paths["map"]):
            write_map(scene, result, paths["map"], choice=choice)


def settings_of(options: DetectOptions, tile: TileConfig, radiometry: Radiometry) -> dict[str, Any]:
    """What was asked for, with what the weights or a default said where nothing was."""
    return {**_settings(options), **tile.to_dict(), "radiometry": radiometry.to_dict()}


def asked_of(options: DetectOptions) -> dict[str, Any]:
    """What was asked for of an archive, as far as it decides its results."""
    return {name: value for name, value in _settings(options).items() if name not in _NO_DIFFERENCE}


def _settings(options: DetectOptions) -> dict[str, Any]:
    return {name: value for name, value in asdict(options).items() if name not in _NOT_SETTINGS}

"""`refinedet simulate`: a scene and its truth, never over the user's own."""

from __future__ import annotations

from pathlib import Path

from refinedet.errors import FileError, InputError


def write_scene_and_truth(path: Path, *, width_px: int, height_px: int, ships: int, seed: int, overwrite: bool) -> Path:
    """Simulate into `path`, a GeoTIFF; return the path of the truth beside it.

    Raises:
        InputError: the name is not that of a GeoTIFF, or the ships do not fit.
        FileError: the file exists and `overwrite` is false, or it cannot be written.
    """
    from refinedet.data.simulation.scene import write_simulated
    from refinedet.data.simulation.spec import SceneSpec

    if path.suffix.lower() not in (".tif", ".tiff"):
        raise InputError(f"expected a name that ends in .tif for the simulated scene, found {path}")
    if path.exists() and not overwrite:
        raise FileError(
            f"expected no file at {path} yet, found one; choose another name, or replace it with --overwrite"
        )
    try:
        return write_simulated(SceneSpec(width_px=width_px, height_px=height_px, ships=ships, seed=seed), path)
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"expected to write {path}, but that failed ({error}); is there room?") from error

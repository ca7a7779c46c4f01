"""What a user names as a scene: one raster, or a Sentinel-1 product and one of its polarisations."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from refinedet.config import StretchChoice
from refinedet.errors import InputError
from refinedet.raster import MAX_PIXELS, SceneReader, open_scene
from refinedet.raster.reader import Band
from refinedet.scene.sentinel1.product import is_product
from refinedet.scene.sentinel1.reader import Calibrate, apply_metadata, apply_name, measurement_of


@dataclass(frozen=True, slots=True)
class SceneChoice:
    """Which pixels of a scene are looked at, and how."""

    polarisation: str | None = None
    """Of a Sentinel-1 product; None: vv, else hh, else the first."""
    band: Band | None = None
    """Of a raster with several; None: the first, or all three of 8-bit RGB."""
    max_pixels: int = MAX_PIXELS
    """A larger scene is refused before anything is read."""
    calibrate: Calibrate | None = None
    """Of a Sentinel-1 raster in its product: look at the root of sigma nought instead of counts."""
    stretch: StretchChoice = field(default_factory=StretchChoice)
    """How its values become 8 bits."""
    scale: float | None = None
    """Look at the scene in this many times its pixels along each side."""
    gsd_m: float | None = None
    """Look at it in pixels of so many metres; either this or `scale`."""
    prescreen: float | None = None
    """Least contrast of a window that is looked at, in standard deviations (`prescreen.K`); None: all windows are."""
    ship_m: float | None = None
    """Longest ship, in metres: where a pixel's size is known, windows share no more than that takes
    (`overlap.just_enough`); None: what they are given to share."""

    def __post_init__(self) -> None:
        if self.scale is not None and self.gsd_m is not None:
            raise InputError("expected --scale or --gsd-m, found both; one of them says it all")
        if self.gsd_m is not None and not self.gsd_m > 0:
            raise InputError(f"expected a pixel size above 0 m, found {self.gsd_m}")
        if self.prescreen is not None and not self.prescreen >= 0:
            raise InputError(f"expected a contrast of at least 0 for the prescreen, found {self.prescreen}")
        if self.ship_m is not None and not 0 < self.ship_m < math.inf:
            raise InputError(f"expected a longest ship above 0 m, found {self.ship_m}")


@contextmanager
def open_source(path: str | Path, choice: SceneChoice | None = None) -> Iterator[SceneReader]:
    """Open a scene: GeoTIFF, PNG, JPEG, or a Sentinel-1 GRD product as .SAFE folder or zip archive.

    Raises:
        FileError: there is nothing like that at `path`, or it is damaged.
        InputError: its pixels are of a type that is not supported or too many, or what is chosen is not in it.
    """
    choice = choice or SceneChoice()
    found = measurement_of(path, choice.polarisation)
    if found is None and choice.calibrate is not None:
        raise InputError(
            f"expected a Sentinel-1 GRD product to calibrate at {path}, found another raster; "
            "name the .SAFE folder or its zip archive, or leave --calibrate out"
        )
    if found is not None:
        with open_scene(found.path, member=found.member, max_pixels=choice.max_pixels) as reader:
            reader.label = found.polarisation if is_product(path) else None
            apply_metadata(reader, found, choice.calibrate)
            yield reader
        return
    with open_scene(path, band=choice.band, max_pixels=choice.max_pixels) as reader:
        reader.label = None if choice.band is None else f"band {choice.band}"
        apply_name(reader, path)
        yield reader

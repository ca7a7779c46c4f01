"""Reading of a Sentinel-1 raster with the other files of its product: position, borders, calibration."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from refinedet.config.options.detect import Calibrate
from refinedet.errors import InputError
from refinedet.raster import RasterFile, RasterInfo, RasterReader
from refinedet.raster.control_points import are_of_esas_grid
from refinedet.scene.sentinel1.borders import find_fringes
from refinedet.scene.sentinel1.measurement import Measurement
from refinedet.scene.sentinel1.product import is_measurement_name
from refinedet.scene.sentinel1.radiometric import RadiometricCalibration
from refinedet.tiling import Window

_LOGGER = logging.getLogger(__name__)
_CLEAN_BORDERS = 2.90
"""First version of ESA's processor that fills borders with 0, of March 2018."""
_UNSCALED_NOISE = 2.50
"""Last version of the processor whose noise vectors lack a factor that is not in the product (MPC-0392)."""
_WGS84 = "EPSG:4326"
_SOFTWARE = re.compile(r"Sentinel-1 IPF\s+(\d+\.\d+)")
"""Text of the tag Software in a raster written by ESA's processor."""


def apply_metadata(reader: RasterReader, found: Measurement, calibrate: Calibrate | None) -> None:
    """Apply the other files of a product to a reader of its raster `found`.

    Noisy fringes of old products become 0. A raster that lost its ground control points gets those of the annotation.
    With `calibrate`, pixels are the root of sigma nought, in float32.

    Raises:
        FileError: a file that is needed is missing or damaged.
        InputError: the product is too old for the removal of noise, or does not state its noise.
    """
    info = reader.info
    if found.instead_of is not None:
        reader.tell(f"the product's raster of {found.instead_of} is missing: {found.polarisation} is used")
    reader.unsearched = found.unsearched
    if not info.gcps and info.transform is None and (annotation := found.annotation(info)) is not None:
        reader.info = replace(info, gcps=annotation.grid.control_points(), gcp_crs=_WGS84)
    if reader.info.gcps:
        reader.info = replace(reader.info, gcp_zero="centre", gcp_evidence="product")
    borders = None
    processor = _processor(reader, found)
    if processor is not None and processor < _CLEAN_BORDERS:
        borders = find_fringes(reader.read, info.width, info.height, reader.sample())
        _LOGGER.info("%s: processor %.2f leaves noise at the borders; it is masked", found.path, processor)
    calibration = None if calibrate is None else _calibration(found, processor, info, calibrate)
    if borders is None and calibration is None:
        return

    def correct(counts: NDArray[Any], window: Window) -> NDArray[Any]:
        if borders is not None:
            counts = counts * borders.valid(window)
        return counts if calibration is None else calibration.amplitude(counts, window)

    reader.correct = correct
    if calibration is not None:
        reader.info = replace(reader.info, dtype="float32")


def apply_name(reader: RasterReader, path: RasterFile) -> None:
    """Count ground control points from pixel centres if a raster outside of a product is named like a measurement."""
    info = reader.info
    if info.gcps and info.gcp_zero == "edge" and is_measurement_name(path) and are_of_esas_grid(info.gcps):
        reader.info = replace(info, gcp_zero="centre", gcp_evidence="name")


def _processor(reader: RasterReader, found: Measurement) -> float | None:
    """Version of ESA's processor: that of the product, else that in the raster's own tags."""
    if found.processor is not None:
        return found.processor
    match = _SOFTWARE.search(reader.tags().get("TIFFTAG_SOFTWARE", ""))
    return None if match is None else float(match[1])


def _calibration(
    found: Measurement, processor: float | None, info: RasterInfo, calibrate: Calibrate
) -> RadiometricCalibration:
    found.annotation(info)  # checks the size of the raster, which the tables do not
    table = found.sigma_nought()
    if calibrate == "sigma0":
        return RadiometricCalibration(table)
    if processor is not None and processor <= _UNSCALED_NOISE:
        raise InputError(
            f"expected noise vectors of a processor after {_UNSCALED_NOISE:.2f} in {found.product}, found "
            f'{processor:.2f}, whose noise is not to scale; use `calibrate="sigma0"`'
        )
    return RadiometricCalibration(table, found.noise())

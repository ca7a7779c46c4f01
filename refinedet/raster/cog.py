"""Writing of layers as a Cloud Optimized GeoTIFF, atomically; equal input gives equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

from refinedet.files import atomic_path
from refinedet.raster.gdal import gdal

_DRIVER = "COG"


def write_cog(
    path: str | Path,
    layers: NDArray[np.float32],
    names: Sequence[str],
    *,
    crs: str,
    transform: tuple[float, float, float, float, float, float],
) -> None:
    """Write named layers (B, H, W), NaN where a value is unknown; `transform` as in `RasterInfo`.

    Raises:
        OSError: the file cannot be written.
    """
    count, height, width = layers.shape
    profile = {
        "driver": _DRIVER,
        "width": width,
        "height": height,
        "count": count,
        "dtype": "float32",
        "nodata": float("nan"),
        "crs": crs,
        "transform": Affine(*transform),
        "compress": "deflate",
        "predictor": "yes",
        "overview_resampling": "average",
    }
    with atomic_path(path) as temporary, gdal(), rasterio.open(temporary, "w", **profile) as dataset:
        dataset.write(layers)
        dataset.descriptions = tuple(names)

"""Stretch limits of a scene, measured on its water, which the coastline tells from land if it is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinedet.config import Radiometry, StretchChoice
from refinedet.radiometry import StretchLimits
from refinedet.raster import RasterInfo, Reader
from refinedet.scene.land.survey import Surroundings
from refinedet.stretch.sea_level import CELL_PX
from refinedet.stretch.stretch_limits import scene_limits

_SHORE_PX = CELL_PX // 2
"""Side of the squares of a sample that count as land or water by their centre."""


def sea_limits(
    sample: NDArray[Any],
    reader: Reader,
    seen: RasterInfo,
    known: Surroundings,
    radiometry: Radiometry,
    choice: StretchChoice,
) -> StretchLimits | None:
    """Stretch limits of a scene with a thinned sample (h, w) or (h, w, 3) of all of it, as `scene_limits` gives them.

    Args:
        sample: every n-th pixel of the scene.
        reader: the scene in its own pixels, in which the land is known.
        seen: the scene in the pixel size of the sample.
        known: land around the scene.
        radiometry: stretch that the weights were trained with.
        choice: stretch that the user chose, in the values of the scene.

    Raises:
        InputError: the choice does not fit the values of the scene.
    """
    land = _land(sample.shape[0], sample.shape[1], reader.info, known)
    return scene_limits(sample, seen.dtype, seen.nodata, radiometry, choice.mapped(reader.amplitude), land)


def _land(height: int, width: int, scene: RasterInfo, known: Surroundings) -> NDArray[np.bool_] | None:
    """(height, width) true where a sample of the scene lies on land; None if no coastline is known."""
    rows, columns = (-(-side // _SHORE_PX) for side in (height, width))
    y, x = np.mgrid[:rows, :columns] + 0.5
    shares = np.minimum(np.stack([x.ravel() / width, y.ravel() / height], axis=1) * _SHORE_PX, 1)
    on_land = known.on_land(shares * (scene.width, scene.height))
    if on_land is None:
        return None
    squares = np.ones((_SHORE_PX, _SHORE_PX), np.bool_)
    return np.asarray(np.kron(on_land.reshape(rows, columns), squares)[:height, :width])

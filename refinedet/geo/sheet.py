"""Sheet: a plane with north up for drawing places without a picture, with pixels like those of a scene."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pyproj.enums import TransformDirection

from refinedet.geo.position import Points, Position, local_plane

PIXEL_M = 10.0
"""Side of a pixel by default, that of most scenes."""
_MARGIN_PX = 200


class Sheet(NamedTuple):
    """Sheet around places on the earth."""

    position: Position
    width_px: int
    height_px: int

    @classmethod
    def around(cls, lonlat: NDArray[np.float64], pixel_m: float = PIXEL_M) -> Self | None:
        """Sheet around places (N, 2) in degrees, some of which may be NaN; None if all are."""
        known = lonlat[np.isfinite(lonlat).all(axis=1)]
        if not len(known):
            return None
        plane = local_plane(known)
        flat = np.stack(plane.transform(*known.T), axis=1)
        low, high = flat.min(axis=0) - _MARGIN_PX * pixel_m, flat.max(axis=0) + _MARGIN_PX * pixel_m
        west, north = float(low[0]), float(high[1])
        width, height = (int(side) for side in np.ceil((high - low) / pixel_m))

        def mapping(pixels: Points) -> Points:
            x, y = west + pixel_m * pixels[:, 0], north - pixel_m * pixels[:, 1]
            return np.stack(plane.transform(x, y, direction=TransformDirection.INVERSE), axis=1)

        return cls(Position(mapping), width, height)

"""A scene of 40 m pixels around a place, and what is said of places in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.config.options.land import LandSettings
from refinedet.geo.position import Position, locate
from refinedet.raster import RasterInfo
from refinedet.scene.land.survey import Verdict, survey

SIDE_PX = 1000

PIXEL_M = 40.0

SIDE_M = SIDE_PX * PIXEL_M


def scene(lon: float, lat: float) -> Position:
    """A scene of SIDE_PX pixels of 40 m around a place; pixels [500, 500] are there."""
    plane = f"+proj=aeqd +lon_0={lon} +lat_0={lat} +datum=WGS84 +units=m"
    matrix = (PIXEL_M, 0.0, -SIDE_M / 2, 0.0, -PIXEL_M, SIDE_M / 2)
    position = locate(RasterInfo(SIDE_PX, SIDE_PX, 1, "uint8", crs=plane, transform=matrix))
    assert position is not None
    return position


def boxes_at(pixels: Any) -> NDArray[np.float64]:
    centres = np.asarray(pixels, np.float64).reshape(-1, 2)
    return np.concatenate([centres - 2, centres + 2], axis=1)


def write(path: Path, shapes: list[Any], crs: str = "EPSG:4326") -> Path:
    features = [{"type": "Feature", "geometry": shapely.geometry.mapping(s)} for s in shapes]
    path.write_text(json.dumps({"features": features, "crs": {"properties": {"name": crs}}}))
    return path


def judged(position: Position, pixels: Any, **choice: Any) -> Verdict:
    return survey(position, SIDE_PX, SIDE_PX, LandSettings(**choice)).judge(boxes_at(pixels))


ACROSS = [[500 + metres / PIXEL_M, 500] for metres in (-3000, -700, -400, 400, 700, 3000)]
"""Pixels of places on either side of a coast in the middle column."""

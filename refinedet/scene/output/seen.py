"""Seen area of a scene: a GeoParquet file of one row beside its ships in a data set of many.

The row has the name of the scene (`scene`), the times of its first and last line (`start`, `end`), and the area in
which pixels were measured, in OGC:CRS84; null if the scene has no position. The area includes land.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.boxes import covering
from refinedet.geo.footprints import area_on_earth
from refinedet.geo.position import locate
from refinedet.radiometry import valid_mask
from refinedet.scene.output.formats.geoparquet import SCENE, geo_metadata, geometry_columns, write_table
from refinedet.scene.output.formats.packages import load_pyarrow
from refinedet.scene.result import SceneResult

START, END = "start", "end"
"""Names of the columns of times."""

_CELLS = 64
"""Cells along the longer side of a scene in which measured pixels are counted."""
_SEEN = 0.5
"""Least share of measured pixels in a cell that counts as seen."""
_SMOOTH = 0.75
"""Tolerance in cells by which the outline is simplified."""
_EDGES = 4
"""Least number of edges along the longer side, because a straight side in pixels is curved in degrees."""


def write_seen(result: SceneResult, path: Path) -> None:
    """Write the seen area of a scene; equal results, equal bytes.

    Raises:
        OSError: the file cannot be written.
        MissingExtra: pyarrow is not installed.
    """
    pa = load_pyarrow()
    area = seen_area(result)
    ends = sorted(one for one in result.acquired.times(np.array([0.5, result.info.height - 0.5])) if one is not None)
    times: list[datetime | None] = [datetime.fromisoformat(one) for one in ends] or [None]
    kind = pa.timestamp("ms", "UTC")
    columns: dict[str, Any] = {
        SCENE: pa.array([result.scene], pa.string()),
        START: pa.array([times[0]], kind),
        END: pa.array([times[-1]], kind),
        **geometry_columns([area]),
    }
    write_table(columns, geo_metadata([], located=True), path)


def seen_area(result: SceneResult) -> shapely.Geometry | None:
    """Area in degrees in which pixels were measured, accurate to a 64th of the scene; None without a position.

    The area comes from the preview of the result. An area across the antimeridian is cut there.
    """
    position = locate(result.info)
    if position is None:
        return None
    outline = _outline_px(valid_mask(result.preview, result.info.nodata), result.info.width, result.info.height)
    return area_on_earth(shapely.transform(outline, position.lonlat))


def _outline_px(measured: NDArray[np.bool_], width: int, height: int) -> shapely.Geometry:
    """Outline of the measured part of a scene, in its pixels."""
    longest = max(width, height)
    if measured.all():
        outline: shapely.Geometry = shapely.box(0, 0, width, height)
    else:
        side = max(int(np.ceil(max(measured.shape) / _CELLS)), 1)
        cells = _shares(measured, side) >= _SEEN
        scale = np.array([width / measured.shape[1], height / measured.shape[0]]) * side
        boxes = covering(cells).astype(np.float64) * np.tile(scale, 2)
        whole = shapely.union_all(shapely.box(*np.minimum(boxes, [width, height, width, height]).T))
        outline = shapely.simplify(whole, _SMOOTH * float(scale.max()))
    bent: shapely.Geometry = shapely.segmentize(outline, longest / _EDGES)
    return bent


def _shares(mask: NDArray[np.bool_], side: int) -> NDArray[np.float64]:
    """Share of true pixels in each cell of `side` x `side` pixels; the last ones may be smaller."""
    starts = [np.arange(0, length, side) for length in mask.shape]
    sums = np.add.reduceat(np.add.reduceat(mask.astype(np.int64), starts[0], axis=0), starts[1], axis=1)
    counts = [np.diff([*start, length]) for start, length in zip(starts, mask.shape, strict=True)]
    return np.asarray(sums / np.outer(*counts), np.float64)

"""Map of the scenes that a search found: their footprints and the search area, without a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.catalogues.items import CatalogueScene
from refinedet.catalogues.search import Found
from refinedet.geo.pixels import pixels_of
from refinedet.geo.sheet import Sheet
from refinedet.scene.output.map_page import MapPage, Words, columns_of, place_grid, write_page
from refinedet.scene.views.page_columns import Column
from refinedet.utc import utc_text
from refinedet.wording import counted

_PIXEL_M = 100.0
_STEP_DEG = 0.5
_DIGITS = 1
_SECONDS = 19
"""Number of characters of a time to the second."""
_COLUMNS = (
    Column("score", "share", digits=2),
    Column("time", "time", text=True),
    Column("orbit", "orbit"),
    Column("direction", "direction", text=True),
    Column("polarisations", "polarisations", text=True),
    Column("product", "product", text=True, table=False, spare=True),
    Column("id", "id", text=True, table=False),
)


def scene_row(scene: CatalogueScene, share: float) -> dict[str, Any]:
    """Values of a scene that tables and the map show."""
    return {
        "id": scene.id,
        "time": utc_text(scene.start),
        "orbit": scene.orbit,
        "direction": scene.direction,
        "polarisations": [one.upper() for one in scene.polarisations],
        "product": scene.product,
        "share": round(share, 4),
    }


def write_footprints(path: Path, found: Found) -> None:
    """Write the map; equal scenes give equal bytes. There is at least one scene.

    Raises:
        OSError: it cannot be written.
    """
    area = shapely.segmentize(found.question.area.shape, _STEP_DEG)
    lonlat = [shapely.get_coordinates(one.footprint) for one in found.scenes]
    sheet = Sheet.around(np.concatenate([*lonlat, shapely.get_coordinates(area)]), _PIXEL_M)
    if sheet is None:
        return
    hulls = [_hull(sheet, places) for places in lonlat]
    shown = [number for number, hull in enumerate(hulls) if hull is not None]
    rows = [_ready(found, number) for number in shown]
    corners = [hulls[number] for number in shown]
    ships = columns_of(rows, {"lon", "lat", "flags", *(column.key for column in _COLUMNS)})
    count = counted(len(found.scenes), "scene")
    facts = (count, found.question.told(), found.catalogue)
    data = {
        "scene": {"width": sheet.width_px, "height": sheet.height_px},
        "columns": [column.to_dict() for column in _COLUMNS],
        "ships": ships | {"bbox_px": [_box(one) for one in corners], "outline_px": [_list(one) for one in corners]},
        "ais": None,
        "cutouts": [],
        "grid": place_grid(*sheet),
        "metres_per_px": _PIXEL_M,
        "north_deg": 0.0,
        "outlines": _rings(sheet, area),
    }
    words = Words("scene", "scenes", "share of the area")
    write_page(path, MapPage("Footprints", count, facts, data, words=words))


def _ready(found: Found, number: int) -> dict[str, Any]:
    scene, share = found.scenes[number], found.shares[number]
    middle = max(shapely.get_parts(scene.footprint), key=lambda part: float(part.area)).representative_point()
    row = scene_row(scene, share)
    place = {"lon": round(middle.x, 5), "lat": round(middle.y, 5)}
    return {**row, **place, "time": row["time"][:_SECONDS], "score": row["share"], "flags": []}


def _hull(sheet: Sheet, lonlat: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Corners (N, 2) in pixels of the hull of a footprint, without the cut at the antimeridian; None off the sheet."""
    pixels = pixels_of(*sheet, lonlat)
    hull = shapely.convex_hull(shapely.MultiPoint(pixels)) if np.isfinite(pixels).all() else None
    return shapely.get_coordinates(hull.exterior)[:-1] if isinstance(hull, shapely.Polygon) else None


def _box(corners: NDArray[np.float64] | None) -> list[float]:
    return [] if corners is None else _list(np.concatenate([corners.min(axis=0), corners.max(axis=0)]))


def _list(values: NDArray[np.float64] | None) -> list[Any]:
    return [] if values is None else list(values.round(_DIGITS).tolist())


def _rings(sheet: Sheet, area: shapely.Geometry) -> Sequence[list[list[float]]]:
    parts = [one for one in shapely.get_parts(area) if isinstance(one, shapely.Polygon)]
    rings = [pixels_of(*sheet, shapely.get_coordinates(one.exterior)) for one in parts]
    return [_list(one) for one in rings if np.isfinite(one).all()]

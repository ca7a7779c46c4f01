"""Detections or truth of a file, with their places on the ground or in pixels, for `score_files`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.truth import LARGEST
from refinedet.errors import InputError
from refinedet.geo.features import Features, System, in_system, read_features
from refinedet.geo.position import Points, distances_m, local_plane
from refinedet.geo.reference import WGS84, Shapes
from refinedet.geo.tables import cell_number
from refinedet.geo.vectors import are_degrees
from refinedet.wording import counted

_AREAS = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_POINTS = (shapely.GeometryType.POINT, shapely.GeometryType.MULTIPOINT)
_FAR_M = 1e8
"""Coordinate on the plane for a position that the plane cannot show: far from everything."""
_NEAR_M = 100_000.0
"""Distance below which two files may show one scene."""
_KM = 1000.0
_GUESS = (
    "{} does not say which reference system it is in: its coordinates are taken for degrees, longitude first, as they "
    "fit; `truth_crs` overrules it"
)
_REPORTS_A_SHIP = 2
"""Mean number of rows of an MMSI from which a file looks like AIS reports."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Ships of a file."""

    path: str | Path
    shapes: Shapes
    """(N,) points and polygons in degrees; None for a ship without position."""
    boxes_px: Boxes | None
    """(N, 4) boxes in pixels of the scene; None: not known."""
    scores: NDArray[np.float64]
    """(N,) scores; 1 where a file has none."""
    reports_only: str | None = None
    """Sentence if several rows share an MMSI, as in AIS reports; None: each row is a ship."""
    guess: str | None = None
    """Sentence if coordinates are taken for degrees because they fit; None: nothing was guessed."""

    def only(self, rows: NDArray[Any]) -> Placed:
        """Return the ships of these rows."""
        boxes = None if self.boxes_px is None else self.boxes_px[rows]
        return replace(self, shapes=self.shapes[rows], boxes_px=boxes, scores=self.scores[rows])

    @property
    def repeated(self) -> str | None:
        """Sentence if ships are in the file more than once; None: all are different."""
        if self.located.all():
            keys: list[Any] = list(shapely.to_wkb(self.shapes))
        else:
            keys = [] if self.boxes_px is None else [tuple(box) for box in self.boxes_px.tolist()]
        more = len(keys) - len(set(keys))
        if not more:
            return None
        return (
            f"{counted(more, 'row')} of {self.path} {'repeats' if more == 1 else 'repeat'} the place of another one, "
            "and each counts as a ship; leave them out"
        )

    @property
    def located(self) -> NDArray[np.bool_]:
        """(N,) true for ships with a position."""
        return np.array([one is not None for one in self.shapes], bool)


def read_placed(path: str | Path, system: System | None) -> Placed:
    """Read ships of a file in any format of `read_features`; `system` is the reference system of files that state none.

    Raises:
        FileError, InputError, MissingExtra: the file cannot be used.
    """
    read = list(in_system(read_features(path), system, path, "truth_crs"))
    unstated = [one.system is None and len(one.shapes) > 0 and are_degrees(one.shapes) for one in read]
    read = [replace(one, system=WGS84) if guessed else one for one, guessed in zip(read, unstated, strict=True)]
    layers = [_placed(path, layer) for layer in read]
    known = [one.boxes_px for one in layers if one.boxes_px is not None]
    return Placed(
        path,
        np.concatenate([np.zeros(0, object), *(one.shapes for one in layers)]),
        as_boxes(np.concatenate([np.zeros((0, 4)), *known])) if len(known) == len(layers) else None,
        np.concatenate([np.zeros(0), *(one.scores for one in layers)]),
        _reports_only(path, read),
        _GUESS.format(path) if any(unstated) else None,
    )


def _reports_only(path: str | Path, layers: Sequence[Features]) -> str | None:
    """Sentence on a file whose rows are AIS reports, several for one ship."""
    columns = [column for layer in layers for name, column in layer.columns.items() if name.lower() == "mmsi"]
    numbers = [str(value) for column in columns for value in column if value]
    if len(numbers) < _REPORTS_A_SHIP * max(1, len(set(numbers))):
        return None
    return (
        f"{path} has {len(numbers):,} rows for {len(set(numbers)):,} MMSI, as AIS reports do, and each row counts as a "
        "ship; `refinedet match` compares detections with AIS reports"
    )


def to_metres(pred: Placed, truth: Placed) -> tuple[Shapes, Shapes]:
    """Move shapes to metres on a plane around the detections, or around the truth where there are none."""
    middle = shapely.get_coordinates(pred.shapes if len(pred.shapes) else truth.shapes)
    if not len(middle):
        return pred.shapes, truth.shapes
    plane = local_plane(middle)

    def move(lonlat: Points) -> Points:
        flat = np.stack(plane.transform(*lonlat.T), axis=1)
        return np.where(np.isfinite(flat), np.clip(flat, -_FAR_M, _FAR_M), _FAR_M)

    first, second = (shapely.transform(one.shapes, move) for one in (pred, truth))
    return np.asarray(first, object), np.asarray(second, object)


def distance_note(pred: Placed, truth: Placed, centre_max_m: float) -> str:
    """Sentence for detections without a match: distance of the nearest truth, and a possible reason."""
    found, there = (shapely.get_coordinates(shapely.centroid(one.shapes)) for one in (pred, truth))
    nearest_m = _nearest_m(found, there)
    far = f"{nearest_m / _KM:,.0f} km" if nearest_m >= 10 * _KM else f"{nearest_m:,.0f} m"
    note = f"no detection matches: the nearest ship of {truth.path} lies {far} from a detection of {pred.path}"
    if nearest_m > _NEAR_M:
        if (np.abs(there[:, 0]) <= 90).all() and _nearest_m(found, there[:, ::-1]) <= _NEAR_M:
            return f"{note}; latitude and longitude look swapped in one of them"
        return f"{note}; are both of one scene, and is the reference system right?"
    return f"{note}, and `centre_m` is {centre_max_m:g}; is one of them shifted, or of another time?"


def pixels_note(pred: Placed, truth: Placed, centre_max_px: float) -> str:
    """Sentence for detections in pixels without a match: distance of the nearest truth."""
    from scipy.spatial import KDTree

    found, there = (
        (one.boxes_px[:, :2] + one.boxes_px[:, 2:]) / 2 for one in (pred, truth) if one.boxes_px is not None
    )
    nearest = float(KDTree(there).query(found)[0].min())
    return (
        f"no detection matches: the nearest ship of {truth.path} lies {nearest:,.0f} pixels from a detection of "
        f"{pred.path}, and at most {centre_max_px:g} count; are both of one scene, in pixels of the same size?"
    )


def _nearest_m(found: Points, there: Points) -> float:
    """Distance in metres between the two nearest places of two files, to a thousandth."""

    def unit(lonlat: Points) -> Points:
        lon, lat = np.radians(lonlat).T
        return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)

    from scipy.spatial import KDTree

    apart, which = KDTree(unit(there)).query(unit(found))
    one = int(np.argmin(apart))
    return float(distances_m(found[[one]], there[[which[one]]])[0])


def _placed(path: str | Path, layer: Features) -> Placed:
    layer = _single_points(layer)
    scores = np.array([_score(path, value) for value in layer.columns.get("score", [1.0] * len(layer.shapes))])
    if layer.system == "pixels":
        known = np.array([shape is not None for shape in layer.shapes], bool)
        nowhere = np.full(known.sum(), None, object)
        return Placed(path, nowhere, as_boxes(shapely.bounds(layer.shapes[known])), scores[known])
    return Placed(path, _in_degrees(path, layer), _boxes_px(path, layer), scores)


def _single_points(layer: Features) -> Features:
    """Layer in which each point of a multipoint is a feature of its own."""
    many = [shape is not None and shape.geom_type == "MultiPoint" for shape in layer.shapes]
    if not any(many):
        return layer
    parts = [list(shape.geoms) if m else [shape] for shape, m in zip(layer.shapes, many, strict=True)]
    rows = [i for i, some in enumerate(parts) for _ in some]
    shapes = np.empty(len(rows), object)
    shapes[:] = [one for some in parts for one in some]
    return Features(shapes, layer.system, {name: [c[i] for i in rows] for name, c in layer.columns.items()})


def _in_degrees(path: str | Path, layer: Features) -> Shapes:
    """Shapes of a layer on WGS 84."""
    known = np.array([shape is not None for shape in layer.shapes], bool)
    kinds = shapely.get_type_id(layer.shapes[known])
    if not np.isin(kinds, (*_AREAS, *_POINTS)).all():
        raise InputError(f"expected only points and polygons in {path}, found another kind of geometry")
    if not isinstance(layer.system, CRS):
        if known.any():
            raise InputError(
                f"expected {path} to say which reference system it is in, found coordinates that are no degrees and "
                "no word on it; set it with `truth_crs`, which is pixels for boxes or points in pixels of the scene, "
                "or save the file in EPSG:4326"
            )
        return layer.shapes
    if layer.system == WGS84:
        return layer.shapes
    to_degrees = Transformer.from_crs(layer.system, WGS84, always_xy=True)
    moved = layer.shapes.copy()
    moved[known] = shapely.transform(layer.shapes[known], to_degrees.transform, interleaved=False)
    if not np.isfinite(shapely.get_coordinates(moved[known])).all():
        raise InputError(f"expected places on the earth in {path}, found others; is its reference system right?")
    return moved


def _score(path: str | Path, value: Any) -> float:
    if isinstance(value, str) and Path(path).suffix.lower() not in {".json", ".geojson"}:
        value = value if (found := cell_number(value)) is None else found  # a table holds text
    if not _is_number(value):
        raise InputError(f"expected a number as 'score' of each feature in {path}, found {value!r}")
    return float(value)


def _boxes_px(path: str | Path, layer: Features) -> Boxes | None:
    values = layer.columns.get("bbox_px")
    if values is None or any(isinstance(value, str) for value in values):
        return None if len(layer.shapes) else as_boxes([])
    for bbox in values:
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_number, bbox)):
            raise InputError(f"expected four numbers as 'bbox_px' of each feature in {path}, found {bbox!r}")
    return as_boxes(values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST

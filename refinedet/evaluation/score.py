"""Score of detections against a truth: precision, recall and F1 of a one-to-one match.

It compares boxes in pixels (`match_boxes`), or two GeoJSON files in metres on the ground (`score_files`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from refinedet.boxes import Boxes, as_boxes
from refinedet.data.truth import LARGEST
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.files import read_json
from refinedet.geo.position import local_plane

Geometries = NDArray[np.object_]
"""(N,) shapely polygons in one flat system: pixels or metres."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a one-to-one match: true positives, false positives, false negatives."""

    tp: int
    fp: int
    fn: int

    @property
    def precision(self) -> float:
        """Share of detections that are ships, in [0, 1]; 1 without a detection (none is wrong)."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else 1.0

    @property
    def recall(self) -> float:
        """Share of ships that were found, in [0, 1]; 1 without a ship (none is missed)."""
        return self.tp / (self.tp + self.fn) if self.tp + self.fn else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 1 if there is neither ship nor detection."""
        total = 2 * self.tp + self.fp + self.fn
        return 2 * self.tp / total if total else 1.0

    def to_dict(self) -> dict[str, float | int]:
        """Counts and ratios, ready for JSON."""
        return {
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
        }


def match_boxes(pred: Detections, truth_boxes: Boxes, iou_min: float = 0.3, centre_max_px: float = 4.0) -> Score:
    """Score boxes in pixels; labels are not compared.

    A detection and a ship may be matched if their IoU is at least `iou_min` or their centres are at most
    `centre_max_px` apart. A largest one-to-one match counts, so the order of boxes has no effect.

    Raises:
        InputError: `truth_boxes` is not (N, 4), or a limit is out of range.
    """
    boxes = [shapely.box(*b.astype(np.float64).T) for b in (pred.boxes_xyxy, as_boxes(truth_boxes))]
    return match_polygons(boxes[0], boxes[1], iou_min, centre_max_px)


def match_polygons(pred: Geometries, truth: Geometries, iou_min: float, centre_max: float) -> Score:
    """Score polygons in one flat system; `centre_max` is in its unit. The rule is that of `match_boxes`.

    Raises:
        InputError: `iou_min` is outside (0, 1] or `centre_max` is negative.
    """
    if not (0 < iou_min <= 1 and centre_max >= 0):
        raise InputError(f"expected 0 < IoU limit <= 1 and a centre distance >= 0, found {iou_min} and {centre_max}")
    if len(pred) == 0 or len(truth) == 0:
        return Score(0, len(pred), len(truth))
    left, right = _candidates(pred, truth, iou_min, centre_max)
    graph = csr_array((np.ones(len(left), np.int8), (left, right)), shape=(len(pred), len(truth)))
    matched = int((maximum_bipartite_matching(graph, perm_type="column") >= 0).sum())
    return Score(matched, len(pred) - matched, len(truth) - matched)


def score_files(
    pred_geojson: str | Path,
    truth_geojson: str | Path,
    *,
    score_min: float = 0.0,
    iou_min: float = 0.3,
    centre_max_m: float = 40.0,
    centre_max_px: float = 4.0,
) -> Score:
    """Score detections in one GeoJSON file against the truth in another.

    Polygons are compared in metres around their common centre. Files of a scene without georeference (geometry null)
    are compared in pixels by their property `bbox_px` instead, with `centre_max_px`. Detections whose property `score`
    is below `score_min` are left out.

    Raises:
        FileError, InputError: a file cannot be read, is no GeoJSON of this kind, or the two share no kind of position.
    """
    truth = _features(truth_geojson)
    pred = [f for f in _features(pred_geojson) if f["properties"].get("score", 1.0) >= score_min]
    both = pred + truth
    if all(f["geometry"] is not None for f in both):
        shapes = _in_metres(both, pred_geojson, truth_geojson)
        return match_polygons(shapes[: len(pred)], shapes[len(pred) :], iou_min, centre_max_m)
    if all("bbox_px" in f["properties"] for f in both):
        detections = Detections.of([f["properties"]["bbox_px"] for f in pred], [1.0] * len(pred), [0] * len(pred))
        return match_boxes(detections, as_boxes([f["properties"]["bbox_px"] for f in truth]), iou_min, centre_max_px)
    raise InputError(
        f"expected {pred_geojson} and {truth_geojson} to hold polygons in both or the property 'bbox_px' in both, "
        "found features without; were both made from the same scene?"
    )


def _candidates(
    pred: Geometries, truth: Geometries, iou_min: float, centre_max: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index pairs that may be matched; a spatial index keeps this near-linear."""
    centres = shapely.centroid(pred), shapely.centroid(truth)
    near = shapely.STRtree(centres[1]).query(centres[0], predicate="dwithin", distance=centre_max)
    touching = shapely.STRtree(truth).query(pred)
    shared = shapely.area(shapely.intersection(pred[touching[0]], truth[touching[1]]))
    union = shapely.area(pred[touching[0]]) + shapely.area(truth[touching[1]]) - shared
    alike = shared >= iou_min * np.maximum(union, np.finfo(np.float64).tiny)
    pairs = np.unique(np.concatenate([near, touching[:, alike]], axis=1), axis=1)
    return pairs[0], pairs[1]


def _features(path: str | Path) -> list[dict[str, Any]]:
    content = read_json(path)
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        raise InputError(f"expected a GeoJSON FeatureCollection in {path}, found other JSON; was it made by refinedet?")
    for feature in features:
        if not (isinstance(feature, dict) and "geometry" in feature and isinstance(feature.get("properties"), dict)):
            raise InputError(f"expected a geometry and properties in each feature of {path}, found one without")
        properties = feature["properties"]
        if not _is_number(properties.get("score", 1.0)):
            raise InputError(f"expected a number as 'score' of each feature in {path}, found {properties['score']!r}")
        bbox = properties.get("bbox_px", [0, 0, 0, 0])
        if not isinstance(bbox, list) or len(bbox) != 4 or not all(map(_is_number, bbox)):
            raise InputError(f"expected four numbers as 'bbox_px' of each feature in {path}, found {bbox!r}")
    return features


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


def _in_metres(features: list[dict[str, Any]], *paths: str | Path) -> Geometries:
    """Lon/lat geometries as polygons in metres, by an equidistant projection around their middle."""
    shapes = np.empty(len(features), object)
    try:
        shapes[:] = [shapely.geometry.shape(f["geometry"]) for f in features]
    except (shapely.errors.ShapelyError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"expected GeoJSON polygons in {paths[0]} and {paths[1]}, found a broken one ({error})"
        ) from error
    if not np.isin(
        shapely.get_type_id(shapes), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    ).all():
        raise InputError(f"expected only polygons in {paths[0]} and {paths[1]}, found another kind of geometry")
    if not len(shapes):
        return shapes
    to_metres = local_plane(shapely.get_coordinates(shapes))
    return np.asarray(shapely.transform(shapes, to_metres.transform, interleaved=False), object)

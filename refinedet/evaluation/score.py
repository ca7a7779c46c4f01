"""Score of detections against a truth: precision, recall and F1 of a one-to-one match.

It compares boxes in pixels (`match_boxes`), or two files in metres on the ground (`score_files`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from refinedet.boxes import Boxes, as_boxes
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.placed import Placed, distance_note, pixels_note, read_placed, to_metres
from refinedet.evaluation.shifted import shift_note
from refinedet.geo.features import parse_system

Geometries = NDArray[np.object_]
"""(N,) shapely polygons or points in one flat system: pixels or metres."""
_CENTRE_M = 40.0
"""Largest distance of centres of a match by default, in metres."""


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of a one-to-one match: true positives, false positives, false negatives."""

    tp: int
    fp: int
    fn: int
    notes: tuple[str, ...] = field(default=(), compare=False)
    """Facts that the user should know, a sentence each."""
    rule: Mapping[str, float] = field(default_factory=dict, compare=False)
    """Limits by which files were compared: `score_min`, `iou_min`, and `centre_m` or `centre_px`."""

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
        """Counts, ratios and rule, ready for JSON."""
        return {
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            **self.rule,
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


def score_files(  # noqa: PLR0913 - keyword arguments of one call
    pred: str | Path,
    truth: str | Path,
    *,
    score_min: float = 0.0,
    iou_min: float = 0.3,
    centre_max_m: float | None = None,
    centre_max_px: float = 4.0,
    truth_crs: str | None = None,
) -> Score:
    """Score detections in one file against the truth in another: GeoJSON, GeoPackage, Shapefile or a table (CSV).

    Polygons and points are compared in metres, on a plane around the detections; points match by their distance alone.
    Files without position are compared in pixels, with `centre_max_px`: features without a geometry by their property
    `bbox_px`, and tables of rows and columns. Notes say what was left out, and how far files without a match are apart.

    Args:
        pred: detections, with `score`.
        truth: ships.
        score_min: lowest score of a detection.
        iou_min: least overlap of a match.
        centre_max_m: largest distance of centres of a match, in metres; None: 40.
        centre_max_px: largest distance of centres of a match, in pixels.
        truth_crs: reference system of a truth that states none, or "pixels".

    Raises:
        FileError, InputError, MissingExtra: a file cannot be read, the two share no kind of position, or the truth
            states another system than `truth_crs`.
    """
    there = read_placed(truth, None if truth_crs is None else parse_system(truth_crs))
    found = read_placed(pred, None)
    found = found.only(found.scores >= score_min)
    rule = {"score_min": score_min, "iou_min": iou_min}
    notes = _notes_on_files(found, there)
    everywhere = bool(found.located.all() and there.located.all())
    if not everywhere and found.boxes_px is not None and there.boxes_px is not None:
        if centre_max_m is not None:
            raise InputError(
                f"expected places on the ground in {pred} and {truth} for `centre_m`, found boxes in pixels, whose "
                f"centres may be {centre_max_px:g} pixels apart; leave it out"
            )
        return _in_pixels(found, there, notes, rule | {"centre_px": centre_max_px})
    centre_m = _CENTRE_M if centre_max_m is None else centre_max_m
    return _on_ground(found, there, notes, rule | {"centre_m": centre_m})


def _on_ground(found: Placed, there: Placed, notes: list[str], rule: Mapping[str, float]) -> Score:
    """Score places on the ground; `notes` are those on the files."""
    iou_min, centre_m = rule["iou_min"], rule["centre_m"]
    for one in (found, there):
        lost = int((~one.located).sum())
        if lost == len(one.located) > 0:
            raise InputError(
                f"expected {found.path} and {there.path} to hold places on the ground in both or boxes in pixels "
                "('bbox_px') in both, found features without; were both made from the same scene, and are degrees "
                "written as 54.5, -7.25?"
            )
        if lost:
            notes.append(f"{lost} of the {len(one.located)} features of {one.path} have no place, and are left out")
    found, there = found.only(found.located), there.only(there.located)
    flat = to_metres(found, there)
    score = match_polygons(*flat, iou_min, centre_m)
    shift = shift_note(*flat, lambda one, other: match_polygons(one, other, iou_min, centre_m).tp, centre_m)
    if shift is not None:
        notes.append(shift)
    elif score.tp == 0 and score.fp and score.fn:
        notes.append(distance_note(found, there, centre_m))
    return replace(score, notes=tuple(notes), rule=rule)


def _in_pixels(found: Placed, there: Placed, notes: list[str], rule: Mapping[str, float]) -> Score:
    """Score boxes in pixels; `notes` are those on the files."""
    boxes, truth = (as_boxes([] if one.boxes_px is None else one.boxes_px) for one in (found, there))
    score = match_boxes(Detections.of(boxes, found.scores, [0] * len(boxes)), truth, rule["iou_min"], rule["centre_px"])
    if score.tp == 0 and score.fp and score.fn:
        notes.append(pixels_note(found, there, rule["centre_px"]))
    return replace(score, notes=tuple(notes), rule=rule)


def _notes_on_files(found: Placed, there: Placed) -> list[str]:
    """Sentences on files without ships or with repeated ones, on a guessed system, and on a truth of AIS reports."""
    told = (there.reports_only, found.guess, there.guess, found.repeated, there.repeated)
    notes = [one for one in told if one is not None]
    if not len(there.shapes):
        notes.append(f"{there.path} holds no ships: every detection is a false alarm, and recall means nothing")
    if not len(found.shapes):
        notes.append(f"no detection of {found.path} is counted: precision means nothing")
    return notes


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

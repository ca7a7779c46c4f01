"""Score of a file of detections against the labels of xView3, with notes on the comparison."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinedet.data.xview3 import SURE, read_labels
from refinedet.errors import InputError
from refinedet.evaluation.xview3.rules import MATCH_M, SHORE_KM, Parts, Things, score_things
from refinedet.evaluation.xview3.shoreline import close_to, read_shoreline
from refinedet.evaluation.xview3.things import Found, read_found, things_of
from refinedet.geo.position import distances_m
from refinedet.wording import first_of

ShoreBy = Literal["shoreline", "coastline"]
"""Source of the distance of detections to the shore: the contest's files, or the coastline that detect used."""

NEEDED = ("is_fishing", "distance_from_shore_km")
"""Columns that the table of labels must have."""
_NEAR_M = MATCH_M + SHORE_KM * 1000
_ELSEWHERE_M = 1000.0
"""Distance on the ground above which a pair matched in pixels is not on one grid."""


@dataclass(frozen=True, slots=True)
class XView3Score:
    """Score by the rules of xView3."""

    parts: Parts
    scenes: int
    """Number of scenes that were scored."""
    shore_by: ShoreBy | None
    """Source of the distance to the shore; None: unknown."""
    says_class: bool
    """True if the detections say which are vessels and which of them fish."""
    notes: tuple[str, ...]
    """Facts that the user should know, a sentence each."""

    def to_dict(self) -> dict[str, Any]:
        """Names and numbers as the contest's scorer writes them, then counts, and the parts that can be compared."""
        parts = self.parts
        shore = parts.shore
        comparable = ["loc_fscore", *(["loc_fscore_shore"] if self.shore_by == "shoreline" else []), "length_acc"]
        return {
            "loc_fscore": parts.detection.f1,
            "loc_fscore_shore": parts.shore_f1,
            "vessel_fscore": parts.vessel.f1,
            "fishing_fscore": parts.fishing.f1,
            "length_acc": parts.length,
            "aggregate": parts.aggregate,
            "loc_precision": parts.detection.precision,
            "loc_recall": parts.detection.recall,
            "tp": parts.detection.tp,
            "fp": parts.detection.fp,
            "fn": parts.detection.fn,
            "shore": None if shore is None else {"tp": shore.tp, "fp": shore.fp, "fn": shore.fn, "by": self.shore_by},
            "lengths": parts.lengths,
            "scenes": self.scenes,
            "comparable": [*comparable, *(["vessel_fscore", "fishing_fscore"] if self.says_class else [])],
        }


def score_xview3(
    pred: str | Path, labels: str | Path, *, shoreline: str | Path | None = None, score_min: float = 0.0
) -> XView3Score:
    """Score detections against xView3's labels (CSV) by the rules of that contest.

    The notes say what the comparison does not cover: what our detector does not say, and which scenes are left out.

    Args:
        pred: a submission (CSV), a result file, or the folder of an archive's results.
        labels: the contest's table of labels.
        shoreline: folder of the contest's shoreline files; None: the column `coast_m` of our results takes their place,
            and without it the part close to shore is 0, as in the contest.
        score_min: lowest score of a detection of ours.

    Raises:
        FileError, InputError, MissingExtra: a file cannot be used, or no scene is in both.
    """
    found = read_found(Path(pred), score_min)
    rows = read_labels(Path(labels), NEEDED)
    truth, confidence = things_of(rows), np.array([one.confidence for one in rows], str)
    if (truth.length_m <= 0).any():
        raise InputError(f"expected lengths above 0 m in {labels}, found {np.nanmin(truth.length_m):g}")
    scenes = np.intersect1d(truth.scene, found.things.scene)
    if len(found.things) and not len(scenes):
        some, others = (first_of(np.unique(names).tolist()) for names in (truth.scene, found.things.scene))
        raise InputError(
            f"expected detections in scenes of {labels}, such as {some}, found others: "
            f"{others}; a raster is known by its file name, such as "
            f"{truth.scene[0] if len(truth) else '590dd08f71056cacv'}.tif"
        )
    shore_by: ShoreBy | None = None
    near: NDArray[np.bool_] | None = None
    if shoreline is not None:
        scored = np.intersect1d(scenes, truth.scene[np.isin(confidence, sorted(SURE))])
        shore_by, near = "shoreline", _near(found.things, scored, Path(shoreline))
    elif found.ours and np.isfinite(found.things.shore_km).any():
        shore_by, near = "coastline", found.things.shore_km * 1000 <= _NEAR_M
    parts = score_things(found.things, truth, confidence, near)
    notes = (
        *_on_scenes(found.things, truth, confidence),
        *_on_answers(found, shore_by),
        *_on_grid(found, truth, parts),
    )
    return XView3Score(parts, len(scenes), shore_by, not found.ours, notes)


def _near(found: Things, scenes: NDArray[np.str_], shoreline: Path) -> NDArray[np.bool_]:
    near = np.zeros(len(found), bool)
    for scene in scenes.tolist():
        rows = np.flatnonzero(found.scene == scene)
        near[rows] = close_to(read_shoreline(shoreline, scene), found.places[rows], _NEAR_M)
    return near


def _on_scenes(found: Things, truth: Things, confidence: NDArray[np.str_]) -> Iterator[str]:
    """Notes on what the rules leave out."""
    sure = np.isin(confidence, sorted(SURE))
    silent = np.setdiff1d(truth.scene, found.scene)
    if len(silent):
        lost = int((np.isin(truth.scene, silent) & sure).sum())
        yield (
            f"{len(silent)} of {len(np.unique(truth.scene))} labelled scenes have no detection "
            f"({first_of(silent.tolist())}): by the rules their {lost} labels are left out"
        )
    unlabelled = np.setdiff1d(found.scene, truth.scene[sure])
    if len(unlabelled):
        lost = int(np.isin(found.scene, unlabelled).sum())
        yield (
            f"{lost} detections lie in scenes without a label of high or medium confidence "
            f"({first_of(unlabelled.tolist())}): by the rules they are left out"
        )


def _on_answers(found: Found, shore_by: ShoreBy | None) -> Iterator[str]:
    """Notes on what the detections do not say."""
    if found.ours:
        yield (
            "the detector takes everything for a vessel and does not say what fishes: the vessel part cannot be "
            "compared, the fishing part is 0, and the aggregate is lower by what these two would give"
        )
    if found.without_length:
        yield f"lengths that are unknown count as 0 m; detections without a length: {found.without_length}"
    if shore_by == "coastline":
        yield (
            "close to shore means near the coastline that detect looked at (`coast_m`), and not near the contest's own "
            "shoreline, so that part and the aggregate differ a little from the contest's; `shoreline` takes its files"
        )
    elif shore_by is None:
        yield (
            "the distance of detections to the shore is unknown, so that part is 0, as in the contest; `shoreline` "
            "takes the contest's shoreline files"
        )


def _on_grid(found: Found, truth: Things, parts: Parts) -> Iterator[str]:
    """Notes on pixels of another raster than the contest's."""
    raster = "the rules compare pixels of the contest's own rasters, so detect ships in its VV_dB.tif"
    if parts.detection.tp:
        mine, true = parts.pairs.T
        apart = distances_m(found.things.lonlat[mine], truth.lonlat[true])
        known = apart[np.isfinite(apart)]
        if len(known) and float(np.median(known)) > _ELSEWHERE_M:
            yield f"detections and labels at the same pixels lie {np.median(known) / 1000:,.0f} km apart: {raster}"
    elif parts.detection.fp and parts.detection.fn:
        yield f"no detection lies within {MATCH_M:g} m of a label: {raster}"

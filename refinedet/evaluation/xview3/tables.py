"""Tables of xView3 from and to our files: labels become truth, detections become a submission."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from refinedet.data.xview3 import Label, is_label_table, read_labels
from refinedet.errors import FileError, InputError
from refinedet.evaluation.xview3.things import SUBMISSION, read_found
from refinedet.files import atomic_folder, cannot_write, write_text
from refinedet.geo.feature_files import write_features

_PLACE = ("detect_lon", "detect_lat")
_TRUTH = ".truth.geojson"
"""End of the names of the files of truth."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Outcome of a conversion."""

    kind: str
    """Kind of the result: truth, or submission."""
    ships: int
    scenes: int
    notes: tuple[str, ...]
    """Facts that the user should know, a sentence each."""


def convert_xview3(source: Path, out: Path, *, score_min: float = 0.0, overwrite: bool = False) -> Converted:
    """Convert xView3's labels to files of truth, or our detections to a submission, whichever `source` holds.

    Args:
        source: the table of labels; or a result file, or the folder of an archive's results.
        out: for labels, the folder of the files `<scene id>.truth.geojson`; for detections, a file (CSV).
        score_min: lowest score of a detection.
        overwrite: replace what is at `out`.

    Raises:
        FileError: a file cannot be read or written, or something is at `out`.
        InputError, MissingExtra: the source cannot be used.
    """
    if out.exists() and not overwrite:
        raise FileError(f"expected nothing at {out}, found something; name another place, or set `overwrite`")
    is_labels = not source.is_dir() and is_label_table(source)
    if is_labels and score_min > 0:
        raise InputError(f"expected no `score_min`, since labels have no scores, found {score_min:g}")
    try:
        if is_labels:
            _check_only_truth(out)
            return _write_truth(read_labels(source, _PLACE), out)
        return _write_submission(source, out, score_min)
    except FileError:
        raise
    except OSError as error:
        raise cannot_write(out, error, out) from error


def _check_only_truth(out: Path) -> None:
    """Refuse to replace a folder that holds anything besides files of truth, because it would be lost."""
    if not out.is_dir():
        return
    other = next((path for path in sorted(out.iterdir()) if path.is_dir() or not _is_ours(path)), None)
    if other is not None:
        raise FileError(
            f"expected files of truth alone in the folder {out}, which is replaced, found {other.name}; name another "
            "folder"
        )


def _is_ours(file: Path) -> bool:
    """True for a file of truth, and for a hidden file, such as those that file managers leave."""
    return file.name.endswith(_TRUTH) or file.name.startswith(".")


def _write_truth(labels: list[Label], out: Path) -> Converted:
    """Write a GeoJSON of the sure vessels of each scene, also for scenes without any."""
    scenes = {scene: list(those) for scene, those in groupby(sorted(labels, key=_by_scene), _by_scene)}
    with atomic_folder(out) as folder:
        for scene, those in scenes.items():
            ships = [one for one in those if one.sure]
            shapes = np.array([_point(one) for one in ships], object)
            write_features(folder / f"{scene}{_TRUTH}", "geojson", shapes, [_truth_row(one) for one in ships])
    sure = sum(one.sure for one in labels)
    doubtful = sum(one.is_vessel is not False for one in labels) - sure
    notes = []
    if doubtful:
        notes.append(
            f"{doubtful} labels of low confidence, or that may be no vessels, are left out: a detection there is a "
            "false alarm in `score`, but not by the rules of xView3"
        )
    if other := len(labels) - sure - doubtful:
        notes.append(f"{other} labels are no vessels, and are left out")
    return Converted("truth", sure, len(scenes), tuple(notes))


def _by_scene(label: Label) -> str:
    return label.scene


def _point(label: Label) -> shapely.Point | None:
    return shapely.Point(label.lonlat) if all(map(math.isfinite, label.lonlat)) else None


def _truth_row(label: Label) -> dict[str, Any]:
    lon, lat = label.lonlat
    return {
        "bbox_px": list(label.box or label.around),
        "confidence": label.confidence,
        "is_fishing": label.is_fishing,
        "lat": lat,
        "length_m": label.length_m,
        "lon": lon,
        "scene": label.scene,
    }


def _write_submission(source: Path, out: Path, score_min: float) -> Converted:
    found = read_found(source, score_min)
    if not found.ours:
        raise InputError(f"expected labels of xView3 or results of detect in {source}, found a submission")
    things = found.things
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(SUBMISSION)
    for scene, (row, column), length_m in zip(things.scene, things.places, things.length_m, strict=True):
        writer.writerow([int(row), int(column), scene, True, False, 0.0 if math.isnan(length_m) else length_m])
    write_text(out, text.getvalue())
    notes = ["the detector does not say what is a vessel or fishes: is_vessel is True, and is_fishing False"]
    if found.without_length:
        notes.append(f"lengths that are unknown are written as 0; detections without a length: {found.without_length}")
    return Converted("submission", len(things), len(set(things.scene.tolist())), tuple(notes))

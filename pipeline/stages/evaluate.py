"""Stage evaluate: measures the checkpoint on the test split. It makes no choices, so no choice depends on the test.

It writes outputs/evaluate: metrics.json; the detections as a COCO results list; the precision-recall curves at IoU .5
and .75 and the calibration of the scores, as tables for `dvc plots`; detection errors by kind (detection_errors.json)
and by chip (chips.json). A multi-scale test adds its own rows and detections beside those of the single-scale test.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from pipeline.datasets.catalogue import CATALOGUE, VocSplit
from pipeline.params import load_params
from pipeline.provenance.state import state_files
from pipeline.report.error_tables import calibration_table, chip_table, detection_error_table
from pipeline.stage import OUTPUTS, run_stage
from pipeline.tracking.runs import run_of, track
from refinedet.data.coco import Record, read_record
from refinedet.detections import Detections
from refinedet.errors import InputError
from refinedet.evaluation.bootstrap import Measure, bootstrap_interval
from refinedet.evaluation.metrics import coco_metrics, coco_results, match, pr_curve
from refinedet.evaluation.predictions import predict_chips
from refinedet.evaluation.score_calibration import calibration_error, reliability
from refinedet.evaluation.voc import voc_metrics
from refinedet.files import atomic_folder, read_json, write_json
from refinedet.predictors.multiscale import MultiscalePredictor
from refinedet.predictors.predictor import Predictor, TorchPredictor

logger = logging.getLogger(__name__)

CURVES = {"pr_50.json": 0.5, "pr_75.json": 0.75}
"""File of a precision-recall curve -> its IoU."""

DETECTIONS = {"test": "detections.coco.json", "test_multiscale": "detections_multiscale.coco.json"}
"""Name of a test (single-scale or multi-scale) -> file of its detections, a COCO results list."""

Metrics = dict[str, float]

_INTERVALS: tuple[Measure, ...] = ("AP", "AP50")


def evaluate(
    predictor: Predictor,
    chips: Path,
    records: Path,
    out: Path,
    *,
    multiscale: Predictor | None = None,
    voc: bool = False,
) -> dict[str, Metrics]:
    """Judge `predictor` on the test chips of folder `chips` and write folder `out`.

    Args:
        predictor: predictor to judge; its classes must be those of the chips.
        chips: output of stage tile.
        records: output of stage convert; its subsets.json, if any, names parts of the test split.
        out: output folder, replaced as a whole.
        multiscale: second predictor, judged as `test_multiscale`, `test_multiscale_inshore`, ...
        voc: also compute VOC's measures (mAP07, mAP10, AP of each class).

    Returns:
        Part of the test split (`test`, `test_inshore`, ...) -> measure -> value in percent, and `chips` and `ships`;
        `AP_low` to `AP_high` (and of AP50) is the 95 % bootstrap interval over images; `ECE` is the expected
        calibration error of the scores.

    Raises:
        FileError: a chip or record is missing or damaged.
        InputError: the predictor has other classes, or there are no test chips.
    """
    truth = read_record(chips / "test.json")
    _check(predictor, truth, chips / "test.json")
    subsets_file = records / "subsets.json"
    subsets = read_json(subsets_file) if subsets_file.is_file() else {}
    found = predict_record(predictor, truth, chips, "test")
    judged = {"test": found}
    if multiscale is not None:
        judged["test_multiscale"] = predict_record(multiscale, truth, chips, "test_multiscale")
    selected = parts(truth, subsets)
    metrics = {
        split + name: _measure(part, detections) | (_voc_measure(part, detections) if voc else {})
        for split, detections in judged.items()
        for name, part in selected.items()
    }
    with atomic_folder(out) as staged:
        write_json(staged / "metrics.json", metrics)
        for split, detections in judged.items():
            write_json(staged / DETECTIONS[split], coco_results(detections))
        for name, iou_min in CURVES.items():
            write_json(staged / name, _curve_table(truth, found, iou_min))
        write_json(staged / "score_calibration.json", calibration_table(truth, found))
        write_json(
            staged / "detection_errors.json",
            {f"test{name}": detection_error_table(p, found) for name, p in selected.items()},
        )
        write_json(staged / "chips.json", chip_table(truth, found))
    return metrics


def _check(predictor: Predictor, truth: Record, source: Path) -> None:
    if predictor.classes != truth.classes:
        raise InputError(
            f"expected a checkpoint for the classes {', '.join(truth.classes)} of {source}, found one for "
            f"{', '.join(predictor.classes)}; train one on these chips"
        )
    if not truth.images:
        raise InputError(
            f"expected chips to test on in {source}, found none; raise `scenes.test` of the recipe, or name images for "
            "the test"
        )


def predict_record(predictor: Predictor, truth: Record, root: Path, test: str) -> dict[int, Detections]:
    """Detections of every image of `truth` (files under `root`) by image id; a few images in memory at a time.

    `test` names the test in the log.
    """
    found: dict[int, Detections] = {}
    started = time.monotonic()
    for part in predict_chips(predictor, truth.images, root):
        found |= part
        rate = len(found) / (time.monotonic() - started)
        logger.info("%s: %d/%d chips, %.1f a second", test, len(found), len(truth.images), rate)
    return found


def parts(truth: Record, subsets: Mapping[str, list[str]]) -> dict[str, Record]:
    """The test split (named "") and its parts: `_<name>` for a named subset, `_without_leaked` without leaked images.

    A subset lists scenes by their file names in outputs/download; a chip belongs to the scene it was cut from. A part
    without chips is left out.
    """
    listed = {f"_{name}": set(names) for name, names in subsets.items() if name != "leaked"}
    if "leaked" in subsets:
        listed["_without_leaked"] = {image.extra["scene"] for image in truth.images} - set(subsets["leaked"])
    selected = {
        name: truth.select(image.id for image in truth.images if image.extra["scene"] in scenes)
        for name, scenes in listed.items()
    }
    return {"": truth, **{name: part for name, part in selected.items() if part.images}}


def _measure(part: Record, found: Mapping[int, Detections]) -> Metrics:
    """COCO's measures and those at HIT_IOU and HIT_SCORE, in percent; undefined measures are left out."""
    own = {image.id: found[image.id] for image in part.images}
    matches = match(part, own).values()
    hits = sum(len(m.hits) for m in matches)
    ships = hits + sum(len(m.misses) for m in matches)
    claims = hits + sum(len(m.false_alarms) for m in matches)
    error = calibration_error(reliability(part, own))
    shares = {"precision": (hits, claims), "recall": (hits, ships), "F1": (2 * hits, claims + ships)}
    return {
        **{name: value for name, value in coco_metrics(part, own).items() if value is not None},
        **_intervals(part, own),
        **{name: 100.0 * some / all_ for name, (some, all_) in shares.items() if all_},
        **({} if error is None else {"ECE": 100.0 * error}),
        "chips": len(part.images),
        "ships": ships,
    }


def _voc_measure(part: Record, found: Mapping[int, Detections]) -> Metrics:
    measured = voc_metrics(part, {image.id: found[image.id] for image in part.images})
    return {name: value for name, value in measured.items() if value is not None}


def _intervals(part: Record, found: Mapping[int, Detections]) -> Metrics:
    intervals = {measure: bootstrap_interval(part, found, measure=measure) for measure in _INTERVALS}
    defined = {measure: interval for measure, interval in intervals.items() if interval is not None}
    return {
        f"{measure}_{end}": value
        for measure, interval in defined.items()
        for end, value in zip(("low", "high"), interval, strict=True)
    }


def read_curves(out: Path) -> dict[str, list[float]]:
    """Precision-recall curves that `evaluate` wrote, as metrics: precision at recall 0, 1, ... 100 %."""
    return {
        f"test_pr/{Path(name).stem.removeprefix('pr_')}": [row["precision"] for row in read_json(out / name)]
        for name in CURVES
    }


def _curve_table(truth: Record, found: Mapping[int, Detections], iou_min: float) -> list[dict[str, float]]:
    precision = pr_curve(truth, found, iou_min)
    if precision is None:
        return []
    return [{"recall": index / 100, "precision": value} for index, value in enumerate(precision.tolist())]


def main() -> None:
    """Evaluate outputs/train in the current folder and record the result in MLflow."""
    params = load_params()
    checkpoint = OUTPUTS / "train" / "model.safetensors"
    predictor = TorchPredictor.load(checkpoint, postprocess=params.postprocess)
    out = OUTPUTS / "evaluate"
    multiscale = None if params.multiscale is None else MultiscalePredictor(predictor, params.multiscale)
    source = CATALOGUE.get(params.dataset)
    voc = source is not None and isinstance(source.splits["test"], VocSplit)
    metrics = evaluate(predictor, OUTPUTS / "tile", OUTPUTS / "convert", out, multiscale=multiscale, voc=voc)
    for name, values in metrics.items():
        shown = (f"{key} {values[key]:.2f}" for key in ("AP", "AP50", "AP75", "F1", "mAP07") if key in values)
        logger.info("%s: %s on %d chips", name, ", ".join(shown), values["chips"])
    flat = {f"{part}/{key}": value for part, values in metrics.items() for key, value in values.items()}
    kept: list[tuple[Path, str | None]] = [(out / "metrics.json", "evaluate")]
    kept += [(out / name, "evaluate") for name in DETECTIONS.values() if (out / name).is_file()]
    if run_of(checkpoint) is None:  # trained elsewhere: the run starts here, so it needs the weights too
        kept.append((checkpoint, None))
    with state_files("evaluate") as state:
        track(checkpoint, params, flat, [*kept, *state], curves=read_curves(out), tested_on=OUTPUTS / "tile")


if __name__ == "__main__":
    run_stage(main)

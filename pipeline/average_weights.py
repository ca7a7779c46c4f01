"""Average the weights of several trainings: `python -m pipeline.average_weights A B --out C --chips outputs/tile`.

All are checkpoints of one recipe, such as trainings from one start with several seeds, or a checkpoint and its further
training. The mean need not be better than each of them: evaluate it like any other checkpoint.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from pipeline.stage import run_stage
from refinedet.data.coco import read_record
from refinedet.evaluation.metrics import coco_metrics
from refinedet.evaluation.operating_score import operating_point
from refinedet.evaluation.predictions import predict_chips
from refinedet.files import sha256_file
from refinedet.model.averaging import average_checkpoints
from refinedet.model.checkpoint import Header, load_model, read_header, save_checkpoint
from refinedet.predictors.predictor import TorchPredictor

_LOG = logging.getLogger(__name__)


def calibrate(checkpoint: Path, chips: Path) -> Header:
    """Measure a checkpoint and its operating point on the validation chips of stage `tile`, and write both into it.

    Raises:
        FileError, InputError: as `read_header` and `read_record`.
    """
    header, val = read_header(checkpoint), read_record(chips / "val.json")
    model, _ = load_model(checkpoint)
    predictor = TorchPredictor(
        model, classes=header.classes, radiometry=header.radiometry, device="cpu", postprocess=header.postprocess
    )
    found = {image: one for part in predict_chips(predictor, val.images, chips) for image, one in part.items()}
    measured = {name: value for name, value in coco_metrics(val, found).items() if value is not None}
    provenance = {**header.provenance, "val": measured}
    point = operating_point(val, found, header.model.input_px)
    header = replace(header, provenance=provenance, operating_score=point.score, size_slope=point.size_slope)
    save_checkpoint(checkpoint, load_file(checkpoint), header)
    return header


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--chips", type=Path, help="chips of stage tile, on whose part for validation scores are calibrated"
    )
    asked = parser.parse_args()
    header = average_checkpoints(asked.checkpoints, asked.out)
    how = "the mean of theirs, and was not measured"
    if asked.chips is not None:
        header, how = calibrate(asked.out, asked.chips), "the best on the validation chips"
    _LOG.info("%s: mean of %d checkpoints, SHA-256 %s", asked.out, len(asked.checkpoints), sha256_file(asked.out))
    _LOG.info("its operating score, %.3f, is %s; evaluate the file before it is used", header.operating_score, how)


if __name__ == "__main__":
    run_stage(main)

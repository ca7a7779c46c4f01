"""Average the weights of several trainings: `python -m pipeline.average_weights A B --out C --chips outputs/tile`.

All must be checkpoints of one recipe, such as trainings with several seeds from one start, or a checkpoint and its
further training. The mean may be worse than a single checkpoint: evaluate it like any other one.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file

from pipeline.stage import run_stage
from refinedet.data.coco import Annotated, Record, build_record, read_record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import coco_metrics
from refinedet.evaluation.operating_score import operating_point
from refinedet.evaluation.predictions import predict_chips
from refinedet.files import sha256_file
from refinedet.model.averaging import average_checkpoints
from refinedet.model.checkpoint import Header, load_model, read_header, save_checkpoint
from refinedet.predictors.predictor import TorchPredictor

_LOG = logging.getLogger(__name__)


def calibrate(checkpoint: Path, *folders: Path) -> Header:
    """Measure a checkpoint on validation chips and its operating point on the real ones, and write both into it.

    Args:
        checkpoint: the file.
        folders: folders of stage `tile`. Their chips are combined; a chip in several folders counts once.

    Raises:
        FileError, InputError: as `read_header` and `read_record`.
    """
    header = read_header(checkpoint)
    model, _ = load_model(checkpoint)
    predictor = TorchPredictor(
        model, classes=header.classes, radiometry=header.radiometry, device="cpu", postprocess=header.postprocess
    )
    chips: list[Annotated] = []
    by_name: dict[str, Detections] = {}
    known: set[str] = set()
    for number, folder in enumerate(folders):
        val = _without(read_record(folder / "val.json"), folder, known)
        found = {image: one for part in predict_chips(predictor, val.images, folder) for image, one in part.items()}
        for image in val.images:
            name, k = f"{number}/{image.file_name}", image.id
            truth = val.boxes[k], val.labels[k], val.ignored[k]
            chips.append(Annotated(name, image.width, image.height, *truth, image.extra))
            by_name[name] = found[k]
    val = build_record(chips, header.classes)
    together = {image.id: by_name[image.file_name] for image in val.images}
    measured = {name: value for name, value in coco_metrics(val, together).items() if value is not None}
    provenance = {**header.provenance, "val": measured}
    point = operating_point(val.without_simulated(), together, header.model.input_px)
    header = replace(header, provenance=provenance, operating_score=point.score, size_slope=point.size_slope)
    save_checkpoint(checkpoint, load_file(checkpoint), header)
    return header


def _without(val: Record, folder: Path, known: set[str]) -> Record:
    """Record without the images whose content is in `known`; adds the content of the others to `known`."""
    sums = {image.id: sha256_file(folder / image.file_name) for image in val.images}
    new = [image for image, content in sums.items() if content not in known]
    known.update(sums.values())
    return val.select(new)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--chips",
        type=Path,
        nargs="+",
        help="folders of stage tile, on whose chips for validation scores are calibrated",
    )
    asked = parser.parse_args()
    header = average_checkpoints(asked.checkpoints, asked.out)
    how = "the mean of theirs, and was not measured"
    if asked.chips is not None:
        header, how = calibrate(asked.out, *asked.chips), "the best on the validation chips"
    _LOG.info("%s: mean of %d checkpoints, SHA-256 %s", asked.out, len(asked.checkpoints), sha256_file(asked.out))
    _LOG.info("its operating score, %.3f, is %s; evaluate the file before it is used", header.operating_score, how)


if __name__ == "__main__":
    run_stage(main)

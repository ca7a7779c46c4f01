"""Mean offset of detections from the boxes of a data set, by size of ship, as a test of the boxes' positions.

A network trained with mirrored chips cannot learn that labels lie to one side. So its detections are centred on the
ships, and their mean offset is the offset of the labels. Simulated scenes, whose truth is exact, are the control.

    python benchmarks/chips/label_offset.py --weights FILE --chips outputs/tile --split train
"""

from __future__ import annotations

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinedet.data.coco import Record, read_record
from refinedet.detections import Detections
from refinedet.evaluation.metrics import match
from refinedet.evaluation.predictions import predict_chips
from refinedet.predictors.predictor import TorchPredictor
from refinedet.weights import shipped_weights

_SIZES_PX = (0, 16, 24, 32, 48, 80, np.inf)
_IOU_MIN, _SCORE_MIN = 0.5, 0.3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=shipped_weights())
    parser.add_argument("--chips", type=Path, default=Path("outputs/tile"), help="output of stage tile")
    parser.add_argument("--split", default="train")
    arguments = parser.parse_args()
    record = read_record(arguments.chips / f"{arguments.split}.json")
    predictor = TorchPredictor.load(arguments.weights)
    for name, simulated in (("published", False), ("simulated", True)):
        part = record.select(i.id for i in record.images if ("simulated" in str(i.extra)) == simulated)
        if part.images:
            found = {i: d for group in predict_chips(predictor, part.images, arguments.chips) for i, d in group.items()}
            print(f"{name}: {len(part.images)} chips\n{_table(*_pairs(part, found))}")


def _pairs(record: Record, found: dict[int, Detections]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Truth boxes (P, 4) that were found, and offsets (P, 4) of each side of their detections, in pixels."""
    truth, offsets = [], []
    for image, matches in match(record, found, iou_min=_IOU_MIN, score_min=_SCORE_MIN).items():
        for detection, box in matches.hits:
            truth.append(record.boxes[image][box])
            offsets.append(found[image].boxes_xyxy[detection] - record.boxes[image][box])
    return np.array(truth, np.float64).reshape(-1, 4), np.array(offsets, np.float64).reshape(-1, 4)


def _table(truth: NDArray[np.float64], offsets: NDArray[np.float64]) -> str:
    longest = (truth[:, 2:] - truth[:, :2]).max(axis=1)
    lines = ["| longer side, px | ships | centre x | centre y | width | height |", "|---" * 6 + "|"]
    for low, high in ((0, np.inf), *pairwise(_SIZES_PX)):
        part = offsets[(longest >= low) & (longest < high)]
        if len(part) > 1:
            centre, size = (part[:, :2] + part[:, 2:]) / 2, part[:, 2:] - part[:, :2]
            cells = [_cell(values) for values in (*centre.T, *size.T)]
            lines.append(f"| {low:g} to {high:g} | {len(part)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: NDArray[np.float64]) -> str:
    """Mean and its standard error; values are clipped to their 5 % and 95 % quantiles, as outliers are other errors."""
    values = np.clip(values, *np.quantile(values, (0.05, 0.95)))
    return f"{values.mean():+.2f} ± {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


if __name__ == "__main__":
    main()

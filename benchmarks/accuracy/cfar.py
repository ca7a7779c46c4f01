"""Score of a plain two-parameter CFAR in a scene whose ships are known.

    python benchmarks/accuracy/cfar.py demo/scene.tif demo/scene.truth.geojson

It prints precision, recall and F1 for several thresholds, and the best of them. This favours CFAR, because in practice
there is no truth for the choice of a threshold. The match rule is that of `refinedet score`: IoU >= 0.3 or centres
within 40 m (4 pixels in a scene without position).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from refinedet.boxes import Boxes
from refinedet.cfar import CfarConfig, contrast, detect_bright
from refinedet.data.simulation.files import read_truth
from refinedet.errors import RefineDetError
from refinedet.evaluation.score import Score, match_boxes
from refinedet.geo.position import distances_m, locate
from refinedet.radiometry import valid_mask
from refinedet.raster import open_scene

CENTRES_M = 40.0
THRESHOLDS = (3.0, 3.5, 4.0, 4.5, 5.0, 5.5, 6.0, 7.0, 8.0, 10.0, 12.0)


def main() -> int:
    """Print the table; returns 2 if a file is missing or of the wrong kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scene", type=Path, help="GeoTIFF, PNG or JPEG")
    parser.add_argument("truth", type=Path, help="GeoJSON with the property bbox_px, as `refinedet simulate` writes it")
    arguments = parser.parse_args()
    try:
        scores = score_thresholds(arguments.scene, read_truth(arguments.truth))
    except RefineDetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print("    k   found   precision   recall      F1")
    for k, score in scores.items():
        print(f"{k:5.1f}   {score.tp + score.fp:5d}   {score.precision:9.3f}   {score.recall:6.3f}   {score.f1:5.3f}")
    best = max(scores, key=lambda k: scores[k].f1)
    print(f"CFAR at its best threshold (k = {best}): F1 = {scores[best].f1:.3f}")
    return 0


def score_thresholds(scene: Path, truth_boxes: Boxes) -> dict[float, Score]:
    """Score of CFAR by threshold, on the amplitudes of a whole scene."""
    with open_scene(scene) as reader:
        info, pixels = reader.info, reader.read_whole()
    if pixels.ndim == 3:
        pixels = pixels.mean(axis=2)
    position = locate(info)
    pixel_m = 10.0
    if position is not None:
        neighbours = np.array([[info.width / 2, info.height / 2], [info.width / 2 + 1, info.height / 2]])
        start, end = position.lonlat(neighbours)
        pixel_m = float(distances_m(start[None], end[None])[0])
    config = CfarConfig()
    strength = contrast(pixels, valid_mask(pixels, info.nodata), config)
    return {
        k: match_boxes(detect_bright(strength, replace(config, k=k)), truth_boxes, centre_max_px=CENTRES_M / pixel_m)
        for k in THRESHOLDS
    }


if __name__ == "__main__":
    sys.exit(main())

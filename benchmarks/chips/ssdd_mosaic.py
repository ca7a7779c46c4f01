"""Detection in chips against detection in a scene: SSDD's test images one by one, and side by side in one GeoTIFF.

    python benchmarks/chips/ssdd_mosaic.py --weights FILE --chips outputs/tile --out demo/mosaic

It prints precision, recall and F1 of both, with one match rule (IoU >= 0.5) and one threshold fixed beforehand. The
scene goes through `refinedet detect`: windows, merging, position and GeoJSON.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from refinedet.boxes import as_boxes, shift
from refinedet.data.coco import Record, read_record
from refinedet.data.shards import read_chip
from refinedet.evaluation.score import Score, match_boxes, score_files
from refinedet.files import write_json
from refinedet.geo.position import locate
from refinedet.predictors.predictor import TorchPredictor
from refinedet.raster import open_scene, write_scene
from refinedet.weights import shipped_weights

ROOT = Path(__file__).resolve().parents[2]
CRS = "EPSG:32631"
PIXEL_M = 10.0
IOU_MIN = 0.5
ORIGIN = (400_000.0, 5_000_000.0)


def main() -> None:
    """Run both ways and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="default: those of the package")
    parser.add_argument("--chips", type=Path, default=Path("outputs/tile"), help="output folder of the tile stage")
    parser.add_argument("--count", type=int, default=232, help="first images of the test split, by name")
    parser.add_argument("--out", type=Path, default=Path("demo/mosaic"))
    parser.add_argument("--score-min", type=float, default=0.5)
    parser.add_argument(
        "--factor", type=int, help="write the scene as uint16, values times this: it must be stretched back by detect"
    )
    arguments = parser.parse_args()
    arguments.weights, arguments.out = (arguments.weights or shipped_weights()).resolve(), arguments.out.resolve()
    record = read_record(arguments.chips / "test.json")
    record = record.select([image.id for image in record.images[: arguments.count]])
    predictor = TorchPredictor.load(arguments.weights)
    alone = score_chips(predictor, record, arguments.chips, arguments.score_min)
    scene, truth = build_mosaic(record, arguments.chips, arguments.out, arguments.factor)
    command = ["detect", str(scene), "--weights", str(arguments.weights), "--out", str(arguments.out), "--overwrite"]
    subprocess.run(
        [sys.executable, "-m", "cli.app", *command, "--score-min", str(arguments.score_min)], check=True, cwd=ROOT
    )
    together = score_files(arguments.out / "mosaic.geojson", truth, iou_min=IOU_MIN, centre_max_m=0)
    for name, score in (("chip by chip", alone), ("as one scene", together)):
        print(f"{name}: precision {score.precision:.4f}, recall {score.recall:.4f}, F1 {score.f1:.4f}")
    difference = 100 * (together.f1 - alone.f1)
    print(f"{len(record.images)} images, {record.box_count} ships; F1 differs by {difference:+.2f} points")


def score_chips(predictor: TorchPredictor, record: Record, root: Path, score_min: float) -> Score:
    """Match every image for itself and add up the counts."""
    found = predictor.predict([read_chip(root / image.file_name) for image in record.images])
    scores = [
        match_boxes(detections.above(score_min), record.boxes[image.id], iou_min=IOU_MIN, centre_max_px=0)
        for image, detections in zip(record.images, found, strict=True)
    ]
    return Score(sum(s.tp for s in scores), sum(s.fp for s in scores), sum(s.fn for s in scores))


def build_mosaic(record: Record, root: Path, out: Path, factor: int | None = None) -> tuple[Path, Path]:
    """Lay the images on a square grid, unscaled; write the scene and its truth, and return their paths."""
    columns = math.ceil(math.sqrt(len(record.images)))
    cell_w, cell_h = (max(getattr(image, side) for image in record.images) for side in ("width", "height"))
    pixels = np.zeros((math.ceil(len(record.images) / columns) * cell_h, columns * cell_w), np.uint8)
    boxes = []
    for index, image in enumerate(record.images):
        x, y = index % columns * cell_w, index // columns * cell_h
        chip = read_chip(root / image.file_name)
        pixels[y : y + image.height, x : x + image.width] = chip if chip.ndim == 2 else chip.mean(2)
        boxes.append(shift(record.boxes[image.id], x, y))
    scene, truth = out / "mosaic.tif", out / "mosaic.truth.geojson"
    counts = pixels if factor is None else pixels.astype(np.uint16) * factor
    write_scene(scene, counts, crs=CRS, transform=(PIXEL_M, 0, ORIGIN[0], 0, -PIXEL_M, ORIGIN[1]))
    _write_truth(scene, as_boxes(np.concatenate(boxes)), truth)
    return scene, truth


def _write_truth(scene: Path, boxes: NDArray[np.float32], path: Path) -> None:
    with open_scene(scene) as reader:
        position = locate(reader.info)
    assert position is not None  # the scene was written with one, a few lines above
    features = [
        {
            "type": "Feature",
            "properties": {"bbox_px": box.tolist()},
            "geometry": shapely.geometry.mapping(shapely.Polygon(corners)),
        }
        for box, corners in zip(boxes, position.corners(boxes), strict=True)
    ]
    write_json(path, {"type": "FeatureCollection", "features": features})


if __name__ == "__main__":
    main()

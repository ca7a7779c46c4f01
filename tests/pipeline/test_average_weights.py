"""The mean of two checkpoints, with its scores calibrated on the validation chips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from pipeline.average_weights import calibrate
from refinedet.boxes import as_boxes
from refinedet.data.coco import BESIDE, SIMULATED, Annotated, build_record, read_record, write_record
from refinedet.evaluation.operating_score import OperatingPoint, operating_point
from refinedet.evaluation.predictions import predict_chips
from refinedet.model.averaging import average_checkpoints
from refinedet.model.checkpoint import load_model, read_header, save_checkpoint
from refinedet.predictors.predictor import TorchPredictor


def _chips(folder: Path) -> Path:
    (folder / "val").mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = []
    for index in range(4):
        pixels = rng.integers(0, 60, (64, 64), dtype=np.uint8)
        pixels[20:32, 10:30] = 250
        Image.fromarray(pixels).save(folder / "val" / f"{index}.png")
        boxes = as_boxes([[10, 20, 30, 32]])
        extra = {BESIDE: SIMULATED} if index == 3 else {}
        images.append(Annotated(f"val/{index}.png", 64, 64, boxes, np.zeros(1, np.int64), np.zeros(1, bool), extra))
    write_record(folder / "val.json", build_record(images, ("ship",)))
    return folder


def test_scores_of_a_mean_are_calibrated_on_the_real_validation_chips(tiny_network: Path, tmp_path: Path) -> None:
    header, weights = read_header(tiny_network), load_file(tiny_network)
    other, mean = tmp_path / "other.safetensors", tmp_path / "mean.safetensors"
    save_checkpoint(
        other,
        {name: tensor + 0.001 if tensor.is_floating_point() else tensor for name, tensor in weights.items()},
        header,
    )
    average_checkpoints([tiny_network, other], mean)
    before, chips = load_file(mean), _chips(tmp_path / "tile")
    calibrated = calibrate(mean, chips)
    assert read_header(mean).operating_score == calibrated.operating_score
    assert "AP" in read_header(mean).provenance["val"]
    assert all(torch.equal(before[name], tensor) for name, tensor in load_file(mean).items())
    val = read_record(chips / "val.json")
    raw = TorchPredictor(load_model(mean)[0], classes=("ship",), radiometry=header.radiometry, device="cpu")
    found = {image: one for part in predict_chips(raw, val.images, chips) for image, one in part.items()}
    point = OperatingPoint(calibrated.operating_score, calibrated.size_slope)
    assert [image.file_name for image in val.without_simulated().images] == ["val/0.png", "val/1.png", "val/2.png"]
    assert point == operating_point(val.without_simulated(), found, header.model.input_px)

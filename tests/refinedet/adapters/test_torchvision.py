"""Detectors of torchvision's interface: a real one without training, and a tiny one that sees bright ships."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor, nn
from torchvision.models.detection import ssdlite320_mobilenet_v3_large

from refinedet.adapters.torchvision import TorchvisionPredictor
from refinedet.config import Radiometry, TileConfig
from refinedet.errors import InputError
from refinedet.raster import write_scene
from refinedet.scene.detect import detect_scene

SHIPS = [[10, 20, 30, 28], [40, 5, 46, 25]]


class BlobDetector(nn.Module):
    """Torchvision's interface: each blob of pixels of at least 0.8 is of class 1."""

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        """Boxes, scores and labels of each image (3, H, W) in [0, 1]."""
        assert not self.training
        return [self._blobs(image) for image in images]

    @staticmethod
    def _blobs(image: Tensor) -> dict[str, Tensor]:
        assert image.dtype == torch.float32
        assert image.shape[0] == 3
        assert 0 <= image.min() <= image.max() <= 1
        places = ndimage.find_objects(ndimage.label((image.amin(0) >= 0.8).numpy())[0])
        boxes = [[float(s) for s in (c.start, r.start, c.stop, r.stop)] for r, c in places]
        return {
            "boxes": torch.tensor(boxes).reshape(-1, 4),
            "scores": torch.full((len(boxes),), 0.9),
            "labels": torch.ones(len(boxes), dtype=torch.int64),
        }


def test_bright_ships_are_found_in_chips_of_all_sizes(chips: list[np.ndarray]) -> None:
    predictor = TorchvisionPredictor(BlobDetector().train(), ["ship"], device="cpu")
    found = predictor.predict(chips)
    assert [sorted(one.boxes_xyxy.tolist()) for one in found] == [SHIPS] * 4 + [[]]
    assert not np.concatenate([one.labels for one in found]).any()
    assert predictor.classes == ("ship",)
    assert predictor.radiometry == Radiometry()
    assert predictor.predict([]) == []


def test_a_scene_gains_windows_position_and_seams(tmp_path: Path) -> None:
    """Ships on the seams of 128-pixel windows, one longer than the overlap, come out whole and on the ground."""
    pixels = np.random.default_rng(0).integers(90, 110, (300, 400)).astype(np.uint16)
    ships = [(20, 30, 40, 38), (118, 60, 138, 68), (60, 200, 260, 206)]
    for x1, y1, x2, y2 in ships:
        pixels[y1:y2, x1:x2] = 1000
    write_scene(tmp_path / "scene.tif", pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    detector = TorchvisionPredictor(
        BlobDetector(), ["ship"], radiometry=Radiometry(high_percentile=100, headroom=1), device="cpu"
    )
    result = detect_scene(tmp_path / "scene.tif", predictor=detector, tile=TileConfig(tile_px=128, overlap_px=48))
    assert sorted(tuple(box) for box in result.detections.boxes_xyxy.tolist()) == sorted(ships)
    longest = int(np.argmax(result.places.length_m))
    assert result.places.length_m[longest] == pytest.approx(2000, rel=0.02)
    assert "joined" in result.flags[longest]
    assert result.class_name(longest) == "ship"


@pytest.fixture(scope="module")
def untrained() -> nn.Module:
    """A detector of torchvision's own, with random weights."""
    torch.manual_seed(0)
    return ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=3, score_thresh=0.05)


def test_company_changes_nothing_for_a_network_of_torchvision(untrained: nn.Module, chips: list[np.ndarray]) -> None:
    """Its transform pads a batch to the largest image; a chip that is alone must see the same canvas."""
    predictor = TorchvisionPredictor(untrained, ["ship", "boat"], device="cpu")
    together = predictor.predict(chips)
    assert min(len(one) for one in together) > 0
    for chip, found in zip(chips, together, strict=True):
        alone = predictor.predict([chip])[0]
        np.testing.assert_allclose(alone.scores, found.scores, atol=1e-5)
        assert (found.boxes_xyxy[:, 2:] <= [chip.shape[1], chip.shape[0]]).all()
    again = predictor.predict(chips)
    assert all(a.boxes_xyxy.tobytes() == b.boxes_xyxy.tobytes() for a, b in zip(together, again, strict=True))


def test_the_class_list_of_torchvision_is_taken_as_it_is(untrained: nn.Module) -> None:
    predictor = TorchvisionPredictor(untrained, ["__background__", "ship", "boat"], keep=["ship"], device="cpu")
    assert predictor.classes == ("ship", "boat")
    assert not predictor.predict([np.zeros((64, 64), np.uint8)])[0].labels.any()


class Says(nn.Module):
    """A detector with one answer for all."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, images: list[Tensor]) -> Any:
        """The answer."""
        return [self.answer] * len(images) if isinstance(self.answer, dict) else self.answer


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (torch.zeros(1, 5), "expected a list of dicts from the torchvision detector, found Tensor"),
        ([], "expected 1 answers for as many chips from the torchvision detector, found 0"),
        ({"boxes": torch.zeros(1, 4)}, r"expected a dict with boxes, scores and labels.*found \['boxes'\]"),
        (
            {"boxes": torch.ones(1, 4), "scores": torch.ones(1), "labels": torch.zeros(1)},
            "expected labels 1 to 1 from the torchvision detector.*found 0",
        ),
    ],
    ids=["a tensor", "too few", "boxes alone", "counted from 0"],
)
def test_an_answer_of_another_kind_is_one_sentence(answer: Any, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        TorchvisionPredictor(Says(answer), ["ship"], device="cpu").predict([np.zeros((9, 9), np.uint8)])


def test_a_batch_holds_at_least_one_chip() -> None:
    with pytest.raises(InputError, match="batch size"):
        TorchvisionPredictor(BlobDetector(), ["ship"], batch_size=0)

"""Models of Ultralytics' interface, by a stand-in: the package is neither needed nor installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from refinedet.adapters.ultralytics import UltralyticsPredictor
from refinedet.errors import InputError

SHIPS = [[10, 20, 30, 28], [40, 5, 46, 25]]


class Blobs:
    """A model that sees blobs of blue of at least 200 in BGR arrays (H, W, 3)."""

    names = {0: "ship", 1: "tank"}  # noqa: RUF012 - as the real one has it

    def __init__(self, part: str = "boxes") -> None:
        self.part = part
        self.asked: list[tuple[int, dict[str, Any]]] = []

    def predict(self, images: list[np.ndarray], **options: Any) -> list[Any]:
        """Results with tensors, as the real one gives."""
        self.asked.append((len(images), options))
        assert len({image.shape for image in images}) == 1
        return [SimpleNamespace(**{"boxes": None, self.part: self._blobs(image)}) for image in images]

    @staticmethod
    def _blobs(image: np.ndarray) -> Any:
        assert image.flags.c_contiguous
        places = ndimage.find_objects(ndimage.label(image[..., 0] >= 200)[0])
        boxes = [[float(s) for s in (c.start, r.start, c.stop, r.stop)] for r, c in places]
        found = torch.tensor(boxes).reshape(-1, 4)
        return SimpleNamespace(xyxy=found, conf=torch.full((len(found),), 0.7), cls=torch.zeros(len(found)))


@pytest.mark.parametrize("part", ["boxes", "obb"])
def test_ships_are_found_in_chips_of_all_sizes(chips: list[np.ndarray], part: str) -> None:
    model = Blobs(part)
    predictor = UltralyticsPredictor(model, score_min=0.1, batch_size=2, imgsz=64)
    assert predictor.classes == ("ship", "tank")
    found = predictor.predict(chips)
    assert [sorted(one.boxes_xyxy.tolist()) for one in found] == [SHIPS] * 4 + [[]]
    assert [count for count, _ in model.asked] == [2, 1, 1, 1]
    assert model.asked[0][1] == {"conf": 0.1, "verbose": False, "imgsz": 64}


def test_blue_is_handed_over_first() -> None:
    chip = np.zeros((32, 32, 3), np.uint8)
    chip[4:10, 4:20, 2] = 255
    chip[20:25, 4:20, 0] = 255
    assert UltralyticsPredictor(Blobs()).predict([chip])[0].boxes_xyxy.tolist() == [[4, 4, 20, 10]]


def test_what_is_no_detector_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="expected a model with a method predict, found object"):
        UltralyticsPredictor(object())
    with pytest.raises(InputError, match="expected results with boxes of xyxy, conf and cls"):
        UltralyticsPredictor(Blobs("probs")).predict([np.zeros((9, 9), np.uint8)])
    nameless = SimpleNamespace(predict=lambda *_, **__: [])
    with pytest.raises(InputError, match="expected class names"):
        UltralyticsPredictor(nameless)
    assert UltralyticsPredictor(nameless, classes=["ship"]).classes == ("ship",)

"""Predictor for models with the interface of Ultralytics, without the package itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from refinedet.adapters.common import SCORE_MIN, Adapter, Found, Reading, class_names
from refinedet.config import Radiometry
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip

_SOURCE = "the Ultralytics-style model"


class UltralyticsPredictor(Adapter):
    """Predictor of any model with `names` and `predict(images) -> results`.

    Each result has `.boxes` with `.xyxy`, `.conf` and `.cls`. Models of rotated boxes have `.obb` instead; their
    upright boxes are used.
    """

    def __init__(
        self,
        model: Any,
        *,
        classes: Sequence[str] | None = None,
        keep: Sequence[str] | None = None,
        score_min: float = SCORE_MIN,
        radiometry: Radiometry | None = None,
        batch_size: int = 8,
        **options: Any,
    ) -> None:
        """Wrap a model.

        Args:
            model: the model, such as `ultralytics.YOLO("ships.pt")`. A .pt file is code that runs when it is loaded,
                so load only files that you trust.
            classes: names by label; None is those of `model.names`.
            keep: names of the classes to keep; None: all.
            score_min: lowest score of a detection; passed on as `conf`.
            radiometry: conversion of a scene to 8 bits; None is `Radiometry()`.
            batch_size: chips of one call of `model.predict`, all of one size.
            options: passed on to `model.predict`: `imgsz=1024`, `iou=0.5`, `device="cuda:0"`, ...

        Raises:
            InputError: the model has no `predict` or no class names, or a setting is out of range.
        """
        if not callable(getattr(model, "predict", None)):
            raise InputError(f"expected a model with a method predict, found {type(model).__name__}")
        names = class_names(getattr(model, "names", None) if classes is None else list(classes), _SOURCE)
        reading = Reading(_SOURCE, names, keep=None if keep is None else tuple(keep), score_min=score_min)
        super().__init__(reading, radiometry=radiometry, batch_size=batch_size)
        self.model = model
        self._options = {"conf": score_min, "verbose": False} | options

    def _infer(self, chips: list[Chip]) -> list[Found]:
        # Ultralytics expects arrays in the order BGR, as OpenCV reads them
        images = [np.ascontiguousarray(chip[..., ::-1]) for chip in chips]
        return [_found(result) for result in self.model.predict(images, **self._options)]


def _found(result: Any) -> Found:
    boxes: Any = getattr(result, "boxes", None)
    if boxes is None:
        boxes = getattr(result, "obb", None)
    if any(not hasattr(boxes, name) for name in ("xyxy", "conf", "cls")):
        raise InputError(
            f"expected results with boxes of xyxy, conf and cls from {_SOURCE}, found {type(boxes).__name__}; "
            "is it a detector?"
        )
    return Found(boxes.xyxy, boxes.conf, boxes.cls)

"""Predictor for detectors with the interface of torchvision.models.detection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from refinedet.adapters.common import SCORE_MIN, Adapter, Found, Reading
from refinedet.config import Radiometry
from refinedet.errors import InputError
from refinedet.predictors.predictor import Chip, Device, resolve_device

if TYPE_CHECKING:
    from torch import nn

_SOURCE = "the torchvision detector"
_BACKGROUND = "__background__"
_KEYS = ("boxes", "scores", "labels")


class TorchvisionPredictor(Adapter):
    """Predictor of any detector with torchvision's interface.

    It takes a list of float images (3, H, W) in [0, 1] and returns a list of dicts. Each dict holds tensors `boxes`
    (N, 4) xyxy in pixels of its image, `scores` (N,) and `labels` (N,). Examples are Faster R-CNN, RetinaNet, FCOS, SSD
    and modules of your own.
    """

    def __init__(  # noqa: PLR0913 - settings by keyword
        self,
        model: nn.Module,
        classes: Sequence[str],
        *,
        first_label: int = 1,
        keep: Sequence[str] | None = None,
        score_min: float = SCORE_MIN,
        radiometry: Radiometry | None = None,
        device: Device = "auto",
        batch_size: int = 4,
    ) -> None:
        """Wrap a detector, which then runs in its evaluation mode.

        Args:
            model: the detector; it is moved to `device`.
            classes: names of its classes without background; a leading "__background__" (torchvision's own lists
                have it) is left out.
            first_label: its label of the first class; torchvision's label 0 is the background.
            keep: names of the classes to keep; None: all.
            score_min: lowest score of a detection.
            radiometry: conversion of a scene to 8 bits; None is `Radiometry()`.
            device: auto, cpu or cuda.
            batch_size: chips of one call of `model`, all of one size.

        Raises:
            InputError: a setting is out of range, or there is no such device.
        """
        names = tuple(classes[1:] if classes and classes[0] == _BACKGROUND else classes)
        reading = Reading(_SOURCE, names, first_label, None if keep is None else tuple(keep), score_min)
        super().__init__(reading, radiometry=radiometry, batch_size=batch_size)
        self.device = resolve_device(device)
        self.model = model.to(self.device)

    def _infer(self, chips: list[Chip]) -> list[Found]:
        import torch

        images = [torch.tensor(chip.transpose(2, 0, 1), device=self.device).float() / 255 for chip in chips]
        self.model.eval()
        with torch.inference_mode():
            answers = self.model(images)
        if not isinstance(answers, list | tuple):
            raise InputError(f"expected a list of dicts from {_SOURCE}, found {type(answers).__name__}")
        return [_found(answer) for answer in answers]


def _found(answer: Any) -> Found:
    if not isinstance(answer, dict) or not set(_KEYS) <= set(answer):
        content = sorted(answer) if isinstance(answer, dict) else type(answer).__name__
        raise InputError(f"expected a dict with boxes, scores and labels of each image from {_SOURCE}, found {content}")
    return Found(*(answer[key] for key in _KEYS))

"""One training run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from refinedet.config.base import Settings, check
from refinedet.config.loss import LossConfig
from refinedet.config.model import STRIDES

Optimizer = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "step"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, slots=True)
class AugmentConfig(Settings):
    """Random changes of training chips; probabilities in [0, 1]."""

    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    transpose: float = 0.0
    """Probability of swapping rows and columns; with the mirrors, that is every quarter turn."""
    scale_min: float = 0.6
    """Least and greatest factor on the letterboxed scale; what leaves the canvas is cropped."""
    scale_max: float = 1.6
    focus: float = 0.0
    """Probability that a crop is laid so that some object stays whole; 0: crops fall anywhere."""
    mosaic: float = 0.5
    """Share of training images that are put together from four."""
    mosaic_off_epochs: int = 3
    """Last epochs without mosaic, so that training ends on whole chips."""
    speckle: float = 0.2
    """Probability of multiplicative gamma noise."""
    speckle_looks: float = 16.0
    """Equivalent looks of that noise; fewer is stronger."""
    contrast: float = 0.5
    """Probability of a random gain and gamma."""
    min_visible: float = 0.3
    """A box cropped to less than this share of itself is ignored: neither ship nor background."""

    def __post_init__(self) -> None:
        for name in ("horizontal_flip", "vertical_flip", "transpose", "focus", "mosaic", "speckle", "contrast"):
            check(0 <= getattr(self, name) <= 1, name, "within [0, 1]", getattr(self, name))
        check(0 < self.scale_min <= self.scale_max, "scale_min", "0 < scale_min <= scale_max", self.scale_min)
        check(self.speckle_looks > 0, "speckle_looks", "more than 0", self.speckle_looks)
        check(0 < self.min_visible <= 1, "min_visible", "within (0, 1]", self.min_visible)


@dataclass(frozen=True, slots=True)
class TrainConfig(Settings):
    """One training run."""

    seed: int = 1
    epochs: int = 30
    batch_size: int = 16
    """Chips of one step, over all processes together."""
    canvas_width: int = 512
    """Training canvas in pixels; multiples of 64. Detection is not bound to it."""
    canvas_height: int = 512
    early_canvas: tuple[int, ...] = ()
    """Width and height of a smaller canvas for the epochs before the last `augment.mosaic_off_epochs`: crops at full
    scale, of which a training sees more in the same time. Empty: one canvas throughout."""
    optimizer: Optimizer = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.05
    momentum: float = 0.9
    """For sgd only."""
    schedule: Schedule = "cosine"
    warmup_epochs: float = 1.0
    """The learning rate rises linearly over these."""
    ema_decay: float = 0.998
    """Decay of the running mean of the weights, the one that is kept; 0 turns it off."""
    grad_clip_norm: float = 10.0
    precision: Precision = "auto"
    """bf16 autocast where the processor or GPU has it (auto), or forced."""
    validate_every: int = 1
    """Epochs from one validation to the next; the last one is always validated. For long trainings of little data."""
    workers: int = 1
    """Processes that prepare batches; the batches do not depend on it."""
    init: str | None = None
    """Checkpoint whose weights training starts from: a path, or `shipped` for those of the package; None: a fresh
    network, with the backbone's own weights."""
    freeze_batch_norm: bool = False
    """Batch normalisation keeps the running statistics that training starts with; its scale and shift still learn."""
    sync_batch_norm: bool = False
    """Batch statistics over all processes rather than each one's part of the batch; needs GPUs."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """As the parent; `augment` and `loss` are mappings of their own."""
        nested = {
            "augment": AugmentConfig.from_dict(values.get("augment", {})),
            "loss": LossConfig.from_dict(values.get("loss", {})),
        }
        return super(TrainConfig, cls).from_dict({**values, **nested})

    def canvas(self, epoch: int) -> tuple[int, int]:
        """Width and height of the canvas in an epoch, counted from 0."""
        if self.early_canvas and epoch < self.epochs - self.augment.mosaic_off_epochs:
            return self.early_canvas[0], self.early_canvas[1]
        return self.canvas_width, self.canvas_height

    def is_validated(self, epoch: int) -> bool:
        """Whether the weights are validated after an epoch, counted from 1."""
        return epoch % self.validate_every == 0 or epoch == self.epochs

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "validate_every"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("canvas_width", "canvas_height"):
            value = getattr(self, name)
            check(value >= STRIDES[-1] and value % STRIDES[-1] == 0, name, f"a multiple of {STRIDES[-1]}", value)
        whole = all(side >= STRIDES[-1] and side % STRIDES[-1] == 0 for side in self.early_canvas)
        expected = f"no number, or two multiples of {STRIDES[-1]}"
        check(len(self.early_canvas) in (0, 2) and whole, "early_canvas", expected, self.early_canvas)
        check(self.optimizer in get_args(Optimizer), "optimizer", f"one of {get_args(Optimizer)}", self.optimizer)
        check(self.schedule in get_args(Schedule), "schedule", f"one of {get_args(Schedule)}", self.schedule)
        check(self.precision in get_args(Precision), "precision", f"one of {get_args(Precision)}", self.precision)
        check(self.lr > 0, "lr", "more than 0", self.lr)
        check(self.weight_decay >= 0, "weight_decay", "at least 0", self.weight_decay)
        check(self.warmup_epochs >= 0, "warmup_epochs", "at least 0", self.warmup_epochs)
        check(0 <= self.ema_decay < 1, "ema_decay", "within [0, 1)", self.ema_decay)
        check(self.grad_clip_norm > 0, "grad_clip_norm", "more than 0", self.grad_clip_norm)
        check(self.workers >= 0, "workers", "at least 0", self.workers)
        check(self.init != "", "init", "a path, 'shipped' or null", self.init)
        exclusive = not (self.freeze_batch_norm and self.sync_batch_norm)
        check(exclusive, "sync_batch_norm", "false with freeze_batch_norm", self.sync_batch_norm)

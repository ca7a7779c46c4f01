"""One training run."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from refinedet.config.base import Count, Positive, Settings, Share, Whole, check, validated
from refinedet.config.loss import LossConfig
from refinedet.config.model import STRIDES

_LARGEST_PX = 16_384
Optimizer = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "step"]
Precision = Literal["auto", "fp32", "bf16"]
CudaGraph = Literal["auto", True, False]
_NotNegative = Annotated[float, Field(ge=0)]
_Side = Annotated[int, Field(ge=STRIDES[-1], le=_LARGEST_PX, multiple_of=STRIDES[-1])]


@validated(frozen=True, slots=True)
class AugmentConfig(Settings):
    """Random changes of training chips; probabilities in [0, 1]."""

    horizontal_flip: Share = 0.5
    vertical_flip: Share = 0.5
    transpose: Share = 0.0
    """Probability of swapping rows and columns; together with mirroring, this gives all quarter turns."""
    scale_min: Positive = 0.6
    """Least and greatest factor on the letterboxed scale; what leaves the canvas is cropped."""
    scale_max: Positive = 1.6
    focus: Share = 0.0
    """Probability that a crop is placed so that at least one object stays whole; 0: crops are placed anywhere."""
    mosaic: Share = 0.5
    """Share of training images that are put together from four."""
    mosaic_off_epochs: Whole = 3
    """Last epochs without mosaic, so that training ends on whole chips."""
    speckle: Share = 0.2
    """Probability of multiplicative gamma noise."""
    speckle_looks: Positive = 16.0
    """Equivalent looks of that noise; fewer is stronger."""
    contrast: Share = 0.5
    """Probability of a random gain and gamma."""
    min_visible: Annotated[float, Field(gt=0, le=1)] = 0.3
    """A box cropped to less than this share of itself is ignored: neither ship nor background."""

    def __post_init__(self) -> None:
        least, most = self.scale_min, self.scale_max
        check(least <= most, "scale_min", f"at most scale_max, {most}", least)


@validated(frozen=True, slots=True)
class TrainConfig(Settings):
    """One training run."""

    seed: Whole = 1
    epochs: Count = 30
    batch_size: Count = 16
    """Chips of one step, over all processes together."""
    canvas_width: _Side = 512
    """Training canvas in pixels; multiples of 64. Detection may use other sizes."""
    canvas_height: _Side = 512
    early_canvas: tuple[_Side, ...] = ()
    """Width and height of a smaller canvas for the epochs before the last `augment.mosaic_off_epochs`: crops at full
    scale, so that training sees more crops in the same time. Empty: one canvas throughout."""
    optimizer: Optimizer = "adamw"
    lr: Positive = 1e-3
    weight_decay: _NotNegative = 0.05
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """For sgd only."""
    schedule: Schedule = "cosine"
    warmup_epochs: _NotNegative = 1.0
    """Epochs over which the learning rate rises linearly."""
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.998
    """Decay of the running mean of the weights, the one that is kept; 0 turns it off."""
    grad_clip_norm: Positive = 10.0
    precision: Precision = "auto"
    """auto: bf16 autocast where the processor or GPU supports it; fp32 or bf16: always that one."""
    validate_every: Count = 1
    """Epochs from one validation to the next; the last one is always validated. For long trainings of little data."""
    repeat: Count = 1
    """Times that an epoch shows each chip of the data set. Chips of added scenes (simulated, or made of real
    samples) are shown once."""
    workers: Whole = 1
    """Processes that prepare batches; the batches do not depend on it."""
    init: Annotated[str, Field(min_length=1)] | None = None
    """Checkpoint whose weights training starts from: a path, or `shipped` for those of the package; None: a fresh
    network, with the backbone's own weights."""
    freeze_batch_norm: bool = False
    """Batch normalisation keeps the running statistics that training starts with; its scale and shift still learn."""
    sync_batch_norm: bool = False
    """Batch statistics over all processes rather than each one's part of the batch; needs GPUs."""
    cuda_graph: CudaGraph = False
    """Network as one CUDA graph, so that a GPU does not wait for Python at each kernel: true, false, or auto, which is
    true for one process on a GPU. Results differ by the order of sums at most."""
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)

    def canvas(self, epoch: int) -> tuple[int, int]:
        """Width and height of the canvas in an epoch, counted from 0."""
        if self.early_canvas and epoch < self.epochs - self.augment.mosaic_off_epochs:
            return self.early_canvas[0], self.early_canvas[1]
        return self.canvas_width, self.canvas_height

    def is_validated(self, epoch: int) -> bool:
        """True if the weights are validated after this epoch, counted from 1."""
        return epoch % self.validate_every == 0 or epoch == self.epochs

    def __post_init__(self) -> None:
        check(len(self.early_canvas) in (0, 2), "early_canvas", "no number, or two", self.early_canvas)
        exclusive = not (self.freeze_batch_norm and self.sync_batch_norm)
        check(exclusive, "sync_batch_norm", "false with freeze_batch_norm", self.sync_batch_norm)

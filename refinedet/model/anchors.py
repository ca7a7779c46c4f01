"""Default boxes: A shapes in each cell of each level."""

from __future__ import annotations

import torch
from torch import Tensor

from refinedet.config import ModelConfig


def anchor_shapes(config: ModelConfig) -> Tensor:
    """Widths and heights in cells, (A, 2): w = scale * sqrt(r), h = scale / sqrt(r), in the order of the ratios."""
    ratios = torch.tensor(config.anchor_ratios, dtype=torch.float32).sqrt()
    return config.anchor_scale * torch.stack([ratios, 1 / ratios], dim=1)


def anchors(canvas_height: int, canvas_width: int, config: ModelConfig, shapes: Tensor | None = None) -> Tensor:
    """All anchors of a canvas, (N, 4) [cx, cy, w, h] in canvas pixels; by level, then y, x, shape.

    The canvas is a multiple of the largest stride, so every level has whole cells. `shapes` are those of
    `anchor_shapes`, already on the device of the result, because a copy to a GPU would make it wait.
    """
    shapes = anchor_shapes(config) if shapes is None else shapes
    levels = [_level(canvas_height // stride, canvas_width // stride, stride, shapes) for stride in config.strides]
    return torch.cat(levels)


def level_sizes(canvas_height: int, canvas_width: int, config: ModelConfig) -> list[int]:
    """Number of `anchors()` of each level, in order."""
    shapes = len(config.anchor_ratios)
    return [(canvas_height // stride) * (canvas_width // stride) * shapes for stride in config.strides]


def _level(rows: int, columns: int, stride: int, shapes: Tensor) -> Tensor:
    y, x = (torch.arange(count, device=shapes.device) + 0.5 for count in (rows, columns))
    centre_y, centre_x = torch.meshgrid(y, x, indexing="ij")
    centres = torch.stack([centre_x, centre_y], dim=-1).reshape(-1, 1, 2).expand(-1, len(shapes), 2)
    sizes = shapes.expand(centres.shape[0], -1, -1)
    return torch.cat([centres, sizes], dim=-1).reshape(-1, 4) * stride

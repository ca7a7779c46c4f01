"""Augmentation of training chips: pure functions of a sample and a random generator. Nothing is changed in place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from refinedet.boxes import Boxes, area, as_boxes, clip, flip_horizontal, flip_vertical
from refinedet.config import AugmentConfig


@dataclass(frozen=True, slots=True)
class Sample:
    """One chip and its truth, in the chip's pixels."""

    image: NDArray[np.uint8]
    """(H, W) or (H, W, 3)."""
    boxes_xyxy: Boxes
    """(N, 4)."""
    labels: NDArray[np.int64]
    """(N,) 0-based."""
    ignored: NDArray[np.bool_]
    """(N,) true for a box that counts neither as ship nor as background."""

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.shape[0])


def place(sample: Sample, scale: float, canvas_wh: tuple[int, int], config: AugmentConfig, rng: Generator) -> Sample:
    """Scale a chip and put it at a random place on an empty canvas; parts outside the canvas are cropped.

    Boxes outside are dropped. Boxes cut to less than `min_visible` of their area are ignored. With probability `focus`,
    a random object stays on the canvas.
    """
    scaled = np.maximum(1, np.round(np.array([sample.width, sample.height]) * scale)).astype(int)
    room = np.array(canvas_wh) - scaled
    least, most = np.minimum(room, 0), np.maximum(room, 0)
    if config.focus and rng.random() < config.focus and not sample.ignored.all():
        box = rng.choice(sample.boxes_xyxy[~sample.ignored]) * scale
        keep_start, keep_end = np.ceil(-box[:2]).astype(int), np.floor(canvas_wh - box[2:]).astype(int)
        closer = np.maximum(least, keep_start), np.minimum(most, keep_end)
        fits = closer[0] <= closer[1]
        least, most = np.where(fits, closer[0], least), np.where(fits, closer[1], most)
    offset = rng.integers(least, most + 1)
    start, end = np.maximum(offset, 0), np.minimum(offset + scaled, canvas_wh)  # on the canvas
    factor = np.array([sample.width, sample.height]) / scaled
    source = ((start - offset) * factor, (end - offset) * factor)  # in the chip
    patch = Image.fromarray(sample.image).resize(
        tuple(end - start), Image.Resampling.BILINEAR, box=(*source[0].tolist(), *source[1].tolist())
    )
    canvas = np.zeros((canvas_wh[1], canvas_wh[0], *sample.image.shape[2:]), np.uint8)
    canvas[start[1] : end[1], start[0] : end[0]] = np.asarray(patch)
    moved = as_boxes(sample.boxes_xyxy / np.tile(factor, 2) + np.tile(offset, 2))
    clipped = clip(moved, *canvas_wh)
    seen = area(clipped) > 0
    share = area(clipped)[seen] / area(moved)[seen]
    return Sample(canvas, clipped[seen], sample.labels[seen], sample.ignored[seen] | (share < config.min_visible))


def jittered(sample: Sample, scale: float, canvas_wh: tuple[int, int], config: AugmentConfig, rng: Generator) -> Sample:
    """Place a chip (`place`) at a scale drawn log-uniformly around `scale`."""
    jitter = np.exp(rng.uniform(np.log(config.scale_min), np.log(config.scale_max)))
    return place(sample, float(scale * jitter), canvas_wh, config, rng)


def mosaic(
    samples: Sequence[Sample],
    scales: Sequence[float],
    canvas_wh: tuple[int, int],
    config: AugmentConfig,
    rng: Generator,
) -> Sample:
    """Put four chips into the quarters of one canvas, which meet at a random point near its middle."""
    width, height = canvas_wh
    x, y = round(width * rng.uniform(0.3, 0.7)), round(height * rng.uniform(0.3, 0.7))
    corners = ((0, 0, x, y), (x, 0, width, y), (0, y, x, height), (x, y, width, height))
    channels = max((s.image.shape[2:] for s in samples), default=())
    canvas = np.zeros((height, width, *channels), np.uint8)
    parts = []
    for sample, scale, (left, top, right, bottom) in zip(samples, scales, corners, strict=True):
        part = jittered(sample, scale, (right - left, bottom - top), config, rng)
        grey_on_rgb = channels and part.image.ndim == 2
        canvas[top:bottom, left:right] = part.image[..., None] if grey_on_rgb else part.image
        shift = np.array([left, top, left, top], np.float32)
        parts.append((part.boxes_xyxy + shift, part.labels, part.ignored))
    boxes, labels, ignored = (np.concatenate(p) for p in zip(*parts, strict=True))
    return Sample(canvas, boxes, labels, ignored)


def flip(sample: Sample, config: AugmentConfig, rng: Generator) -> Sample:
    """Mirror left to right and top to bottom, each with its probability."""
    image, boxes = sample.image, sample.boxes_xyxy
    if rng.random() < config.horizontal_flip:
        image, boxes = image[:, ::-1], flip_horizontal(boxes, sample.width)
    if rng.random() < config.vertical_flip:
        image, boxes = image[::-1], flip_vertical(boxes, sample.height)
    return Sample(np.ascontiguousarray(image), boxes, sample.labels, sample.ignored)


def transpose(sample: Sample, config: AugmentConfig, rng: Generator) -> Sample:
    """Swap rows and columns, with its probability."""
    if not config.transpose or rng.random() >= config.transpose:
        return sample
    image = np.ascontiguousarray(sample.image.swapaxes(0, 1))
    return Sample(image, sample.boxes_xyxy[:, [1, 0, 3, 2]], sample.labels, sample.ignored)


def radiometric(sample: Sample, config: AugmentConfig, rng: Generator) -> Sample:
    """Add speckle (multiplicative gamma noise), and a random gain and gamma, each with its probability."""
    image = sample.image.astype(np.float32) / 255
    if rng.random() < config.speckle:
        looks = config.speckle_looks
        noise = rng.gamma(looks, 1 / looks, sample.image.shape[:2]).astype(np.float32)
        image *= np.sqrt(noise).reshape(noise.shape + (1,) * (image.ndim - 2))  # amplitude, hence the root
    if rng.random() < config.contrast:
        image = rng.uniform(0.7, 1.4) * image ** np.float32(rng.uniform(0.8, 1.25))
    out = np.clip(np.rint(image * 255), 0, 255).astype(np.uint8)
    return Sample(out, sample.boxes_xyxy, sample.labels, sample.ignored)

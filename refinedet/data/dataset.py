"""torch Dataset of training samples, and the order in which training sees them.

A batch is a pure function of (seed, epoch, position). It depends neither on workers nor on earlier batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from refinedet.config import TrainConfig
from refinedet.data.augment import Sample, flip, jittered, mosaic, radiometric, transpose
from refinedet.data.coco import BESIDE, Record
from refinedet.data.shards import read_chip
from refinedet.errors import InputError

Key = tuple[int, int]
"""Epoch and index of a sample; they determine its random draws."""

Batch = tuple[Tensor, list[Sample]]
"""Images (B, 1 or 3, H, W) uint8, and the samples with their boxes."""

_DECODED_BYTES = 512 << 20
"""Most bytes of decoded chips that one process keeps: all of SSDD, and a part of larger data sets."""


class ChipDataset(Dataset[Sample]):
    """Augmented training samples, addressed by (epoch, index); chips that an epoch repeats have several indices."""

    def __init__(self, record: Record, root: Path, config: TrainConfig, input_px: int) -> None:
        if not record.images:
            raise InputError(f"expected training chips under {root}, found none; check the data set and its split")
        if config.repeat > 1 and all(BESIDE in image.extra for image in record.images):
            raise InputError(
                f"expected chips of a data set for `repeat` {config.repeat}, found only chips of scenes that were "
                "simulated or made of real samples; set it to 1"
            )
        self.record, self.root, self.config, self.input_px = record, root, config, input_px
        self._shown = [
            index
            for index, image in enumerate(record.images)
            for _ in range(1 if BESIDE in image.extra else config.repeat)
        ]
        self._decoded: dict[int, NDArray[np.uint8]] = {}
        self._room = _DECODED_BYTES

    def __len__(self) -> int:
        return len(self._shown)

    def __getitem__(self, key: Key) -> Sample:
        """Draw sample `index` of `epoch`; equal keys give equal samples."""
        epoch, index = key
        config = self.config
        rng = np.random.default_rng([config.seed, epoch, index])
        canvas = config.canvas(epoch)
        with_mosaic = epoch < config.epochs - config.augment.mosaic_off_epochs
        if with_mosaic and rng.random() < config.augment.mosaic:
            others = rng.integers(0, len(self), 3).tolist()
            samples = [transpose(self._raw(i), config.augment, rng) for i in (index, *others)]
            out = mosaic(samples, [self._scale(s) for s in samples], canvas, config.augment, rng)
        else:
            sample = transpose(self._raw(index), config.augment, rng)
            out = jittered(sample, self._scale(sample), canvas, config.augment, rng)
        return radiometric(flip(out, config.augment, rng), config.augment, rng)

    def _raw(self, sample: int) -> Sample:
        index = self._shown[sample]
        image = self.record.images[index]
        return Sample(
            self._pixels(index),
            self.record.boxes[image.id],
            self.record.labels[image.id],
            self.record.ignored[image.id],
        )

    def _pixels(self, index: int) -> NDArray[np.uint8]:
        """Read chip `index` or take it from memory. Decoding is half the work, so chips stay while there is room."""
        pixels = self._decoded.get(index)
        if pixels is None:
            pixels = read_chip(self.root / self.record.images[index].file_name)
            if pixels.nbytes <= self._room:
                self._room -= pixels.nbytes
                self._decoded[index] = pixels
        return pixels

    def _scale(self, sample: Sample) -> float:
        return self.input_px / max(sample.width, sample.height)  # like tiling.letterbox


class EpochSampler(Sampler[list[Key]]):
    """Batches of (epoch, index), each epoch in its own order; an incomplete last batch is left out unless it is alone.

    Each of `ranks` processes takes its part of every batch; together they see the batches of a single process.

    Raises:
        InputError: a batch cannot be shared evenly.
    """

    def __init__(self, length: int, batch_size: int, seed: int, *, rank: int = 0, ranks: int = 1) -> None:
        self.length, self.batch_size, self.seed, self.epoch = length, min(batch_size, length), seed, 0
        self.part = self.batch_size // ranks
        if self.part * ranks != self.batch_size:
            raise InputError(
                f"expected a batch that {ranks} processes share evenly, found one of {self.batch_size} chips "
                f"(batch_size {batch_size}, {length} training chips); change batch_size or the number of processes"
            )
        self.first = rank * self.part

    def __len__(self) -> int:
        return self.length // self.batch_size

    def __iter__(self) -> Iterator[list[Key]]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.length)
        for batch in range(len(self)):
            start = batch * self.batch_size + self.first
            yield [(self.epoch, int(i)) for i in order[start : start + self.part]]


def collate(samples: Sequence[Sample]) -> Batch:
    """Stack the images of equal size; a batch that mixes grey and RGB becomes RGB."""
    images = [torch.from_numpy(s.image) for s in samples]
    planes = [i[None] if i.ndim == 2 else i.permute(2, 0, 1) for i in images]
    channels = max(len(p) for p in planes)
    return torch.stack([p.expand(channels, -1, -1) for p in planes]), list(samples)

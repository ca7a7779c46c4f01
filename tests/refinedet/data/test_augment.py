"""Augmentation moves boxes exactly as it moves pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from refinedet.boxes import as_boxes
from refinedet.config import AugmentConfig
from refinedet.data.augment import Sample, flip, jittered, mosaic, place, radiometric, transpose


def blob(width: int = 60, height: int = 40, box: tuple[int, int, int, int] = (10, 8, 30, 20)) -> Sample:
    """A black chip with one white ship, whose box is exact."""
    image = np.zeros((height, width), np.uint8)
    image[box[1] : box[3], box[0] : box[2]] = 255
    return Sample(image, as_boxes([box]), np.zeros(1, np.int64), np.zeros(1, bool))


def bright_box(image: np.ndarray) -> list[float]:
    """Bounding box of the bright pixels."""
    ys, xs = np.nonzero(image > 127)
    return [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 3.0), st.integers(40, 200), st.integers(40, 200))
def test_boxes_follow_the_pixels_through_placing(seed: int, scale: float, width: int, height: int) -> None:
    placed = place(blob(), scale, (width, height), AugmentConfig(), np.random.default_rng(seed))
    assert placed.image.shape == (height, width)
    assume(len(placed.boxes_xyxy) and not placed.ignored[0])  # where none were left, hypothesis would complain
    assert placed.boxes_xyxy[0] == pytest.approx(bright_box(placed.image), abs=1.01)


@given(st.integers(0, 10_000))
def test_boxes_follow_the_pixels_through_flips(seed: int) -> None:
    flipped = flip(blob(), AugmentConfig(), np.random.default_rng(seed))
    assert flipped.boxes_xyxy[0].tolist() == bright_box(flipped.image)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_a_mosaic_holds_each_ship_in_its_own_quarter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    config = replace(AugmentConfig(), scale_min=1.0, scale_max=1.0)
    out = mosaic([blob()] * 4, [1.0] * 4, (300, 200), config, rng)
    assert out.image.shape == (200, 300)
    for x1, y1, x2, y2 in out.boxes_xyxy[~out.ignored].round().astype(int):
        assert (out.image[y1:y2, x1:x2] > 127).mean() > 0.85


def test_a_ship_cut_to_a_sliver_is_ignored_and_one_cut_away_is_gone() -> None:
    seen = set()
    for seed in range(200):
        placed = place(blob(), 4.0, (64, 64), AugmentConfig(), np.random.default_rng(seed))
        assert len(placed.boxes_xyxy) == len(placed.labels) == len(placed.ignored)
        seen.add(tuple(placed.ignored.tolist()))
    assert seen == {(), (False,), (True,)}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 3.0), st.integers(70, 200), st.integers(40, 200))
def test_focus_keeps_a_ship_whole_wherever_it_fits(seed: int, scale: float, width: int, height: int) -> None:
    config = replace(AugmentConfig(), focus=1.0)
    placed = place(blob(), scale, (width, height), config, np.random.default_rng(seed))
    assert not placed.ignored.any()
    assert placed.boxes_xyxy[0, 2:] - placed.boxes_xyxy[0, :2] == pytest.approx([20 * scale, 12 * scale], abs=1.5)


def test_focus_takes_a_crop_anywhere_where_nothing_is_to_be_kept() -> None:
    sample = replace(blob(), ignored=np.ones(1, bool))
    config = replace(AugmentConfig(), focus=1.0)
    outs = {place(sample, 4.0, (64, 64), config, np.random.default_rng(s)).image.tobytes() for s in range(20)}
    assert len(outs) > 5


def test_equal_generators_give_equal_samples_and_the_input_is_untouched() -> None:
    sample = blob()
    before = sample.image.copy()
    config = replace(AugmentConfig(), speckle=1.0, contrast=1.0)
    outs = [
        radiometric(jittered(sample, 1.3, (90, 70), config, rng), config, rng)
        for rng in (np.random.default_rng(5), np.random.default_rng(5))
    ]
    assert (outs[0].image == outs[1].image).all()
    assert (sample.image == before).all()


def test_speckle_keeps_nodata_black_and_the_mean() -> None:
    image = np.zeros((100, 100), np.uint8)
    image[:, 50:] = 100
    config = replace(AugmentConfig(), speckle=1.0, contrast=0.0, speckle_looks=8.0)
    sample = Sample(image, as_boxes([]), np.zeros(0, np.int64), np.zeros(0, bool))
    out = radiometric(sample, config, np.random.default_rng(0)).image
    assert (out[:, :50] == 0).all()
    assert out[:, 50:].mean() == pytest.approx(
        98.5, abs=2
    )  # the mean of the root of a gamma variate of 8 looks is .985
    assert out[:, 50:].std() > 10


def test_rgb_and_grey_chips_share_a_mosaic() -> None:
    grey = blob()
    colour = Sample(np.repeat(grey.image[:, :, None], 3, axis=2), grey.boxes_xyxy, grey.labels, grey.ignored)
    out = mosaic([grey, colour, grey, colour], [1.0] * 4, (128, 128), AugmentConfig(), np.random.default_rng(0))
    assert out.image.shape == (128, 128, 3)


def test_transpose_moves_each_box_with_its_pixels() -> None:
    image = np.zeros((40, 60), np.uint8)
    image[5:9, 20:32] = 200
    sample = Sample(image, np.array([[20, 5, 32, 9]], np.float32), np.zeros(1, np.int64), np.zeros(1, bool))
    turned = transpose(sample, AugmentConfig(transpose=1.0), np.random.default_rng(1))
    assert turned.image.shape == (60, 40)
    x1, y1, x2, y2 = turned.boxes_xyxy[0].astype(int)
    assert (turned.image[y1:y2, x1:x2] == 200).all()
    assert turned.image.sum() == image.sum() == 200 * (x2 - x1) * (y2 - y1)
    assert transpose(sample, AugmentConfig(transpose=0.0), np.random.default_rng(1)) is sample

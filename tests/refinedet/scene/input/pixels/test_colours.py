"""Composites of several images are told from grey pictures, photographs and colour scales."""

from __future__ import annotations

import numpy as np

from refinedet.scene.input.pixels.colours import are_coloured, composite_channel


def _speckle(seed: int, level: float) -> np.ndarray:
    power = np.random.default_rng(seed).gamma(4, 0.25, (128, 128))
    return np.clip(level * np.sqrt(power), 0, 255).astype(np.uint8)


def test_channels_of_their_own_speckle_are_a_composite() -> None:
    composite = np.dstack([_speckle(0, 120), _speckle(1, 60), _speckle(2, 90)])
    assert composite_channel([composite]) == 0
    assert composite_channel([]) is None


def test_greys_and_colour_scales_are_one_image() -> None:
    grey = _speckle(0, 120)
    assert composite_channel([np.dstack([grey] * 3)]) is None
    scale = np.random.default_rng(3).integers(0, 256, (256, 3)).astype(np.uint8)
    coloured = scale[grey]
    assert are_coloured(coloured)
    assert composite_channel([coloured]) is None
    tinted = np.dstack([grey, grey // 2, grey // 3])
    assert are_coloured(tinted)
    assert composite_channel([tinted]) is None


def test_a_channel_of_one_value_is_no_image() -> None:
    first, second, none = _speckle(0, 120), _speckle(1, 60), np.full((128, 128), 255, np.uint8)
    assert composite_channel([np.dstack([first, second, none])]) == 0
    assert composite_channel([np.dstack([0 * none, first, second])]) == 1
    assert composite_channel([np.dstack([first, none, none])]) is None

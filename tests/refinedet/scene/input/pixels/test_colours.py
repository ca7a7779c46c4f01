"""Composites of several images are told from grey pictures, photographs and colour scales."""

from __future__ import annotations

import numpy as np

from refinedet.scene.input.pixels.colours import are_coloured, is_composite


def _speckle(seed: int, level: float) -> np.ndarray:
    power = np.random.default_rng(seed).gamma(4, 0.25, (128, 128))
    return np.clip(level * np.sqrt(power), 0, 255).astype(np.uint8)


def test_channels_of_their_own_speckle_are_a_composite() -> None:
    composite = np.dstack([_speckle(0, 120), _speckle(1, 60), _speckle(2, 90)])
    assert is_composite([composite])
    assert not is_composite([])


def test_greys_and_colour_scales_are_one_image() -> None:
    grey = _speckle(0, 120)
    assert not is_composite([np.dstack([grey] * 3)])
    scale = np.random.default_rng(3).integers(0, 256, (256, 3)).astype(np.uint8)
    coloured = scale[grey]
    assert are_coloured(coloured)
    assert not is_composite([coloured])
    tinted = np.dstack([grey, grey // 2, grey // 3])
    assert are_coloured(tinted)
    assert not is_composite([tinted])

"""Parts of an area into which a disc fits, and the quick bound on them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from refinedet.scene.ships.doubts.discs import most_opened, opened


def disc(breadth: float) -> np.ndarray:
    reach = int(breadth / 2)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    return np.asarray(x**2 + y**2 <= (breadth / 2) ** 2)


@pytest.mark.parametrize("breadth", [2.0, 5.0, 8.9, 11.1, 16.0])
def test_opening_is_that_of_scipy_and_the_bound_holds_it(breadth: float) -> None:
    rng = np.random.default_rng(0)
    sizes = []
    for smooth in (1.0, 2.0, 4.0, 8.0):
        bright = ndimage.gaussian_filter(rng.normal(size=(90, 73)), smooth) > 0.1 / smooth**2
        wide = np.pad(bright, 20, constant_values=True)
        core = ndimage.binary_erosion(wide, disc(breadth), border_value=1)
        core[:20] = core[-20:] = core[:, :20] = core[:, -20:] = False  # the middle of a disc lies in the image
        expected = ndimage.binary_dilation(core, disc(breadth))[20:-20, 20:-20] & bright
        found = opened(bright, breadth)
        np.testing.assert_array_equal(found, expected)
        assert not (found & ~most_opened(bright, breadth)).any()
        sizes.append(int(found.sum()))
    assert max(sizes) > 0
    assert not most_opened(rng.random((90, 73)) > 0.5, 11.1).any()

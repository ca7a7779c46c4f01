"""chips.py: equal chips at every call, with ships and missing pixels in them."""

from __future__ import annotations

import numpy as np

from refinedet.data.simulation.chips import simulated_chips


def test_chips_are_the_same_at_every_call_and_not_empty() -> None:
    chips, again = simulated_chips(), simulated_chips()
    assert [chip.shape for chip in chips] == [(512, 512)] * 4 + [(300, 512), (90, 120)]
    assert all(chip.dtype == np.uint8 and chip.std() > 0 for chip in chips)
    assert all(np.array_equal(one, other) for one, other in zip(chips, again, strict=True))

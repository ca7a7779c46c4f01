"""From chips to detections: the Predictor protocol that scene detection, evaluation and training share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from refinedet.detections import Detections

Chip = NDArray[np.uint8]
"""One 8-bit chip, (H, W) for a single band or (H, W, 3) for RGB; any size."""


class Predictor(Protocol):
    """Anything that finds objects in chips. Results must not depend on how chips are grouped into calls."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names by label."""
        ...

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Detections of each chip, in that chip's own pixels, in the order of `chips`."""
        ...

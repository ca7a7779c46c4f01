"""What several test files share: where the sample data is, if it is here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from scipy import ndimage

from refinedet.config import Radiometry
from refinedet.detections import Detections
from refinedet.predictor import Chip
from refinedet.scene import land

_CHECKOUT = Path(__file__).resolve().parent.parent

# a deadline measures how busy the machine is; a property that hangs meets pytest's own timeout
settings.register_profile("refinedet", deadline=None)
settings.load_profile("refinedet")


class BrightBlobs:
    """A predictor without a network: each blob of pixels of at least `threshold` is a ship, boxed exactly."""

    classes = ("ship",)
    radiometry = Radiometry(high_percentile=100, headroom=1)

    def __init__(self, threshold: int = 200, score: float = 0.9) -> None:
        self.threshold, self.score = threshold, score
        self.chips: list[Chip] = []
        """What it was shown, in order."""
        self.batches: list[int] = []

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes of the bright blobs of each chip."""
        self.chips += chips
        self.batches.append(len(chips))
        return [self._blobs(chip) for chip in chips]

    def _blobs(self, chip: Chip) -> Detections:
        bright = (chip if chip.ndim == 2 else chip.max(axis=2)) >= self.threshold
        places = ndimage.find_objects(ndimage.label(bright)[0])
        boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in places]
        return Detections.of(boxes, np.full(len(boxes), self.score), np.zeros(len(boxes)))


@pytest.fixture
def bright_blobs() -> BrightBlobs:
    """A predictor that sees bright blobs."""
    return BrightBlobs()


@pytest.fixture(autouse=True)
def open_sea(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """No land anywhere, so that a test of something else neither cuts the coastline nor writes to the user's cache.

    Those that want the installed one ask for `real_coastline`.
    """
    if "real_coastline" not in request.fixturenames:
        monkeypatch.setattr(land, "coastline_version", lambda: "0")
        monkeypatch.setattr(land, "coastline", lambda _boxes, _cache: np.zeros(0, object))


@pytest.fixture(scope="session")
def real_coastline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of this session for the installed coastline, if there is one."""
    pytest.importorskip("roaring_landmask", reason="no coastline is installed: pip install 'refinedet[land]'")
    return tmp_path_factory.mktemp("coastline")


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """Folder of the sample data: REFINEDET_DATA, or shared/data beside the checkout."""
    folder = Path(os.environ.get("REFINEDET_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"sample data not found at {folder}; set REFINEDET_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Folder of data-set archives: REFINEDET_MIRROR, or the folder `mirror` of the sample data."""
    default = Path(os.environ.get("REFINEDET_DATA", _CHECKOUT.parent / "shared" / "data")) / "mirror"
    folder = Path(os.environ.get("REFINEDET_MIRROR", default))
    if not folder.is_dir():
        pytest.skip(f"data-set archives not found at {folder}; set REFINEDET_MIRROR to their folder")
    return folder

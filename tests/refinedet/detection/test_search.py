"""Search of scenes, as the training of the weights decides it."""

from __future__ import annotations

import pytest

from refinedet.config import ModelConfig, Radiometry, TileConfig, TrainedOn
from refinedet.config.detect_options import DetectorSettings, WindowSettings
from refinedet.detection.loading import Loaded
from refinedet.detection.search import settle
from refinedet.model.checkpoint import Header
from refinedet.scene.windows.overlap import LONGEST_SHIP_M
from refinedet.scene.windows.prescreen import K


@pytest.mark.parametrize(
    ("name", "from_ships", "as_ships"), [("ship", False, True), ("vessel", True, True), ("vessel", False, False)]
)
def test_a_class_from_weights_of_ships_is_searched_for_as_ships(name: str, from_ships: bool, as_ships: bool) -> None:
    trained_on = TrainedOn(TileConfig(64, 16), ships=from_ships)
    header = Header(ModelConfig(), (name,), Radiometry(), {}, trained_on=trained_on)
    search = settle(Loaded([], ("cpu",), header, "torch", "fp32"), DetectorSettings(), WindowSettings())
    assert (search.prescreen, search.ship_m) == ((K, LONGEST_SHIP_M) if as_ships else (None, None))

"""Side lobes of a bright ship are told from weak ships on its cross."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from refinedet.boxes import as_boxes
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.land import LandSettings
from refinedet.data.simulation.fields import point_response
from refinedet.raster import write_scene
from refinedet.scene.ships.doubts.side_lobes import SIDELOBE, is_side_lobe
from refinedet.scene.ships.doubts.suspects import suspects
from refinedet.scene.source import open_source

SIDE, AT = 160, 80
RESOLUTION = (2.0, 2.0)
BRIGHT = (AT - 8.0, AT - 4.0, AT + 8.0, AT + 4.0)
Power = NDArray[np.float64]


def sea(seed: int = 0) -> Power:
    return np.random.default_rng(seed).gamma(4.4, 1 / 4.4, (SIDE, SIDE))


def points(places: list[tuple[float, float]], gain: float, weight: float = 0.75) -> Power:
    """Power of point scatterers at (x, y), with the side lobes of an aperture."""
    pixel = np.arange(SIDE) + 0.5
    found = np.zeros((SIDE, SIDE))
    for x, y in places:
        rows, columns = (np.square(point_response(pixel - at, weight).astype(np.float64)) for at in (y, x))
        found += gain * np.outer(rows, columns)
    return found


def glaring(weight: float = 0.9) -> Power:
    """A ship of 50 dB whose aperture is hardly weighted, as corners on a ship glare."""
    return points([(AT - 5, AT), (AT, AT + 0.4), (AT + 6, AT - 0.3)], 1e5, weight)


EVERY = np.ones((SIDE, SIDE), np.bool_)


@pytest.mark.parametrize("away", [14, 20])
@pytest.mark.parametrize("turned", [False, True], ids=["row", "column"])
def test_a_patch_of_the_cross_is_a_side_lobe(away: int, *, turned: bool) -> None:
    power = sea() + glaring()
    box, ship = (AT + away, AT - 3, AT + away + 8, AT + 3), BRIGHT
    if turned:
        power, box, ship = power.T, (box[1], box[0], box[3], box[2]), (ship[1], ship[0], ship[3], ship[2])
    assert power[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])].max() > 8, "the arm shines there"
    assert is_side_lobe(power, EVERY, box, [ship], RESOLUTION)
    assert not is_side_lobe(power, EVERY, box, [], RESOLUTION), "no other detection explains it"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("gain", [25.0, 80.0, 1000.0])
def test_a_weak_ship_on_the_cross_is_none(seed: int, gain: float) -> None:
    """Beside a ship whose side lobes drown in the water: what shines on its row is another ship."""
    rng = np.random.default_rng(seed)
    x = AT + 26 + rng.uniform(0, 8)
    bright = points([(AT - 5, AT), (AT, AT + 0.4), (AT + 6, AT - 0.3)], 3000.0, 0.65)
    power = sea(seed) + bright + points([(x, AT + 0.5), (x + 3, AT - 1), (x + 5, AT + 1)], gain)
    assert not is_side_lobe(power, EVERY, (x - 4, AT - 5, x + 9, AT + 5), [BRIGHT], RESOLUTION)


def test_a_ship_beside_the_cross_or_as_bright_is_none() -> None:
    for x, y, gain in ((AT + 20, AT + 14, 40.0), (AT + 20, AT, 2e4)):
        power = sea() + glaring() + points([(x, y), (x + 4, y + 1)], gain)
        assert not is_side_lobe(power, EVERY, (x - 4, y - 4, x + 8, y + 5), [BRIGHT], RESOLUTION)
    nothing = np.zeros((SIDE, SIDE), np.bool_)
    assert not is_side_lobe(sea(), nothing, BRIGHT, [BRIGHT], RESOLUTION)


def test_the_flag_reaches_the_results(tmp_path: Path) -> None:
    amplitude = (30 * np.sqrt(sea() + glaring())).clip(1, 65535).astype(np.uint16)
    path = tmp_path / "glare.tif"
    write_scene(path, amplitude, crs="EPSG:32631", transform=(10.0, 0.0, 5e5, 0.0, -10.0, 6e6))
    boxes = as_boxes([BRIGHT, (AT + 14, AT - 3, AT + 22, AT + 3)])
    with open_source(path, SceneSettings()) as reader:
        found = suspects(reader, reader, boxes, LandSettings(land_mask="off"))
    assert [SIDELOBE in names for names in found] == [False, True]

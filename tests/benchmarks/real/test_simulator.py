"""Simulated ships beside real ones, by the statistics of benchmarks/real/simulator.py."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

CLASSES = ((60, 100), (100, 150), (150, 350))
"""Coarser than those of the script, so that each has ten real ships and more."""
PEAK_DB, LOBES_DB = 3.0, 4.0
"""Largest distance of medians."""
SIZE, SPECKLE = 1.5, 1.3
"""Largest factor between medians: sizes of blobs; looks and correlations."""


@pytest.fixture
def simulator() -> Any:
    return import_module("simulator")


@pytest.fixture
def signatures() -> Any:
    return import_module("signatures")


def _within(real: float, simulated: float, factor: float) -> bool:
    return 1 / factor < simulated / real < factor


@pytest.mark.parametrize("band", ["vv", "vh"])
def test_simulated_ships_look_like_real_ones(
    simulator: Any, sample_data: Path, monkeypatch: pytest.MonkeyPatch, band: str
) -> None:
    folder = sample_data / "real" / "opensarship"
    if not folder.is_dir():
        pytest.skip(f"no real ships at {folder}")
    monkeypatch.setattr(simulator, "SIDE_PX", 400)
    some = simulator.pairs(folder, "train", band, 1, CLASSES)
    for pair in some:
        found = {name: (of(pair.real), of(pair.simulated)) for name, of in simulator.STATISTICS.items()}
        assert len(pair.real) >= 10
        real, like = found["peak, dB"]
        assert abs(real - like) < PEAK_DB, pair.length_m
        for name in ("length at half the peak, px", "length 12 dB above the sea, px", "width 12 dB above, px"):
            assert _within(*found[name], SIZE), (pair.length_m, name, found[name])
    long = some[-1]
    for name in ("side lobes along azimuth, dB", "along range, dB"):
        assert simulator.STATISTICS[name](long.real) == pytest.approx(
            simulator.STATISTICS[name](long.simulated), abs=LOBES_DB
        )
    every = simulator.together(some)
    for name, of in simulator.SEA_STATISTICS.items():
        assert _within(of(every.real), of(every.simulated), SPECKLE), (name, of(every.real), of(every.simulated))


def test_simulated_ships_keep_the_looks_of_the_calibration(simulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real part of the same, as ranges, for where the data is not at hand."""
    monkeypatch.setattr(simulator, "SIDE_PX", 400)
    ships = simulator.simulated("vv", 79.0, (100.0, 150.0), 1)
    found = {name: of(ships) for name, of in (simulator.STATISTICS | simulator.SEA_STATISTICS).items()}
    assert 26 < found["peak, dB"] < 32
    assert 2.5 < found["length at half the peak, px"] < 5
    assert 12 < found["length 12 dB above the sea, px"] < 20
    assert 4.5 < found["width 12 dB above, px"] < 9
    assert 3 < found["looks"] < 4.8
    assert 0.5 < found["correlation along azimuth"] < 0.7


def test_a_bright_bar_is_measured(signatures: Any) -> None:
    rng = np.random.default_rng(0)
    amplitude = 50 * np.sqrt(rng.gamma(4.4, 1 / 4.4, (61, 61)))
    amplitude[28:31, 20:41] = 1000.0
    amplitude[29, 30] = 2000.0
    amplitude[29, 45:60] = 300.0
    found = signatures.measure(amplitude, np.array([30.5, 29.5]), 200.0, 90.0)
    assert found.peak_db == pytest.approx(20 * np.log10(40), abs=0.3)
    assert found.half_px == (1.0, 1.0)
    assert found.blob_px == pytest.approx((21.0, 3.0), abs=0.1)
    assert found.sea_amplitude == pytest.approx(50, rel=0.03)
    assert found.looks == pytest.approx(4.4, rel=0.25)
    assert found.correlation_x == pytest.approx(0, abs=0.1)
    assert found.lobe_x > 20 * abs(found.lobe_y)


def test_tables_tell_real_from_simulated(simulator: Any, signatures: Any) -> None:
    one = signatures.Signature(80.0, 20.0, (3.0, 2.0), (9.0, 4.0), 0.001, 0.001, 80.0, 4.0, 0.6, 0.6)
    lines = list(simulator.tables({("train", "vv"): [simulator.Pair((60, 100), [one], [one, one])]}))
    assert "| train | vv | 60 to 100 | 1 / 2 | 20 / 20 | - / - | 3 / 3 |" in lines[2]
    assert lines[-1] == "| train | vv | 4 / 4 | 0.6 / 0.6 | 0.6 / 0.6 |"

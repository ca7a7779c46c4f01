"""The made day of AIS is read as it was made, in every layout."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.speed import ais


@pytest.mark.parametrize("layout", ais.LAYOUTS)
def test_what_is_made_is_kept(layout: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ais, "MINUTES", 12)
    end = ais.START + timedelta(minutes=9, milliseconds=500)
    monkeypatch.setattr(ais, "DURING", (ais.START + timedelta(minutes=3), end))
    path = tmp_path / "day.csv"
    made = ais.write(path, layout, 12_000)
    told = ais.read(path)
    assert made > 100
    assert told["kept"] == made
    assert told["counts"]["messages"] == pytest.approx(12_000, rel=0.01)
    assert ("doubled" in told["counts"]) == (layout != "messages")  # there only static data come twice
    assert told["named"] > 0.5 * told["ships"] > 10
    first = path.read_bytes()
    assert ais.write(path, layout, 12_000) == made
    assert path.read_bytes() == first


@pytest.mark.slow  # it starts a process
def test_the_script_prints_a_table(
    beside_the_scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    del beside_the_scripts
    monkeypatch.setattr(ais, "MINUTES", 12)
    ais.measure(3_000, ["csv"], tmp_path)
    told = capsys.readouterr().out
    assert "as made" in told
    assert "csv: AIS: 3,0" in told
    assert list(tmp_path.iterdir()) == []

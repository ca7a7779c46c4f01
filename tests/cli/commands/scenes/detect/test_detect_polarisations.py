"""Two polarisations in `refinedet detect`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from typer.testing import Result

Run = Callable[..., Result]


def test_two_polarisations_in_any_order_are_looked_at_and_told(run: Run, tmp_path: Path, weights: Path) -> None:
    sea = np.random.default_rng(1).integers(90, 110, (2, 220, 300)).astype(np.uint16)
    sea[:, 40:48, 60:80] = 1000
    sea[1, 150:158, 200:220] = 1000
    profile = {"driver": "GTiff", "height": 220, "width": 300, "count": 2, "dtype": "uint16"}
    place = {"crs": "EPSG:32633", "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5.3e6)}
    with rasterio.open(tmp_path / "two.tif", "w", **profile, **place) as file:
        file.write(sea)
        file.descriptions = ("Sigma0_VV", "Sigma0_VH")
    words = ["detect", tmp_path / "two.tif", "--weights", weights, "--land-mask", "off", "--pol", "vh+vv"]
    ran = run(*words, "--json")
    assert ran.exit_code == 0, ran.output
    summary = json.loads(ran.stdout)["scenes"][0]
    assert summary["ships"] == 2
    assert sorted(summary["stretch_limits"]) == ["vh", "vv"]
    assert all(limits["low"] < limits["high"] for limits in summary["stretch_limits"].values())
    record = json.loads((tmp_path / "two_ships" / "two.run.json").read_text())
    assert (record["settings"]["pol"], record["scene"]["looked_at"]) == ("vv+vh", "vv+vh")
    again = run(*words, "--json", "--skip-existing")
    assert json.loads(again.stdout)["scenes"][0]["skipped"]
    told = " ".join(run(*words, "--overwrite").stdout.split())
    assert re.search(r"vv \d+ to \d+.*, vh \d+", told)
    refused = run(*words[:-1], "vv+hh", "--overwrite")
    assert refused.exit_code == 1
    assert "expected one of 'vv'" in refused.output


def test_an_archive_of_two_polarisations_has_both_scores(run: Run, tmp_path: Path, weights: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: pip install 'refinedet[ray]'")
    for name in ("one", "none"):
        sea = np.random.default_rng(1).integers(90, 110, (2, 220, 300)).astype(np.uint16)
        sea[0, 200:206, 250:270] = 1000
        if name == "one":
            sea[1, 40:48, 60:80] = 1000
        with rasterio.open(
            tmp_path / f"{name}.tif",
            "w",
            driver="GTiff",
            height=220,
            width=300,
            count=2,
            dtype="uint16",
            crs="EPSG:32633",
            transform=rasterio.Affine(10, 0, 5e5, 0, -10, 5.3e6),
        ) as file:
            file.write(sea)
            file.descriptions = ("VV", "VH")
    scenes = [tmp_path / f"{name}.tif" for name in ("one", "none")]
    words = ("--weights", weights, "--archive", "--out", tmp_path / "out", "--pol", "vv+vh")
    ran = run("detect", *scenes, *words, "--stretch", "fixed:50:1000")  # else noise shows thousands of blobs
    assert ran.exit_code == 0, ran.output
    tables = [parquet.read_table(path) for path in sorted((tmp_path / "out" / "dataset").rglob("*.parquet"))]
    assert tables[0].schema == tables[1].schema
    rows = [row for table in tables for row in table.to_pylist()]
    ships = [row for row in rows if row["bbox_px"] == [60, 40, 80, 48]]
    assert [(row["score_vv"], row["score_vh"] is not None) for row in ships] == [(None, True)]

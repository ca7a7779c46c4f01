"""Plugin for QGIS: its metadata, and QGIS itself running it without a window."""

from __future__ import annotations

import configparser
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from refinedet.raster import write_scene

ROOT = Path(__file__).resolve().parents[2]
QGIS_PROCESS = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
"""Program of QGIS; Debian's script of the plain name passes it an option that it refuses."""
PLUGIN = ROOT / "qgis" / "refinedet_qgis"


def test_the_metadata_have_the_version_of_the_project_and_files_that_exist() -> None:
    found = configparser.ConfigParser()
    found.read(PLUGIN / "metadata.txt", encoding="utf-8")
    general = found["general"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert general["version"] == project["version"]
    assert general["qgisMinimumVersion"] == "3.22"
    assert general["hasProcessingProvider"] == "yes"
    assert (PLUGIN / general["icon"]).is_file()


@pytest.fixture(scope="module")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment of a QGIS with a profile of its own, the plugin enabled, and the command in PATH."""
    if QGIS_PROCESS is None:
        pytest.skip("QGIS is not installed: apt install qgis python3-qgis qgis-providers")
    folder = tmp_path_factory.mktemp("qgis")
    wrapper = folder / "bin" / "refinedet"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m refinedet "$@"\n')
    wrapper.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    made = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_RUNTIME_DIR": str(folder),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        "QGIS_PLUGINPATH": str(ROOT / "qgis"),
        "QT_QPA_PLATFORM": "offscreen",
        "PATH": f"{wrapper.parent}:/usr/bin:/bin",
    }
    environment = {**kept, **made}
    processed(environment, "plugins", "enable", "refinedet_qgis")
    return environment


def processed(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(QGIS_PROCESS), *arguments], env=environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.slow
def test_qgis_loads_the_layer_with_the_style_in_its_file(qgis: dict[str, str], tmp_path: Path) -> None:
    script = Path(__file__).parent / "styled_layer.py"
    ran = subprocess.run(
        ["/usr/bin/python3", script, tmp_path], env=qgis, capture_output=True, text=True, timeout=280, check=False
    )
    assert ran.stdout, ran.stderr
    told = json.loads(ran.stdout.strip().splitlines()[-1])
    assert told["fine"], told["log"]
    assert told["layers"] == {"a": "categorizedSymbol", "a.ais": "categorizedSymbol"}
    assert told["results"]["COUNT"] == 1
    assert "a note" in told["log"]
    assert "1/2 windows" not in told["log"]
    line = (tmp_path / "line").read_text().split()
    assert line[:4] == ["detect", str(tmp_path / "scene.zip"), "--out", str(tmp_path / "out")]
    assert line[line.index("--pol") + 1] == "vv+vh"


@pytest.mark.slow
def test_qgis_detects_ships_and_names_the_layer(qgis: dict[str, str], tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    pixels = rng.rayleigh(100, (400, 500)).astype(np.uint16)
    pixels[100:106, 200:230] = 4000
    write_scene(tmp_path / "scene.tif", pixels, crs="EPSG:32633", transform=(10.0, 0, 5e5, 0, -10.0, 5.3e6))
    arguments = (f"INPUT={tmp_path / 'scene.tif'}", f"OUTPUT={tmp_path / 'ships'}", "EXTRA=--land-mask off")
    ran = processed(qgis, "--json", "run", "refinedet:detectships", "--", *arguments)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    results = json.loads(ran.stdout[ran.stdout.index("{") :])["results"]
    assert Path(results["LAYER"]) == tmp_path / "ships" / "scene.gpkg"
    assert Path(results["LAYER"]).is_file()
    assert results["COUNT"] >= 1
    again = processed(qgis, "--json", "run", "refinedet:detectships", "--", *arguments)
    assert again.returncode != 0
    assert "expected nothing at" in again.stderr + again.stdout or "--overwrite" in again.stderr + again.stdout

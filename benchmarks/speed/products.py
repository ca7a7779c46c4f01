"""Simulated Sentinel-1 products for the scripts of this folder, made by benchmarks/scenes/sentinel1_scene.py."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from measuring import ROOT

NO_METADATA = (
    "no metadata of a Sentinel-1 product: REFINEDET_DATA should name a folder with a product in s1/ (its .SAFE folder "
    "with manifest and annotation, no raster)"
)
_SCRIPT = ROOT / "benchmarks" / "scenes" / "sentinel1_scene.py"


def metadata() -> Path | None:
    """Folder .SAFE of a real product under REFINEDET_DATA, whose metadata the simulated ones have; None without one."""
    folder = Path(os.environ.get("REFINEDET_DATA", ROOT.parent / "shared" / "data")) / "s1"
    return min(folder.glob("*.SAFE"), default=None)


def make_product(out: Path, ships: int, *, share: float = 1.0) -> Path:
    """Write a product off a real coast, with so many ships, and this share of the lines and of the samples; returns it.

    Raises:
        SystemExit: there are no metadata, or the script fails.
    """
    source = metadata()
    if source is None:
        raise SystemExit(f"expected a product to simulate after, found {NO_METADATA}")
    product = out / source.name
    size = ["--fraction", str(share), "--samples-fraction", str(share)]
    words = [str(source), str(product), "--ships", str(ships), "--land", "coast", *size]
    done = subprocess.run([sys.executable, str(_SCRIPT), *words], stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise SystemExit(f"expected {_SCRIPT.name} to make a product, found exit code {done.returncode}")
    return product

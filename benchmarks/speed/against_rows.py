"""Rows of benchmarks/speed/against.py: what is looked at, and with which options."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from archive import simulate
from measuring import ROOT
from products import NO_METADATA, make_product, metadata

from refinedet.data.simulation.scene import write_simulated
from refinedet.data.simulation.spec import SceneSpec

DEMO_SEED = 20261123
"""Seed of the scene of `make demo`."""
_SSDD = "SSDD_coco-master.zip"
_TEST = "SSDD_coco-master/test/"

Scenes = Sequence[Path]


@dataclass(frozen=True, slots=True)
class Row:
    """One call of the command line."""

    what: str
    make: Callable[..., Scenes | str]
    """Function of a folder, and with `quick` for tiny inputs, that returns the scenes, or why there are none."""
    options: tuple[str, ...] = ()
    part: str | None = None
    """Part of the time that has a row of its own, as the record of the run names it."""


def _simulated(folder: Path, *, quick: bool, side_px: int, ships: int, seed: int) -> Scenes:
    path = folder / "scene.tif"
    side_px, ships = (512, 6) if quick else (side_px, ships)
    write_simulated(SceneSpec(width_px=side_px, height_px=side_px, ships=ships, seed=seed), path)
    return [path]


def _product(folder: Path, *, quick: bool, ships: int) -> Scenes | str:
    if metadata() is None:
        return NO_METADATA
    return [make_product(folder, max(1, ships // 50) if quick else ships, share=0.05 if quick else 1.0)]


def _chips(folder: Path, *, quick: bool) -> Scenes | str:
    data = Path(os.environ.get("REFINEDET_DATA", ROOT.parent / "shared" / "data"))
    archive = Path(os.environ.get("REFINEDET_MIRROR", data / "mirror")) / _SSDD
    if not archive.is_file():
        return (
            f"no archive of SSDD ({_SSDD}) in the folder that REFINEDET_MIRROR names, or in mirror/ of REFINEDET_DATA"
        )
    with zipfile.ZipFile(archive) as packed:
        names = sorted(name for name in packed.namelist() if name.startswith(_TEST) and name.endswith(".jpg"))
        names = names[:4] if quick else names
        for name in names:
            (folder / Path(name).name).write_bytes(packed.read(name))
    return [folder / Path(name).name for name in names]


def _archive(folder: Path, *, quick: bool) -> Scenes:
    simulate(folder / "scenes", *((2, 256, 3) if quick else (20, 1024, 20)))
    return sorted((folder / "scenes").glob("*.tif"))


ROWS = {
    "demo": Row(
        "the scene of `make demo`, 2048 x 2048 pixels", partial(_simulated, side_px=2048, ships=60, seed=DEMO_SEED)
    ),
    "product": Row("a simulated Sentinel-1 product, whole, with 300 ships", partial(_product, ships=300)),
    "sparse": Row("the same with 30 ships", partial(_product, ships=30)),
    "chips": Row("the 232 test chips of SSDD in one call", _chips),
    "chips-low": Row("the same with `--score-min 0.01`", _chips, ("--score-min", "0.01")),
    "ships": Row(
        "a crowded scene, 8192 x 8192 pixels with 5,000 ships",
        partial(_simulated, side_px=8192, ships=5000, seed=DEMO_SEED + 1),
        part="describe",
    ),
    "archive": Row("an archive of 20 scenes, 1024 x 1024 pixels each", _archive, ("--archive",)),
}
"""Rows by name, in their order."""

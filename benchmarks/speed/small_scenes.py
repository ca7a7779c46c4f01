"""Time of many small scenes in one call of `refinedet detect`: the 232 chips of SSDD's test split.

    REFINEDET_MIRROR=/folder python benchmarks/speed/small_scenes.py
    python benchmarks/speed/small_scenes.py --mirror /folder --chips 40 --score-min 0.01 --beside ../another-checkout

All result files are written, pictures and maps too. Each round runs every checkout once, in turns. The time of the
processor is that of all threads; the sum of bytes is of GeoJSON and CSV, which both checkouts should write alike.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import NamedTuple

from measuring import ROOT, median, print_table

ARCHIVE, PART = "SSDD_coco-master", "test"
_SHOWN = (".geojson", ".csv")


class Spent(NamedTuple):
    """One call of the command."""

    wall_s: float
    processor_s: float
    ships: int
    checksum: str


def main() -> None:
    """Run all checkouts in turns, and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, default=os.environ.get("REFINEDET_MIRROR"), help="folder of the archive")
    parser.add_argument("--chips", type=int, default=232, help="first images of the test split, by name")
    parser.add_argument("--score-min", type=float, help="as of detect; default: that of detect")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--beside", type=Path, help="another checkout of the project")
    asked = parser.parse_args()
    if asked.mirror is None:
        parser.error("name the folder of the archive of SSDD by --mirror or in REFINEDET_MIRROR")
    trees = [ROOT, *([asked.beside.resolve()] if asked.beside else [])]
    spent: list[list[Spent]] = [[] for _ in trees]
    with tempfile.TemporaryDirectory() as folder:
        chips = unpack(asked.mirror / f"{ARCHIVE}.zip", asked.chips, Path(folder) / "chips")
        for _ in range(asked.rounds):
            for tree, of_tree in zip(trees, spent, strict=True):
                of_tree.append(detect(tree, chips, Path(folder) / "out", asked.score_min))
    head = ("checkout", "chips", "ships", "seconds", "s of processor", "ms of processor a chip", "checksum")
    print_table(head, [row(tree.name, len(chips), of_tree) for tree, of_tree in zip(trees, spent, strict=True)])


def unpack(archive: Path, count: int, folder: Path) -> list[Path]:
    """Write the first chips of the test split into a folder; returns their paths."""
    folder.mkdir()
    with zipfile.ZipFile(archive) as opened:
        names = sorted(name for name in opened.namelist() if name.startswith(f"{ARCHIVE}/{PART}/") and name[-1] != "/")
        paths = [folder / Path(name).name for name in names[:count]]
        for name, path in zip(names, paths, strict=False):
            path.write_bytes(opened.read(name))
    return paths


def detect(tree: Path, chips: list[Path], out: Path, score_min: float | None) -> Spent:
    """Run the command of a checkout on all chips."""
    words = [] if score_min is None else ["--score-min", str(score_min)]
    command = [sys.executable, "-m", "refinedet", "detect", *map(str, chips), "--out", str(out), "--overwrite", *words]
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"PYTHONPATH": str(tree)}
    subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    told = hashlib.sha256()
    files = sorted(path for path in out.iterdir() if path.suffix in _SHOWN)
    for path in files:
        told.update(path.read_bytes())
    ships = sum(len(path.read_text("utf-8").splitlines()) - 1 for path in files if path.suffix == ".csv")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Spent(wall, used, ships, told.hexdigest()[:12])


def row(name: str, chips: int, spent: list[Spent]) -> list[str]:
    """Row of the table: medians over the rounds of one checkout."""
    wall, processor = median(one.wall_s for one in spent), median(one.processor_s for one in spent)
    each = f"{1e3 * processor / chips:.0f}"
    return [name, str(chips), f"{spent[0].ships:,}", f"{wall:.1f}", f"{processor:.1f}", each, spent[0].checksum]


if __name__ == "__main__":
    main()

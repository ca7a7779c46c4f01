"""Windows that the prescreen skips, the time that it saves, and the ships that it loses.

    python benchmarks/accuracy/prescreen.py --chips outputs/tile/train.json outputs/tile/val.json
    python benchmarks/accuracy/prescreen.py --scenes a.tif S1A_IW_GRDH.SAFE --out demo/prescreen

With `--chips`, it reads annotated chips that show ships. It prints the lowest of their highest contrasts: the threshold
must lie below. The threshold is chosen on train and val alone. With `--scenes`, `refinedet detect` runs three times on
each scene: with the prescreen, without it in the same windows, and without it in its own default windows. A ship
counts as lost if a detection of the second run has no match in the first (`refinedet score`).
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from refinedet.data.coco import read_record
from refinedet.data.shards import read_chip
from refinedet.evaluation.score import score_files
from refinedet.files import read_json
from refinedet.scene.windows.prescreen import K, contrast

ROOT = Path(__file__).resolve().parents[2]
RUNS = {"on": ["--prescreen", "on"], "same windows": ["--prescreen", "off"], "off": ["--prescreen", "off"]}
LOWEST = 5


def main() -> None:
    """Measure on chips, on scenes, or on both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chips", type=Path, nargs="+", default=[], help="COCO records whose chips lie beside them")
    parser.add_argument("--scenes", type=Path, nargs="+", default=[])
    parser.add_argument("--out", type=Path, default=Path("demo/prescreen"))
    asked = parser.parse_args()
    for record in asked.chips:
        on_chips(record)
    if asked.scenes:
        print("| scene | windows | read | seconds with it | without | ships without it, same windows | of these lost |")
        print("|---|---|---|---|---|---|---|", flush=True)
    for scene in asked.scenes:
        print(on_scene(scene.resolve(), asked.out.resolve()), flush=True)


def on_chips(path: Path) -> None:
    """Print the lowest contrasts of the chips with ships of one record."""
    record = read_record(path)
    shown = [path.parent / image.file_name for image in record.images if len(record.boxes[image.id])]
    grey = (np.asarray(Image.fromarray(read_chip(chip)).convert("L")) for chip in shown)
    highest = np.sort([contrast(chip).max() for chip in grey])
    lost = int((highest <= K).sum())
    lowest = ", ".join(f"{value:.2f}" for value in highest[:LOWEST])
    print(f"{path}: {len(shown)} chips with ships; their highest contrast is at least {lowest}, ...; {lost} below {K}")


def on_scene(scene: Path, out: Path) -> str:
    """Detect three times in one scene; returns its row of the table."""
    records: dict[str, dict[str, Any]] = {}
    for name, options in RUNS.items():
        own = ["--tile-px", str(records["on"]["settings"]["tile_px"])] if name == "same windows" else []
        records[name] = detected(scene, out / name.replace(" ", "_"), [*options, *own])
    counts = records["on"]["counts"]
    with_, without = (out / name / f"{scene.stem}.geojson" for name in ("on", "same_windows"))
    lost = score_files(with_, without).fn
    seconds = " | ".join(f"{records[name]['wall']:.1f}" for name in ("on", "off"))
    looked = counts["windows"] - counts["windows_skipped"]
    ships = records["same windows"]["counts"]["ships"]
    return f"| {scene.name} | {counts['windows']} | {looked} | {seconds} | {ships} | {lost} |"


def detected(scene: Path, out: Path, options: list[str]) -> dict[str, Any]:
    """Run the command line once; returns its run record, with the wall time."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "cli.app", "detect", str(scene), "--out", str(out), "--overwrite"]
    subprocess.run([*command, *options], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    record: dict[str, Any] = read_json(out / f"{scene.stem}.run.json")
    return record | {"wall": time.perf_counter() - began}


if __name__ == "__main__":
    main()

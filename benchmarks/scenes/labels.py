"""Table of label layouts: each is trained on for two epochs, and must give the same AP.

    python benchmarks/scenes/labels.py                        all layouts
    python benchmarks/scenes/labels.py --only YOLO Roboflow   those whose names hold one of these words
    python benchmarks/scenes/labels.py --chips-only           without training

The layouts are those of annotation tools, of the same chips and boxes of one simulated scene. Each is read as
`refinedet train` reads it. Equal chips are equal to the byte, so their hash is shown beside the AP.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from labels_layouts import LAYOUTS, Chips, Layout, make_chips

from pipeline.datasets.labels.finding import find_labels
from pipeline.params import TileParams
from pipeline.stages.convert import convert_labels
from pipeline.stages.own_data import Choices, train_own
from pipeline.stages.tile import tile
from refinedet.config import Radiometry, TileConfig
from refinedet.data.coco import read_record, write_record
from refinedet.files import read_json, sha256_tree

SHARES = {"val_fraction": 0.15, "test_fraction": 0.3}


def chips_of(path: Path, out: Path) -> tuple[str, list[str]]:
    """Cut the chips of labels as a training does: the hash of the folder, and what was told.

    The name of the class is left out of the hash.
    """
    base, summary = convert_labels(find_labels(path), out / "convert", **SHARES)
    tile(TileParams(TileConfig()), Radiometry(), base, out / "convert", out / "tile")
    return hash_of(out / "tile"), [*summary.notes, *summary.warnings]


def hash_of(chips: Path) -> str:
    """Hash of the chips of a training with one class, without its name."""
    for split in ("train", "val", "test"):
        record = read_record(chips / f"{split}.json")
        write_record(chips / f"{split}.json", replace(record, classes=("ship",)))
    return sha256_tree(chips)


def train_on(layout: Layout, chips: Chips, folder: Path) -> tuple[str, dict[str, float]]:
    """Train on a layout for two epochs: the hash of its chips, and the test metrics."""
    metrics = train_own(
        layout(chips, folder / "labels"), None, folder / "out", Choices(epochs=2, batch_size=7, **SHARES)
    )
    return hash_of(folder / "out" / "tile"), metrics


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", nargs="+", default=[""], help="words of the names of layouts")
    parser.add_argument("--chips-only", action="store_true", help="hash the chips, and do not train")
    arguments = parser.parse_args()
    logging.getLogger("pipeline").setLevel(logging.ERROR)
    print("layout | chips | AP | AP50 | boxes | seconds", flush=True)
    chosen = {
        name: one for name, one in LAYOUTS.items() if any(word.lower() in name.lower() for word in arguments.only)
    }
    with tempfile.TemporaryDirectory() as temporary:
        os.chdir(temporary)  # a training keeps its runs in the current folder
        chips = make_chips(Path(temporary, "chips"))
        for number, (name, layout) in enumerate(chosen.items()):
            folder = Path(temporary, str(number))
            print(f"{name} | {_row(layout, chips, folder, train=not arguments.chips_only)}", flush=True)


def _row(layout: Layout, chips: Chips, folder: Path, *, train: bool) -> str:
    begin = time.perf_counter()
    if train:
        found, metrics = train_on(layout, chips, folder)
        shown = f"{metrics['AP']:.2f} | {metrics['AP50']:.2f}"
    else:
        (found, _), shown = chips_of(layout(chips, folder / "labels"), folder / "out"), "- | -"
    splits = read_json(folder / "out" / "convert" / "summary.json")["splits"].values()
    boxes = sum(split["boxes"] for split in splits)
    return f"{found[:12]} | {shown} | {boxes} | {time.perf_counter() - begin:.0f}"


if __name__ == "__main__":
    main()

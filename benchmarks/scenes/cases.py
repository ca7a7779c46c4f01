"""Table of detections by the shipped weights in common kinds of rasters, with the notes of each run.

    python benchmarks/scenes/cases.py                          print it
    python benchmarks/scenes/cases.py --write docs/reference/tested-inputs.md   put it into the document
    python benchmarks/scenes/cases.py --keep FOLDER            keep the rasters

Each raster is made from one simulated scene of 40 ships and is looked at with the defaults, unless its name holds an
option. A ship counts as found as in `refinedet score`: IoU 0.3, or centres within 40 m.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cases_kinds import Kind, Plain, kinds, own_boxes, plain_scene
from cases_more import more_kinds

import refinedet
from refinedet.errors import RefineDetError
from refinedet.evaluation.score import match_boxes

BEGIN, END = "<!-- made by benchmarks/scenes/cases.py -->", "<!-- end of cases -->"
_LIMIT_M = 40.0
_OF_ALL = (
    "the time of the scene and its ships is unknown",
    "the scene has no position, since its file holds no coordinates",
    "the size of its pixels is unknown",
    "the network computed in 8 bits",
)
"""Beginnings of notes that all rasters here, or all pictures, get: they are left out of the table."""


@dataclass(frozen=True, slots=True)
class Row:
    """Outcome of one kind of raster."""

    name: str
    found: str
    false: str
    contrast: str
    flags: str
    told: str

    def cells(self) -> tuple[str, ...]:
        """Cells of the table."""
        return self.name, self.found, self.false, self.contrast, self.flags, self.told


def run(kind: Kind, plain: Plain, folder: Path, detector: refinedet.Detector) -> Row:
    """Make the raster of a kind and detect in it."""
    path, boxes = kind.make(plain, folder), own_boxes(kind, plain)
    try:
        result = refinedet.find_ships(path, folder / "ships", detector=detector, **kind.choice).result
    except RefineDetError as error:
        return Row(kind.name, f"0 of {len(boxes)}", "", "", "", f"refused: {_short(str(error), path)}")
    limit_px = _LIMIT_M / 10 / kind.pixels_per_own
    score = match_boxes(result.detections, boxes, centre_max_px=limit_px)
    contrast = np.nanmedian(result.places.contrast_db) if len(result.detections) else np.nan
    flags = sorted({flag for names in result.flags for flag in names})
    counted = [f"{flag}: {sum(flag in names for names in result.flags)}" for flag in flags]
    return Row(
        kind.name,
        f"{score.tp} of {len(boxes)}",
        str(score.fp) if score.fp else "",
        f"{contrast:.1f} dB",
        ", ".join(counted),
        "; ".join(_short(note, path) for note in result.notes if not note.startswith(_OF_ALL)),
    )


def _short(sentence: str, path: Path) -> str:
    return sentence.replace(str(path), "the file").replace("|", "/")


def rows(folder: Path) -> list[Row]:
    """Rows of all kinds."""
    plain = plain_scene(folder)
    made = []
    with refinedet.Detector.load() as detector:
        for number, kind in enumerate([*kinds(plain), *more_kinds(plain)]):
            own = folder / str(number)
            own.mkdir(exist_ok=True)
            made.append(run(kind, plain, own, detector))
            print(" | ".join(made[-1].cells()), file=sys.stderr, flush=True)
    return made


def table(made: list[Row]) -> str:
    """Rows as Markdown."""
    head = ("raster", "ships found", "false", "contrast", "flags", "told")
    lines = [head, ("---",) * len(head), *(row.cells() for row in made)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Print the table, or write it into a document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="document with the two marks between which the table goes")
    parser.add_argument("--keep", type=Path, help="folder for the rasters; default: one that is deleted")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    with nullcontext(arguments.keep) if arguments.keep else tempfile.TemporaryDirectory() as name:
        text = table(rows(Path(name)))
    if arguments.write:
        before, _, rest = arguments.write.read_text(encoding="utf-8").partition(BEGIN)
        arguments.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")
    else:
        print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

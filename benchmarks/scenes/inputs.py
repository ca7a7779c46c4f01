"""Table of detections in scenes of every kind, one scene of each.

    python benchmarks/scenes/inputs.py                          print it
    python benchmarks/scenes/inputs.py --write docs/reference/tested-inputs.md   put it into the document

Each scene holds the same ships; a stand-in for the network boxes bright areas. The table says how many ships were found
exactly, and the distance of their longitudes and latitudes from the true places.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from inputs_cases import CASES, TILE, Case
from scipy import ndimage

from refinedet.config import Radiometry
from refinedet.config.options.detect import SceneSettings
from refinedet.detections import Detections
from refinedet.geo.footprints import footprint
from refinedet.geo.position import distances_m
from refinedet.predictors.predictor import Chip
from refinedet.radiometry import StretchLimits
from refinedet.scene.detect import detect_scene
from refinedet.scene.result import SceneResult

BEGIN, END = "<!-- made by benchmarks/scenes/inputs.py -->", "<!-- end -->"


class Bright:
    """Stand-in for a network that boxes bright areas."""

    classes = ("ship",)
    radiometry = Radiometry(high_percentile=100, headroom=1)

    def predict(self, chips: Sequence[Chip]) -> list[Detections]:
        """Boxes around the bright blobs of each chip."""
        return [self._boxes(chip if chip.ndim == 2 else chip.max(axis=2)) for chip in chips]

    @staticmethod
    def _boxes(chip: Chip) -> Detections:
        found = ndimage.find_objects(ndimage.label(chip >= 190)[0])
        boxes = [(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in found]
        return Detections.of(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes)))


@dataclass(frozen=True, slots=True)
class Row:
    """Outcome of one kind of scene."""

    name: str
    found: int
    """Ships whose box is right to half a pixel at the network's scale."""
    false: int
    expected: int
    windows: int
    empty: int
    stretch: str
    off_m: float | None
    """Largest distance from the true place, in metres; None: the scene has no position."""
    note: str

    def cells(self) -> tuple[str, ...]:
        """Cells of the table."""
        ships = f"{self.found} of {self.expected}" + (f", {self.false} false" if self.false else "")
        place = "none, so pixels" if self.off_m is None else f"within {max(0.1, np.ceil(self.off_m * 10) / 10):.1f} m"
        if self.expected == 0 and self.off_m is not None:
            place = "known"
        windows = f"{self.windows}" + (f", {self.empty} empty" if self.empty else "")
        return self.name, ships, windows, self.stretch, place, self.note


def run(case: Case, folder: Path) -> Row:
    """Make the scene of a case and detect in it."""
    path = case.make(folder)
    result = detect_scene(path, Bright(), tile=TILE, scene=SceneSettings(**case.choice))
    boxes = result.detections.boxes_xyxy.astype(np.float64)
    truth = np.array(case.ships, np.float64).reshape(-1, 4)
    near = np.abs(boxes[:, None] - truth).max(axis=2) <= 0.5 / min(1.0, *result.factors)
    return Row(
        name=case.name,
        found=int(near.any(axis=0).sum()),
        false=int((~near.any(axis=1)).sum()),
        expected=len(truth),
        windows=result.windows,
        empty=result.windows_skipped,
        stretch="nothing to stretch" if result.windows == result.windows_skipped else _stretch(result.stretch_limits),
        off_m=_off_m(case, result),
        note=_note(case, result),
    )


def _off_m(case: Case, result: SceneResult) -> float | None:
    if not result.located or case.place is None:
        return None
    boxes = result.detections.boxes_xyxy.astype(np.float64)
    if len(boxes) == 0:
        return 0.0
    centres = np.stack([boxes[:, [0, 2]].mean(axis=1), boxes[:, [1, 3]].mean(axis=1)], axis=1)
    return float(distances_m(result.places.centres_lonlat, case.place(centres)).max())


def _note(case: Case, result: SceneResult) -> str:
    shapes = [footprint(corners) for corners in result.places.corners_lonlat]
    split = sum(shape is not None and shape.geom_type == "MultiPolygon" for shape in shapes)
    return "; ".join(filter(None, [case.note, f"{split} outline cut at 180 degrees" if split else ""]))


def _stretch(limits: StretchLimits | None) -> str:
    if limits is None:
        return "8 bits as they are"
    ends = f"{limits.low:.4g} to {limits.high:.4g}"
    return ends if limits.domain == "amplitude" else f"{ends}, as {limits.domain}"


def rows() -> list[Row]:
    """Rows of all cases."""
    with tempfile.TemporaryDirectory() as name:
        made = []
        for number, case in enumerate(CASES):
            folder = Path(name) / str(number)
            folder.mkdir()
            made.append(run(case, folder))
        return made


def table(made: list[Row]) -> str:
    """Rows as Markdown."""
    head = ("scene", "ships found", "windows", "stretch", "position", "note")
    lines = [head, ("---",) * len(head), *(row.cells() for row in made)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> int:
    """Print the table, or write it into a document; returns 1 if a ship was missed or a detection is false."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, help="document with the two marks between which the table goes")
    arguments = parser.parse_args()
    made = rows()
    text = table(made)
    if arguments.write:
        before, _, rest = arguments.write.read_text(encoding="utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        arguments.write.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
    else:
        print(text)
    return int(any(row.found < row.expected or row.false for row in made))


if __name__ == "__main__":
    sys.exit(main())

"""Search for multi-scale passes and merging with the best AP for their time, on the *validation* chips.

    python benchmarks/chips/multiscale_search.py --weights outputs/train/model.safetensors --chips outputs/tile

It tries sets of passes first, then all mergings of the best sets; every pass runs once. It prints AP, AP50, AP75 and
the seconds that one image takes, best last; `--write` keeps the table, with settings, as JSON. The test split is never
read.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from refinedet.config import MultiscaleConfig, Pass, SuppressionConfig
from refinedet.config.multiscale import Flip
from refinedet.data.coco import Record, read_record
from refinedet.data.shards import read_chip
from refinedet.detections import Detections
from refinedet.evaluation.metrics import coco_metrics
from refinedet.files import write_json
from refinedet.predictors.multiscale import ScalablePredictor, merge_passes, run_pass
from refinedet.predictors.predictor import TorchPredictor

SCALE_SETS = ("1", "0.8 1.25", "1 1.25", "1 1.5", "0.8 1 1.25", "0.75 1 1.5", "0.8 1 1.25 1.5")
MERGES: dict[str, SuppressionConfig] = {
    "nms": SuppressionConfig(voting_iou=None),
    "voting": SuppressionConfig(),
    "voting .5/.7": SuppressionConfig(voting_iou=0.7),
    "voting .45/.45": SuppressionConfig(nms_iou=0.45, voting_iou=0.45),
    "voting .6/.7": SuppressionConfig(nms_iou=0.6, voting_iou=0.7),
    "soft linear": SuppressionConfig(suppression="soft_linear", voting_iou=None),
    "soft linear voting": SuppressionConfig(suppression="soft_linear"),
    "soft linear voting .45/.6": SuppressionConfig(suppression="soft_linear", nms_iou=0.45),
    "soft gaussian": SuppressionConfig(suppression="soft_gaussian", voting_iou=None),
    "soft gaussian voting": SuppressionConfig(suppression="soft_gaussian"),
    "soft gaussian .3 voting": SuppressionConfig(suppression="soft_gaussian", sigma=0.3),
}
"""Name -> merging; two numbers are nms_iou / voting_iou."""


@dataclass(frozen=True, slots=True)
class Row:
    """Measures of one candidate."""

    name: str
    ap: float
    ap50: float
    ap75: float
    seconds: float
    """Time of the passes and the merging of one image."""
    config: MultiscaleConfig


def main() -> None:
    """Try the sets of passes, then all mergings of the best of them, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--chips", type=Path, default=Path("outputs/tile"), help="output folder of the tile stage")
    parser.add_argument("--count", type=int, help="only this many validation chips, the first ones")
    parser.add_argument("--scales", nargs="*", default=SCALE_SETS, metavar="'A B C'", help="sets of scales to try")
    parser.add_argument("--vertical", action="store_true", help="try half turns and vertical mirrors too")
    parser.add_argument("--presets", nargs="*", default=["light", "published"], help="presets to try as they are")
    parser.add_argument("--keep", type=int, default=3, help="sets of passes for which all mergings are tried")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--write", type=Path, help="JSON file for the table")
    arguments = parser.parse_args()
    record = read_record(arguments.chips / "val.json")
    record = record.select([image.id for image in record.images[: arguments.count]])
    judge = Judge(TorchPredictor.load(arguments.weights, batch_size=arguments.batch_size), record, arguments.chips)
    rows = [judge.row(f"preset {name}", MultiscaleConfig.preset(name)) for name in arguments.presets]
    sets = [
        judge.row(name, MultiscaleConfig(p)) for name, p in pass_sets(arguments.scales, vertical=arguments.vertical)
    ]
    best = sorted(sets, key=lambda row: row.ap)[-arguments.keep :]
    rows += sets + [judge.row(name, config) for row in best for name, config in mergings(row)]
    rows.sort(key=lambda row: row.ap)
    width = max(len(row.name) for row in rows)
    print(f"{'':{width}}     AP   AP50   AP75  s/image   ({len(record.images)} validation chips)")
    for row in rows:
        print(f"{row.name:{width}} {row.ap:6.2f} {row.ap50:6.2f} {row.ap75:6.2f} {row.seconds:8.3f}")
    if arguments.write:
        write_json(arguments.write, [{**asdict(row), "config": row.config.to_dict()} for row in rows])


def pass_sets(scale_sets: Sequence[str], *, vertical: bool) -> Iterator[tuple[str, tuple[Pass, ...]]]:
    """Name and passes of every set of scales, without mirrors and with them."""
    flip_sets: dict[str, tuple[Flip, ...]] = {"": ("none",), " + flip": ("none", "horizontal")}
    if vertical:
        flip_sets[" + 4 flips"] = ("none", "horizontal", "vertical", "both")
    for scales in scale_sets:
        for name, flips in flip_sets.items():
            yield scales + name, tuple(Pass(scale=float(s), flip=flip) for s in scales.split() for flip in flips)


def mergings(row: Row) -> Iterator[tuple[str, MultiscaleConfig]]:
    """Name and configuration of all mergings of the passes of `row`, without the one of `row` itself."""
    for name, merge in MERGES.items():
        for scoring, within in (("strongest", None), ("strongest", 0.5), ("mean", None), ("mean", 0.5)):
            changes = {"scoring": scoring, "pass_nms_iou": within, "merge": merge.to_dict()}
            config = MultiscaleConfig.from_dict({**row.config.to_dict(), **changes})
            if config != row.config and (scoring == "strongest" or len(config.passes) > 1):
                yield f"{row.name}, {name}, {scoring}{', NMS first' if within else ''}", config


class Judge:
    """Judge of candidates on a record; each different pass runs once, whatever its size gate."""

    def __init__(self, predictor: ScalablePredictor, record: Record, root: Path) -> None:
        self.predictor, self.record = predictor, record
        self.chips = [read_chip(root / image.file_name) for image in record.images]
        self.raw: dict[Pass, tuple[list[Detections], float]] = {}
        """Pass -> candidates of each chip, and the seconds it took."""
        predictor.predict(self.chips[:1])  # the first call also warms up

    def row(self, name: str, config: MultiscaleConfig) -> Row:
        """Judge one candidate."""
        passes = [self._run(row) for row in config.passes]
        started = time.perf_counter()
        per_image = zip(*(found for found, _ in passes), strict=True)
        ids = [image.id for image in self.record.images]
        merged = {key: merge_passes(list(parts), config) for key, parts in zip(ids, per_image, strict=True)}
        seconds = time.perf_counter() - started + sum(seconds for _, seconds in passes)
        values = coco_metrics(self.record, merged)
        ap, ap50, ap75 = (values[key] or 0.0 for key in ("AP", "AP50", "AP75"))
        return Row(name, ap, ap50, ap75, seconds / len(self.chips), config)

    def _run(self, gated: Pass) -> tuple[list[Detections], float]:
        row = replace(gated, min_short_px=None, max_short_px=None)
        if row not in self.raw:
            started = time.perf_counter()
            self.raw[row] = run_pass(self.predictor, self.chips, row), time.perf_counter() - started
            seconds = self.raw[row][1] / len(self.chips)
            print(f"{row.side} side x {row.scale}, flip {row.flip}: {seconds:.3f} s an image", file=sys.stderr)
        return self.raw[row]


if __name__ == "__main__":
    main()

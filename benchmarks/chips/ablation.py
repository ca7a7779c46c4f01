"""Ablation on SSDD: one training for each row, all of equal length, as DVC experiments.

A row changes one part of the detector. It is an MLflow run and a DVC experiment, both named `ablation-<row>`. The runs
lie under one parent, `ablation`, with the mean and standard deviation over the rows. Each row reads the test split
once, and nothing is chosen by it. Chips are scaled to 320 pixels, so that a row takes minutes.

    REFINEDET_MIRROR=/folder python benchmarks/chips/ablation.py --epochs 5
"""

from __future__ import annotations

import argparse
import json

from pipeline.stage import OUTPUTS
from pipeline.tracking.seeds import run_experiment, try_to_group

RECIPE = "recipes.ssdd"
_PUBLISHED_LOSS = {
    "train.loss.arm_matching": "iou",
    "train.loss.odm_negative_iou": 0.5,
    "train.loss.classification": "hard_negative",
    "train.loss.box": "smooth_l1",
    "train.loss.box_weight": 1.0,
}
ROWS: dict[str, dict[str, object]] = {
    "default": {},
    "no-align": {"model.align_conv": "none"},
    "published-sampling": {"model.align_conv": "published"},
    "default-anchors": {"model.refined_anchors": "false"},
    "no-fusion": {"model.fused_features": "false"},
    "detail": {"model.detail": "true"},
    "focus": {"train.augment.focus": 0.7},
    "focal": {"train.loss.classification": "focal"},
    "ciou": {"train.loss.box": "ciou"},
    "iou-matching": {"train.loss.arm_matching": "iou"},
    "objectness-iou": {"train.loss.objectness_target": "iou"},
    "no-mosaic": {"train.augment.mosaic": 0.0},
    "more-mosaic": {"train.augment.mosaic": 0.8},
    "square-canvas": {"train.canvas_height": 320},
    "no-ema": {"train.ema_decay": 0.0},
    "anchors-2": {"model.anchor_scale": 2.0},
    "anchors-4": {"model.anchor_scale": 4.0},
    "longer-anchors": {"model.anchor_ratios": "[1.0,3.0,0.333]"},
    "stride-4": {"model.strides": "[4,8,16,32,64]", "model.anchor_scale": 3.0},
    "wider-neck": {"model.tcb_channels": 192, "model.arm_channels": 192},
    "input-384": {"model.input_px": 384, "train.canvas_width": 384, "train.canvas_height": 320},
    "published-loss": _PUBLISHED_LOSS,
    "published-recipe": _PUBLISHED_LOSS
    | {"train.optimizer": "sgd", "train.lr": 4e-3, "train.weight_decay": 5e-4, "train.schedule": "step"}
    | {"train.batch_size": 16, "train.warmup_epochs": 0.2, "train.grad_clip_norm": 1e9}
    | {"train.ema_decay": 0.0, "train.augment.mosaic": 0.0, "model.anchor_scale": 4.0}
    | {"evaluate.postprocess.nms_iou": 0.45, "evaluate.postprocess.voting_iou": "null"}
    | {"train.augment.vertical_flip": 0.0, "train.augment.transpose": 0.0, "train.augment.speckle": 0.0},
}
"""Row -> its changes to the recipe."""
MEASURES = ("AP", "AP50", "AP75", "AP_low", "AP_high")


def main() -> None:
    """Train the rows that are asked for and print their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--input-px", type=int, default=320, help="long side of a chip; the canvas is as long")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    arguments = parser.parse_args()
    print(f"| row | val AP | {' | '.join(MEASURES)} |", flush=True)
    print("|---" * (len(MEASURES) + 2) + "|", flush=True)
    runs = []
    for row in arguments.rows:
        test, val, run_id = run(row, arguments.epochs, arguments.input_px)
        runs.append(run_id)
        try_to_group("ablation", runs)
        cells = [f"{val['AP']:.1f}", *(f"{test[measure]:.1f}" for measure in MEASURES)]
        print(f"| {row} | {' | '.join(cells)} |", flush=True)


def run(row: str, epochs: int, input_px: int) -> tuple[dict[str, float], dict[str, float], str | None]:
    """Train and judge one row; returns its measures on test and on val, and the id of its MLflow run."""
    size = {"model.input_px": input_px, "train.canvas_width": input_px, "train.canvas_height": input_px // 5 * 4}
    settings = size | {"train.epochs": epochs, "train.augment.mosaic_off_epochs": 1, **ROWS[row]}
    changes = [f"++{RECIPE}.{name}={value}" for name, value in settings.items()]
    run_id = run_experiment(["recipe=ssdd", *changes], ["-f", "-n", f"ablation-{row}", "evaluate"])
    files = [OUTPUTS / stage / "metrics.json" for stage in ("evaluate", "train")]
    test, val = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    return test["test"], val["val"], run_id


if __name__ == "__main__":
    main()

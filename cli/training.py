"""`refinedet train`: the user's own COCO file, never over a finished training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cli.console import out, say
from refinedet.errors import FileError

if TYPE_CHECKING:
    from pipeline.stages.own_data import Choices

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1")


def train_and_report(
    annotations: Path, images: Path | None, folder: Path, choices: Choices, *, overwrite: bool
) -> None:
    """Train into `folder` and say where the checkpoint and the report are.

    Raises:
        FileError: the folder holds a report and `overwrite` is false, or a file is missing or damaged.
        InputError: the annotations are no COCO file, or a choice is out of range.
        RefineDetError: the training diverged.
    """
    from pipeline.stages.own_data import train_own

    report = folder / "report" / "report.html"
    if report.exists() and not overwrite:
        raise FileError(f"expected no report at {report} yet, found one; name another --out, or add --overwrite")
    metrics = train_own(annotations, images or annotations.parent, folder, choices)
    shown = "   ".join(f"{name} {metrics[name]:.1f}" for name in _MEASURES if name in metrics)
    say(f"measured on {metrics['chips']:.0f} chips cut off for the test, which training never saw")
    out.print(f"{shown}\n{folder / 'train' / 'model.safetensors'}\n{report}", markup=False)

"""Arguments and options of the commands, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print a summary for programs, and nothing else, on stdout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]

Weights = Annotated[
    Path | None,
    typer.Option(
        help="Checkpoint (.safetensors), an export of one (.onnx, .xml), or a detector of your own (.onnx).",
        show_default="the weights that come with the package",
    ),
]
ExportFormat = Annotated[
    Literal["onnx", "openvino"],
    typer.Option("--format", metavar="onnx|openvino", help="Of the file to write.", show_default=False),
]
ExportFolder = Annotated[Path, typer.Option("--out", help="Folder for the export and its report.")]
ExportChips = Annotated[
    Path | None,
    typer.Option(
        metavar="COCO.json",
        help="Annotated 8-bit chips: AP of torch and of the export on them too.",
        show_default="none",
    ),
]
Int8 = Annotated[
    bool, typer.Option("--int8", help="Compute in 8 bits: openvino alone, with --calibration. Needs the extra int8.")
]
CalibrationFolder = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="FOLDER",
        help="For --int8: train.json, val.json and their chips, such as outputs/tile.",
        show_default="none",
    ),
]
MaxDrop = Annotated[
    float, typer.Option(min=0.0, help="For --int8: points of AP on val that it may cost; else layers go back to float.")
]

Annotations = Annotated[
    Path, typer.Argument(metavar="ANNOTATIONS.json", help="COCO file of your own.", show_default=False)
]
Images = Annotated[
    Path | None, typer.Option(help="Folder of its file names.", show_default="the folder of the COCO file")
]
Init = Annotated[str, typer.Option(help="What training starts from: shipped, a checkpoint, or none (ImageNet).")]
TrainFolder = Annotated[Path, typer.Option("--out", help="Folder for checkpoint and report.")]
Epochs = Annotated[int, typer.Option(min=1, help="Passes over the training chips.")]
TrainBatch = Annotated[int, typer.Option("--batch-size", min=1, help="Chips of one step.")]
LearningRate = Annotated[
    float | None,
    typer.Option("--lr", help="Learning rate.", show_default="0.0003, or 0.0007 with --init none"),
]
TrainSeed = Annotated[int, typer.Option("--seed", min=0, help="Equal seeds give equal weights on one machine.")]

Experiments = Annotated[
    list[str],
    typer.Argument(
        metavar="EXPERIMENT",
        help="Folder of outputs (or of outputs/evaluate alone), DVC experiment or git revision; LABEL=... names it.",
        show_default=False,
    ),
]
ComparisonPage = Annotated[Path, typer.Option("--out", help="HTML file to write; its numbers go beside it.")]

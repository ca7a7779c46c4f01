"""`refinedet export`: a checkpoint as a file for another runtime, with the loss of accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json
from cli.tables import settings_table
from refinedet.extras import check_extra

_SHOWN = ("int8", "parity", "accuracy")


def export(  # noqa: PLR0913, PLR0917 - the command line itself
    format: Annotated[
        Literal["onnx", "openvino"],
        typer.Option("--format", metavar="onnx|openvino", help="Format of the file to write.", show_default=False),
    ],
    weights: Annotated[
        Path | None,
        typer.Option(help="Checkpoint (.safetensors).", show_default="the shipped weights"),
    ] = None,
    folder: Annotated[Path, typer.Option("--out", help="Folder for the export and its report.")] = Path("exported"),
    chips: Annotated[
        Path | None,
        typer.Option(
            metavar="COCO.json",
            help="Annotated 8-bit chips, to compare the AP of torch and of the export.",
            show_default="none",
        ),
    ] = None,
    int8: Annotated[
        bool,
        typer.Option("--int8", help="Quantise to 8 bits. Only openvino; needs --calibration and the extra int8."),
    ] = False,
    calibration: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="For --int8: folder with train.json, val.json and their chips, such as outputs/tile.",
            show_default="none",
        ),
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="For --int8: largest loss of AP on val in points; some layers stay in float to keep it.",
            show_default="0.5",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Export a checkpoint to one file for ONNX Runtime or OpenVINO, for `detect --weights`.

    A report beside the file compares its boxes and scores with those of torch.
    """
    with one_sentence_errors(debug=debug):
        check_extra("torch", "`refinedet export`")
        from refinedet.exporting import ExportSettings, export_and_measure

        settings = ExportSettings(format, chips, int8, calibration, max_drop)
        made = export_and_measure(settings, weights=weights, out=folder, overwrite=overwrite)
        if json:
            print_json(made.report | {"files": [str(path) for path in made.files]})
            return
        for path in made.files:
            out.print(str(path))
        out.print(settings_table({name: made.report[name] for name in _SHOWN if name in made.report}))

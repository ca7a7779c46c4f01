"""The command line: parse, call once, print. Heavy imports sit inside the commands, so that --help is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from cli import options, workflow
from cli.commands.detect import detect
from cli.console import one_sentence_errors, out, print_json
from cli.settings_options import with_settings
from refinedet.workarounds.exit_collection import skip_collection_at_exit

app = typer.Typer(
    name="refinedet",
    help="Finds ships in radar images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the script `refinedet`."""
    skip_collection_at_exit()
    app(prog_name="refinedet")


def _version(wanted: bool) -> None:
    if wanted:
        import refinedet

        typer.echo(f"refinedet {refinedet.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    pass


app.command()(with_settings(detect))


@app.command()
def simulate(  # noqa: PLR0913, PLR0917 - the command line itself
    out_path: Annotated[Path, typer.Argument(metavar="OUT.tif", help="GeoTIFF to write.", show_default=False)],
    width_px: Annotated[int, typer.Option(min=64, help="Width of the scene.")] = 2048,
    height_px: Annotated[int, typer.Option(min=64, help="Height of the scene.")] = 2048,
    ships: Annotated[int, typer.Option(min=0, help="Number of ships.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal bytes.")] = 1,
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,
) -> None:
    """Simulate a SAR scene, and write its truth beside it: scene.tif, scene.truth.geojson."""
    with one_sentence_errors(debug=debug):
        from cli.simulating import write_scene_and_truth

        truth = write_scene_and_truth(
            out_path, width_px=width_px, height_px=height_px, ships=ships, seed=seed, overwrite=overwrite
        )
        out.print(f"{out_path}\n{truth}", markup=False)


@app.command()
def score(  # noqa: PLR0913, PLR0917 - the command line itself
    pred: Annotated[Path, typer.Argument(metavar="PRED.geojson", help="What was found.", show_default=False)],
    truth: Annotated[Path, typer.Argument(metavar="TRUTH.geojson", help="What is there.", show_default=False)],
    score_min: Annotated[float, typer.Option(min=0, max=1, help="Leave out detections below this score.")] = 0.0,
    iou_min: Annotated[float, typer.Option(min=0.01, max=1, help="A match overlaps at least this much ...")] = 0.3,
    centre_m: Annotated[float, typer.Option(min=0, help="... or has its centre within these metres.")] = 40.0,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Precision, recall and F1 of detections against a truth, matched one to one.

    Files of scenes without position are compared in pixels; there, centres may be 4 pixels apart.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.evaluation.score import score_files

        found = score_files(pred, truth, score_min=score_min, iou_min=iou_min, centre_max_m=centre_m)
        if json:
            print_json(found.to_dict())
            return
        out.print(f"precision {found.precision:.3f}   recall {found.recall:.3f}   F1 {found.f1:.3f}")
        out.print(f"found {found.tp}   false alarms {found.fp}   missed {found.fn}")


@app.command()
def train(  # noqa: PLR0913, PLR0917 - the command line itself
    annotations: options.Annotations,
    images: options.Images = None,
    init: options.Init = "shipped",
    out_folder: options.TrainFolder = Path("trained"),
    epochs: options.Epochs = 30,
    batch_size: options.TrainBatch = 8,
    lr: options.LearningRate = None,
    seed: options.TrainSeed = 1,
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,
) -> None:
    """Train on your own COCO file: a tenth of its images to validate, a tenth to test, then a report.

    Interrupted, it goes on from the last finished epoch when started again in the same folder.
    """
    with one_sentence_errors(debug=debug, progress=True):
        from cli.training import train_and_report
        from pipeline.stages.own_data import Choices

        choices = Choices(init=init, epochs=epochs, batch_size=batch_size, lr=lr, seed=seed)
        train_and_report(annotations, images, out_folder, choices, overwrite=overwrite)


@app.command()
def export(  # noqa: PLR0913, PLR0917 - the command line itself
    format: options.ExportFormat,
    weights: options.Weights = None,
    out_folder: options.ExportFolder = Path("exported"),
    chips: options.ExportChips = None,
    int8: options.Int8 = False,
    calibration: options.CalibrationFolder = None,
    max_drop: options.MaxDrop = 0.5,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """A checkpoint as one file for ONNX Runtime or OpenVINO, which `detect --weights` takes as it is.

    Beside it, a report says how far its boxes and scores are from torch's.
    """
    with one_sentence_errors(debug=debug):
        from cli.exporting import ExportOptions, export_and_compare

        asked = ExportOptions(weights, format, out_folder, chips, overwrite, int8, calibration, max_drop)
        files, found = export_and_compare(asked)
        if json:
            print_json(found | {"files": [str(path) for path in files]})
            return
        for path in files:
            out.print(str(path), markup=False)
        out.print(_table({name: found[name] for name in ("int8", "parity", "accuracy") if name in found}))


@app.command()
def info(
    weights: Annotated[
        Path | None,
        typer.Argument(
            metavar="WEIGHTS", help="Checkpoint (.safetensors).", show_default="the weights that come with the package"
        ),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """What a checkpoint is, and what it came from."""
    with one_sentence_errors(debug=debug):
        from refinedet.files import sha256_file
        from refinedet.model.checkpoint import read_header
        from refinedet.weights import shipped_weights

        weights = weights or shipped_weights()
        content = read_header(weights).to_dict() | {"sha256": sha256_file(weights), "bytes": weights.stat().st_size}
        if json:
            print_json(content)
        else:
            out.print(_table(content))


def _table(content: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for key, value in _flat(content):
        table.add_row(key, value)
    return table


def _flat(content: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested settings as dotted names with their values as text."""
    rows: list[tuple[str, str]] = []
    for key, value in content.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            text = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
            rows.append((f"{prefix}{key}", text))
    return rows


app.add_typer(workflow.commands)  # without a name: beside the others

if __name__ == "__main__":
    main()

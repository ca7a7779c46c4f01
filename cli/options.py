"""Arguments and options of the commands, each with its help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer


class Format(StrEnum):
    """Result files that `detect` can write; the names of refinedet.scene.output.writers."""

    GEOJSON = "geojson"
    CSV = "csv"
    GPKG = "gpkg"
    COCO = "coco"
    GEOPARQUET = "geoparquet"


class Multiscale(StrEnum):
    """Sets of passes that `detect` can make; the names of refinedet.config.PRESETS."""

    LIGHT = "light"
    PUBLISHED = "published"
    PUBLISHED_VOC = "published-voc"
    PUBLISHED_COCO = "published-coco"


Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print a summary for programs, and nothing else, on stdout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]

Scenes = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="SCENE...",
        help="GeoTIFF, a Sentinel-1 GRD product (.SAFE folder or zip), PNG/JPEG without position, or a quoted pattern.",
        show_default=False,
    ),
]
Weights = Annotated[
    Path | None,
    typer.Option(
        help="Checkpoint (.safetensors), an export of one (.onnx, .xml), or a detector of your own (.onnx).",
        show_default="the weights that come with the package",
    ),
]
ResultFolder = Annotated[Path | None, typer.Option("--out", help="Folder for results.", show_default="./<stem>_ships")]
ScoreMin = Annotated[float, typer.Option(min=0, max=1, help="Lowest score of a ship.")]
TilePx = Annotated[
    int | None,
    typer.Option(
        min=64,
        help="Side of a window, in pixels, scaled to the network's input.",
        show_default="that of training; without the prescreen twice that",
    ),
]
OverlapPx = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Pixels that windows share. A ship no longer than this is found whole, a longer one is joined.",
        show_default="as trained, less where that holds 500 m",
    ),
]
Polarisation = Annotated[
    Literal["vv", "vh", "hh", "hv"] | None,
    typer.Option("--pol", help="Of a Sentinel-1 product.", show_default="vv, else hh, else the first"),
]
Band = Annotated[
    str | None,
    typer.Option(help="Band of a raster, by number or description.", show_default="the first, or RGB"),
]
Calibration = Annotated[
    Literal["sigma0", "sigma0-denoised"] | None,
    typer.Option(
        "--calibrate",
        help="Look at calibrated amplitudes of a Sentinel-1 product, thermal noise taken off or not.",
        show_default="off: counts as they are",
    ),
]
Stretch = Annotated[
    str,
    typer.Option(
        metavar="auto|percentile|decibel|fixed:LOW:HIGH|none",
        help="How values become 8 bits; auto: as the weights were trained, 8-bit scenes as they are.",
    ),
]
Scale = Annotated[
    float | None,
    typer.Option(help="Look at the scene in this many times its pixels along each side.", show_default="1"),
]
GsdM = Annotated[
    float | None,
    typer.Option("--gsd-m", help="Look at the scene in pixels of so many metres.", show_default="its own"),
]
MaxPixels = Annotated[int, typer.Option(min=1, help="Refuse a larger scene before anything is read.")]
LandMask = Annotated[
    Literal["flag", "drop", "off"] | None,
    typer.Option(
        help="What becomes of detections on land.",
        show_default="flag, where a coastline is installed",
        metavar="flag|drop|off",
    ),
]
LandFile = Annotated[
    Path | None,
    typer.Option(
        "--land",
        metavar="FILE",
        help="Land polygons of your own: GeoJSON, GeoPackage or Shapefile.",
        show_default="the installed coastline",
    ),
]
LandBufferM = Annotated[
    float, typer.Option(min=0, max=100_000, help="Nearer to the coast than this is shore; farther inside is land.")
]
Exclude = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Platforms, turbines: points or polygons; detections there are dropped."),
]
ExcludeM = Annotated[float, typer.Option(min=0, max=100_000, help="... and those up to this far from them.")]
BatchSize = Annotated[
    int | None,
    typer.Option(min=1, help="Windows per pass of the network.", show_default="2 on a CPU, 8 on a GPU"),
]
Prescreen = Annotated[
    Literal["on", "off"] | None,
    typer.Option(
        metavar="on|off",
        help="Skip windows in which nothing stands out from the sea.",
        show_default="on for detectors of ships in checkpoints of this project, else off",
    ),
]
Passes = Annotated[
    Multiscale | None,
    typer.Option("--multiscale", help="Look at other sizes and mirrored too: slower, more exact.", show_default="off"),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N, or all: every GPU at once.")]
Runtime = Annotated[
    Literal["auto", "torch", "onnx", "openvino"],
    typer.Option(
        metavar="auto|torch|onnx|openvino",
        help="What runs the network; auto: on a GPU torch, else the first of openvino, onnx, torch that is installed.",
    ),
]
Precision = Annotated[
    Literal["fp32", "bf16"],
    typer.Option(
        metavar="fp32|bf16", help="bf16: faster where the processor has it; boxes move a little. Not with onnx."
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
SkipExisting = Annotated[
    bool,
    typer.Option(
        "--skip-existing",
        help="Leave scenes alone that have all their results already, of the same scene, weights and settings.",
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Discard the windows that an interrupted run has kept, and begin anew.")
]
Formats = Annotated[
    list[Format] | None,
    typer.Option(
        "--format", help="Result files; repeat for several.", show_default="geojson, csv; of an archive its data set"
    ),
]
Quicklook = Annotated[
    bool | None,
    typer.Option("--quicklook/--no-quicklook", help="Write a picture of the ships.", show_default="but for an archive"),
]
WebMap = Annotated[
    bool | None,
    typer.Option(
        "--map/--no-map",
        help="Write a map of the ships for the browser, in one file.",
        show_default="but for an archive",
    ),
]
Archive = Annotated[
    bool,
    typer.Option(
        "--archive",
        help="Many scenes: keep the status of each in OUT/archive.jsonl, go on from it, try again where that may help, "
        "and write the ships of all to the GeoParquet data set OUT/dataset. --manifest and --engine ray mean it too.",
    ),
]
Manifest = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Scenes or patterns, one to a line, relative to the file.", show_default=False),
]
EngineName = Annotated[
    Literal["local", "ray"],
    typer.Option(metavar="local|ray", help="What works on an archive: this process, or workers on Ray."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="How many, on Ray.", show_default="one for each GPU, else for each core"),
]
Address = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT|auto", help="Of a running Ray cluster.", show_default="this machine alone"),
]
Retries = Annotated[
    int, typer.Option(min=0, help="Further attempts at a scene of an archive that failed for no fault of its own.")
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

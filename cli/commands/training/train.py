"""`refinedet train`: from the user's own labels to a checkpoint and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import options
from cli.console import one_sentence_errors, out, say
from cli.settings_options import with_settings
from refinedet.config.options.detect import SceneSettings
from refinedet.config.options.label import LabelSettings
from refinedet.extras import check_extra
from refinedet.workarounds.matplotlib_folder import name_a_folder

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1")


@with_settings
def train(  # noqa: PLR0913, PLR0917 - the command line itself
    annotations: Annotated[
        Path,
        typer.Argument(
            metavar="ANNOTATIONS",
            help="Your labels: a COCO, VIA, CVAT or CSV file, YOLO's data.yaml, or a folder with such files or those "
            "of YOLO, labelme, VOC or DOTA. With --scene: labels with coordinates (GeoJSON, .gpkg, .shp, .csv).",
            show_default=False,
        ),
    ],
    labels: LabelSettings,
    looked_at: SceneSettings,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images.", show_default="searched around the labels")
    ] = None,
    boxes: Annotated[
        Literal["xywh", "xyxy", "cxcywh"] | None,
        typer.Option(
            help="Box format of a COCO or CSV file: corner and size, two corners, or centre and size.",
            show_default="xywh in COCO, by the column names in CSV; an error if it does not fit",
        ),
    ] = None,
    scene: Annotated[
        list[Path] | None,
        typer.Option(help="Scene of the labels; repeat for several.", show_default="none"),
    ] = None,
    init: Annotated[str, typer.Option(help="Initial weights: shipped, a checkpoint, or none (ImageNet).")] = "shipped",
    folder: Annotated[Path, typer.Option("--out", help="Folder for the checkpoint and the report.")] = Path("trained"),
    epochs: Annotated[int, typer.Option(min=1, help="Number of passes over the training chips.")] = 30,
    batch_size: Annotated[int, typer.Option(min=1, help="Number of chips per training step.")] = 8,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="0.0003, or 0.0007 with --init none")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Random seed; on one machine, equal seeds give equal weights.")] = 1,
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,
) -> None:
    """Train on your own labels, then evaluate and write a report.

    A tenth of the images is for validation and a tenth for test, unless the folder has its own splits. With --scene,
    scenes are read as in detection, and split by area.

    Labels may come from CVAT, Label Studio, Roboflow, labelme, VIA, RectLabel, LabelImg or YOLO tools. The console
    reports how they were read. If training is interrupted, the same command continues after the last finished epoch.
    """
    with one_sentence_errors(debug=debug, progress=True):
        check_extra("mlflow", "`refinedet train`")
        name_a_folder()
        from pipeline.datasets.scene_labels.choices import label_choices
        from pipeline.stages.own_data import Choices, check_free, train_own

        report = check_free(folder, overwrite=overwrite)
        over = label_choices(annotations, tuple(scene or ()), labels, looked_at)
        choices = Choices(init, epochs, batch_size, lr, seed, boxes, labels=over, pixels=looked_at)
        metrics = train_own(annotations, images, folder, choices)
        shown = "   ".join(f"{name} {metrics[name]:.1f}" for name in _MEASURES if name in metrics)
        say(f"the figures are measured on the test split (chips: {metrics['chips']:.0f})")
        out.print(f"{shown}\n{folder / 'train' / 'model.safetensors'}\n{report}")

"""`refinedet train`: from labels of the user's own to a checkpoint and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli import options
from cli.console import one_sentence_errors, out, say
from cli.settings_options import with_settings
from refinedet.config.detect_options import SceneSettings
from refinedet.config.label_options import LabelSettings
from refinedet.extras import check_extra
from refinedet.workarounds.matplotlib_folder import name_a_folder

_MEASURES = ("AP", "AP50", "AP75", "precision", "recall", "F1")


@with_settings
def train(  # noqa: PLR0913, PLR0917 - the command line itself
    annotations: Annotated[
        Path,
        typer.Argument(
            metavar="ANNOTATIONS",
            help="Labels of your own: a COCO or VIA file, YOLO's data.yaml, or a folder of one of these or of labelme; "
            "with --scene labels on the ground: GeoJSON, .gpkg, .shp, .csv.",
            show_default=False,
        ),
    ],
    labels: LabelSettings,
    looked_at: SceneSettings,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the images.", show_default="looked for around the labels")
    ] = None,
    boxes: Annotated[
        Literal["xywh", "xyxy", "cxcywh"] | None,
        typer.Option(
            help="Numbers of a COCO file's boxes: corner and size, two corners, or centre and size.",
            show_default="xywh, as COCO has them; refused where they cannot be",
        ),
    ] = None,
    scene: Annotated[
        list[Path] | None,
        typer.Option(help="Scene that the labels are of; again for each further one.", show_default="none"),
    ] = None,
    init: Annotated[
        str, typer.Option(help="What training starts from: shipped, a checkpoint, or none (ImageNet).")
    ] = "shipped",
    folder: Annotated[Path, typer.Option("--out", help="Folder for checkpoint and report.")] = Path("trained"),
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training chips.")] = 30,
    batch_size: Annotated[int, typer.Option(min=1, help="Chips of one step.")] = 8,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate.", show_default="0.0003, or 0.0007 with --init none")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal weights on one machine.")] = 1,
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,
) -> None:
    """Train on your own labels: a tenth of the images to validate, a tenth to test, then a report.

    With --scene, scenes are looked at as detection does, and split by place.

    Labels may be as CVAT, Label Studio, Roboflow, labelme, VIA, RectLabel or YOLO's tools write them. Folders with a
    val or test split keep it. The console says how the labels were taken. Interrupted, training goes on from the last
    finished epoch when started again in the same folder.
    """
    with one_sentence_errors(debug=debug, progress=True):
        check_extra("mlflow", "`refinedet train`")
        name_a_folder()
        from pipeline.datasets.scene_labels.choices import label_choices
        from pipeline.stages.own_data import Choices, check_free, train_own

        report = check_free(folder, overwrite=overwrite)
        over = label_choices(annotations, tuple(scene or ()), labels, looked_at)
        choices = Choices(init, epochs, batch_size, lr, seed, boxes, labels=over)
        metrics = train_own(annotations, images, folder, choices)
        shown = "   ".join(f"{name} {metrics[name]:.1f}" for name in _MEASURES if name in metrics)
        say(f"measured on {metrics['chips']:.0f} chips of the test split, which training never saw")
        out.print(f"{shown}\n{folder / 'train' / 'model.safetensors'}\n{report}")

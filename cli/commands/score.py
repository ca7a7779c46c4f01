"""`refinedet score`: detections held against a truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say


def score(  # noqa: PLR0913, PLR0917 - the command line itself
    pred: Annotated[Path, typer.Argument(metavar="PRED", help="Detections.", show_default=False)],
    truth: Annotated[
        Path,
        typer.Argument(
            metavar="TRUTH", help="Ships: polygons or points (GeoJSON, .gpkg, .shp, .csv).", show_default=False
        ),
    ],
    score_min: Annotated[float, typer.Option(min=0, max=1, help="Leave out detections below this score.")] = 0.0,
    iou_min: Annotated[float, typer.Option(min=0.01, max=1, help="A match overlaps at least this much ...")] = 0.3,
    centre_m: Annotated[float, typer.Option(min=0, help="... or has its centre within these metres.")] = 40.0,
    truth_crs: Annotated[
        str | None,
        typer.Option(
            metavar="EPSG:n|pixels",
            help="Reference system of a truth that does not name one.",
            show_default="as the file says",
        ),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Precision, recall and F1 of detections against a truth, matched one to one.

    Points match by distance alone. Files of scenes without position are compared in pixels; there, centres may be 4
    pixels apart.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.evaluation.score import score_files

        limits = {"score_min": score_min, "iou_min": iou_min, "centre_max_m": centre_m}
        found = score_files(pred, truth, truth_crs=truth_crs, **limits)
        for note in found.notes:
            say(note)
        if json:
            print_json(found.to_dict() | {"notes": list(found.notes)})
            return
        out.print(f"precision {found.precision:.3f}   recall {found.recall:.3f}   F1 {found.f1:.3f}")
        out.print(f"found {found.tp}   false alarms {found.fp}   missed {found.fn}")

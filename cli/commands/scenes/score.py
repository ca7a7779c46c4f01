"""`refinedet score`: detections compared with a truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.errors import InputError
from refinedet.wording import counted

if TYPE_CHECKING:
    from refinedet.evaluation.score import Score
    from refinedet.evaluation.xview3.scoring import XView3Score


_Pred = Annotated[Path, typer.Argument(metavar="PRED", help="Detections: a result file of detect.", show_default=False)]
_Truth = Annotated[
    Path,
    typer.Argument(
        metavar="TRUTH", help="True ships: polygons or points (GeoJSON, .gpkg, .shp, .csv).", show_default=False
    ),
]
_ScoreMin = Annotated[float, typer.Option(min=0, max=1, help="Leave out detections below this score.")]
_IouMin = Annotated[
    float | None,
    typer.Option(min=0.01, max=1, help="Two boxes match if their IoU is at least this ...", show_default="0.3"),
]
_CentreM = Annotated[
    float | None,
    typer.Option(min=0, help="... or if their centres are at most this many metres apart.", show_default="40"),
]
_TruthCrs = Annotated[
    str | None,
    typer.Option(
        metavar="EPSG:n|pixels",
        help="Coordinate reference system of TRUTH, if the file does not name one.",
        show_default="as the file says",
    ),
]
_XView3 = Annotated[
    bool,
    typer.Option(
        "--xview3",
        help="Score by the rules of the xView3 contest. TRUTH is its table of labels; PRED is a submission, a result "
        "file, or the folder of an archive.",
    ),
]
_Shoreline = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        help="Folder of xView3 shoreline files, for the close-to-shore score.",
        show_default="the coastline that detect used",
    ),
]


def score(  # noqa: PLR0913, PLR0917 - the command line itself
    pred: _Pred,
    truth: _Truth,
    score_min: _ScoreMin = 0.0,
    iou_min: _IouMin = None,
    centre_m: _CentreM = None,
    truth_crs: _TruthCrs = None,
    xview3: _XView3 = False,
    shoreline: _Shoreline = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compute precision, recall and F1 of detections against the true ships, matched one to one.

    Points match only by distance. Files without map coordinates are compared in pixels; there, centres may be 4 pixels
    apart.
    """
    with one_sentence_errors(debug=debug):
        limits = {"iou_min": iou_min, "centre_max_m": centre_m, "truth_crs": truth_crs}
        given: dict[str, Any] = {name: value for name, value in limits.items() if value is not None}
        if xview3:
            if given:
                name = next(iter(given)).replace("centre_max_m", "centre_m")
                raise InputError(
                    f"expected no `{name}` beside `xview3`, since the contest's rules fix it, found it set"
                )
            from refinedet.evaluation.xview3.scoring import score_xview3

            _print_xview3(score_xview3(pred, truth, shoreline=shoreline, score_min=score_min), json=json)
            return
        if shoreline is not None:
            raise InputError("expected `shoreline` beside `xview3` alone, found it without; add `xview3`")
        from refinedet.evaluation.score import score_files

        found = score_files(pred, truth, score_min=score_min, **given)
        for note in found.notes:
            say(note)
        if json:
            print_json(found.to_dict() | {"notes": list(found.notes)})
            return
        out.print(f"precision {found.precision:.3f}   recall {found.recall:.3f}   F1 {found.f1:.3f}")
        out.print(f"found {found.tp}   false alarms {found.fp}   missed {found.fn}")
        out.print(_rule(found))


def _rule(found: Score) -> str:
    """Number of detections and true ships, and the rule of a match."""
    limits = found.rule
    apart = f"{limits['centre_m']:g} m" if "centre_m" in limits else f"{limits['centre_px']:g} pixels"
    least = f" with a score of at least {limits['score_min']:g}" if limits["score_min"] else ""
    return (
        f"of {counted(found.tp + found.fp, 'detection')}{least} and {counted(found.tp + found.fn, 'true ship')}; "
        f"a match: IoU of at least {limits['iou_min']:g}, or centres at most {apart} apart"
    )


def _print_xview3(found: XView3Score, *, json: bool) -> None:
    for note in found.notes:
        say(note)
    if json:
        print_json(found.to_dict() | {"notes": list(found.notes)})
        return
    parts, shore = found.parts, found.parts.shore
    counts = f"found {parts.detection.tp}   false alarms {parts.detection.fp}   missed {parts.detection.fn}"
    out.print(f"detection       F1 {parts.detection.f1:.3f}   {counts}   in {counted(found.scenes, 'scene')}")
    near = "" if shore is None else f"   found {shore.tp}   false alarms {shore.fp}   missed {shore.fn}"
    out.print(f"close to shore  F1 {parts.shore_f1:.3f}{near or '   not known'}")
    out.print(f"length             {parts.length:.3f}   of {parts.lengths} known lengths")
    out.print(f"vessel          F1 {parts.vessel.f1:.3f}{'' if found.says_class else '   all are taken for vessels'}")
    out.print(f"fishing         F1 {parts.fishing.f1:.3f}{'' if found.says_class else '   not said'}")
    out.print(f"aggregate          {parts.aggregate:.3f}")

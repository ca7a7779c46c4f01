"""`refinedet xview3`: tables of the xView3 contest from and to our files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.wording import counted


def xview3(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SOURCE",
            help="xView3 labels (CSV), or results of detect (a file or the folder of an archive).",
            show_default=False,
        ),
    ],
    target: Annotated[
        Path,
        typer.Option(
            "--out", help="Output: a folder for the truth of each scene, or the submission file.", show_default=False
        ),
    ],
    score_min: Annotated[float, typer.Option(min=0, max=1, help="Leave out detections below this score.")] = 0.0,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Convert xView3's labels to truth for `refinedet score`, or detections to a submission.

    Labels become one GeoJSON file per scene. Detections become one table with the columns of the contest.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.evaluation.xview3.tables import convert_xview3

        made = convert_xview3(source, target, score_min=score_min, overwrite=overwrite)
        for note in made.notes:
            say(note)
        if json:
            counts = {"kind": made.kind, "ships": made.ships, "scenes": made.scenes}
            print_json({**counts, "out": str(target), "notes": list(made.notes)})
            return
        out.print(f"{made.kind}: {counted(made.ships, 'ship')} in {counted(made.scenes, 'scene')}: {target}")

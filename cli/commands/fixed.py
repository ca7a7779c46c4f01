"""`refinedet fixed`: what stands still in the data set of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.traffic.settings import FixedSettings


def fixed(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Folder of results of an archive.", show_default=False)
    ],
    settings: FixedSettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find what stands still: platforms, turbines, wrecks. Writes points with their persistence as GeoJSON.

    The file is for --fixed of detect, which flags detections there, or for --exclude, which drops them.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.traffic.finding import fixed_places

        found = fixed_places(dataset, settings)
        if json:
            counts = {"scenes": found.scenes, "ships": found.ships, "fixed": len(found.things)}
            print_json({**counts, "file": str(found.path), "notes": list(found.notes)})
            return
        counted = f"{found.ships} detections of {found.scenes} scenes"
        out.print(f"fixed things: {len(found.things)}, in {counted}\n{found.path}")
        for note in found.notes:
            say(note)

"""`refinedet fixed`: fixed objects in the data set of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.traffic.settings import FixedSettings
from refinedet.wording import counted


def fixed(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Result folder of an archive.", show_default=False)
    ],
    settings: FixedSettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Find fixed objects, such as platforms, turbines and wrecks. Writes points with their persistence as GeoJSON.

    `detect --fixed FILE` flags detections at these points. `detect --exclude FILE` drops them.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.traffic.finding import fixed_places

        found = fixed_places(dataset, settings)
        if json:
            counts = {"scenes": found.scenes, "ships": found.ships, "fixed": len(found.things)}
            print_json({**counts, "file": str(found.path), "notes": list(found.notes)})
            return
        searched = f"{counted(found.ships, 'detection')} of {counted(found.scenes, 'scene')}"
        out.print(f"fixed objects: {len(found.things)}, in {searched}\n{found.path}")
        for note in found.notes:
            say(note)

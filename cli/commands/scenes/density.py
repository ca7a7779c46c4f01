"""`refinedet density`: ships per pass on a map, from the data set of an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json, say
from refinedet.traffic.settings import DensitySettings
from refinedet.wording import counted


def density(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Result folder of an archive.", show_default=False)
    ],
    settings: DensitySettings,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Map the number of ships per pass and cell. Writes a Cloud Optimized GeoTIFF and a picture.

    Each period has two layers: ships per pass, and passes. Cells without a pass are NaN.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.traffic.mapping import density_map

        found = density_map(dataset, settings)
        if json:
            counts = {"scenes": found.scenes, "ships": found.ships, "layers": list(found.layers)}
            print_json({**counts, "files": [str(file) for file in found.files], "notes": list(found.notes)})
            return
        counts_in_words = f"{counted(found.ships, 'ship')} in {counted(found.scenes, 'scene')}"
        out.print(f"{counts_in_words}, layers: {', '.join(found.layers)}")
        for file in found.files:
            out.print(str(file))
        for note in found.notes:
            say(note)

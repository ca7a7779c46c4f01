"""`refinedet simulate`: scenes and their truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out
from refinedet.data.simulation.settings import SimulationSettings


def simulate(
    path: Annotated[Path, typer.Argument(metavar="OUT.tif", help="GeoTIFF to write.", show_default=False)],
    settings: SimulationSettings,
    debug: options.Debug = False,
) -> None:
    """Simulate a SAR scene (scene.tif) and write its true ships (scene.truth.geojson).

    With --ais, it also writes scene.ais_reports.csv. With --series N, it writes N scenes of one area.
    """
    with one_sentence_errors(debug=debug):
        from refinedet.data.simulation.simulating import simulate_files

        for files in simulate_files(path, settings):
            out.print("\n".join(map(str, files.all)))

"""`refinedet simulate`: a scene and its truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out
from refinedet.config.scene_kind import SceneKind


def simulate(  # noqa: PLR0913, PLR0917 - the command line itself
    path: Annotated[Path, typer.Argument(metavar="OUT.tif", help="GeoTIFF to write.", show_default=False)],
    width_px: Annotated[int, typer.Option(min=64, help="Width of the scene.")] = 2048,
    height_px: Annotated[int, typer.Option(min=64, help="Height of the scene.")] = 2048,
    ships: Annotated[int, typer.Option(min=0, help="Number of ships.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Equal seeds give equal bytes.")] = 1,
    kind: Annotated[
        SceneKind,
        typer.Option(help="Kind of scene: ships, sea and land; or harder, calibrated on images of Sentinel-1."),
    ] = "plain",
    overwrite: options.Overwrite = False,
    debug: options.Debug = False,
) -> None:
    """Simulate a SAR scene, and write its truth beside it: scene.tif, scene.truth.geojson."""
    with one_sentence_errors(debug=debug):
        from refinedet.data.simulation.scene import write_simulated
        from refinedet.data.simulation.spec import SceneSpec

        spec = SceneSpec(width_px=width_px, height_px=height_px, ships=ships, seed=seed, kind=kind)
        truth = write_simulated(spec, path, overwrite=overwrite)
        out.print(f"{path}\n{truth}")

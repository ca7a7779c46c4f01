"""`refinedet info`: settings and origin of a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, print_json
from cli.tables import settings_table


def info(
    weights: Annotated[
        Path | None,
        typer.Argument(metavar="WEIGHTS", help="Checkpoint (.safetensors).", show_default="the shipped weights"),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show the settings and the origin of a checkpoint."""
    with one_sentence_errors(debug=debug):
        from refinedet.model.checkpoint import describe_checkpoint
        from refinedet.weights import shipped_weights

        content = describe_checkpoint(weights or shipped_weights())
        if json:
            print_json(content)
        else:
            out.print(settings_table(content))

"""Options and arguments that several commands share, each with its help."""

from __future__ import annotations

from typing import Annotated

import typer

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON summary on stdout, and nothing else.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="ID of a run in MLflow.", show_default=False)]

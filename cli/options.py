"""Options and arguments that several commands share, each with its help."""

from __future__ import annotations

from typing import Annotated

import typer

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and the log.")]
Json = Annotated[bool, typer.Option("--json", help="Print a summary for programs, and nothing else, on stdout.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing results.")]
RunId = Annotated[str, typer.Argument(metavar="RUN_ID", help="A run in MLflow.", show_default=False)]

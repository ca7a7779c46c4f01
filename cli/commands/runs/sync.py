"""`refinedet sync`: entries that MLflow has not received yet."""

from __future__ import annotations

from typing import Annotated

import typer

from cli import options
from cli.console import one_sentence_errors, out, say
from refinedet.extras import check_extra
from refinedet.wording import counted


def sync(
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="Server for runs whose own server never answered.",
            show_default="the server of each run",
        ),
    ] = None,
    debug: options.Debug = False,
) -> None:
    """Send to MLflow the entries that waited while its server was not reachable."""
    with one_sentence_errors(debug=debug):
        check_extra("mlflow", "`refinedet sync`")
        from pipeline.tracking.sync import send_waiting

        one = None
        for one in send_waiting(to):
            if one.busy:
                say(f"another process is sending to {one.store}")
            else:
                sent = f"{counted(one.entries, 'entry', 'entries')} of {counted(one.runs, 'run')}"
                out.print(f"{sent} sent to {one.store}")
        if one is None:
            out.print("nothing to send: MLflow has all entries")

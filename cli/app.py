"""The command line, put together. Heavy imports sit inside the commands, so that --help is quick."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from cli.commands.compare import compare
from cli.commands.datasets import datasets
from cli.commands.density import density
from cli.commands.detect import detect
from cli.commands.export import export
from cli.commands.fetch import fetch
from cli.commands.fixed import fixed
from cli.commands.info import info
from cli.commands.match import match
from cli.commands.restore import restore
from cli.commands.runs import runs
from cli.commands.score import score
from cli.commands.search import search
from cli.commands.serve import serve
from cli.commands.simulate import simulate
from cli.commands.sync import sync
from cli.commands.train import train
from cli.commands.verify import verify
from cli.commands.xview3 import xview3
from cli.option_names import use_flags_of
from cli.settings_options import with_settings
from refinedet.workarounds.exit_collection import skip_collection_at_exit

app = typer.Typer(
    name="refinedet",
    help="Finds ships in radar images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point of the script `refinedet`."""
    skip_collection_at_exit()
    app(prog_name="refinedet")


def _print_version(wanted: bool) -> None:
    if wanted:
        import refinedet

        typer.echo(f"refinedet {refinedet.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if isinstance(context.command, TyperGroup) and context.invoked_subcommand is not None:
        use_flags_of(context.command.commands[context.invoked_subcommand].params)


for _command in (
    with_settings(detect),
    with_settings(serve),
    with_settings(search),
    fetch,
    with_settings(match),
    with_settings(fixed),
    with_settings(density),
    with_settings(simulate),
    score,
    xview3,
    train,
    export,
    info,
    runs,
    compare,
    datasets,
    sync,
    restore,
    verify,
):  # in the order of --help
    app.command()(_command)

if __name__ == "__main__":
    main()

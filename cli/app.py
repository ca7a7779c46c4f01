"""The command line with all its commands. Heavy imports are inside the commands, so that --help is quick.

A run imports only the file of its own command; if no command comes first, as for --help, it imports all files.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from cli.option_names import use_flags_of
from cli.settings_options import with_settings
from refinedet.workarounds.exit_collection import skip_collection_at_exit
from refinedet.workarounds.unused_imports import read_boto3_when_used

_SETTLED = frozenset({"detect", "serve", "search", "match", "fixed", "density", "simulate"})
"""Commands whose parameters are settings classes."""
_ROOMS = {
    "scenes": ("detect", "serve", "search", "fetch", "match", "fixed", "density", "simulate", "score", "xview3"),
    "training": ("train", "export", "info", "datasets"),
    "runs": ("runs", "compare", "sync", "restore", "verify"),
}
"""Commands by their folder, in the order of --help; each is a function of a file of that name."""
_PANELS = {"scenes": "Scenes and ships", "training": "Detectors and data sets", "runs": "Runs of the pipeline"}
"""Titles of --help for the commands of each folder."""
_COMMANDS = {name: room for room, names in _ROOMS.items() for name in names}


class Command(TyperCommand):
    """Command whose errors of usage are without the words that pydantic, which Typer uses, puts before them."""

    def make_context(self, *args: Any, **settings: Any) -> Any:
        """Parse the words of a call."""
        try:
            return super().make_context(*args, **settings)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


def main() -> None:
    """Entry point of the script `refinedet`."""
    skip_collection_at_exit()
    read_boto3_when_used()
    named = sys.argv[1:2]
    command_line(named if named and named[0] in _COMMANDS else _COMMANDS)(prog_name="refinedet")


def command_line(commands: Iterable[str] = _COMMANDS) -> typer.Typer:
    """Build the command line from commands; files of other commands are not imported."""
    made = typer.Typer(
        name="refinedet",
        help="Find ships in radar (SAR) images.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_root)
    for name in commands:
        room = _COMMANDS[name]
        command = getattr(import_module(f"{__package__}.commands.{room}.{name}"), name)
        adds = made.command(cls=Command, help=_unwrapped(command), rich_help_panel=_PANELS[room])
        adds(with_settings(command) if name in _SETTLED else command)
    return made


def _unwrapped(command: Callable[..., object]) -> str:
    """Docstring of a command with one line per paragraph, which the terminal then wraps to its own width."""
    return "\n\n".join(" ".join(one.split()) for one in (inspect.getdoc(command) or "").split("\n\n"))


def __getattr__(name: str) -> typer.Typer:
    """Build the whole command line when `app` is first used (PEP 562)."""
    if name != "app":
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    made: typer.Typer = globals().setdefault(name, command_line())
    return made


def _print_version(wanted: bool) -> None:
    if wanted:
        import refinedet

        typer.echo(f"refinedet {refinedet.__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    if isinstance(context.command, TyperGroup) and context.invoked_subcommand is not None:
        use_flags_of(context.command.commands[context.invoked_subcommand].params)


if __name__ == "__main__":
    main()

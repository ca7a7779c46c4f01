"""Consoles, one-sentence errors and exit codes, which all commands share.

Exit codes: 0 fine, 1 an error that the user can act on, 2 wrong usage, 70 a bug of ours, 130 interrupted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from cli.option_names import in_flags
from refinedet.errors import RefineDetError
from refinedet.extras import extra_missing_for
from refinedet.files import full_disk, is_disk_full

EXIT_ERROR, EXIT_BUG, EXIT_INTERRUPTED = 1, 70, 130

out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
"""Results, for people or for the next program. Text is printed as it is: names may hold [brackets] and :colons:."""
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)
"""Progress, warnings and errors, as they are."""


@contextmanager
def one_sentence_errors(*, debug: bool, progress: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside into one sentence on stderr and an exit code; with `debug`, into a traceback."""
    show_log(debug=debug, progress=progress)
    try:
        yield
    except KeyboardInterrupt as interrupt:
        say(str(interrupt) or "interrupted; results already written are whole, and nothing is half-written")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except RefineDetError as error:
        if debug:
            raise
        say(str(error))
        raise typer.Exit(EXIT_ERROR) from None
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except Exception as error:  # the one boundary where a bug must not become a traceback
        if debug:
            raise
        missing = extra_missing_for(error, "this command")
        if missing is not None:
            say(str(missing))
            raise typer.Exit(EXIT_ERROR) from None
        if is_disk_full(error, Path.cwd()):
            say(f"{full_disk('what is written')} ({error})")
            raise typer.Exit(EXIT_ERROR) from None
        say(f"a bug in refinedet: {type(error).__name__}: {error}; run again with --debug and report the traceback")
        raise typer.Exit(EXIT_BUG) from None


def say(sentence: str) -> None:
    """Print one line on stderr, under the name of the program; settings of the library become flags."""
    err.print(f"refinedet: {in_flags(' '.join(sentence.split()))}")


def print_json(value: Any) -> None:
    """Machine-readable output on stdout, and nothing else there."""
    typer.echo(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False))


def show_log(*, debug: bool, progress: bool = False) -> None:
    """Show warnings of this project on stderr, its progress where asked for, everything with `debug`."""
    from rich.logging import RichHandler

    handler = RichHandler(console=err, show_time=progress, show_path=False, show_level=debug, markup=False)
    handler.setFormatter(_InFlags("%(message)s" if progress else "refinedet: %(message)s"))
    for name in ("refinedet", "pipeline"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.DEBUG if debug else logging.INFO if progress else logging.WARNING)


class _InFlags(logging.Formatter):
    """Messages with the flags of the running command, where the library names its settings."""

    def format(self, record: logging.LogRecord) -> str:
        return in_flags(super().format(record))
